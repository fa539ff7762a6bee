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
from rostra_orchestrator.endpoint import Answer, ModelError, ModelServer, Refused, Unavailable
from rostra_orchestrator.prompt import Line
from rostra_orchestrator.settings import Settings

log = structlog.stdlib.get_logger(__name__)

ChosenBy = Literal["format", "model", "fallback"]
Note = Callable[[AttemptFailed], Awaitable[None]]


class TurnFailed(Exception):
    """No attempt became a turn; the message is a sentence for people."""


@dataclass(slots=True)
class Table:
    """Where turns are taken: the debate, its seated chat, and the model servers by debater's id."""

    debate: Debate
    servers: Mapping[str, ModelServer]
    settings: Settings
    taken: list[TurnTaken]
    chat: Chat | None = None

    def lines(self) -> list[Line]:
        """What was said so far, the opening included."""
        opening = [Line(prompt.MODERATOR, self.debate.opening)] if self.debate.opening else []
        return opening + [Line(turn.debater, turn.text) for turn in self.taken]

    def seated(self) -> Chat:
        if self.chat is None:
            self.chat = Chat(self.servers, self.lines())
        return self.chat

    def rise(self) -> None:
        """After a failed attempt: the next one gets a chat that knows finished turns only."""
        self.chat = None


async def take_turn(table: Table, slot: Slot, chosen_by: ChosenBy, say: Say, note: Note, stop: Stop) -> TurnTaken:
    """Attempts at `slot` until one is good.

    Raises:
        TurnFailed: there were `turn_attempts` bad answers, or the server was away for longer than
            `model_patience_seconds` at a stretch, or it refuses.
        asyncio.CancelledError: `stop` was called.
    """
    assert slot.debater is not None
    debater = table.debate.debater(slot.debater)
    started = datetime.now(UTC)
    away_since: float | None = None
    answers = number = 0
    said_nothing = False
    while True:
        number += 1
        attempt = Attempt(table.debate, slot, debater, table.servers[debater.id], number, say, not said_nothing)
        try:
            words = await table.seated().turn(debater.id, attempt, stop)
        except (ModelError, Rejected) as error:
            table.rise()
            said_nothing |= isinstance(error, Rejected)
            await note(await _failure(attempt, error))
            if isinstance(error, Unavailable):
                away_since = away_since or time.monotonic()
            else:
                away_since = None
                answers += 1
            waited = time.monotonic() - (away_since or time.monotonic())
            _give_up_if_hopeless(error, answers, waited, table.settings)
            await asyncio.sleep(_pause(number))
            continue
        turn = await _turn(attempt, words, chosen_by, started)
        table.taken.append(turn)
        return turn


def _give_up_if_hopeless(error: Exception, answers: int, waited: float, settings: Settings) -> None:
    if isinstance(error, Refused):
        raise TurnFailed(str(error)) from error
    if isinstance(error, Unavailable) and waited >= settings.model_patience_seconds:
        raise TurnFailed(f"{error} (waited {waited:.0f} s)") from error
    if answers >= settings.turn_attempts:
        raise TurnFailed(f"{answers} attempts at a turn failed; the last one: {error}") from error


def _pause(number: int) -> float:
    """Seconds before the next attempt: 0.25, 0.5, 1, 2, then 4."""
    return min(4.0, 0.125 * 2**number)


async def _failure(attempt: Attempt, error: ModelError | Rejected) -> AttemptFailed:
    reason = _reason(error)
    log.warning("attempt failed", attempt=attempt.number, reason=reason, detail=str(error))
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
