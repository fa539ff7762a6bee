"""Who speaks when: all slots of a debate, in order. Pure: the same debate always gives the same agenda.

A slot of a format becomes one slot here or several: an exchange is as many questions and answers, and a speech with
points of information is spoken in parts, with a point between two of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Literal

from rostra.fields import Stored
from rostra.format import MODERATOR, Order, Phase, Speech, Task
from rostra.models import Debate, derived_seed

# What is said in a slot: `notes` are for one's own team alone, `announcement`s are the moderator's.
Kind = Literal["speech", "question", "answer", "point", "notes", "announcement"]

# Of the time of a question and its answer, what the question has.
_ASKING = 1 / 3
# People have fifteen seconds for a point of information (World Universities Debating Council, rules of 2023).
_POINT_MINUTES = 0.25


class Slot(Stored):
    """A place in the speaking order, still empty.

    `debater` is an id, `moderator` or `audience`, or None where the order is `auto` and the speaker is chosen when
    the slot comes up. `minutes` are as people debate, None where the format has none.
    """

    seq: int
    phase: str
    round: int
    debater: str | None
    kind: Kind = "speech"
    name: str = ""  # of the format's slot
    to: str | None = None  # whose words are asked about, or who asked
    minutes: float | None = None
    part: int = 1
    parts: int = 1
    task: Task | None = None
    instruction: str = ""
    new_arguments: bool = True
    responds_to: tuple[str, ...] = ()
    team: str = ""  # the only one that hears it; all do where there is none
    simultaneous: bool = False
    anonymous: bool = False


def agenda(debate: Debate) -> tuple[Slot, ...]:
    """All slots of the debate; `seq` counts from 1."""
    slots = chain.from_iterable(_phase(debate, phase) for phase in debate.format.phases)
    return tuple(slot.model_copy(update={"seq": seq}) for seq, slot in enumerate(slots, 1))


def is_scripted(debate: Debate, slot: Slot) -> bool:
    """Whether nobody is asked for the words: a moderator's, unless a model or a person moderates the debate."""
    by_script = slot.debater == MODERATOR and debate.moderator is None
    return slot.kind == "announcement" or by_script


def turns_planned(debate: Debate) -> int:
    """How many slots the agenda has, without writing out what is only repeated."""
    return sum(
        phase.announced
        + phase.rounds * (_slots_a_round(debate, phase) if phase.order else len(_fixed(debate, phase, 1)))
        for phase in debate.format.phases
    )


def _slots_a_round(debate: Debate, phase: Phase) -> int:
    return len(debate.speakers) if phase.order is Order.MANUAL else len(debate.debaters)


def _phase(debate: Debate, phase: Phase) -> Iterator[Slot]:
    if phase.announced:
        yield Slot(seq=0, phase=phase.name, round=1, debater=MODERATOR, kind="announcement")
    if phase.order is None:
        for round_ in range(1, phase.rounds + 1):
            yield from _fixed(debate, phase, round_)
    else:
        yield from _free(debate, phase)


# ── free phases ─────────────────────────────────────────────────────────────────────────────────────────


def _free(debate: Debate, phase: Phase) -> Iterator[Slot]:
    last: str | None = None
    for round_ in range(1, phase.rounds + 1):
        for who in _round(debate, phase, round_, last):
            last = who
            yield Slot(
                seq=0,
                phase=phase.name,
                round=round_,
                debater=who,
                minutes=phase.minutes,
                task=phase.task,
                instruction=phase.instruction,
                new_arguments=phase.new_arguments,
                simultaneous=phase.simultaneous,
                anonymous=phase.anonymous,
            )


def _round(debate: Debate, phase: Phase, round_: int, last: str | None) -> Sequence[str | None]:
    ids = [d.id for d in debate.debaters]
    match phase.order:
        case Order.MANUAL:
            return debate.speakers
        case Order.AUTO:
            return [None] * len(ids)
        case Order.RANDOM:
            return _shuffled(ids, debate.seed, phase.name, round_, last)
        case _:
            return ids


def _shuffled(ids: list[str], seed: int, phase: str, round_: int, last: str | None) -> list[str]:
    """The ids in a random order that a seed fixes; nobody speaks twice in a row across two rounds.

    Ordered by a hash rather than by `random.shuffle`, whose order may change with Python's version.
    """
    order = sorted(ids, key=lambda i: hashlib.sha256(f"{seed}:{phase}:{round_}:{i}".encode()).digest())
    return [*order[1:], order[0]] if order[0] == last else order


