"""Nothing stays lost."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from redis import Redis

from builders import a_debate
from rostra import queue
from rostra.reaper import reap
from rostra.store import Claim, Store


@pytest.fixture
def rq(redis_url: str) -> Iterator[Redis]:
    with queue.connect(redis_url) as redis:
        yield redis


def forget_wakes(rq: Redis) -> None:
    """As if five seconds had passed since the last wake-up call."""
    for key in rq.scan_iter("rostra:woken:*"):
        rq.delete(key)


async def test_a_debate_that_was_stored_but_never_enqueued_is_found(store: Store, rq: Redis):
    debate_id, _ = await store.create(a_debate())
    assert await reap(store, rq) == []  # the API is just about to enqueue it
    forget_wakes(rq)
    assert await reap(store, rq) == [debate_id]
    assert queue.waiting(rq) == {debate_id}


async def test_a_debate_whose_worker_died_is_found(store: Store, rq: Redis):
    debate_id, _ = await store.create(a_debate())
    assert isinstance(await store.claim(debate_id, "w"), Claim)
    forget_wakes(rq)
    assert await reap(store, rq) == []
    rq.delete(f"rostra:debate:{debate_id}:lease")
    assert await reap(store, rq) == [debate_id]


async def test_a_debate_that_waits_in_the_queue_is_left_alone(store: Store, rq: Redis):
    debate_id, _ = await store.create(a_debate())
    queue.enqueue(rq, debate_id, 1)
    for _ in range(3):
        forget_wakes(rq)
        assert await reap(store, rq) == []
    assert queue.queue(rq).count == 1


async def test_reapers_that_look_at_once_make_one_job(store: Store, rq: Redis):
    debate_id, _ = await store.create(a_debate())
    forget_wakes(rq)
    found = await asyncio.gather(*(reap(store, rq) for _ in range(10)))
    assert [debate for each in found for debate in each] == [debate_id]
    assert queue.queue(rq).count == 1


async def test_what_is_paused_or_ended_stays_at_rest(store: Store, rq: Redis):
    paused, _ = await store.create(a_debate())
    ended, _ = await store.create(a_debate())
    await store.pause(paused)
    await store.cancel(ended)
    forget_wakes(rq)
    assert await reap(store, rq) == []
