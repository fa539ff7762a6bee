"""Nothing stays lost: debates that should run and that nobody plays are enqueued again.

Runs in the API and in every worker pool. A debate whose worker died is found when its lease has expired
(8 s), at the next look (2 s); a debate whose job was lost is found the same way. Debates that merely wait
in the queue are left alone.
"""

from __future__ import annotations

import asyncio

import structlog
from redis import Redis

from rostra import queue
from rostra.store import StorageDown, Store

EVERY_SECONDS = 2.0

log = structlog.stdlib.get_logger(__name__)


async def reap(store: Store, rq: Redis) -> list[str]:
    """One look; answers the ids of the debates that were enqueued."""
    unattended = await store.unattended()
    if not unattended:
        return []
    return await asyncio.to_thread(_enqueue_all, rq, unattended)


def _enqueue_all(rq: Redis, unattended: list[tuple[str, int]]) -> list[str]:
    waiting = queue.waiting(rq)
    lost = [(debate_id, fence) for debate_id, fence in unattended if debate_id not in waiting]
    for debate_id, fence in lost:
        queue.enqueue(rq, debate_id, fence)
    return [debate_id for debate_id, _ in lost]


async def reap_forever(store: Store, rq: Redis) -> None:
    """Looks every `EVERY_SECONDS` until it is cancelled; Redis being away only makes it wait."""
    while True:
        try:
            for debate_id in await reap(store, rq):
                log.info("debate enqueued again", debate_id=debate_id)
        except StorageDown as error:
            log.warning("reaper cannot reach Redis", error=str(error))
        except Exception:  # debates that are lost depend on this one task
            log.exception("the reaper failed")
        await asyncio.sleep(EVERY_SECONDS)
