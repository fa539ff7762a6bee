"""Which worker pools are alive."""

from __future__ import annotations

import time

from rostra.store import connect
from rostra.store.pools import PRESENCE_SECONDS, Pools


async def test_a_pool_that_reported_is_alive(pools: Pools):
    assert await pools.alive() == {}
    await pools.report("laptop:1", 2)
    await pools.report("laptop:2", 3)
    assert await pools.alive() == {"laptop:1": 2, "laptop:2": 3}


async def test_one_that_fell_silent_is_not_and_is_forgotten(pools: Pools, redis_url: str):
    redis = connect(redis_url)
    await pools.report("laptop:1", 2)
    await redis.zadd("rostra:workers", {"laptop:1": time.time() - PRESENCE_SECONDS - 1})
    assert await pools.alive() == {}
    await pools.report("laptop:2", 3)
    assert await redis.hkeys("rostra:pools") == ["laptop:2"]
    await redis.aclose()
