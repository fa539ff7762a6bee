"""Which worker pools are alive.

workers      sorted set: worker pools by the second they last reported
pools        hash: how many workers each has
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from redis.asyncio import Redis

# A pool reports every 2 s; one that was silent for longer than this is taken for dead.
PRESENCE_SECONDS = 15
_SEEN, _WORKERS = "rostra:workers", "rostra:pools"


class Pools:
    """Worker pools in Redis. Every method may raise `StorageDown`."""

    def __init__(self, redis: Redis) -> None:
        self._redis = cast("Any", redis)

    async def report(self, pool: str, workers: int) -> None:
        """Tells that a pool is alive and how many workers it has."""
        seconds, _ = await self._redis.time()
        pipe = self._redis.pipeline()
        pipe.zadd(_SEEN, {pool: seconds})
        pipe.hset(_WORKERS, pool, str(workers))
        for silent in await self._redis.zrangebyscore(_SEEN, 0, seconds - PRESENCE_SECONDS):
            pipe.zrem(_SEEN, silent)
            pipe.hdel(_WORKERS, silent)
        await self._redis.bounded(pipe.execute())

    async def alive(self) -> Mapping[str, int]:
        """The pools that reported lately, and how many workers each has."""
        seconds, _ = await self._redis.time()
        pools = await self._redis.zrangebyscore(_SEEN, seconds - PRESENCE_SECONDS, "+inf")
        if not pools:
            return {}
        counts = await self._redis.hmget(_WORKERS, pools)
        return {pool: int(count or 0) for pool, count in zip(pools, counts, strict=True)}
