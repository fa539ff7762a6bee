"""What an RQ job does: claim the debate that is due, play it, and call the next worker if it is given back."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import socket

import structlog
from structlog.contextvars import bound_contextvars

from rostra import queue
from rostra.store import Claim, Store, connect
from rostra_orchestrator.lease import Lease
from rostra_orchestrator.play import Outcome
from rostra_orchestrator.play import play as play_debate
from rostra_orchestrator.settings import Settings

log = structlog.stdlib.get_logger(__name__)

_settings: Settings | None = None


def prepare(settings: Settings) -> None:
    """Tells the jobs of this process, and of those forked from it, their settings."""
    global _settings  # noqa: PLW0603  an RQ job has no other way to what its worker knows
    _settings = settings


def play(debate_id: str) -> None:
    """The job of `rostra.queue.PLAY`: plays one debate, or finds that there is nothing to play.

    It names the debate that it was enqueued for; which one is played is the store's to say (`Store.claim_next`).
    """
    assert _settings is not None, "jobs.prepare was not called"
    asyncio.run(_claim_and_play(debate_id, _settings))


async def _claim_and_play(named: str, settings: Settings) -> None:
    store = Store(connect(settings.redis_url))
    try:
        claim = await store.claim_next(named, process=_process(), most=settings.running_per_owner)
        if isinstance(claim, str):
            log.info("nothing to play", debate_id=named, why=claim)
            return
        with bound_contextvars(debate_id=claim.debate.id):
            log.info("debate claimed", fence=claim.fence, stalls=claim.stalls)
            if await _play(store, claim, settings) == "released":
                await asyncio.to_thread(_call_another, settings.redis_url, claim.debate.id, claim.fence + 1)
    finally:
        await store.close()


def bury(pid: int, redis_url: str) -> None:
    """Calls another worker to the debate of a process that died, without waiting until its beat is missed."""
    asyncio.run(_bury(pid, redis_url))


async def _bury(pid: int, redis_url: str) -> None:
    store = Store(connect(redis_url))
    try:
        buried = await store.bury_all(f"{socket.gethostname()}:{pid}:")
    finally:
        await store.close()
    for debate_id, fence in buried:
        log.warning("the debate's process died", debate_id=debate_id, pid=pid)
        await asyncio.to_thread(_call_another, redis_url, debate_id, fence)


async def _play(store: Store, claim: Claim, settings: Settings) -> Outcome:
    async with Lease(store, claim) as lease:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, lease.interrupt, "stop")
        try:
            return await play_debate(store, claim, lease, settings)
        finally:
            loop.remove_signal_handler(signal.SIGTERM)


def _call_another(redis_url: str, debate_id: str, fence: int) -> None:
    with queue.connect(redis_url) as redis:
        queue.enqueue(redis, debate_id, fence)


def _process() -> str:
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
