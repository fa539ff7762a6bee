"""One turn: attempts at a slot until one of them becomes its text, or there have been enough."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

import structlog

from rostra.agenda import Slot
from rostra.endpoints import SUPPORTED
from rostra.events import HUMAN, SCRIPTED, SKIPPED, AttemptFailed, QuestionPut, TurnTaken, Usage
from rostra.format import MODERATOR
from rostra.models import Debate, Debater
from rostra.naming import HELPERS
from rostra.transcript import Course
from rostra_orchestrator import ladder
from rostra_orchestrator.attempt import Attempt, Rejected, Say
from rostra_orchestrator.chat import Chat, Stop
from rostra_orchestrator.endpoint import Answer, BrokenAnswer, ModelError, Refused, Unavailable
from rostra_orchestrator.guard import UNSPEAKABLE, Fault, Guard, Judged, reasons
from rostra_orchestrator.ladder import Budget
from rostra_orchestrator.pool import Pool
from rostra_orchestrator.settings import Settings
from rostra_orchestrator.slots import Heard, Line, heard

log = structlog.stdlib.get_logger(__name__)

ChosenBy = Literal["format", "model", "fallback"]
Note = Callable[[AttemptFailed], Awaitable[None]]
Listen = Callable[[], Awaitable[None]]
# Where a debater is asked to answer the human moderator: in a question, a point or notes it would be out of place.
_ANSWERS = frozenset({"speech", "answer"})


class TurnFailed(Exception):
    """No attempt became a turn; the message is a sentence for people."""


@dataclass(slots=True)
class Table:
    """Where turns are taken: the debate, its seated chat, and where models are asked, by debater's id."""

    debate: Debate
    pools: Mapping[str, Pool]
    settings: Settings
    guard: Guard
    slots: Sequence[Slot]
    points: dict[int, bool] = field(default_factory=dict[int, bool])  # of information: whether they were taken, by seq
    taken: list[TurnTaken] = field(default_factory=list[TurnTaken])
    questions: list[QuestionPut] = field(default_factory=list[QuestionPut])  # of a human moderator's
    failed: list[AttemptFailed] = field(default_factory=list[AttemptFailed])
    budget: Budget = field(default_factory=Budget)
    chat: Chat | None = None

    def hear(self, course: Course) -> None:
        """What was said before this process took the debate over."""
        for turn in course.turns:
            self.take(turn)
        for failure in course.failed_attempts:
            self.fail(failure)
        self.points |= {point.seq: point.taken for point in course.points}
        self.questions += course.questions

    def take(self, turn: TurnTaken) -> None:
        self.taken.append(turn)
        if not self._is_prepared(turn) and turn.is_spoken:
            self.guard.hear(turn.text, turn.debater)
        self.budget.turns += turn.attempts > 0
        self.budget.on_turns += turn.usage.total

    def _is_prepared(self, turn: TurnTaken) -> bool:
        """Notes and scripts may be said again."""
        return turn.finish_reason == SCRIPTED or bool(self.slots[turn.seq - 1].team)

    def fail(self, failure: AttemptFailed) -> None:
        self.failed.append(failure)
        self.budget.on_failures += failure.usage.total

    def put(self, question: QuestionPut) -> None:
        """The human moderator asked something; what the seated chat knows is older."""
        self.questions.append(question)
        self.rise()

    def lines(self) -> list[Line]:
        """What was said so far, the opening included."""
        opening = [Line(MODERATOR, self.debate.opening)] if self.debate.opening else []
        return opening + [line for _, line in self._said()]

    def _said(self) -> Iterator[tuple[Slot | None, Line]]:
        """What was said, and the slot that it was said in: turns, and the questions put between them, in none."""
        for said in self._in_order():
            if isinstance(said, TurnTaken):
                yield self.slots[said.seq - 1], Line(said.debater, said.text)
            else:
                yield None, Line(MODERATOR, said.text)

    def _in_order(self) -> Iterator[TurnTaken | QuestionPut]:
        """The turns that were spoken, and behind each the questions that were put after it."""
        yield from (put for put in self.questions if put.seq == 0)
        for turn in self.taken:
            if turn.is_spoken:
                yield turn
            yield from (put for put in self.questions if put.seq == turn.seq)

    @property
    def public(self) -> list[TurnTaken]:
        """The turns that everybody heard, and between them the human moderator's questions, as if they were turns."""
        spoken = (said if isinstance(said, TurnTaken) else self._as_turn(said) for said in self._in_order())
        return [turn for turn in spoken if turn.debater == MODERATOR or not self.slots[turn.seq - 1].team]

    def _as_turn(self, put: QuestionPut) -> TurnTaken:
        beside = self.slots[max(0, put.seq - 1)]
        return TurnTaken(
            seq=max(1, put.seq),
            phase=beside.phase,
            round=beside.round,
            debater=MODERATOR,
            text=put.text,
            attempts=0,
            finish_reason=HUMAN,
            started_at=put.at,
            ended_at=put.at,
        )

    def heard(self, slot: Slot, lines: Sequence[Line]) -> Heard:
        """What the speaker of the slot hears of all that was said."""
        return heard(self.debate, [said_in for said_in, _ in self._said()], lines, slot)

    def asked(self, slot: Slot) -> list[QuestionPut]:
        """The human moderator's questions that the speaker of the slot is to answer: those to the speaker, and those to
        whoever speaks next, that nobody had heard who spoke since."""
        if slot.kind not in _ANSWERS or slot.debater in HELPERS:
            return []
        answered = self._answered(slot.debater), self._answered(None)
        return [
            put
            for n, put in enumerate(self.questions)
            if put.to in (slot.debater, None) and n >= answered[put.to is None]
        ]

    def _answered(self, debater: str | None) -> int:
        """How many questions this debater, or anybody, had heard when speaking last."""
        spoken = (turn.questions_heard for turn in self.taken if debater in (turn.debater, None))
        return max(spoken, default=0)

    def hears(self, slot: Slot) -> int:
        """How many questions who speaks in the slot now has heard, and is taken to have answered."""
        return len(self.questions) if slot.kind in _ANSWERS and slot.debater not in HELPERS else 0

    def is_skipped(self, seq: int) -> bool:
        return 0 < seq <= len(self.taken) and not self.taken[seq - 1].is_spoken

    def seated(self) -> Chat:
        if self.chat is None:
            self.chat = Chat({debater: pool.server for debater, pool in self.pools.items()}, self.lines())
        return self.chat

    def rise(self) -> None:
        """After a failed attempt: the next one gets a chat that knows finished turns only."""
        self.chat = None

    def move_on(self, debater_id: str) -> None:
        """The debater's model is asked at its next endpoint from now on."""
        self.pools[debater_id].move_on()
        self.rise()


