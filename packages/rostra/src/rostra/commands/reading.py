"""`rostra list`, `show` and `export`: what there is, and what was said."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import cast

from rich.console import Console
from rich.text import Text

from rostra.client.calls import Form
from rostra.commands.arguments.debates import FORMS
from rostra.commands.scene import Scene
from rostra.commands.terminal import DONE, Wrong, a_client, as_line, command, found, note, screen
from rostra.plain import on_one_line, plain, spelt_out
from rostra.views import DebateView


@command
def listed(chosen: argparse.Namespace) -> int:
    """Each debate a line."""
    with a_client() as client:
        wanted = client.debates.list(status=chosen.status, metadata=dict(chosen.metadata))
        debates = islice(wanted, chosen.limit or None)
        if chosen.json:
            for debate in debates:
                as_line(debate)
        else:
            _list(debates)
    return DONE


def _list(debates: Iterator[DebateView]) -> None:
    console = screen()
    line = "{:<28}  {:<9}  {:>9}  {:<16}  {}".format
    first = next(debates, None)  # asked for before anything is said, as it may fail
    if first is None:
        note("No debate matches.")
        return
    row(console, line("ID", "STATUS", "TURNS", "CREATED", "MOTION"))
    for debate in chain([first], debates):
        turns = f"{debate.turns_done}/{debate.turns_planned}"
        made = f"{debate.created_at.astimezone():%Y-%m-%d %H:%M}"
        row(console, line(debate.id, debate.status, turns, made, on_one_line(debate.motion)))


def row(console: Console, text: str) -> None:
    """A line of a table: cut where a terminal ends, whole in a file."""
    if console.is_terminal:
        console.print(Text(plain(text)), no_wrap=True, overflow="ellipsis")
    else:
        print(plain(text))


@command
def show(chosen: argparse.Namespace) -> int:
    """The transcript, to be read in the terminal."""
    with a_client() as client:
        debate_id = found(client, chosen.id)
        if chosen.json:
            print(spelt_out(client.debates.export(debate_id, "json")))
            return DONE
        debate, transcript = client.debates.get(debate_id), client.debates.transcript(debate_id)
    scene = Scene(screen(), debate.model_dump(mode="json"))
    scene.read(transcript)
    return DONE


@command
def export(chosen: argparse.Namespace) -> int:
    """The transcript as the API writes it, to a file or to standard output."""
    form = _form(chosen)
    with a_client() as client:
        text = client.debates.export(found(client, chosen.id), form)
    if chosen.out == "-":
        _print(text)
        return DONE
    try:
        Path(chosen.out).write_bytes(text.encode())
    except OSError as error:
        raise Wrong(f"cannot write {chosen.out}: {error.strerror}") from None
    if chosen.json:
        as_line({"file": chosen.out, "form": form})
    return DONE


def _form(chosen: argparse.Namespace) -> Form:
    """As it is said, or as the file ends."""
    ending = Path(chosen.out).suffix.removeprefix(".")
    if not chosen.form and ending and ending not in FORMS:
        raise Wrong(f"{chosen.out} ends in none of {', '.join(FORMS)}; say which by --form")
    return cast("Form", chosen.form or ending or ("json" if chosen.json else "md"))


def _print(text: str) -> None:
    """To a file as it is; to a terminal without what drives it."""
    if sys.stdout.isatty():
        text = plain(text)
    sys.stdout.buffer.write(text.encode())
    sys.stdout.flush()
