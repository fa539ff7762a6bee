"""What a slot of a format asks of its speaker, in sentences; and what of the debate the speaker hears. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rostra.agenda import Slot
from rostra.format import AUDIENCE, MODERATOR
from rostra.models import Debate, derived_seed


@dataclass(frozen=True, slots=True)
class Line:
    """Something said: a debater's id (or the moderator's, the audience's, or of one unnamed), and the words."""

    speaker: str
    text: str


_UNNAMED = "unnamed:"


def unnamed(debate: Debate, speaker: str) -> str:
    """What stands for the speaker where names are hidden: the same throughout the debate."""
    ids = sorted((d.id for d in debate.debaters), key=lambda i: derived_seed(debate.seed, "unnamed", i))
    return f"{_UNNAMED}{ids.index(speaker) + 1}" if speaker in ids else speaker


def unnamed_number(speaker: str) -> str | None:
    """The number that an unnamed speaker has; None where the speaker has a name."""
    return speaker.removeprefix(_UNNAMED) if speaker.startswith(_UNNAMED) else None


# Sentences that are the same in every debate, and long enough to be known again in a turn that shows its prompt.
TOLD = ("nothing_new", "notes", "rebuttal", "summary", "closing", "constructive")


# ── what the speaker is asked ───────────────────────────────────────────────────────────────────────────


def is_plain(slot: Slot) -> bool:
    """Whether it is a turn of a free debate, of which nothing more is to be said than whose it is."""
    return slot.kind == "speech" and not slot.name and not slot.task and slot.minutes is None and slot.new_arguments


def sentences(prose: Mapping[str, str], slot: Slot, name: str, other: str, *, took_point: bool = False) -> list[str]:
    """What is said to `name`, besides whose turn it is; `prose` has the sentences of a language."""
    filled = [one.format(name=name, other=other, part=slot.part, parts=slot.parts) for one in _asked(prose, slot)]
    if took_point:
        filled.insert(0, prose["took_point"].format(name=name, other=other))
    if slot.responds_to and slot.part == 1:
        filled.append(prose["answers"].format(slots=", ".join(slot.responds_to)))
    if not slot.new_arguments:
        filled.append(prose["nothing_new"])
    return [*filled, *([slot.instruction] if slot.instruction else [])]


def _asked(prose: Mapping[str, str], slot: Slot) -> Iterator[str]:
    match slot.kind:
        case "question":
            yield prose["question"] if slot.to else prose["question_to_all"]
        case "answer":
            yield prose["reply"]
        case "point" | "notes":
            yield prose[slot.kind]
        case _:
            if slot.part > 1:
                yield prose["goes_on"]
            elif slot.task:
                yield prose[slot.task]


# ── what the speaker hears ──────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Heard:
    """What all may hear, in order, and the notes of the speaker's own side."""

    lines: Sequence[Line]
    notes: Sequence[Line] = ()


def heard(debate: Debate, slots: Sequence[Slot | None], lines: Sequence[Line], slot: Slot) -> Heard:
    """Of all that was said, what the speaker of `slot` hears.

    `lines` are the opening, where there is one, and then what was said in the first of `slots`, one each; None: in no
    slot, but between two. Notes are heard by their own team; simultaneous turns of one round not at all by each other;
    and where names are hidden, who spoke is not told.
    """
    opening = 1 if debate.opening else 0
    said = zip(slots, lines[opening:], strict=False)
    told = [(past, line) for past, line in said if past is None or not _is_at_once(past, slot)]
    own = team_of(debate, slot.debater)
    public = [line for past, line in told if past is None or not past.team]
    notes = [line for past, line in told if past and past.team and past.team == own]
    if slot.anonymous:
        public = [Line(unnamed(debate, line.speaker), line.text) for line in public]
    return Heard([*lines[:opening], *public], notes)


def team_of(debate: Debate, speaker: str | None) -> str:
    """The speaker's team; nothing where they have none."""
    if speaker is None or speaker in (MODERATOR, AUDIENCE):
        return ""
    return debate.debater(speaker).team


def _is_at_once(past: Slot, slot: Slot) -> bool:
    return past.simultaneous and slot.simultaneous and (past.phase, past.round) == (slot.phase, slot.round)
