"""Whether it lives, whether it is of use, and how it does."""

from __future__ import annotations

import asyncio

import structlog
from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST

from rostra import queue
from rostra.store import StorageDown
from rostra.views import Alive, Ready
from rostra_api.parts import PartsNeeded
from rostra_api.problems import NOT_READY, Fault, Refusal, documented

router = APIRouter(tags=["operations"])
log = structlog.stdlib.get_logger(__name__)


@router.get("/healthz")
async def healthz() -> Alive:
    """Whether the process answers; it asks nobody else."""
    return Alive()


@router.get("/readyz", responses=documented(503))
async def readyz(parts: PartsNeeded) -> Ready:
    """Whether debates can be held: Redis takes writes and a worker is alive."""
    seen = await parts.readiness.seen()
    if seen.missing:
        raise Refusal(NOT_READY, "See `errors`.", [Fault(detail=reason) for reason in seen.missing])
    return Ready(workers=seen.workers)


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def metrics(parts: PartsNeeded) -> Response:
    """For Prometheus."""
    parts.metrics.set_followers(parts.following.followers)
    try:
        # The queue's own length: RQ's registries clean up when they are counted.
        length = await asyncio.to_thread(lambda: queue.queue(parts.rq).count)
        workers = sum((await parts.pools.alive()).values())
        parts.metrics.set_stored(await parts.store.counts(), length, workers)
        parts.metrics.set_webhooks(await parts.webhooks.waiting(), await parts.webhooks.messages())
    except StorageDown as error:
        log.warning("metrics without Redis", error=repr(error))
        parts.metrics.set_unknown()
    return Response(parts.metrics.exposition(), headers={"Content-Type": CONTENT_TYPE_LATEST})
