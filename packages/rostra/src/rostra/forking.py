"""A debate that begins as another one did, with something changed. Pure.

The request that a debate came from is worked out from the debate, changed by a JSON merge patch, and asked for anew;
the turns that are kept must still stand in the new debate's slots.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, Field, JsonValue, StrictInt

from rostra.agenda import Slot, agenda
from rostra.events import Event, NewerEvent, QuestionFailed, Recorded, TurnTaken, VoteCast
from rostra.fields import Request
from rostra.format import Format
from rostra.formats import library
from rostra.models import (
    MAX_TURNS,
    Debate,
    Debater,
    DebateRequest,
    DebaterRequest,
    debate_from,
    with_rounds,
)


class ForkRequest(Request):
    """Which of a debate's turns a new one begins with, and what is different in it. `{}` changes nothing."""

    after_turn: Annotated[StrictInt, Field(ge=0, le=MAX_TURNS)] | None = Field(
        default=None,
        description="The last turn that is kept; 0: none, so the debate is held again from its beginning. "
        "All that are finished when left out.",
    )
    changes: dict[str, JsonValue] = Field(
        default={},
        description="A JSON merge patch (RFC 7396) on the request that the debate came from: `null` takes a field out, "
        "and a list is replaced as a whole.",
    )


# ── the request ─────────────────────────────────────────────────────────────────────────────────────────

# What stands in both under one name and means the same. Where messages of a debate are sent is shown to nobody, and
# what comes of it is not for the same receiver.
_AS_ASKED = (DebateRequest.model_fields.keys() & Debate.model_fields.keys()) - {
    "format",
    "debaters",
    "speakers",
    "audience",
    "decision",
    "webhook",
}
_OF_DEBATERS = DebaterRequest.model_fields.keys() & Debater.model_fields.keys()


def request_of(debate: Debate, formats: Mapping[str, Format] | None = None) -> dict[str, Any]:
    """What to POST for the same debate again, its seed and language told: with names for ids, without what is so
    anyway, and with the format by its name where it is one of `formats` (the library's), else whole."""
    names = {debater.id: debater.name for debater in debate.debaters}
    known = (library() if formats is None else formats).get(debate.format.name)
    debate_format, rounds = _asked(debate.format, known)
    anyway = debate_from(DebateRequest(motion=debate.motion, language=debate.language, seed=debate.seed), debate_format)
    return {
        **_told(debate, _AS_ASKED),
        "format": debate_format.name if debate_format == known else _told(debate_format),
        **({"rounds": rounds} if rounds else {}),
        **(
            {"debaters": [_told(debater, _OF_DEBATERS) for debater in debate.debaters]}
            if debate.debaters != anyway.debaters
            else {}
        ),
        **({"speakers": [names[i] for i in debate.speakers]} if debate.speakers else {}),
        **({"audience": _told(debate.audience)} if debate.audience and debate.audience != anyway.audience else {}),
        **({"decision": _told(debate.decision)} if debate.decision and debate.decision != anyway.decision else {}),
    }


def _told(model: BaseModel, fields: set[str] | None = None) -> dict[str, Any]:
    return model.model_dump(mode="json", include=fields, exclude_defaults=True)


def _asked(played: Format, known: Format | None) -> tuple[Format, int | None]:
    """The format that is known and the rounds that were asked for, where that comes to what was played."""
    for rounds in (phase.rounds for phase in played.phases if phase.order):
        if known and known != played and with_rounds(known, rounds) == played:
            return known, rounds
    return played, None


def changed(target: JsonValue, patch: JsonValue) -> JsonValue:
    """`target` after a JSON merge patch (RFC 7396, section 2)."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = changed(result.get(name), value)
    return result


# ── the turns ───────────────────────────────────────────────────────────────────────────────────────────


def turns_of(events: Sequence[Recorded]) -> list[TurnTaken]:
    """The turns among the events, in order."""
    return [recorded.event for recorded in events if isinstance(recorded.event, TurnTaken)]


# Turns, and what made them what they are. Who held the debate, what it waited for and how it ended is of that debate.
_CARRIED = frozenset(
    {
        "turn_taken",
        "attempt_failed",
        "speaker_chosen",
        "point_decided",
        "question_put",
        "vote_cast",
        "question_failed",
    }
)


def carried(events: Sequence[Recorded], after_turn: int, original: Debate, fork: Debate) -> list[Event]:
    """The events that a fork begins with: the turns, and what came before the last of them and made them what they are.

    What happened behind that turn belongs to the next one, which is taken anew. Votes of the audience are kept as long
    as the same people are asked the same.
    """
    kept = [recorded.event for recorded in events if _place(recorded.id) <= (after_turn, 0)]
    same_votes = all(getattr(original, name) == getattr(fork, name) for name in ("motion", "language", "audience"))
    return [event for event in kept if _is_carried(event) and (same_votes or not _is_of_the_audience(event))]


def _place(event_id: str) -> tuple[int, int]:
    turn, _, place = event_id.partition("-")
    return int(turn), int(place)


def _is_carried(event: Event) -> bool:
    return event.type in _CARRIED and not isinstance(event, NewerEvent)


def _is_of_the_audience(event: Event) -> bool:
    return isinstance(event, VoteCast | QuestionFailed) and event.question.startswith("before ")


class Difference(NamedTuple):
    """The first slot that is another one in the fork, and in what; `field` is empty where there is none."""

    seq: int
    field: str


# What a slot is, whatever its speaker was asked in it and however long the turn might be: by the names that turns have
# on the wire.
_WHAT_IT_IS: Mapping[str, str] = {
    "phase": "phase",
    "round": "round",
    "slot": "name",
    "kind": "kind",
    "part": "part",
    "debater": "debater",
    "to": "to",
    "heard_by": "team",
}


def difference(original: Debate, fork: Debate, turns: Sequence[TurnTaken]) -> Difference | None:
    """Where the turns do not stand in the fork; None where all do."""
    return next(_differences(original, fork, turns), None)


def _differences(original: Debate, fork: Debate, turns: Sequence[TurnTaken]) -> Iterator[Difference]:
    known = fork.names
    before, after = agenda(original)[: len(turns)], agenda(fork)[: len(turns)]
    for turn, slot, other in zip_longest(turns, before, after):
        if other is None:
            yield Difference(turn.seq, "")
        elif field := _differs(slot, other):
            yield Difference(turn.seq, field)
        elif turn.debater not in known:
            yield Difference(turn.seq, "debater")


def _differs(slot: Slot, other: Slot) -> str:
    return next((told for told, name in _WHAT_IT_IS.items() if getattr(slot, name) != getattr(other, name)), "")
