"""One turn: attempts at a slot until one of them becomes its text, or there have been enough."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import structlog

from rostra.agenda import Slot
from rostra.events import AttemptFailed, TurnTaken
from rostra.models import Debate
from rostra_orchestrator import prompt
from rostra_orchestrator.attempt import Attempt, Rejected, Say
from rostra_orchestrator.chat import Chat, Stop
from rostra_orchestrator.endpoint import Answer, BrokenAnswer, ModelError, Refused, Unavailable
from rostra_orchestrator.pool import Pool
from rostra_orchestrator.prompt import Line
from rostra_orchestrator.settings import Settings

log = structlog.stdlib.get_logger(__name__)

ChosenBy = Literal["format", "model", "fallback"]
Note = Callable[[AttemptFailed], Awaitable[None]]


class TurnFailed(Exception):
    """No attempt became a turn; the message is a sentence for people."""


@dataclass(slots=True)
class Table:
    """Where turns are taken: the debate, its seated chat, and where models are asked, by debater's id."""

    debate: Debate
    pools: Mapping[str, Pool]
    settings: Settings
    taken: list[TurnTaken]
    chat: Chat | None = None

    def lines(self) -> list[Line]:
        """What was said so far, the opening included."""
        opening = [Line(prompt.MODERATOR, self.debate.opening)] if self.debate.opening else []
        return opening + [Line(turn.debater, turn.text) for turn in self.taken]

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
    """What went wrong with a turn so far."""

    settings: Settings
    endpoints: int
    bad_answers: int = 0
    missed: int = 0  # endpoints in a row that were away
    away_since: float = 0.0
    said_nothing: bool = False

    def count(self, error: ModelError | Rejected) -> None:
        """Raises TurnFailed where there is no use in another attempt."""
        self.said_nothing |= isinstance(error, Rejected)
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
        if self.bad_answers >= self.settings.turn_attempts:
            raise TurnFailed(f"{self.bad_answers} attempts at a turn failed; the last one: {error}") from error


async def take_turn(table: Table, slot: Slot, chosen_by: ChosenBy, say: Say, note: Note, stop: Stop) -> TurnTaken:
    """Attempts at `slot` until one is good.

    Raises:
        TurnFailed: there were `turn_attempts` bad answers, or all of the model's endpoints were away for longer
            than `model_patience_seconds` at a stretch, or one refuses.
        asyncio.CancelledError: `stop` was called.
    """
    assert slot.debater is not None
    debater = table.debate.debater(slot.debater)
    pool = table.pools[debater.id]
    failures = _Failures(table.settings, len(pool))
    started = datetime.now(UTC)
    number = pauses = 0
    while True:
        number += 1
        attempt = Attempt(table.debate, slot, debater, pool.server, number, say, not failures.said_nothing)
        try:
            words = await table.seated().turn(debater.id, attempt, stop)
        except (ModelError, Rejected) as error:
            table.rise()
            await note(await _failure(attempt, error))
            failures.count(error)
            if _is_lost(attempt, error):
                table.move_on(debater.id)
            if failures.all_tried:
                pauses += 1
                await asyncio.sleep(_pause(pauses))
            continue
        turn = await _turn(attempt, words, chosen_by, started)
        table.taken.append(turn)
        return turn


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
        detail=str(error),
        text=answer.text[:2000],
        usage=await attempt.usage(answer),
    )


def _reason(error: ModelError | Rejected) -> str:
    """The failure in a word, for events and those who count them."""
    match error:
        case Rejected():
            return error.reason
        case Unavailable():
            return "unavailable"
        case Refused():
            return "refused"
        case _:
            return "broken"


async def _turn(attempt: Attempt, words: str, chosen_by: ChosenBy, started: datetime) -> TurnTaken:
    assert attempt.answer is not None
    return TurnTaken(
        seq=attempt.slot.seq,
        phase=attempt.slot.phase,
        round=attempt.slot.round,
        debater=attempt.debater.id,
        chosen_by=chosen_by,
        text=words,
        attempts=attempt.number,
        shortened=attempt.shortened,
        sampling=attempt.options,
        model=attempt.debater.model,
        usage=await attempt.usage(attempt.answer),
        finish_reason=attempt.answer.finish_reason or "enough",
        started_at=started,
        ended_at=datetime.now(UTC),
    )