@dataclass(slots=True)
class _Failures:
    """What went wrong with a turn so far, and what was said that could be spoken nevertheless."""

    settings: Settings
    endpoints: int
    bad_answers: int = 0
    missed: int = 0  # endpoints in a row that were away
    away_since: float = 0.0
    tried: list[Attempt] = field(default_factory=list[Attempt])  # those that came to their end

    @property
    def said_nothing(self) -> bool:
        return any("empty" in reasons(attempt.faults) for attempt in self.tried)

    @property
    def faults(self) -> list[Fault]:
        return [fault for attempt in self.tried for fault in attempt.faults]

    def count(self, attempt: Attempt, error: ModelError | Rejected) -> None:
        """Raises TurnFailed where there is no use in another attempt."""
        if isinstance(error, Rejected):
            self.tried.append(attempt)
        if isinstance(error, Refused):
            raise TurnFailed(str(error)) from error
        if isinstance(error, Unavailable):
            self._miss(error)
        else:
            self._hear(error)

    @property
    def all_tried(self) -> bool:
        """No endpoint is left to be asked at once: the last one answered, or every one was away."""
        return self.missed % self.endpoints == 0

    def _miss(self, error: Unavailable) -> None:
        if not self.missed:
            self.away_since = time.monotonic()
        self.missed += 1
        waited = time.monotonic() - self.away_since
        if self.all_tried and waited >= self.settings.model_patience_seconds:
            raise TurnFailed(f"{error} (waited {waited:.0f} s)") from error

    def _hear(self, error: ModelError | Rejected) -> None:
        self.missed = 0
        self.bad_answers += 1
        if self.bad_answers >= self.settings.turn_attempts and self.least_bad() is None:
            raise TurnFailed(f"{self.bad_answers} attempts at a turn failed; the last one: {error}") from error

    def least_bad(self) -> Attempt | None:
        """The attempt that can be spoken where no other was better."""
        best = ladder.least_bad(self.judged)
        return next((attempt for attempt in self.tried if attempt.judged is best), None) if best else None

    @property
    def judged(self) -> list[Judged]:
        return [attempt.judged for attempt in self.tried if attempt.judged]


