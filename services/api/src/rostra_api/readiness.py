"""Whether debates can be held, remembered for a moment: whoever asks needs no key, and a look costs Redis a write."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from rostra.store import StorageDown, Store
from rostra.store.pools import Pools

KEPT_SECONDS = 1.0

log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Seen:
    """`missing` is what keeps debates from being held, in words; empty: nothing."""

    workers: int
    missing: tuple[str, ...]


class Readiness:
    """Looks when it is asked, at most once in `KEPT_SECONDS`; who asks meanwhile gets the same answer."""

    def __init__(self, store: Store, pools: Pools, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._pools = pools
        self._clock = clock
        self._seen, self._at = Seen(0, ()), float("-inf")
        self._looking = asyncio.Lock()

    async def seen(self) -> Seen:
        async with self._looking:
            if self._clock() - self._at >= KEPT_SECONDS:
                self._seen, self._at = await self._look(), self._clock()
            return self._seen

    async def _look(self) -> Seen:
        try:
            await self._store.check_writable()
            workers = sum((await self._pools.alive()).values())
        except StorageDown as error:
            log.warning("not ready", error=repr(error))
            return Seen(0, ("Redis cannot be reached or takes no writes",))
        return Seen(workers, () if workers else ("no worker is alive",))
