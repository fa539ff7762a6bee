"""A debate from its claim to its end: every slot of the agenda, each turn an event, each event under the fence."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

import structlog
from structlog.contextvars import bound_contextvars

from rostra.agenda import Slot, agenda
from rostra.events import AttemptFailed, SpeakerChosen, TurnTaken
from rostra.models import Debate, Status
from rostra.store import Claim, Fenced, StorageDown, Store
from rostra.tasks import stopped
from rostra.transcript import Course, fold
from rostra_orchestrator import ladder
from rostra_orchestrator.chat import Stop
from rostra_orchestrator.choice import chosen_speaker
from rostra_orchestrator.endpoint import Patience
from rostra_orchestrator.guard import Guard
from rostra_orchestrator.lease import Interruption, Lease
from rostra_orchestrator.pool import Pool, opened
from rostra_orchestrator.settings import Settings
from rostra_orchestrator.turns import ChosenBy, Table, TurnFailed, take_turn

log = structlog.stdlib.get_logger(__name__)

# Claims in a row that may end without a new turn, before the debate is taken for one that kills workers.
MAX_STALLS = 5
# Shares of Redis' maxmemory: at the first no turn is begun, under the second debates go on.
_FULL = 0.95
_ROOM_AGAIN = 0.9
_LOOK_AGAIN_SECONDS = 1.0

Outcome = Literal["ended", "paused", "released", "fenced"]


class Interrupted(Exception):
    """The debate should stop here, unfinished or cancelled."""

    def __init__(self, reason: Interruption) -> None:
        super().__init__(reason)
        self.reason: Interruption = reason


class Collapsed(Exception):
    """The debaters go round in circles, whatever the guard did; the message is a sentence for people."""


class LimitReached(Exception):
    """The debate has cost what it may; the message is a sentence for people."""


async def play(store: Store, claim: Claim, lease: Lease, settings: Settings) -> Outcome:
    """Plays the debate on from its last finished turn. The lease must be held.

    Raises:
        StorageDown: Redis stayed away; the debate goes on when it is back, from its last finished turn.
    """
    try:
        return await _play(store, claim, lease, settings)
    except Fenced:
        log.warning("fenced: another process plays this debate now, or it was ended")
        return "fenced"


async def _play(store: Store, claim: Claim, lease: Lease, settings: Settings) -> Outcome:
    if claim.stalls > MAX_STALLS:
        reason = (
            f"given up: {MAX_STALLS} workers in a row took the debate up and none finished a turn; "
            "the workers' log tells what stopped them"
        )
        return await _ended(store, claim, Status.FAILED, reason)
    try:
        await _Playing(store, claim, lease, settings).run()
    except Interrupted as interrupted:
        return await _interrupted(store, claim, interrupted.reason)
    except Collapsed as error:
        return await _ended(store, claim, Status.COLLAPSED, str(error))
    except (TurnFailed, LimitReached) as error:
        return await _ended(store, claim, Status.FAILED, str(error))
    return await _ended(store, claim, Status.COMPLETED)


async def _ended(store: Store, claim: Claim, status: Status, reason: str = "") -> Outcome:
    await store.finish(claim, status, reason)
    log.info("debate ended", status=status.value, reason=reason)
    return "ended"


async def _interrupted(store: Store, claim: Claim, reason: Interruption) -> Outcome:
    match reason:
        case "cancel":
            return await _ended(store, claim, Status.CANCELLED, "cancelled by request")
        case "pause":
            return await _put_to_rest(store, claim)
        case "stop":
            return await _released(store, claim, "the worker was stopped")
        case "yield":
            return await _released(store, claim, "others waited who had nothing played")
        case "fenced":
            return "fenced"


async def _released(store: Store, claim: Claim, reason: str) -> Outcome:
    await store.release(claim, reason)
    return "released"


async def _put_to_rest(store: Store, claim: Claim) -> Outcome:
    """Pauses, unless something else was asked for since."""
    match await store.put_to_rest(claim):
        case "pause":
            return "paused"
        case "cancel":
            return await _ended(store, claim, Status.CANCELLED, "cancelled by request")
        case "":
            return await _released(store, claim, "resumed before it was paused")


@dataclass(slots=True)
class _Playing:
    """One process playing one debate."""

    store: Store
    claim: Claim
    lease: Lease
    settings: Settings
    tokens: int = 0
    chosen: SpeakerChosen | None = None
    began: float = field(default_factory=time.monotonic)
    spent: float = 0.0  # seconds that the debate was played before, by other processes

    @property
    def debate(self) -> Debate:
        return self.claim.debate

    async def run(self) -> None:
        """Every slot that is still empty.

        Raises: Interrupted, TurnFailed, LimitReached, Collapsed, Fenced, StorageDown.
        """
        course = fold([recorded.event for recorded in await self.store.events(self.debate.id)])
        self._continue(course)
        async with AsyncExitStack() as stack:
            models = dict.fromkeys(debater.model for debater in self.debate.debaters)
            pools = {model: await stack.enter_async_context(self._pool(model)) for model in models}
            seats = {debater.id: pools[debater.model] for debater in self.debate.debaters}
            table = Table(self.debate, seats, self.settings, Guard(self.debate))
            table.hear(course)
            for slot in agenda(self.debate)[len(course.turns) :]:
                with bound_contextvars(turn=slot.seq):
                    await self._unless_interrupted(lambda stop, slot=slot: self._take(table, slot, stop))

    def _continue(self, course: Course) -> None:
        self.tokens = course.tokens
        self.chosen = course.choices[-1] if course.choices else None
        if course.started_at:
            self.spent = (datetime.now(UTC) - course.started_at).total_seconds() - course.paused_seconds

    def _pool(self, model: str) -> AbstractAsyncContextManager[Pool]:
        try:
            endpoints = self.settings.models[model]
        except KeyError:
            raise TurnFailed(f"the model {model!r} is not configured at this worker (ROSTRA_MODELS)") from None
        s = self.settings
        patience = Patience(
            connect=s.model_connect_seconds,
            first_token=s.model_first_token_seconds,
            next_token=s.model_next_token_seconds,
            answer=s.model_answer_seconds,
        )
        return opened(endpoints, self.debate.id, patience)

    async def _take(self, table: Table, slot: Slot, stop: Stop) -> None:
        """Fills one slot: chooses its speaker if need be, takes the turn, and stores it."""
        await self._until_there_is_room()
        chosen_by: ChosenBy = "format"
        if slot.debater is None:
            choice = await self._choice(table, slot)
            slot, chosen_by = slot.model_copy(update={"debater": choice.debater}), choice.chosen_by
        turn = await take_turn(table, slot, chosen_by, self._saying(slot), self._note, stop)
        strictness = self.debate.strictness("repetition")
        # A repetition that was spoken at once, since the budget had no second attempt left, proves nothing yet.
        faults = [t.faults for t in table.taken if t.attempts > 1 or not ladder.CIRCLING & set(t.faults)]
        if in_a_row := ladder.circling(faults, len(self.debate.debaters), strictness):
            raise Collapsed(
                f"the debaters went round in circles: {in_a_row} turns in a row only said again what had been said, "
                "though each was asked for more than once"
            )
        await self._note(turn)
        log.info("turn taken", debater=turn.debater, attempts=turn.attempts, tokens=turn.usage.total)

    async def _until_there_is_room(self) -> None:
        """A turn that could not be stored is not begun: while Redis is nearly full the debate waits, and keeps its
        lease with what is left."""
        if await self.store.fullness() < _FULL:
            return
        log.warning("Redis is nearly full: the debate waits; delete debates or raise its maxmemory")
        while await self.store.fullness() >= _ROOM_AGAIN:  # noqa: ASYNC110  only asking tells
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)
        log.info("Redis has room again")

    async def _choice(self, table: Table, slot: Slot) -> SpeakerChosen:
        """Who speaks: as it was chosen before the debate was taken over, or else chosen now."""
        if self.chosen is None or self.chosen.seq != slot.seq:
            speaker, chosen_by, usage = await chosen_speaker(table, slot)
            self.chosen = SpeakerChosen(seq=slot.seq, debater=speaker, chosen_by=chosen_by, usage=usage)
            await self._note(self.chosen)
        return self.chosen

    def _saying(self, slot: Slot) -> Callable[[int, str], Coroutine[Any, Any, None]]:
        async def say(attempt: int, words: str) -> None:
            assert slot.debater is not None
            try:
                wish = await self.store.speak(
                    self.claim, seq=slot.seq, attempt=attempt, debater=slot.debater, text=words
                )
            except StorageDown as error:
                # The words are shown to those who watch; the turn itself is stored by `append`.
                log.warning("words not shown", error=str(error))
            else:
                self.lease.notice(wish)

        return say

    async def _note(self, event: TurnTaken | AttemptFailed | SpeakerChosen) -> None:
        self.tokens += event.usage.total
        self.lease.notice(await self.store.append(self.claim, event, usage=event.usage))

    # ── limits and interruptions ────────────────────────────────────────────────────────────────────────

    async def _unless_interrupted(self, take: Callable[[Stop], Coroutine[Any, Any, None]]) -> None:
        """Awaits a turn, but not past an interruption or the debate's limits. The turn in flight is dropped."""
        self._check_tokens()
        stop = Stop()
        taking = asyncio.create_task(take(stop))
        try:
            await asyncio.wait(
                {taking, self.lease.interrupted},
                timeout=self._seconds_left(),
                return_when=asyncio.FIRST_COMPLETED,
            )
            if taking.done():
                await taking
                if not self.lease.interrupted.done():
                    return
        finally:
            await _dropped(taking, stop)
        if self.lease.interrupted.done():
            raise Interrupted(self.lease.interrupted.result())
        raise LimitReached(f"the debate's time limit of {self.debate.limits.seconds} s was reached")

    def _check_tokens(self) -> None:
        limit = self.debate.limits.tokens
        if limit is not None and self.tokens >= limit:
            raise LimitReached(f"the debate's limit of {limit} tokens was reached ({self.tokens} spent)")

    def _seconds_left(self) -> float | None:
        """By this process' own clock, which nobody sets; only what others played is known by the wall's."""
        limit = self.debate.limits.seconds
        if limit is None:
            return None
        return max(0.0, limit - max(0.0, self.spent) - (time.monotonic() - self.began))


async def _dropped(taking: asyncio.Task[None], stop: Stop) -> None:
    """Ends a turn in flight: through AutoGen's token, and for what does not listen to it, by cancelling."""
    stop()
    await asyncio.wait([taking], timeout=1.0)
    await stopped(taking)
