"""What the routes work with: the store, the queue, the follower, the meters. Opened and closed with the app."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, cast

import structlog
from fastapi import Depends, Path, Request
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from rostra import queue
from rostra import store as stores
from rostra.endpoints import Endpoints
from rostra.reaper import reap_forever
from rostra.store import NotFound, StorageDown, Store
from rostra.store.keys import Keys
from rostra.store.pools import Pools
from rostra.store.webhooks import Webhooks
from rostra.tasks import stopped
from rostra_api import following
from rostra_api.bounds import Rate
from rostra_api.caller import caller_of
from rostra_api.doorkeeper import show_out_forever
from rostra_api.following import Following
from rostra_api.formats import Formats
from rostra_api.keyring import Keyring
from rostra_api.lookout import Lookout
from rostra_api.metrics import Metrics
from rostra_api.owners import Owners
from rostra_api.readiness import Readiness
from rostra_api.reports import Reports
from rostra_api.settings import Settings

# A request that Redis does not answer is given up after this many seconds.
PATIENCE_SECONDS = 3.0

_DEBATE_ID = re.compile(r"[0-9a-f]{28}")

log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Parts:
    store: Store
    redis: AsyncRedis
    rq: Redis
    following: Following
    metrics: Metrics
    models: Mapping[str, Endpoints]
    formats: Formats
    reports: Reports
    pools: Pools
    readiness: Readiness
    keyring: Keyring
    lookout: Lookout
    owners: Owners
    rate: Rate
    webhooks: Webhooks
    settings: Settings

    async def call_a_worker(self, debate_id: str, fence: int) -> None:
        """Enqueues the debate. When that fails, the reaper does it within seconds."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await queue.call(self.redis, debate_id, fence)
        except (StorageDown, TimeoutError) as error:
            log.warning("debate not enqueued", debate_id=debate_id, error=repr(error))


@asynccontextmanager
async def opened(settings: Settings, formats: Formats, metrics: Metrics) -> AsyncGenerator[Parts]:
    """The parts, with the reaper and the shared reader at work. Redis need not be there yet."""
    redis = stores.connect(settings.redis_url, patience=PATIENCE_SECONDS)
    store, keys, pools = Store(redis), Keys(redis), Pools(redis)
    streams = Store(stores.connect(settings.redis_url, patience=PATIENCE_SECONDS, block=following.BLOCK_MS / 1000))
    rq = queue.connect(settings.redis_url, patience=PATIENCE_SECONDS)
    parts = Parts(
        store=store,
        redis=redis,
        rq=rq,
        following=Following(streams, most=settings.max_followers, most_of_owner=settings.followers_per_owner),
        metrics=metrics,
        models=settings.models,
        formats=formats,
        reports=Reports(settings.models),
        pools=pools,
        readiness=Readiness(store, pools),
        keyring=Keyring(keys),
        lookout=Lookout(keys, store, patience=PATIENCE_SECONDS, most_percent=settings.storage_percent),
        owners=Owners(store),
        rate=Rate(settings.rate, settings.rate_burst),
        webhooks=Webhooks(redis),
        settings=settings,
    )
    tasks = [
        asyncio.create_task(parts.lookout.look_forever()),
        asyncio.create_task(show_out_forever(parts.following, parts.keyring)),
        asyncio.create_task(reap_forever(store, rq)),
        asyncio.create_task(parts.following.read_forever()),
    ]
    try:
        yield parts
    finally:
        parts.following.close()
        await parts.reports.close()
        await stopped(*tasks)
        await store.close()
        await streams.close()
        rq.close()


async def _parts(request: Request) -> Parts:
    return cast("Parts", request.app.state.parts)


PartsNeeded = Annotated[Parts, Depends(_parts)]


async def _named_id(debate_id: Annotated[str, Path(alias="id")]) -> str:
    """An id as it stands in the path. Raises NotFound where it cannot be one."""
    if not _DEBATE_ID.fullmatch(debate_id):
        raise NotFound(debate_id)
    structlog.contextvars.bind_contextvars(debate_id=debate_id)
    return debate_id


# For who finds out themselves whether the caller may reach it.
NamedId = Annotated[str, Depends(_named_id)]


async def _debate_id(debate_id: NamedId, request: Request) -> str:
    """The id of a debate that the caller may reach. Raises: NotFound.

    It takes the parts and the caller itself: FastAPI would work both out once more for it.
    """
    parts, caller = await _parts(request), await caller_of(request)
    await parts.owners.check(debate_id, caller)
    return debate_id


DebateId = Annotated[str, Depends(_debate_id)]
