"""The debate of all attacks, held once for all tests."""

from __future__ import annotations

import pytest
import redis

from attacked import Readings, attacked


@pytest.fixture(scope="session")
def readings(redis_server: str) -> Readings:
    with redis.Redis.from_url(redis_server) as client:
        client.flushall()
    return attacked(redis_server)
