"""A debate as the answer of a chat: Markdown, piece by piece as its turns are taken. Pure.

OpenAI's streams cannot take back a word, and words of an attempt may be taken back by the guard: so nothing of a turn
is told before it is taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from rostra.agenda import agenda
from rostra.events import DebateEnded, Event, QuestionPut, TurnTaken
from rostra.markdown import beginning, found, heading, neutral, speech
from rostra.models import Debate, Status
from rostra.transcript import Course, fold, rounds, words_of

# How the debate ended, where it was not at its end.
_EARLY: Mapping[Status, str] = {
    Status.COLLAPSED: "The debate collapsed",
    Status.FAILED: "The debate failed",
    Status.CANCELLED: "The debate was cancelled",
}


class Told:
    """What was told of a debate so far."""

    def __init__(self, debate: Debate) -> None:
        self._debate = debate
        self._slots = agenda(debate)
        self._events: list[Event] = []
        self._title = ""
        self._begun = False

    @property
    def course(self) -> Course:
        return fold(self._events)

    def after(self, event: Event) -> str:
        """What the event adds to the answer: nothing, for most."""
        self._events.append(event)
        pieces = [*self._pieces(event)]
        return "".join(self._joined(piece) for piece in pieces)

    def _joined(self, piece: str) -> str:
        between, self._begun = ("\n\n" if self._begun else ""), True
        return between + piece

    def _pieces(self, event: Event) -> Iterator[str]:
        if isinstance(event, TurnTaken | QuestionPut) and not self._begun:
            yield from beginning(self._debate)
        match event:
            case TurnTaken():
                yield from self._turn(event)
            case QuestionPut():
                yield speech(words_of(self._debate, event))
            case DebateEnded():
                yield from _ending(self._debate, self.course)
            case _:
                pass

    def _turn(self, turn: TurnTaken) -> Iterator[str]:
        for title, spoken in rounds(self._debate, Course(turns=(turn,)), self._slots):
            if title != self._title:
                yield heading(title)
            self._title = title
            yield from map(speech, spoken)


def finish_reason(course: Course) -> Literal["stop", "length"]:
    """`length` is what clients know for an answer that is not whole."""
    return "stop" if course.status is Status.COMPLETED else "length"


def said_nothing(course: Course) -> bool:
    """Whether the debate ended early before anybody spoke: then there is no answer."""
    return course.status in _EARLY and not course.turns


def how_it_ended(course: Course) -> str:
    """A sentence, where it did not end at its end."""
    if course.status not in _EARLY:
        return ""
    told = _EARLY[course.status] + (f": {course.reason}" if course.reason else "")
    return told if told.endswith((".", "!", "?")) else f"{told}."


def _ending(debate: Debate, course: Course) -> Iterator[str]:
    yield from found(debate, course)
    if early := how_it_ended(course):
        yield f"*{neutral(early)}*"
