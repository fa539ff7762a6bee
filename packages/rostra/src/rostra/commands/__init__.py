"""The command line. `rostra --help` lists the commands.

arguments   what can be said to each command, in modules that load nothing else
the rest    what the commands do, loaded when one is chosen
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from rostra.commands import arguments as of


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; answers its exit status."""
    chosen = parser().parse_args(arguments)
    # By name, so that `rostra --help` loads no web client and no terminal library.
    module, _, function = chosen.run.partition(":")
    try:
        work = getattr(import_module(module), function)
    except ModuleNotFoundError as error:
        if str(error.name).partition(".")[0] == "rostra":
            raise
        print(f"rostra: this needs {error.name}: pip install 'rostra[{chosen.extra}]'", file=sys.stderr)
        return 2
    return work(chosen)


def parser() -> argparse.ArgumentParser:
    """All that can be said. Each command's `run` names the function that does it."""
    whole = argparse.ArgumentParser(prog="rostra", description="Self-hosted debates between local language models.")
    whole.set_defaults(extra="cli")  # what is installed beside Rostra itself for a command that does not say otherwise
    commands = whole.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for add in of.COMMANDS:
        add(commands.add_parser)
    return whole
