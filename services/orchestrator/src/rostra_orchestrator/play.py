"""A debate from its claim to its end: every slot of the agenda, each turn an event, each event under the fence."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

import structlog
from structlog.contextvars import bound_contextvars

from rostra.agenda import Slot, agenda, is_scripted
from rostra.events import AttemptFailed, PointDecided, QuestionPut, SpeakerChosen, TurnTaken, Usage, VerdictGiven
from rostra.models import Debate, Status
from rostra.naming import HELPERS
from rostra.store import Claim, Fenced, StorageDown, Store
from rostra.tasks import stopped
from rostra.transcript import Course, fold
from rostra.votes import goes_on
from rostra_orchestrator import bench, ladder, prompt
from rostra_orchestrator.bench import Bench
from rostra_orchestrator.chat import Stop
from rostra_orchestrator.choice import chosen_speaker, takes_point
from rostra_orchestrator.endpoint import Patience
from rostra_orchestrator.guard import Guard
from rostra_orchestrator.lease import Interruption, Lease
from rostra_orchestrator.pool import Pool, opened
from rostra_orchestrator.settings import Settings
from rostra_orchestrator.turns import (
    ChosenBy,
    Table,
    TurnFailed,
    given_turn,
    scripted_turn,
    skipped_turn,
    take_turn,
)

log = structlog.stdlib.get_logger(__name__)

# Claims in a row that may end without a new turn, before the debate is taken for one that kills workers.
# Half as many come by about where a slow model's whole stack is killed again and again.
MAX_STALLS = 10
# Shares of Redis' maxmemory: at the first no turn is begun, under the second debates go on.
_FULL = 0.95
_ROOM_AGAIN = 0.9
_LOOK_AGAIN_SECONDS = 1.0

Outcome = Literal["ended", "paused", "released", "waiting", "fenced"]


class Interrupted(Exception):
    """The debate should stop here, unfinished or cancelled."""

    def __init__(self, reason: Interruption) -> None:
        super().__init__(reason)
        self.reason: Interruption = reason


class PersonNeeded(Exception):
    """A slot came up that a person speaks in, and the words are not there."""

    def __init__(self, seq: int, speaker: str) -> None:
        super().__init__(f"turn {seq} is a person's")
        self.seq = seq
        self.speaker = speaker


class Collapsed(Exception):
    """The debaters go round in circles, whatever the guard did; the message is a sentence for people."""


class LimitReached(Exception):
    """The debate has cost what it may; the message is a sentence for people."""


class GivenUp(Exception):
    """The debate seems to kill whoever plays it; the message is a sentence for people."""

    def __init__(self) -> None:
        super().__init__(
            f"given up: {MAX_STALLS} workers in a row took the debate up and none finished a turn; "
            "the workers' log tells what stopped them"
        )


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
    given_up = claim.stalls > MAX_STALLS
    if given_up and not await _only_judging_is_left(store, claim):
        return await _ended(store, claim, Status.FAILED, str(GivenUp()))
    try:
        await _Playing(store, claim, lease, settings).run(given_up=given_up)
    except Interrupted as interrupted:
        return await _interrupted(store, claim, interrupted.reason)
    except PersonNeeded as needed:
        return await _waits(store, claim, needed)
    except Collapsed as error:
        return await _ended(store, claim, Status.COLLAPSED, str(error))
    except (TurnFailed, LimitReached) as error:
        return await _ended(store, claim, Status.FAILED, str(error))
    return await _ended(store, claim, Status.COMPLETED)


async def _only_judging_is_left(store: Store, claim: Claim) -> bool:
    """Whether the debate can be completed nevertheless, without a verdict; unless that, too, kills who tries it."""
    record = await store.get(claim.debate.id)
    return record.turns_done >= record.turns_planned and claim.stalls <= 2 * MAX_STALLS


async def _ended(store: Store, claim: Claim, status: Status, reason: str = "") -> Outcome:
    await store.finish(claim, status, reason)
    log.info("debate ended", status=status.value, reason=reason)
    return "ended"


async def _waits(store: Store, claim: Claim, needed: PersonNeeded) -> Outcome:
    """Waits for the person, unless something else was asked for since."""
    if wish := await store.wait_for(claim, needed.seq, needed.speaker, claim.debate.humans.seconds):
        return await _interrupted(store, claim, wish)
    log.info("the debate waits for a person", turn=needed.seq, debater=needed.speaker)
    return "waiting"


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
    course: Course = field(default_factory=Course)  # when this process took it over
    read: str = "0-0"  # the last event that was listened for
    began: float = field(default_factory=time.monotonic)
    spent: float = 0.0  # seconds that the debate was played before, by other processes

    @property
    def debate(self) -> Debate:
        return self.claim.debate

    async def run(self, *, given_up: bool = False) -> None:
        """Every slot that is still empty, and what is asked before and after them.

        Raises: Interrupted, PersonNeeded, TurnFailed, LimitReached, Collapsed, Fenced, StorageDown.
        """
        events = await self.store.events(self.debate.id)
        course = fold([recorded.event for recorded in events])
        self._continue(course, events[-1].id)
        async with AsyncExitStack() as stack:
            models, slots = _models(self.debate), agenda(self.debate)
            needed = [models[speaker] for speaker in _asked(self.debate, slots)]
            asked = [m for m in (*models.values(), *bench.models(self.debate)) if m in self.settings.models]
            named = dict.fromkeys([*needed, *asked])
            pools = {model: await stack.enter_async_context(self._pool(model)) for model in named}
            seats = _seats(models, pools)
            table = Table(self.debate, seats, self.settings, Guard(self.debate), slots)
            table.hear(course)
            beside = Bench(self.debate, pools, self.settings, self._note, self._ask, course.outcomes)
            if len(course.turns) <= self.debate.turns_carried:
                await beside.open()
            for slot in slots[len(course.turns) :]:
                if await self._is_agreed(beside, table, slot):
                    break
                with bound_contextvars(turn=slot.seq):
                    await self._unless_interrupted(lambda stop, slot=slot: self._take(table, slot, stop))
            await self._sit(beside, table, given_up=given_up)

    async def _sit(self, beside: Bench, table: Table, *, given_up: bool) -> None:
        """All was said: what goes wrong now does not fail the debate."""
        try:
            if given_up:
                raise GivenUp
            await beside.sit(table.public, self._rounds_of_votes(table))
        except (LimitReached, GivenUp) as error:
            await beside.break_off(table.public, str(error))

    async def _is_agreed(self, beside: Bench, table: Table, slot: Slot) -> bool:
        """Whether the debaters agreed after the round before this slot, in a phase that goes on until they do."""
        before = table.slots[slot.seq - 2] if slot.seq > 1 else slot
        phase = self.debate.format.phase(before.phase)
        if not phase.until_agreed or (before.phase, before.round) == (slot.phase, slot.round):
            return False
        decision = await beside.vote(table.public, before.round)
        return decision is not None and self.debate.decision is not None and not goes_on(self.debate.decision, decision)

    def _rounds_of_votes(self, table: Table) -> int:
        """The number of the debaters' last vote: they vote once, or after each round until they agree."""
        last = table.slots[len(table.taken) - 1] if table.taken else None
        return last.round if last and self.debate.format.phase(last.phase).until_agreed else 1

    async def _ask(self, put: Callable[[], Coroutine[Any, Any, None]]) -> None:
        async def ask(_: Stop) -> None:
            await self._until_there_is_room()
            await put()

        await self._unless_interrupted(ask)

    def _continue(self, course: Course, read: str) -> None:
        self.course, self.read = course, read
        self.tokens = course.tokens
        self.chosen = course.choices[-1] if course.choices else None
        if course.started_at:
            self.spent = (datetime.now(UTC) - course.started_at).total_seconds() - course.idle_seconds

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
        await self._listen(table)
        chosen_by: ChosenBy = "format"
        if slot.debater is None:
            choice = await self._choice(table, slot)
            slot, chosen_by = slot.model_copy(update={"debater": choice.debater}), choice.chosen_by
        if (words := await self._script(table, slot)) is not None:
            turn = scripted_turn(table, slot, words)
        elif (given := self._given(table, slot, chosen_by)) is not None:
            turn = given
        else:
            slot = _without_question(table, slot)
            turn = await take_turn(
                table, slot, chosen_by, self._saying(slot), self._note, stop, lambda: self._listen(table)
            )
        self._check_circles(table, slot)
        await self._note(turn)
        log.info("turn taken", debater=turn.debater, attempts=turn.attempts, tokens=turn.usage.total)

    def _given(self, table: Table, slot: Slot, chosen_by: ChosenBy) -> TurnTaken | None:
        """The turn as a person spoke it or let it pass; None where a model speaks.

        Raises: PersonNeeded.
        """
        assert slot.debater is not None
        if not self.debate.is_human(slot.debater):
            return None
        if self.course.given and self.course.given.seq == slot.seq:
            return given_turn(table, slot, chosen_by, self.course)
        if self.course.missed and self.course.missed.seq == slot.seq:
            return skipped_turn(table, slot, chosen_by) if self.debate.humans.then == "skip" else None
        raise PersonNeeded(slot.seq, slot.debater)

    async def _listen(self, table: Table) -> None:
        """Hears what a human moderator asked since this process listened last."""
        if not self.debate.has_human_moderator:
            return
        for recorded in await self.store.events(self.debate.id, self.read):
            self.read = recorded.id
            if isinstance(recorded.event, QuestionPut):
                table.put(recorded.event)

    def _check_circles(self, table: Table, slot: Slot) -> None:
        """Rounds that only go on in circles are ended. The slots of a format are few and each of its own kind: they are
        spoken to the end, and the faults stand in the turns."""
        if self.debate.format.phase(slot.phase).order is None:
            return
        spoken = [turn for turn in table.taken if turn.debater not in HELPERS and turn.is_spoken]
        # A repetition that was spoken at once, since the budget had no second attempt left, proves nothing yet.
        faults = [turn.faults for turn in spoken if turn.attempts > 1 or not ladder.CIRCLING & set(turn.faults)]
        strictness = self.debate.strictness("repetition")
        if in_a_row := ladder.circling(faults, len(self.debate.debaters), strictness):
            raise Collapsed(
                f"the debaters went round in circles: {in_a_row} turns in a row only said again what had been said, "
                "though each was asked for more than once"
            )

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

    async def _script(self, table: Table, slot: Slot) -> str | None:
        """The words of a slot that no model is asked for."""
        if slot.kind == "point" and not await self._is_taken(table, slot):
            return prompt.declined(self.debate)
        if is_scripted(self.debate, slot):
            announced = slot.kind == "announcement"
            return prompt.announcement(self.debate, slot) if announced else prompt.question_to_all(self.debate, slot)
        return None

    async def _is_taken(self, table: Table, slot: Slot) -> bool:
        """Whether the speaker takes the point: as it was decided before the debate was taken over, or decided now."""
        if slot.seq not in table.points:
            assert slot.to is not None
            taken, chosen_by, usage = await takes_point(table, slot)
            await self._note(PointDecided(seq=slot.seq, debater=slot.to, taken=taken, chosen_by=chosen_by, usage=usage))
            table.points[slot.seq] = taken
        return table.points[slot.seq]

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

    async def _note(self, event: TurnTaken | AttemptFailed | SpeakerChosen | PointDecided | bench.Noted) -> None:
        usage = Usage() if isinstance(event, VerdictGiven) else event.usage
        self.tokens += usage.total
        self.lease.notice(await self.store.append(self.claim, event, usage=usage))

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


