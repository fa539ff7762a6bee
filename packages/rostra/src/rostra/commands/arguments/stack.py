"""`rostra serve` and `rostra demo`."""

from __future__ import annotations

from pathlib import Path

from rostra.commands.arguments.kinds import FILE, AddParser, completed


def add(add_parser: AddParser) -> None:
    serve = add_parser("serve", help="run the whole stack here, without Docker, until Ctrl-C")
    serve.set_defaults(extra="embedded", run="rostra.commands.serve:serve")
    demo = add_parser("demo", help="run the whole stack and play one debate, live in this terminal")
    file = demo.add_argument("file", nargs="?", type=Path, help="a debate as JSON; a built-in one when left out")
    completed(file, FILE)
    demo.set_defaults(extra="embedded", run="rostra.commands.demo:demo")