@dataclass(slots=True)
class _Verdict:
    """Decides whether an attempt becomes the turn, or another one is made."""

    table: Table
    failures: _Failures
    number: int
    enough: bool = False  # no other attempt is to be made

    def __call__(self, judged: Judged) -> bool:
        guard = self.table.guard
        again = ladder.asks_again(judged.faults, guard.strictness, self.number)
        spent = self.number >= self.failures.settings.turn_attempts
        self.enough = spent or not again or not self._affordable(again)
        if not judged.faults:
            return True
        return self.enough and ladder.least_bad([judged, *self.failures.judged]) is judged

    def _affordable(self, again: Sequence[Fault]) -> bool:
        """Faults that must never be spoken are worth any attempt; others as many as the budget has."""
        if any(fault.weight >= UNSPEAKABLE for fault in again):
            return True
        budget = self.table.budget
        attempts = budget.turns + len(self.table.failed)
        likely = (budget.on_turns + budget.on_failures) // attempts if attempts else 0
        return any(budget.allows(self.table.guard.strictness(fault), likely) for fault in again)


async def take_turn(
    table: Table, slot: Slot, chosen_by: ChosenBy, say: Say, note: Note, stop: Stop, listen: Listen
) -> TurnTaken:
    """Attempts at `slot` until one is good; before each of them, `listen` tells the table what was asked meanwhile.

    Raises:
        TurnFailed: there were `turn_attempts` bad answers, or all of the model's endpoints were away for longer
            than `model_patience_seconds` at a stretch, or one refuses.
        asyncio.CancelledError: `stop` was called.
    """
    assert slot.debater is not None
    debater = table.debate.speaker(slot.debater)
    pool = table.pools[debater.id]
    failures = _Failures(table.settings, len(pool))
    started = datetime.now(UTC)
    number = pauses = 0
    while True:
        number += 1
        await listen()
        verdict = _Verdict(table, failures, number)
        attempt = _attempt(table, slot, debater, verdict, say)
        try:
            await table.seated().turn(debater.id, attempt, stop)
        except (ModelError, Rejected) as error:
            table.rise()
            failure = await _failure(attempt, error)
            table.fail(failure)
            await note(failure)
            failures.count(attempt, error)
            if _is_lost(attempt, error):
                table.move_on(debater.id)
            if (verdict.enough or number >= table.settings.turn_attempts) and (best := failures.least_bad()):
                turn = await _turn(best, number, chosen_by, started)
                turn = turn.model_copy(update={"usage": Usage()})  # counted with its failed attempt
                break
            if failures.all_tried and not isinstance(error, Rejected):
                pauses += 1
                await asyncio.sleep(_pause(pauses))
            continue
        turn = await _turn(attempt, number, chosen_by, started)
        break
    table.take(turn)
    return turn


def scripted_turn(table: Table, slot: Slot, words: str) -> TurnTaken:
    """What is said in the slot without asking a model."""
    now = datetime.now(UTC)
    return _unasked(table, slot, text=words, finish_reason=SCRIPTED, started_at=now, ended_at=now)


def given_turn(table: Table, slot: Slot, chosen_by: ChosenBy, course: Course) -> TurnTaken:
    """What a person said in the slot."""
    assert course.awaited is not None
    assert course.given is not None
    return _unasked(
        table,
        slot,
        chosen_by=chosen_by,
        text=course.given.text,
        finish_reason=HUMAN,
        started_at=course.awaited.at,
        ended_at=max(course.awaited.at, course.given.at),  # by two clocks
        questions_heard=min(course.questions_at_given, table.hears(slot)),
    )


def skipped_turn(table: Table, slot: Slot, chosen_by: ChosenBy) -> TurnTaken:
    """A slot that a person did not speak in."""
    now = datetime.now(UTC)
    return _unasked(table, slot, chosen_by=chosen_by, text="", finish_reason=SKIPPED, started_at=now, ended_at=now)


