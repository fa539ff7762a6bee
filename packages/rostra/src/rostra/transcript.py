"""The transcript: what was said, folded from the events. Pure; JSON, Markdown and the others are renderings of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple

from pydantic import AwareDatetime, BaseModel, ConfigDict

from rostra import outcomes
from rostra.agenda import Slot, agenda, turns_planned
from rostra.events import (
    AttemptFailed,
    BaselineGiven,
    DebateClaimed,
    DebateCreated,
    DebateEnded,
    DebatePaused,
    DebateReleased,
    DebateResumed,
    Event,
    NewerEvent,
    PointDecided,
    QuestionFailed,
    QuestionPut,
    ReadingGiven,
    SpeakerChosen,
    TurnAwaited,
    TurnGiven,
    TurnMissed,
    TurnTaken,
    Usage,
    VerdictGiven,
    VoteCast,
)
from rostra.forking import request_of
from rostra.format import MODERATOR, Phase
from rostra.measures import DebateMeasures, measure
from rostra.models import ENDED, Debate, Status
from rostra.outcomes import Outcomes
from rostra.rules import PhaseRules


class Course(BaseModel):
    """A debate's course so far: the fold of its events."""

    model_config = ConfigDict(frozen=True)

    status: Status = Status.QUEUED
    reason: str = ""
    is_fork: bool = False
    turns: tuple[TurnTaken, ...] = ()
    failed_attempts: tuple[AttemptFailed, ...] = ()
    choices: tuple[SpeakerChosen, ...] = ()
    points: tuple[PointDecided, ...] = ()
    questions: tuple[QuestionPut, ...] = ()
    awaited: TurnAwaited | None = None  # the last one, whatever came of it
    given: TurnGiven | None = None  # the last one
    missed: TurnMissed | None = None  # the last one
    questions_at_given: int = 0  # so many had been put
    outcomes: Outcomes = Outcomes()
    versions: tuple[str, ...] = ()  # of the workers that played it
    started_at: AwareDatetime | None = None
    ended_at: AwareDatetime | None = None
    idle_since: AwareDatetime | None = None  # it is paused, or waits for a person or a worker
    idle_seconds: float = 0.0  # until it was last taken up
    usage: Usage = Usage()  # spent in all, with failed attempts and what was asked beside the turns

    @property
    def tokens(self) -> int:
        return self.usage.total


def fold(events: Iterable[Event]) -> Course:
    """Reads a debate's events, in order, into its course."""
    course = Course()
    for event in events:
        usage = course.usage + _spent(course, event)
        course = course.model_copy(update={**_after(course, event), "usage": usage})
    return course


def _spent(course: Course, event: Event) -> Usage:
    """What the event cost this debate: what stands in a fork before anybody took it up was spent in another one."""
    is_carried = course.is_fork and course.started_at is None
    match event:
        case TurnTaken() | AttemptFailed() | SpeakerChosen() | PointDecided() if not is_carried:
            return event.usage
        case ReadingGiven() | VoteCast() | BaselineGiven() | QuestionFailed() if not is_carried:
            return event.usage
        case _:
            return Usage()


def _after(course: Course, event: Event) -> Mapping[str, Any]:
    match event:
        case DebateCreated():
            return {"is_fork": event.forked_from is not None}
        case DebateClaimed():
            return _taken_up(course, event)
        case TurnTaken():
            return {"turns": (*course.turns, event)}
        case SpeakerChosen():
            return {"choices": (*course.choices, event)}
        case PointDecided():
            return {"points": (*course.points, event)}
        case AttemptFailed():
            return {"failed_attempts": (*course.failed_attempts, event)}
        case QuestionFailed() | ReadingGiven() | VerdictGiven() | VoteCast() | BaselineGiven():
            return {"outcomes": course.outcomes.after(event)}
        case TurnAwaited() | TurnGiven() | TurnMissed() | QuestionPut():
            return _with_people(course, event)
        case DebatePaused():
            return {"status": Status.PAUSED, "idle_since": course.idle_since or event.at}
        case DebateResumed() | DebateReleased():
            return _for_a_worker(course, event)
        case DebateEnded():
            return {"status": event.status, "reason": event.reason, "ended_at": event.at}
        case NewerEvent():
            return {}


