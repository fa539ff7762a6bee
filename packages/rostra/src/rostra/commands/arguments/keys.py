"""`rostra keys`."""

from __future__ import annotations

from rostra.commands.arguments.kinds import AddParser, span


def add(add_parser: AddParser) -> None:
    keys = add_parser(
        "keys",
        help="make, list and revoke the API's keys",
        description="Works on the Redis in ROSTRA_REDIS_URL, and where that is not set on that of the `rostra serve` "
        "that runs in ROSTRA_DATA_DIR. In the containers: docker compose exec api rostra keys …",
    )
    keys.set_defaults(extra="store", run="rostra.commands.keys:run")
    actions = keys.add_subparsers(dest="action", required=True)
    create = actions.add_parser("create", help="make a key; it is shown this once")
    create.add_argument(
        "--owner", required=True, help="whose debates it begins and sees; an owner may have several keys"
    )
    create.add_argument(
        "--scopes",
        type=lambda text: text.split(","),
        default=["read", "write"],
        help="read, write (which includes read) or admin (everything, and everybody's); default: read,write",
    )
    create.add_argument("--expires", type=span, metavar="TIME", help="30d, 12h, …; left out: never")
    actions.add_parser("list", help="all keys, without their secrets")
    revoke = actions.add_parser("revoke", help="take a key back: it stops working within 10 seconds")
    revoke.add_argument("id", metavar="ID", help="as `rostra keys list` shows it")
