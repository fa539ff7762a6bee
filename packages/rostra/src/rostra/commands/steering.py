"""`rostra cancel`, `pause`, `resume`, `delete`, `say`, `ask` and `fork`: what becomes of a debate."""

from __future__ import annotations

import argparse
import sys

from rostra.client import Client
from rostra.commands.terminal import DONE, Wrong, a_client, as_line, command, fields, found, note
from rostra.views import DebateView


@command
def steer(chosen: argparse.Namespace) -> int:
    with a_client() as client:
        debate_id = found(client, chosen.id)
        match chosen.command:
            case "cancel":
                _told(chosen, client.debates.cancel(debate_id))
            case "pause":
                _told(chosen, client.debates.pause(debate_id))
            case "resume":
                _told(chosen, client.debates.resume(debate_id))
            case _:
                client.debates.delete(debate_id)
                as_line({"id": debate_id, "deleted": True}) if chosen.json else print(f"{debate_id} deleted")
    return DONE


@command
def say(chosen: argparse.Namespace) -> int:
    with a_client() as client:
        debate_id = found(client, chosen.id)
        seq = chosen.seq or _awaited(client, debate_id)
        _told(chosen, client.debates.speak(debate_id, _text(chosen), seq=seq))
    return DONE


@command
def ask(chosen: argparse.Namespace) -> int:
    with a_client() as client:
        _told(chosen, client.debates.ask(found(client, chosen.id), _text(chosen), to=chosen.to))
    return DONE


@command
def fork(chosen: argparse.Namespace) -> int:
    with a_client() as client:
        begun = client.debates.fork(found(client, chosen.id), chosen.after, fields(chosen.set))
    if chosen.json:
        as_line(begun)
    else:
        print(begun.id)
        note(f"rostra watch {begun.id} shows it.")
    return DONE


def _awaited(client: Client, debate_id: str) -> int | None:
    """The turn that is waited for, so that what is said is heard once."""
    awaits = client.debates.get(debate_id).awaits
    return awaits.seq if awaits else None


def _text(chosen: argparse.Namespace) -> str:
    text = sys.stdin.read() if chosen.text == "-" else chosen.text
    if not text.strip():
        raise Wrong("there is nothing to say")
    return text.strip()


def _told(chosen: argparse.Namespace, debate: DebateView) -> None:
    """How it stands, and what is still to be done: a worker notices a wish a little later."""
    wish = f", {debate.wish} is asked for" if debate.wish else ""
    as_line(debate) if chosen.json else print(f"{debate.id} {debate.status}{wish}")
