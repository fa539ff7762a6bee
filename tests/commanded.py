"""All that can be said to `rostra`, command by command."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from rostra.commands import parser


def commands(
    of: argparse.ArgumentParser | None = None, name: str = "rostra", run: str = ""
) -> Iterator[tuple[str, argparse.ArgumentParser, str]]:
    """Each command by its whole name, with the name of the function that does it."""
    whole = of or parser()
    run = whole.get_default("run") or run
    inner = [action for action in whole._actions if isinstance(action, argparse._SubParsersAction)]
    if not inner:
        yield name, whole, run
    for action in inner:
        for word, one in action.choices.items():
            yield from commands(one, f"{name} {word}", run)