def _with_people(course: Course, event: TurnAwaited | TurnGiven | TurnMissed | QuestionPut) -> Mapping[str, Any]:
    match event:
        case TurnAwaited():
            return {"status": Status.WAITING, "awaited": event, "idle_since": event.at}
        case TurnGiven():
            return {"given": event, "questions_at_given": len(course.questions), **_for_a_worker(course, event)}
        case TurnMissed():
            return {"missed": event, **_for_a_worker(course, event)}
        case QuestionPut():
            return {"questions": (*course.questions, event)}


def _for_a_worker(course: Course, event: Event) -> Mapping[str, Any]:
    return {"status": Status.QUEUED, "idle_since": course.idle_since or event.at}


def _taken_up(course: Course, event: DebateClaimed) -> Mapping[str, Any]:
    idle = (event.at - course.idle_since).total_seconds() if course.idle_since else 0.0
    return {
        "status": Status.RUNNING,
        "started_at": course.started_at or event.at,
        "idle_since": None,
        "idle_seconds": course.idle_seconds + max(0.0, idle),
        "versions": tuple(dict.fromkeys([*course.versions, *filter(None, [event.rostra])])),
    }


def as_json(debate: Debate, course: Course, measures: DebateMeasures | None = None) -> dict[str, Any]:
    """The transcript on the wire; debaters go by the names that people gave. `measures` are `measured`, where they are
    known."""
    figures = measures or measured(debate, course)
    return {
        "id": debate.id,
        "status": course.status.value,
        "reason": course.reason,
        "complete": course.status in ENDED,
        **head_as_json(debate),
        "turns": _turns_as_json(debate, course.turns),
        "questions": _questions_as_json(debate, course.questions),
        "usage": course.usage.model_dump(),
        **outcomes.as_json(debate, course.outcomes),
        "measures": figures.model_dump(mode="json") if figures else None,
    }


def head_as_json(debate: Debate) -> dict[str, Any]:
    """What a debate is, before anything was said."""
    return {
        "id": debate.id,
        "motion": debate.motion,
        "debaters": debaters_as_json(debate),
        "settings": settings_as_json(debate),
        "turns_planned": turns_planned(debate),
    }


def measured(debate: Debate, course: Course) -> DebateMeasures | None:
    """The figures of a debate that has ended; a running one has none yet, since each turn costs a few
    milliseconds of every reading."""
    if course.status not in ENDED or not course.turns:
        return None
    return measure(debate, course.turns)


def debaters_as_json(debate: Debate) -> list[dict[str, Any]]:
    return [
        {
            "name": d.name,
            "stance": d.stance,
            "persona": d.persona,
            "team": d.team or None,
            "model": d.model,
            "sampling": d.sampling.given(),
            "human": d.human,
        }
        for d in debate.debaters
    ]


_SETTINGS = {"language", "opening", "turn", "guard", "judge", "moderator", "audience", "decision", "baselines"} | {
    "humans",
    "limits",
    "seed",
    "metadata",
}


def settings_as_json(debate: Debate) -> dict[str, Any]:
    """All that a reader needs to play the debate again."""
    names = {d.id: d.name for d in debate.debaters}
    settings = debate.model_dump(mode="json", include=_SETTINGS)
    return {
        "forked_from": debate.forked_from and debate.forked_from.model_dump(),
        "format": debate.format.name,
        "teams": [team.model_dump(mode="json") for team in debate.format.teams],
        "seats": {seat: names[i] for seat, i in debate.seats.items()},
        "phases": [_phase_as_json(debate, phase) for phase in debate.format.phases],
        "speakers": [names[i] for i in debate.speakers] or None,
        **settings,
        "request": request_of(debate),
    }


def _phase_as_json(debate: Debate, phase: Phase) -> dict[str, Any]:
    rules = debate.phases.get(phase.name, PhaseRules())
    return {**phase.model_dump(mode="json"), "sampling": rules.sampling.given()}


