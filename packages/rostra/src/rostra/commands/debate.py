"""`rostra debate`: a debate from its motion and a few options, live in the terminal."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import Any

from rostra.commands.terminal import (
    DONE,
    Wrong,
    a_client,
    as_line,
    command,
    fields,
    merged,
    metadata_value,
    note,
    screen,
)
from rostra.commands.watch import Watching, lines
from rostra.formats import library
from rostra.models import default_debaters
from rostra.naming import name_key


@command
def debate(chosen: argparse.Namespace) -> int:
    """Exit status 0 when the debate was completed, or begun where that is all."""
    request = request_of(chosen)
    with a_client() as client:
        begun = client.debates.create(request)
        for text in begun.notes:
            note(text)
        if chosen.detach:
            as_line(begun) if chosen.json else print(begun.id)
            return DONE
        if chosen.json:
            return lines(client, begun.id)
        return Watching(client, begun, screen(), chosen.human).until_left()


def request_of(chosen: argparse.Namespace) -> dict[str, Any]:
    """What is POSTed: only what was said, so that everything else is the API's to decide."""
    turn = {"max_characters": chosen.characters, "max_tokens": chosen.tokens}
    request: dict[str, Any] = {
        "motion": chosen.motion,
        "format": chosen.format,
        "language": chosen.language,
        "rounds": chosen.rounds,
        "opening": chosen.opening,
        "debaters": list(_debaters(chosen)) or None,
        "turn": {name: given for name, given in turn.items() if given is not None} or None,
        "seed": chosen.seed,
        "guard": chosen.guard,
        "judge": {"panel": chosen.judge} if chosen.judge else None,
        "metadata": {key: metadata_value(text) for key, text in chosen.metadata} or None,
    }
    said = {name: given for name, given in request.items() if given is not None}
    return merged(said, fields(chosen.set))


def _debaters(chosen: argparse.Namespace) -> Sequence[Mapping[str, Any]]:
    """As they were given; where only their model or a human is, those of a debate that names none."""
    given = [_debater(text) for text in chosen.debater]
    if not given and (chosen.model or chosen.human):
        given = _usual(chosen)
    for debater in given:
        if chosen.model:
            debater["model"] = chosen.model
    _seat(chosen.human, given)
    return given


def _seat(humans: Sequence[str], debaters: Sequence[dict[str, Any]]) -> None:
    """Who is named is a human; who is not gives their place to one who is nobody's name. Raises Wrong."""
    named = {name_key(debater["name"]): debater for debater in debaters}
    wanted = {name_key(name): name for name in humans}
    free = [debater for key, debater in named.items() if key not in wanted]
    strangers = [name for key, name in wanted.items() if key not in named]
    if len(strangers) > len(free):
        raise Wrong(f"there are {len(debaters)} debaters, too few for the humans {', '.join(wanted.values())}")
    for name, debater in zip(strangers, free, strict=False):
        debater["name"] = name
    for debater in debaters:
        if name_key(debater["name"]) in wanted:
            debater["human"] = True


def _debater(text: str) -> dict[str, Any]:
    name, colon, stance = text.partition(":")
    if not name.strip():
        raise Wrong(f"--debater {text!r} has no name; say it as 'Ada: for tabs'")
    return {"name": name.strip(), "stance": stance.strip()} if colon else {"name": name.strip()}


def _usual(chosen: argparse.Namespace) -> list[dict[str, Any]]:
    name = chosen.format or "round_robin"
    if name not in library():
        raise Wrong(f"give the debaters of the format {name} by --debater")
    usual = default_debaters(chosen.language, library()[name])
    return [debater.model_dump(mode="json", exclude_unset=True) for debater in usual]
