"""Ending what runs in the background."""

from __future__ import annotations

import asyncio
from typing import Any

# So long a task may take to clean up before it is asked again.
_AGAIN_SECONDS = 0.5


async def stopped(*tasks: asyncio.Task[Any]) -> None:
    """Cancels the tasks, as often as it takes: before Python 3.12 `asyncio.wait_for`, which redis-py waits with, may
    swallow a cancellation (python/cpython#86296)."""
    running = set(tasks)
    while running:
        for task in running:
            task.cancel()
        _, running = await asyncio.wait(running, timeout=_AGAIN_SECONDS)
    for task in tasks:
        if not task.cancelled():
            task.exception()  # looked at, or asyncio complains that nobody did
