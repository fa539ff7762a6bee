"""`rostra formats` and `rostra models`."""

from __future__ import annotations

from rostra.commands.arguments.kinds import AddParser


def add(add_parser: AddParser) -> None:
    formats = add_parser("formats", help="list the formats, or show one", description="List the formats, or show one.")
    formats.add_argument("name", nargs="?", metavar="NAME", help="one of them, with its picture")
    models = add_parser(
        "models",
        help="list the models, or what one's servers can do",
        description="List the models that debaters can have; or what the servers of one can do, found out by asking "
        "them, which takes up to a minute each.",
    )
    models.add_argument("name", nargs="?", metavar="NAME", help="one of them")
    models.add_argument("--fresh", action="store_true", help="ask its servers anew")
    for command, run in ((formats, "formats"), (models, "models")):
        command.add_argument("--json", action="store_true", help="for scripts: one JSON value")
        command.set_defaults(run=f"rostra.commands.catalogue:{run}")
