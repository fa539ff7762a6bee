"""Who speaks when: all slots of a debate, in order. Pure: the same debate always gives the same agenda."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

from rostra.models import Debate, Order, Phase, Stored


class Slot(Stored):
    """A place in the speaking order, still empty.

    `debater` is an id, or None where the order is `auto` and the speaker is chosen when the slot comes up.
    """

    seq: int
    phase: str
    round: int
    debater: str | None


def agenda(debate: Debate) -> tuple[Slot, ...]:
    """All slots of the debate; `seq` counts from 1."""
    spoken = ((phase, round_, who) for phase in debate.format.phases for round_, who in _phase(debate, phase))
    return tuple(
        Slot(seq=seq, phase=phase.name, round=round_, debater=who) for seq, (phase, round_, who) in enumerate(spoken, 1)
    )


def turns_planned(debate: Debate) -> int:
    """How many slots the agenda has, without writing it out."""
    return sum(phase.rounds * _slots_a_round(debate, phase) for phase in debate.format.phases)


def _slots_a_round(debate: Debate, phase: Phase) -> int:
    return len(debate.speakers) if phase.order is Order.MANUAL else len(debate.debaters)


def _phase(debate: Debate, phase: Phase) -> Iterator[tuple[int, str | None]]:
    last: str | None = None
    for round_ in range(1, phase.rounds + 1):
        for who in _round(debate, phase, round_, last):
            last = who
            yield round_, who


def _round(debate: Debate, phase: Phase, round_: int, last: str | None) -> Sequence[str | None]:
    ids = [d.id for d in debate.debaters]
    match phase.order:
        case Order.ROUND_ROBIN:
            return ids
        case Order.MANUAL:
            return debate.speakers
        case Order.AUTO:
            return [None] * len(ids)
        case Order.RANDOM:
            return _shuffled(ids, debate.seed, phase.name, round_, last)


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
