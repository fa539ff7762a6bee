"""The command line: `rostra serve` and `rostra demo`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; answers its exit status."""
    chosen = _parser().parse_args(arguments)
    # Imported here, so that `rostra --help` loads no web client and no terminal library.
    if chosen.command == "serve":
        from rostra.commands.serve import serve  # noqa: PLC0415

        return serve()
    from rostra.commands.demo import demo  # noqa: PLC0415

    return demo(chosen.file)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="rostra", description="Self-hosted debates between local language models.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="run the whole stack here, without Docker, until Ctrl-C")
    demo = commands.add_parser("demo", help="run the whole stack and play one debate, live in this terminal")
    demo.add_argument("file", nargs="?", type=Path, help="a debate as JSON; a built-in one when left out")
    return parser
