"""The wake-up call carries a name, and nothing else runs."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.utils import import_attribute

from builders import a_debate
from rostra import queue
from rostra.store import connect


@pytest.fixture
def rq(redis_url: str) -> Iterator[Redis]:
    with queue.connect(redis_url) as redis:
        yield redis


def the_job(rq: Redis) -> queue.DebateJob:
    (job,) = queue.queue(rq).get_jobs()
    assert isinstance(job, queue.DebateJob)
    return job


def test_the_name_of_the_job_resolves_to_the_workers_function():
    assert callable(import_attribute(queue.PLAY))


def test_a_job_is_json_and_names_the_debate(rq: Redis):
    debate = a_debate()
    queue.enqueue(rq, debate.id, 1)
    job = the_job(rq)
    assert job.func_name == queue.PLAY
    assert job.args == [debate.id]
    assert queue.waiting(rq) == {debate.id}


async def test_a_loop_calls_as_rq_does(rq: Redis, redis_url: str):
    debate = a_debate()
    found: list[tuple[dict[str, Any], list[str], set[str]]] = []
    for by_loop in (False, True):
        rq.flushall()
        if by_loop:
            async with connect(redis_url) as redis:
                await queue.call(redis, debate.id, 1)
        else:
            queue.enqueue(rq, debate.id, 1)
        job = the_job(rq)
        # But for the moments, and the bucket of the id, which may be the next one by now.
        fields = {name: value for name, value in job.to_dict().items() if name not in {"created_at", "enqueued_at"}}
        found.append((fields, [name.rpartition("-")[0] for name in queue.queue(rq).job_ids], rq.smembers("rq:queues")))
    assert found[0] == found[1]


def test_a_job_that_names_another_function_is_not_run(rq: Redis, tmp_path: Path):
    witness = tmp_path / "witness"
    job = queue.DebateJob.create(
        "os.system", args=[f"touch {witness}"], connection=rq, serializer=JSONSerializer, id="evil"
    )
    job.save()
    with pytest.raises(queue.NotAllowed, match=r"os\.system"):
        queue.DebateJob.fetch("evil", connection=rq, serializer=JSONSerializer).perform()
    assert not witness.exists()


def test_callbacks_that_stand_in_redis_are_not_read(rq: Redis):
    debate = a_debate()
    queue.enqueue(rq, debate.id, 1)
    job = the_job(rq)
    names = ("success_callback_name", "failure_callback_name", "stopped_callback_name")
    rq.hset(job.key, mapping=dict.fromkeys(names, "os.system"))
    again = the_job(rq)
    assert (again.success_callback, again.failure_callback, again.stopped_callback) == (None, None, None)


def test_a_pickled_job_is_not_unpickled(rq: Redis, tmp_path: Path):
    witness = tmp_path / "witness"

    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (__import__("os").system, (f"touch {witness}",))

    job = Job.create(queue.PLAY, args=["x"], connection=rq, id="pickled")
    job.save()
    rq.hset(job.key, "data", pickle.dumps((queue.PLAY, None, (Evil(),), {})))
    with pytest.raises(Exception, match=r".*"):
        queue.DebateJob.fetch("pickled", connection=rq, serializer=JSONSerializer).perform()
    assert not witness.exists()