def _models(debate: Debate) -> dict[str, str]:
    """Who is asked for the words of each speaker, by model name; the moderator and the audience speak by their own
    model, or the first debater's."""
    own = debate.moderator.model if debate.moderator else debate.debaters[0].model
    helpers = dict.fromkeys(HELPERS, own) if debate.format.has_helpers else {}
    return {debater.id: debater.model for debater in debate.debaters} | helpers


def _asked(debate: Debate, slots: Sequence[Slot]) -> list[str]:
    """The speakers whose words a model must be there for."""
    speakers = {slot.debater for slot in slots if not is_scripted(debate, slot)}
    chosen = {debater.id for debater in debate.debaters} if None in speakers else set[str]()
    return sorted(each for each in speakers | chosen if each and debate.needs_model(each))


def _seats(models: Mapping[str, str], pools: Mapping[str, Pool]) -> dict[str, Pool]:
    """Where the words of each speaker are asked for. A person whose model is not there sits at any other's: nothing is
    asked for them, but a group chat is of two at least. Where there are people only, nobody is seated."""
    if not pools:
        return {}
    any_of_them = next(iter(pools.values()))
    return {speaker: pools.get(model, any_of_them) for speaker, model in models.items()}


def _without_question(table: Table, slot: Slot) -> Slot:
    """An answer to a question that a person let pass takes up what was said before."""
    asked = slot.seq - 1
    while slot.kind == "answer" and asked > 1 and table.slots[asked - 1].kind == "answer":
        asked -= 1
    if slot.kind != "answer" or not table.is_skipped(asked):
        return slot
    return slot.model_copy(update={"kind": "speech", "task": "exchange", "to": None, "part": 1})


async def _dropped(taking: asyncio.Task[None], stop: Stop) -> None:
    """Ends a turn in flight: through AutoGen's token, and for what does not listen to it, by cancelling."""
    stop()
    await asyncio.wait([taking], timeout=1.0)
    await stopped(taking)
