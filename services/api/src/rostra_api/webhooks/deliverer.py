"""Delivers: at least once, each debate's messages in their order, however long a receiver is away.

A webhook that is due is taken up by one deliverer, for a while that each step prolongs. So one that dies in the middle
sends again what it had not noted as taken, under the same id, or another does.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass

import structlog

from rostra.store import NotFound, StorageDown, Store
from rostra.store.webhooks import Webhooks
from rostra.tasks import stopped
from rostra_api.webhooks.addresses import Allowed, Unfit, receiver
from rostra_api.webhooks.courier import HOLD_SECONDS, Courier

EVERY_SECONDS = 0.5
# How often somebody who is patient looks for a place.
_LOOKS = 25

log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many debates' messages are on their way at once: one slow receiver, or one owner of many, holds up no other.

    What finds no place within `patience_seconds` is put off, by about `put_off_seconds`. So long it counts among those
    `in_hand`: they are enough for a thousand that wait for one receiver to let others through.
    """

    in_hand: int = 256
    in_all: int = 64
    of_owner: int = 32
    to_receiver: int = 4
    patience_seconds: float = 0.5
    put_off_seconds: float = 2.0


class _Places:
    """Who has how many of them."""

    def __init__(self, bounds: Bounds) -> None:
        self._most = {"all": bounds.in_all, "owner": bounds.of_owner, "receiver": bounds.to_receiver}
        self._patience = bounds.patience_seconds
        self._taken: Counter[tuple[str, str]] = Counter()

    @asynccontextmanager
    async def taken(self, owner: str, receiver: str) -> AsyncGenerator[bool]:
        """Whether there was one before patience ended; it is held until the end."""
        wanted = [("all", ""), ("owner", owner), ("receiver", receiver)]
        for _ in range(_LOOKS):
            if self._are_free(wanted):
                break
            await asyncio.sleep(self._patience / _LOOKS)
        else:
            yield False
            return
        self._taken.update(wanted)
        try:
            yield True
        finally:
            self._taken.subtract(wanted)
            self._taken = +self._taken  # without those that have none

    def _are_free(self, wanted: list[tuple[str, str]]) -> bool:
        return all(self._taken[key] < self._most[key[0]] for key in wanted)


class Deliverer:
    """What one process delivers. Several may run."""

    def __init__(
        self,
        store: Store,
        webhooks: Webhooks,
        courier: Courier,
        allowed: Allowed,
        *,
        bounds: Bounds = Bounds(),
        hold: float = HOLD_SECONDS,
        alive: Callable[[], None] = lambda: None,
    ) -> None:
        """`alive` is called whenever Redis was asked what is due."""
        self._store = store
        self._webhooks = webhooks
        self._courier = courier
        self._allowed = allowed
        self._bounds = bounds
        self._hold = hold
        self._alive = alive
        self._places = _Places(bounds)
        self._running: set[asyncio.Task[None]] = set()

    async def deliver_forever(self) -> None:
        """Until it is cancelled; Redis being away only makes it wait."""
        try:
            while True:
                await self._look()
        finally:
            await stopped(*self._running)

    async def _look(self) -> None:
        """Begins with what is due, as far as there is room, and waits a little where there was no more."""
        room = self._bounds.in_hand - len(self._running)
        due: list[str] = []
        with _redis_may_be_away("cannot look for webhooks"):
            due = await self._webhooks.claim(room, self._hold)
            self._alive()
        for debate_id in due:
            task = asyncio.create_task(self._deliver(debate_id))
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        if len(due) < room or not room:
            await asyncio.sleep(EVERY_SECONDS)

    async def _deliver(self, debate_id: str) -> None:
        with structlog.contextvars.bound_contextvars(debate_id=debate_id), _redis_may_be_away("webhook left for later"):
            try:
                await self._take_up(debate_id)
            except asyncio.CancelledError:
                with suppress(StorageDown):
                    await self._webhooks.put_off(debate_id, 0)
                raise
            except StorageDown:
                raise
            except Exception:  # the others go on
                log.exception("webhook left for later")

    async def _take_up(self, debate_id: str) -> None:
        try:
            record = await self._store.get(debate_id)
        except NotFound:
            await self._webhooks.rest(debate_id, "")
            return
        rules, delivery = record.debate.webhook, record.delivery
        if rules is None or delivery is None or delivery.status != "pending":
            await self._webhooks.rest(debate_id, delivery.cursor if delivery else "")
            return
        try:
            to = receiver(rules.url, self._allowed)
        except Unfit as error:  # it was fit when the debate was begun
            await self._courier.put_back(debate_id, delivery.cursor, delivery.tries + 1, f"its address {error}")
            return
        async with self._places.taken(record.owner, to.place) as is_free:
            if is_free:
                await self._courier.deliver(record, rules, delivery, to)
            else:  # spread, so that they do not come again all at once
                await self._webhooks.put_off(debate_id, self._bounds.put_off_seconds * random.uniform(0.5, 1.5))


@contextmanager
def _redis_may_be_away(told: str) -> Generator[None]:
    try:
        yield
    except StorageDown as error:
        log.warning(told, error=repr(error))
