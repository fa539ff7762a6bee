"""`rostra backup` and `rostra restore`."""

from __future__ import annotations

from rostra.commands.arguments.kinds import FILE, AddParser, completed

_WHERE = (
    "Works on the Redis in ROSTRA_REDIS_URL, and where that is not set on that of the `rostra serve` that runs in "
    "ROSTRA_DATA_DIR. In the containers: docker compose exec -T api rostra …"
)


def add(add_parser: AddParser) -> None:
    backup = add_parser("backup", help="write all debates and keys to a file, while they go on", description=_WHERE)
    completed(backup.add_argument("file", metavar="FILE", help="a file, or - for standard output"), FILE)
    backup.set_defaults(extra="store", run="rostra.commands.backup:backup")
    restore = add_parser("restore", help="put back what a backup has; what ran is played on", description=_WHERE)
    completed(restore.add_argument("file", metavar="FILE", help="a file, or - for standard input"), FILE)
    restore.add_argument("--merge", action="store_true", help="also where there are debates; those are left alone")
    restore.set_defaults(extra="store", run="rostra.commands.backup:restore")