def _turns_as_json(debate: Debate, turns: Sequence[TurnTaken]) -> list[dict[str, Any]]:
    names, slots = debate.names, agenda(debate)
    return [
        {
            **turn.model_dump(mode="json", exclude={"v", "at", "type"}),
            "debater": names[turn.debater],
            **slot_as_json(names, slot),
        }
        for turn, slot in zip(turns, slots, strict=False)
    ]


def slot_as_json(names: Mapping[str, str], slot: Slot) -> dict[str, Any]:
    """What a slot says of its turn: kind and name of the slot, who was asked or asked, and the team that alone heard
    it."""
    return {
        "kind": slot.kind,
        "slot": slot.name,
        "to": names[slot.to] if slot.to else None,
        "heard_by": slot.team or None,
    }


def _questions_as_json(debate: Debate, questions: Sequence[QuestionPut]) -> list[dict[str, Any]]:
    names = debate.names
    return [
        {
            "after": put.seq,
            "to": names[put.to] if put.to else None,
            **put.model_dump(mode="json", include={"text", "at"}),
        }
        for put in questions
    ]


# ── What every reading shows ────────────────────────────────────────────────────────────────────────────


class Words(NamedTuple):
    """What was said, and by whom as it stands before the words; `seq` None: a question of the human moderator's,
    which is no turn."""

    seq: int | None
    speaker: str
    text: str


# What stands in the place of words that nobody spoke.
_NOTHING = "(skipped)"


def rounds(debate: Debate, course: Course, slots: Sequence[Slot] = ()) -> Iterator[tuple[str, Sequence[Words]]]:
    """The turns by phase and round, each with its heading, which questions put before the first turn have none of; and
    behind each turn the questions that were put after it.

    `slots` is the debate's agenda, for one who asks turn by turn and has worked it out.
    """
    phases, names = {phase.name: phase for phase in debate.format.phases}, debate.names
    slots = slots or agenda(debate)
    if before := _put_after(debate, course, 0):
        yield "", before
    for (name, number), spoken in groupby(course.turns, key=lambda turn: (turn.phase, turn.round)):
        phase = phases[name]
        heading = phase.heading if phase.slots and phase.rounds == 1 else f"{phase.heading}, round {number}"
        said: list[Words] = []
        for turn in spoken:
            speaker = _spoken_by(slots[turn.seq - 1], names[turn.debater])
            said.append(Words(turn.seq, speaker, turn.text if turn.is_spoken else _NOTHING))
            said += _put_after(debate, course, turn.seq)
        yield heading, said


def _put_after(debate: Debate, course: Course, seq: int) -> list[Words]:
    return [words_of(debate, put) for put in course.questions if put.seq == seq]


def words_of(debate: Debate, put: QuestionPut) -> Words:
    """A human moderator's question."""
    names = debate.names
    return Words(None, names[MODERATOR] + (f" (to {names[put.to]})" if put.to else ""), put.text)


def _spoken_by(slot: Slot, name: str) -> str:
    """The name, and the slot of a format where it has one."""
    kind = {"notes": "notes for the own team", "speech": ""}.get(slot.kind, slot.kind)
    told = ", ".join(filter(None, [slot.name, kind]))
    return f"{name} ({told})" if told else name


def facts(debate: Debate, course: Course) -> list[tuple[str, str]]:
    """How the debate came about and what became of it, as label and value; what is not known is left out."""
    models = ", ".join(sorted({turn.model for turn in course.turns if turn.model}))
    rows = [
        ("Debate", debate.id),
        ("Fork of", f"{fork.id} after turn {fork.after_turn}" if (fork := debate.forked_from) else ""),
        ("Status", course.status.value + (f": {course.reason}" if course.reason else "")),
        ("Turns", f"{len(course.turns)} of {turns_planned(debate)}"),
        ("Format", debate.format.name),
        ("Language", debate.language or ""),
        ("Model", models),
        ("Seed", str(debate.seed)),
        ("Started", _moment(course.started_at)),
        ("Ended", _moment(course.ended_at)),
    ]
    return [(label, value) for label, value in rows if value]


def _moment(moment: datetime | None) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S UTC") if moment else ""
