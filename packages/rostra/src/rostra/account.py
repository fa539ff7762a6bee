"""How a debate was held, to read: what was asked for, which models spoke, what did not become a turn. Pure.

Each is told as labels and values, or as lines, for whoever writes them in a form of his own. What people and models
wrote stands in them as it was written: the forms make it harmless.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, cast, get_args

from pydantic import BaseModel

from rostra.events import AttemptFailed, QuestionFailed
from rostra.models import Debate
from rostra.rules import Check, PhaseRules
from rostra.sides import titles
from rostra.transcript import Course

Row = tuple[str, str]


def settings(debate: Debate) -> list[Row]:
    """All that makes the debate what it is beside its motion, its opening and its debaters; what is not set is left
    out."""
    rows = [
        ("Format", f"{debate.format.title} ({debate.format.name})"),
        ("Phases", "; ".join(_phases(debate))),
        ("Seats", ", ".join(f"{seat}: {debate.names[i]}" for seat, i in debate.seats.items())),
        ("Speakers", ", ".join(debate.names[i] for i in debate.speakers)),
        ("Language", debate.language or ""),
        ("Each turn", _told(debate.turn)),
        ("Guard", ", ".join(f"{check} {debate.strictness(check)}" for check in get_args(Check))),
        *_sampling(debate),
        ("Judge", _told(debate.judge)),
        ("Moderator", _told(debate.moderator)),
        ("People", _told(debate.humans) if any(map(debate.is_human, debate.names)) else ""),
        ("Audience", _told(debate.audience)),
        ("Decision", _told(debate.decision)),
        ("Baselines", "yes" if debate.baselines else ""),
        ("Limits", _told(debate.limits)),
        ("Seed", str(debate.seed)),
        ("Metadata", _listed(debate.metadata)),
    ]
    return [(label, value) for label, value in rows if value]


def _phases(debate: Debate) -> Iterator[str]:
    for phase in debate.format.phases:
        how = f"{phase.order.value.replace('_', ' ')}, " if phase.order else ""
        yield f"{phase.heading} ({how}{phase.rounds} {'round' if phase.rounds == 1 else 'rounds'})"


def _sampling(debate: Debate) -> Iterator[Row]:
    for phase in debate.format.phases:
        rules = debate.phases.get(phase.name, PhaseRules())
        yield f"Sampling in {phase.heading}", _listed(rules.sampling.given())


def _told(rules: BaseModel | None) -> str:
    return _listed(rules.model_dump(mode="json", exclude_none=True)) if rules else ""


def _listed(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {_value(value)}" for name, value in values.items() if value != [])


def _value(value: Any) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case dict():
            return f"({_listed(cast('Mapping[str, Any]', value))})"
        case list() | tuple():
            return f"[{', '.join(map(_value, cast('Sequence[Any]', value)))}]"
        case float():
            return f"{value:g}"
        case _:
            return str(value)


def debaters(debate: Debate) -> Iterator[tuple[str, list[Row]]]:
    """Each debater's name, and what was asked of them."""
    of_teams = titles(debate)
    for debater in debate.debaters:
        rows = [
            ("Stance", debater.stance),
            ("Team", of_teams.get(f"team:{debater.team}", debater.team)),
            ("Persona", debater.persona),
            ("Human", "yes" if debater.human else ""),
            ("Model", debater.model),
            ("Sampling", _listed(debater.sampling.given())),
        ]
        yield debater.name, [(label, value) for label, value in rows if value]


class Spoke(NamedTuple):
    """A model, and which file it was as far as its server said."""

    model: str
    fingerprint: str
    turns: int


def models(course: Course) -> list[Spoke]:
    """Who spoke, in the order in which they first did."""
    spoke = [(turn.model, turn.fingerprint) for turn in course.turns if turn.model]
    return [Spoke(*each, spoke.count(each)) for each in dict.fromkeys(spoke)]


def held_by(course: Course) -> list[Row]:
    """What it takes to hold the debate just so again: the versions that played it, and the models' files."""
    rows = [("Rostra", ", ".join(course.versions))]
    rows += [
        (f"Model {each.model}", f"{each.fingerprint or 'its server did not say which'} ({_turns(each.turns)})")
        for each in models(course)
    ]
    return [(label, value) for label, value in rows if value]


def _turns(number: int) -> str:
    return f"{number} turn" if number == 1 else f"{number} turns"


def failed_at(course: Course) -> Mapping[int, Sequence[AttemptFailed]]:
    """The failed attempts at each turn, by its `seq`."""
    failed: dict[int, list[AttemptFailed]] = {}
    for attempt in course.failed_attempts:
        failed.setdefault(attempt.seq, []).append(attempt)
    return failed


def why(failed: AttemptFailed | QuestionFailed) -> str:
    """The reason in a word, and in a sentence where there is one."""
    return f"{failed.reason}: {failed.detail}" if failed.detail else failed.reason


def failures(debate: Debate, course: Course) -> Iterator[str]:
    """A line for each attempt and each question that failed."""
    for attempt in course.failed_attempts:
        name = debate.names.get(attempt.debater, attempt.debater)
        yield f"Turn {attempt.seq}, attempt {attempt.attempt}, {name}: {why(attempt)}"
    for question in course.outcomes.failed:
        yield f"{question.question.capitalize()}, asked {question.ask}: {why(question)}"
