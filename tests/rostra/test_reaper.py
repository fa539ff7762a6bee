"""Nothing stays lost, and nobody is taken for dead who lives."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from redis import Redis

from builders import a_debate
from rostra import queue
from rostra.reaper import DEAD_SECONDS, EVERY_SECONDS, Watch, reap
from rostra.store import Claim, Store


@dataclass
class Clock:
    """A monotonic clock that stands still unless it is moved."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Reaper:
    """One that looks when it is told to, with a clock of its own."""

    store: Store
    rq: Redis

    def __post_init__(self) -> None:
        self.clock = Clock()
        self._watch = Watch(self.clock)

    async def look(self, times: int = 1, every: float = EVERY_SECONDS) -> list[str]:
        """So many looks; answers what they enqueued."""
        enqueued = list[str]()
        for _ in range(times):
            enqueued += await reap(self.store, self.rq, self._watch)
            self.clock.now += every
        return enqueued


@pytest.fixture
def rq(redis_url: str) -> Iterator[Redis]:
    with queue.connect(redis_url) as redis:
        yield redis


@pytest.fixture
def reaper(store: Store, rq: Redis) -> Reaper:
    return Reaper(store, rq)


async def played(store: Store) -> Claim:
    debate_id, _ = await store.create(a_debate())
    claim = await store.claim(debate_id, "ada:1:ff")
    assert isinstance(claim, Claim)
    return claim


LONG_ENOUGH = round(DEAD_SECONDS / EVERY_SECONDS) + 1


async def test_a_debate_that_was_stored_but_never_enqueued_is_found(store: Store, reaper: Reaper, rq: Redis):
    debate_id, _ = await store.create(a_debate())
    assert await reaper.look() == []  # the API is just about to enqueue it
    assert await reaper.look() == [debate_id]
    assert queue.waiting(rq) == {debate_id}


async def test_a_debate_whose_beat_stands_still_is_given_to_another(store: Store, reaper: Reaper):
    claim = await played(store)
    assert await reaper.look(LONG_ENOUGH - 1) == []
    assert await reaper.look() == [claim.debate.id]
    heir = await store.claim_next(claim.debate.id, "grace:2:ee")
    assert isinstance(heir, Claim)
    assert heir.fence == claim.fence + 1


async def test_one_that_renews_is_left_alone_however_long(store: Store, reaper: Reaper):
    claim = await played(store)
    for _ in range(20):
        assert await reaper.look(LONG_ENOUGH - 1) == []
        await store.renew(claim)


async def test_a_reaper_that_was_stopped_itself_makes_nobody_dead(store: Store, reaper: Reaper):
    await played(store)
    await reaper.look(LONG_ENOUGH - 1)
    reaper.clock.now += 3600  # the machine slept, or Redis was away
    assert await reaper.look(LONG_ENOUGH - 1) == []


async def test_one_whose_lease_was_dropped_and_whom_nobody_was_called_to_is_found(store: Store, reaper: Reaper):
    claim = await played(store)
    await store.bury(claim.debate.id)
    assert await reaper.look() == []  # whoever dropped it is just about to call a worker
    assert await reaper.look() == [claim.debate.id]


async def test_a_debate_that_waits_in_the_queue_is_left_alone(store: Store, reaper: Reaper, rq: Redis):
    debate_id, _ = await store.create(a_debate())
    queue.enqueue(rq, debate_id, 1)
    assert await reaper.look(10) == []
    assert queue.length(rq) == 1


async def test_as_many_workers_are_called_as_calls_are_missing(store: Store, reaper: Reaper, rq: Redis):
    ids = sorted([(await store.create(a_debate()))[0] for _ in range(5)])
    for debate_id in ids[3:]:
        queue.enqueue(rq, debate_id, 1)
    assert await reaper.look(2) == ids[:3]
    assert await reaper.look(10) == []


async def test_reapers_that_look_at_once_bury_once_and_do_no_harm(store: Store, rq: Redis):
    claim = await played(store)
    reapers = [Reaper(store, rq) for _ in range(10)]
    for _ in range(LONG_ENOUGH):
        await asyncio.gather(*(each.look() for each in reapers))
    claims = [await store.claim_next(claim.debate.id, f"w:{n}") for n in range(10)]
    assert [isinstance(each, Claim) for each in claims].count(True) == 1
    assert claims.count("idle") == 9


async def test_what_is_paused_or_ended_stays_at_rest(store: Store, reaper: Reaper):
    paused, _ = await store.create(a_debate())
    ended, _ = await store.create(a_debate())
    await store.pause(paused)
    await store.cancel(ended)
    assert await reaper.look(10) == []
