"""What becomes of ended debates: compressed after a while, and forgotten when they are old, if that is asked for.

Runs in every worker pool; several at once do each thing once.
"""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

import structlog

from rostra.store import Conflict, NotFound, StorageDown, Store

EVERY_SECONDS = 30.0

log = structlog.stdlib.get_logger(__name__)


async def tidy(store: Store, *, compress_after: timedelta, forget_after: timedelta | None) -> None:
    """Does what is due now; `forget_after` None: nothing is forgotten."""
    now = time.time()
    if forget_after is not None:
        await _forget(store, now - forget_after.total_seconds())
    for debate_id in await store.ended_before(now - compress_after.total_seconds(), uncompressed=True):
        await store.compress(debate_id)


async def _forget(store: Store, before: float) -> None:
    for debate_id in await store.ended_before(before):
        try:
            await store.delete(debate_id)
        except (NotFound, Conflict):  # somebody else was first
            continue
        log.info("debate forgotten", debate_id=debate_id)


async def tidy_forever(store: Store, *, compress_after: timedelta, forget_after: timedelta | None) -> None:
    """Looks every `EVERY_SECONDS` until it is cancelled; Redis being away only makes it wait."""
    while True:
        try:
            await tidy(store, compress_after=compress_after, forget_after=forget_after)
        except StorageDown as error:
            log.warning("cannot tidy up", error=str(error))
        except Exception:  # what runs beside it must not end with it
            log.exception("tidying up failed")
        await asyncio.sleep(EVERY_SECONDS)
