from __future__ import annotations

import asyncio

from rostra.tasks import stopped


async def test_a_task_that_swallows_a_cancellation_is_stopped_nevertheless():
    swallowed = 0

    async def stubborn() -> None:
        nonlocal swallowed
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                swallowed += 1
                if swallowed == 2:
                    raise

    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0)
    await asyncio.wait_for(stopped(task), 5)
    assert task.cancelled()


async def test_what_is_over_needs_no_stopping():
    task = asyncio.create_task(asyncio.sleep(0))
    await task
    await stopped(task)
