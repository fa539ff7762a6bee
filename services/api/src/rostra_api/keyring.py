"""The keys that were asked after lately, so that a request need not ask Redis for its key."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from rostra import keys
from rostra.keys import Key
from rostra.store import StorageDown
from rostra.store.keys import Keys
from rostra_api.problems import BAD_KEY, Refusal

# A key that was revoked works at most for so long; with the answer of Redis to come, the 10 seconds that are promised.
KNOWN_SECONDS = 5.0
MOST_KNOWN = 10_000
# The last use is kept to the minute: a write for every request would cost more than most requests.
USE_NOTED = timedelta(minutes=1)


class Keyring:
    """Finds keys by the tokens that are sent."""

    def __init__(self, kept: Keys, clock: Callable[[], float] = time.monotonic) -> None:
        self._kept = kept
        self._clock = clock
        self._known: OrderedDict[str, tuple[Key, float]] = OrderedDict()

    async def key(self, token: str) -> Key:
        """The key that works at the moment and has this token. Raises: Refusal, StorageDown."""
        key_id, secret = keys.parts(token) or ("", "")
        key = await self._found(key_id) if key_id else None
        # What is wrong with it is told to those only who hold it.
        if key is None or not key.fits(secret):
            raise _refusal("is not known")
        if trouble := _trouble(key):
            raise _refusal(trouble)
        return key

    async def works(self, key_id: str) -> bool:
        """Whether a key that was let in still is good. Raises: StorageDown."""
        key = await self._found(key_id)
        return key is not None and not _trouble(key)

    async def _found(self, key_id: str) -> Key | None:
        """Ids that are not known are asked for each time: to keep them would let anybody fill the memory."""
        key, since = self._known.get(key_id, (None, 0.0))
        if key and self._clock() - since < KNOWN_SECONDS:
            return key
        now = self._clock()  # before the look: what changes after it is seen in time
        if key := await self._kept.get(key_id):
            self._known[key_id] = (key, now)
            self._known.move_to_end(key_id)
            if len(self._known) > MOST_KNOWN:
                self._known.popitem(last=False)
        else:
            self._known.pop(key_id, None)
        return key

    async def note_use(self, key: Key) -> None:
        """Keeps when the key was last used, to the minute; a storage that is away or full does not matter for it."""
        known, since = self._known.get(key.id, (None, 0.0))
        now = datetime.now(UTC)
        if known is None or (known.used_at and now - known.used_at < USE_NOTED):
            return
        self._known[key.id] = (replace(known, used_at=now), since)
        with suppress(StorageDown):
            await self._kept.note_use(key.id)


def _trouble(key: Key) -> str:
    if key.revoked_at:
        return "was revoked"
    return "has expired" if key.has_expired(datetime.now(UTC)) else ""


def _refusal(why: str) -> Refusal:
    return Refusal(BAD_KEY, f"The key {why}.", WWW_Authenticate='Bearer error="invalid_token"')