def fallback_speaker(debate: Debate, spoken: Sequence[str]) -> str:
    """Who speaks in an `auto` slot when the model names nobody: who spoke least, never the last speaker.

    `spoken` holds the ids of the speakers so far, in order. Ties go to the order of the debaters.
    """
    last = spoken[-1] if spoken else None
    candidates = [d.id for d in debate.debaters if d.id != last]
    return min(candidates, key=spoken.count)


# ── fixed phases ────────────────────────────────────────────────────────────────────────────────────────


def _fixed(debate: Debate, phase: Phase, round_: int) -> Sequence[Slot]:
    """The slots of one round of the phase."""
    return [
        slot.model_copy(
            update={
                "phase": phase.name,
                "round": round_,
                "name": speech.name,
                "task": speech.task or phase.task,
                "instruction": speech.instruction or phase.instruction,
                "new_arguments": speech.new_arguments and phase.new_arguments,
                "responds_to": speech.responds_to,
                "anonymous": phase.anonymous,
                "simultaneous": phase.simultaneous,
            }
        )
        for speech in phase.slots
        for slot in _spoken(debate, speech, round_)
    ]


def _spoken(debate: Debate, speech: Speech, round_: int) -> Iterator[Slot]:
    match speech.kind:
        case "speech":
            yield from _in_parts(debate, speech)
        case "preparation":
            assert speech.speaker is not None
            team = debate.format.team_of(speech.speaker).name
            yield _slot("notes", debate.seats[speech.speaker], speech.minutes, team=team)
        case "cross_examination":
            assert speech.speaker is not None
            assert speech.questioner is not None
            asks, answers = debate.seats[speech.questioner], debate.seats[speech.speaker]
            yield from _exchanges(speech, [(asks, answers)])
        case "crossfire":
            who = [debate.seats[seat] for seat in speech.speakers]
            yield from _exchanges(speech, list(zip(who, [*who[1:], who[0]], strict=True)))
        case "question":
            yield from _asked_of_all(debate, speech)


def _slot(kind: Kind, debater: str, minutes: float, **more: object) -> Slot:
    return Slot.model_validate(
        {"seq": 0, "phase": "", "round": 1, "kind": kind, "debater": debater, "minutes": minutes, **more}
    )


def _exchanges(speech: Speech, pairs: Sequence[tuple[str, str]]) -> Iterator[Slot]:
    """Question and answer; the pairs of who asks and who answers take turns."""
    number = speech.exchanges or max(1, round(speech.minutes), len(pairs))
    each = speech.minutes / number
    for n in range(number):
        asks, answers = pairs[n % len(pairs)]
        yield _slot("question", asks, each * _ASKING, to=answers, part=n + 1, parts=number)
        yield _slot("answer", answers, each * (1 - _ASKING), to=asks, part=n + 1, parts=number)


def _asked_of_all(debate: Debate, speech: Speech) -> Iterator[Slot]:
    """A question of the moderator's or the audience's, that all the speakers answer."""
    assert speech.questioner is not None
    number = speech.exchanges or 1
    each = speech.minutes / number / (len(speech.speakers) + _ASKING)
    for n in range(1, number + 1):
        yield _slot("question", speech.questioner, each * _ASKING, part=n, parts=number)
        for seat in speech.speakers:
            yield _slot("answer", debate.seats[seat], each, to=speech.questioner, part=n, parts=number)


def _in_parts(debate: Debate, speech: Speech) -> Iterator[Slot]:
    """The speech, and the points of information within it at even distances."""
    assert speech.speaker is not None
    speaker = debate.seats[speech.speaker]
    points = speech.points.most if speech.points else 0
    ends = [*_moments(speech), speech.minutes]
    for part, (begin, end) in enumerate(zip([0.0, *ends], ends, strict=False), 1):
        offers = _offers(debate, speech, part) if part > 1 else None
        if offers:
            yield _slot("point", offers, _POINT_MINUTES, to=speaker, part=part - 1, parts=points)
        yield _slot("speech", speaker, end - begin, to=offers, part=part, parts=points + 1)


def _moments(speech: Speech) -> list[float]:
    """The minutes at which points are offered."""
    if speech.points is None:
        return []
    points, until = speech.points, min(speech.points.until, speech.minutes)
    step = (until - points.after) / (points.most + 1)
    return [points.after + step * n for n in range(1, points.most + 1)]


def _offers(debate: Debate, speech: Speech, part: int) -> str:
    """Who offers a point: one of the other side, drawn by the debate's seed."""
    assert speech.speaker is not None
    debate_format, own = debate.format, debate.format.team_of(speech.speaker)
    others = [seat for team, seat in debate_format.seats() if debate_format.are_opposed(team, own)]
    drawn = derived_seed(debate.seed, "point", speech.name, part) % len(others)
    return debate.seats[others[drawn]]
