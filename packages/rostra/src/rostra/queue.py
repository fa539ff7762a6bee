"""The wake-up call: RQ carries a debate's id to a worker, and nothing else.

The job is a *name*, so that the API need not import the worker; jobs are JSON, never pickle; and a worker
runs only the names in `ALLOWED_JOBS`, whatever stands in Redis. A job that is lost, doubled or late does no
harm: the claim decides who plays, and the reaper calls again.
"""

from __future__ import annotations

import time
from functools import cache
from typing import Any, cast

from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from redis.backoff import ExponentialWithJitterBackoff
from redis.client import Pipeline
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer

QUEUE = "rostra-debates"
PLAY = "rostra_orchestrator.jobs.play"
ALLOWED_JOBS = frozenset({PLAY})

# An id that names the same wake-up call within this many seconds: reapers that run at once make one job.
_BUCKET_SECONDS = 5
_KEPT_SECONDS = 600


class NotAllowed(Exception):
    """A job in the queue names a function that is not on the allow-list."""


class DebateJob(Job):
    """An RQ job that runs nothing but `ALLOWED_JOBS`.

    RQ imports whatever function a job's hash in Redis names, and its callbacks too; whoever can write to
    Redis could run code. Here the name is checked before anything is imported, and callbacks are not read.
    """

    @property
    def func(self) -> Any:
        if self.func_name not in ALLOWED_JOBS:
            raise NotAllowed(self.func_name)
        return super().func

    @property
    def success_callback(self) -> None:
        return None

    @property
    def failure_callback(self) -> None:
        return None

    @property
    def stopped_callback(self) -> None:
        return None


def connect(url: str, *, patience: float = 60.0, block: float = 0.0) -> Redis:
    """A blocking client for RQ, which wants undecoded answers. Arguments as in `rostra.store.connect`."""
    return Redis.from_url(  # pyright: ignore[reportUnknownMemberType]
        url,
        socket_timeout=5.0 + block,
        socket_connect_timeout=5.0,
        socket_keepalive=True,
        retry=Retry(ExponentialWithJitterBackoff(base=0.05, cap=2.0), max(1, round(patience / 2))),
        retry_on_error=[RedisConnectionError, RedisTimeoutError],
    )


def queue(redis: Redis) -> Queue:
    return Queue(QUEUE, connection=redis, serializer=JSONSerializer, job_class=DebateJob)


def enqueue(redis: Redis, debate_id: str, fence: int) -> None:
    """Calls a worker, to this debate if it has no player, else to whichever is due."""
    _enqueue(queue(redis), debate_id, fence)


async def call(redis: AsyncRedis, debate_id: str, fence: int) -> None:
    """`enqueue` for a process that lives by its event loop: RQ says what to write, and the loop's client writes it.

    In a thread RQ takes the interpreter from the loop, which waits for it after each of its own system calls: drawing a
    debate's id took 1 to 2 ms then, on two busy cores. Processor time is the same.
    """
    written = cast("Any", _nobody()).pipeline()  # its answers and arguments have no types
    nowhere = _Nowhere(QUEUE, connection=_nobody(), serializer=JSONSerializer, job_class=DebateJob)
    _enqueue(nowhere, debate_id, fence, written)
    pipe = cast("Any", redis).pipeline()
    for words, options in written.command_stack:
        pipe.execute_command(*words, **options)
    await pipe.execute()


def _enqueue(queue: Queue, debate_id: str, fence: int, pipeline: Pipeline | None = None) -> None:
    bucket = int(time.time()) // _BUCKET_SECONDS
    queue.enqueue(  # pyright: ignore[reportUnknownMemberType]
        PLAY,
        debate_id,
        job_id=f"{debate_id}-{fence}-{bucket}",
        job_timeout=-1,  # every model call is bounded by the worker itself
        result_ttl=0,
        failure_ttl=_KEPT_SECONDS,
        pipeline=pipeline,
    )


class _Nowhere(Queue):
    """A queue that asks its server nothing, as it has none."""

    def get_redis_server_version(self) -> tuple[int, int, int]:
        return (7, 0, 0)


@cache
def _nobody() -> Redis:
    """A client that never connects: pipelines of it are lists of commands."""
    return Redis()


def length(redis: Redis) -> int:
    """How many calls wait for a worker."""
    return queue(redis).count


def waiting(redis: Redis) -> set[str]:
    """The ids of the debates that a job in the queue names."""
    return {job_id.rsplit("-", 2)[0] for job_id in queue(redis).get_job_ids()}
