"""A debate played in this process, as a worker's job plays it, and what became of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from builders import a_debate, claimed
from rostra.models import Debate, Status
from rostra.store import Claim, Store
from rostra.tasks import stopped
from rostra.transcript import Course, fold
from rostra_orchestrator.lease import Lease
from rostra_orchestrator.play import Outcome, play
from rostra_orchestrator.settings import Settings


async def played(store: Store, settings: Settings, claim: Claim) -> Outcome:
    async with Lease(store, claim) as lease:
        return await play(store, claim, lease, settings)


async def course(store: Store, debate: Debate) -> Course:
    return fold(recorded.event for recorded in await store.events(debate.id))


async def play_out(store: Store, settings: Settings, **fields: Any) -> Course:
    debate = a_debate(**fields)
    await played(store, settings, await claimed(store, debate))
    return await course(store, debate)


@asynccontextmanager
async def a_worker(store: Store, settings: Settings) -> AsyncIterator[None]:
    """Plays all debates that are begun meanwhile, one after another."""
    working = asyncio.create_task(_work(store, settings))
    try:
        yield
    finally:
        await stopped(working)  # an AutoGen team in a turn swallows a cancellation, and the worker would go on
        if not working.cancelled():
            working.result()


async def _work(store: Store, settings: Settings) -> None:
    while True:
        page = await store.page(owner=None, status=Status.QUEUED, metadata={}, after=None, limit=100)
        for record in reversed(page.records):
            claim = await store.claim(record.debate.id, "worker:1")
            if isinstance(claim, Claim):
                await played(store, settings, claim)
        await asyncio.sleep(0.05)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    for _ in range(1000):
        if await condition():
            return
        await asyncio.sleep(0.01)
    raise TimeoutError


async def words_spoken(store: Store, debate: Debate, seq: int) -> bool:
    news = await store.news({debate.id: ("9-9", "0-0")}, 1)
    return any(delta.seq == seq for _, deltas in news.values() for delta in deltas)
