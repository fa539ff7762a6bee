"""What the API must know of the storage at every request: it looks once a second."""

from __future__ import annotations

import asyncio

import structlog

from rostra.store import StorageDown, Store
from rostra.store.keys import Keys
from rostra_api.problems import STORAGE_FULL, Refusal

EVERY_SECONDS = 1.0

log = structlog.stdlib.get_logger(__name__)


class Lookout:
    """Whether there are keys, and how full it is. What was seen last counts while Redis is away."""

    def __init__(self, keys: Keys, store: Store, *, patience: float, most_percent: int) -> None:
        self._keys = keys
        self._store = store
        self._patience = patience
        self._most_percent = most_percent
        self._percent = 0.0
        self._looked = asyncio.Event()
        self._keys_are_there = False

    async def keys_are_there(self) -> bool:
        """Whether a key was ever made. Raises StorageDown where that was never seen: then nobody is let in."""
        try:
            async with asyncio.timeout(self._patience):
                await self._looked.wait()
        except TimeoutError:
            raise StorageDown("Redis was not reached yet") from None
        return self._keys_are_there

    def check_room(self) -> None:
        """Raises Refusal where the storage is too full for new debates: what runs needs the rest for its turns."""
        if self._percent >= self._most_percent:
            told = f"Redis is filled to {self._percent:.0f} %. Delete debates, or wait until some are forgotten."
            raise Refusal(STORAGE_FULL, told, bound="ROSTRA_STORAGE_PERCENT")

    async def look_forever(self) -> None:
        while True:
            try:
                await self._look()
            except StorageDown as error:
                log.warning("cannot look after the storage", error=repr(error))
            except Exception:  # who is let in hangs on this one task
                log.exception("cannot look after the storage")
            await asyncio.sleep(EVERY_SECONDS)

    async def _look(self) -> None:
        # Once there were keys, one is asked for until the process ends: a storage that comes back empty opens nothing.
        self._keys_are_there = self._keys_are_there or await self._keys.are_there()
        self._looked.set()
        self._percent = 100 * await self._store.fullness()
