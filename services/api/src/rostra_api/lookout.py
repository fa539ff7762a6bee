"""What the API must know of the storage at every request, looked after once a second."""

from __future__ import annotations

import asyncio

import structlog

from rostra.store import StorageDown
from rostra.store.keys import Keys

EVERY_SECONDS = 1.0

log = structlog.stdlib.get_logger(__name__)


class Lookout:
    """Whether there are keys. What was seen last counts while Redis is away."""

    def __init__(self, keys: Keys, patience: float) -> None:
        self._keys = keys
        self._patience = patience
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
