"""The way to Redis, with an end to every wait."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable
from typing import Any, TypeVar, cast

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

# Redis does one thing at a time: more connections would only wait there.
MAX_CONNECTIONS = 32

Answer = TypeVar("Answer")


def connect(url: str, *, patience: float = 60.0, block: float = 0.0) -> Redis:
    """A client that gives up after about `patience` seconds of an unreachable or silent server.

    `block` is the longest blocking read that it will be used for, in seconds: the socket's own timeout must
    exceed it, or every quiet read looks like a dead server. However many use the client at once, they share
    `MAX_CONNECTIONS` and wait for one another.
    """
    tries = max(1, round(patience / 2))
    pool = BlockingConnectionPool.from_url(  # pyright: ignore[reportUnknownMemberType]
        url,
        max_connections=MAX_CONNECTIONS,
        timeout=patience,
        decode_responses=True,
        socket_timeout=5.0 + block,
        socket_connect_timeout=5.0,
        socket_keepalive=True,
        health_check_interval=15,
        retry=Retry(ExponentialWithJitterBackoff(base=0.05, cap=2.0), tries),
        retry_on_error=[RedisConnectionError, RedisTimeoutError],
    )
    client = Bounded(connection_pool=pool)
    client.auto_close_connection_pool = True
    client.seconds = patience + block
    return client


class Bounded(Redis):
    """Gives every command up after so many seconds in all: retries and connections that each have their own
    timeout would add up to a multiple."""

    seconds = math.inf

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        command = cast("Awaitable[Any]", super().execute_command(*args, **options))  # pyright: ignore[reportUnknownMemberType]
        return await self.bounded(command)

    async def bounded(self, answer: Awaitable[Answer]) -> Answer:
        """Awaits a command's or a pipeline's answer, but not for longer."""
        try:
            async with asyncio.timeout(self.seconds):
                return await answer
        except TimeoutError:
            raise RedisTimeoutError(f"Redis did not answer within {self.seconds:g} s") from None