def _unasked(table: Table, slot: Slot, **how: object) -> TurnTaken:
    """A turn that no model was asked for."""
    about = {"seq": slot.seq, "phase": slot.phase, "round": slot.round, "debater": slot.debater, "attempts": 0}
    turn = TurnTaken.model_validate({**about, **how})
    table.rise()  # the chat has not heard it
    table.take(turn)
    return turn


def _attempt(table: Table, slot: Slot, debater: Debater, verdict: _Verdict, say: Say) -> Attempt:
    server = table.pools[debater.id].server
    failures, debate = verdict.failures, table.debate
    lately = _lately(table, slot)
    why = [*reasons(failures.faults), *lately]
    rung = len(failures.tried) + bool(lately)
    able = SUPPORTED[server.endpoint.dialect]
    given = debate.sampling_for(slot.phase, debater.id)
    remedy = ladder.remedy(debate, slot, debater, rung, why, able, given)
    return Attempt(
        debate,
        slot,
        debater,
        server,
        verdict.number,
        say,
        table.guard,
        verdict,
        remedy,
        heard_by=lambda lines: table.heard(slot, lines),
        took_point=_took_point(table, slot),
        asked=[put.text for put in table.asked(slot)],
        questions_heard=table.hears(slot),
        one_line=not failures.said_nothing,
    )


def _took_point(table: Table, slot: Slot) -> bool:
    """Whether the speaker was asked something just before, and let it be."""
    offered = slot.seq - 1
    return slot.kind == "speech" and table.points.get(offered, False) and not table.is_skipped(offered)


def _lately(table: Table, slot: Slot) -> list[str]:
    """Why the turns just before were asked for again, where debaters go round in circles: then this one begins with
    the remedies of a second attempt, and is not asked for in vain first."""
    recent = [failure for failure in table.failed if slot.seq - 2 <= failure.seq < slot.seq]
    return [reason for failure in recent for reason in failure.faults if reason in ladder.CIRCLING]


def _is_lost(attempt: Attempt, error: ModelError | Rejected) -> bool:
    """Whether the endpoint is away, or as good as away: it let itself be asked and no word came."""
    return isinstance(error, Unavailable) or (isinstance(error, BrokenAnswer) and not attempt.raw)


def _pause(number: int) -> float:
    """The seconds of a turn's first, second, … pause: 0.25, 0.5, 1, 2, then 4."""
    return min(4.0, 0.125 * 2**number)


async def _failure(attempt: Attempt, error: ModelError | Rejected) -> AttemptFailed:
    reason = _reason(error)
    log.warning(
        "attempt failed",
        attempt=attempt.number,
        endpoint=attempt.server.endpoint.url,
        reason=reason,
        detail=str(error),
    )
    answer = attempt.answer or Answer(pieces=[attempt.raw])
    return AttemptFailed(
        seq=attempt.slot.seq,
        attempt=attempt.number,
        debater=attempt.debater.id,
        reason=reason,
        faults=reasons(attempt.faults),
        remedies=attempt.remedy.names,
        detail=str(error),
        text=answer.text[:2000],
        usage=await attempt.usage(answer),
    )


def _reason(error: ModelError | Rejected) -> str:
    """The failure in a word, for events and those who count them."""
    match error:
        case Rejected():
            return reasons(error.judged.faults)[0]
        case Unavailable():
            return "unavailable"
        case Refused():
            return "refused"
        case _:
            return "broken"


async def _turn(attempt: Attempt, attempts: int, chosen_by: ChosenBy, started: datetime) -> TurnTaken:
    assert attempt.answer is not None
    assert attempt.judged is not None
    return TurnTaken(
        seq=attempt.slot.seq,
        phase=attempt.slot.phase,
        round=attempt.slot.round,
        debater=attempt.debater.id,
        chosen_by=chosen_by,
        text=attempt.judged.text,
        attempts=attempts,
        shortened=attempt.judged.shortened,
        faults=reasons(attempt.judged.faults),
        sampling=attempt.options,
        model=attempt.debater.model,
        fingerprint=attempt.answer.fingerprint,
        usage=await attempt.usage(attempt.answer),
        finish_reason=attempt.answer.finish_reason or "enough",
        started_at=started,
        ended_at=datetime.now(UTC),
        questions_heard=attempt.questions_heard,
    )
