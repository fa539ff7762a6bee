"""How far debates' webhooks are.

    webhook:{id}        hash: status (pending, delivered, failed), the last event that it is done with, tries, …
    webhooks            sorted set of ids that have something to be sent, by the second at which to look at them
    webhook_messages    hash: how many messages were taken, failed, and given up, since the first

Whatever appends to a debate's stream puts the debate's id into `webhooks`, in the same script (`happened` in the
prelude): so no event is missed, whoever was away. To take an id up is to put it off by some seconds, for which nobody
else takes it; who dies with it lets it come due again. An id leaves the set only when all that happened is dealt with.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from redis.asyncio import Redis

from rostra.store.scripts import Scripts

_DUE = "rostra:webhooks"
_MESSAGES = "rostra:webhook_messages"


class Webhooks:
    """Who delivers works with it. Every method may raise `StorageDown`."""

    def __init__(self, redis: Redis) -> None:
        self._redis = cast("Any", redis)
        self._run = Scripts(redis).run

    async def close(self) -> None:
        await self._redis.aclose()

    async def claim(self, most: int, seconds: float) -> list[str]:
        """Ids of debates whose webhooks are due, for nobody else for so many seconds."""
        return await self._run("webhook_claim", most, seconds)

    async def put_off(self, debate_id: str, seconds: float) -> None:
        """Lets it be taken up after so many seconds, by anybody."""
        await self._run("webhook_later", debate_id, seconds)

    async def move(self, debate_id: str, done: str, now_done: str, *, taken: bool, seconds: float) -> bool:
        """Notes that it is done with the events up to `now_done`, and keeps it for so many seconds more. False if
        somebody else has moved it."""
        (outcome,) = await self._run("webhook_moved", debate_id, done, now_done, int(taken), seconds)
        return outcome == "moved"

    async def note_failure(self, debate_id: str, done: str, tries: int, why: str, seconds: float | None) -> None:
        """Notes that the event behind `done` was tried in vain; `seconds` until it is tried again, or None: never."""
        await self._run("webhook_failed", debate_id, done, tries, why, "" if seconds is None else seconds)

    async def rest(self, debate_id: str, done: str, *, ended: bool = False) -> bool:
        """Leaves it alone until something happens. False if something has happened behind `done`."""
        (outcome,) = await self._run("webhook_rest", debate_id, done, int(ended))
        return outcome != "more"

    async def waiting(self) -> int:
        """How many debates have something to be sent, or to be sent again."""
        return await self._redis.zcard(_DUE)

    async def messages(self) -> Mapping[str, int]:
        """How many messages were `taken`, how many attempts `failed`, how many webhooks were `given_up`."""
        counted = await self._redis.hgetall(_MESSAGES)
        return {name: int(counted.get(name, 0)) for name in ("taken", "failed", "given_up")}
