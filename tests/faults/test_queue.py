"""The queue wakes workers and decides nothing: a call that is lost, doubled or forged does no harm."""

from __future__ import annotations

import asyncio
import pickle
import time
from pathlib import Path

import pytest
from redis import Redis
from rq.job import Job
from rq.serializers import JSONSerializer

from rostra import queue
from rostra_orchestrator.play import MAX_STALLS

from .checks import came_out_whole, claims
from .cluster import Cluster
from .conftest import Start
from .report import Report, spoken_on
from .watching import begin, patiently

pytestmark = pytest.mark.faults

TAKEN_OVER = 15.0


@pytest.mark.fault(10)
async def test_a_debate_whose_call_died_with_the_pool_that_took_it_is_called_again(start: Start, report: Report):
    cluster = await start("redis", "model", "api", "pool", proxied=True)
    assert cluster.proxy
    taken = cluster.proxy.when(b"debate_claimed", loses="request", then=lambda _: cluster.kill_whole("pool"))
    debate = await begin(cluster, rounds=2)
    await asyncio.wait_for(taken.met.wait(), 60)
    await cluster.start("pool")
    back = time.time()
    transcript = await came_out_whole(debate)
    report.recovered("the death of a pool", spoken_on(transcript, back), TAKEN_OVER)
    assert claims(debate) == 1


@pytest.mark.fault(10)
async def test_a_debate_is_played_whose_api_died_before_it_called_a_worker(start: Start):
    cluster = await start("redis", "model", "api", proxied=True)
    assert cluster.proxy
    called = cluster.proxy.when(b"rq:job:", loses="request", then=lambda _: cluster.kill_whole("api"))
    asking = asyncio.create_task(begin(cluster, key="once", rounds=2))  # which asks again until it is answered
    await asyncio.wait_for(called.met.wait(), 60)
    await cluster.start("api", "pool")
    await came_out_whole(await asking)
    assert len((await patiently(cluster, "GET", "/v1/debates"))["data"]) == 1


@pytest.mark.fault(12)
async def test_a_debate_that_kills_its_players_fails_after_some_of_them_and_harms_no_other(start: Start):
    cluster = await start("redis", "model", "api", "pool", proxied=True)
    assert cluster.proxy
    others = [await begin(cluster, rounds=20) for _ in range(2)]
    poison = await begin(cluster, motion="The dose makes the poison", rounds=2)
    poisoned = cluster.proxy.when(
        b"turn_taken", poison.id.encode(), loses="request", then=cluster.kill_player_at, times=100
    )
    await came_out_whole(poison, status="failed", seconds=120)
    assert 100 - poisoned.times == MAX_STALLS
    assert f"{MAX_STALLS} workers in a row" in (await poison.look())["reason"]
    for debate in others:
        await came_out_whole(debate)
        assert claims(debate) == 1


@pytest.mark.fault(13)
async def test_a_debate_that_several_pools_and_the_api_find_orphaned_is_played_once(start: Start, report: Report):
    cluster = await start("redis", "model", "api", "pool", "pool-2", "pool-3", ROSTRA_WORKERS="1")
    pools = ("pool", "pool-2", "pool-3")
    debate = await begin(cluster, rounds=40)
    for _ in range(3):
        await debate.until_further()
        (pool,) = [pool for pool in pools if cluster.players(pool)]
        died = time.time()
        players = cluster.players(pool)
        cluster.kill_workers_of(players)  # who would see it at once
        cluster.kill_pids(players)
        await debate.until_further()
        report.recovered("the death of a worker and its player", time.time() - died, TAKEN_OVER)
    await came_out_whole(debate)
    assert claims(debate) == 4
    assert (await cluster.model_saw())["most_at_once"] == 1


@pytest.mark.fault(18)
async def test_forged_jobs_run_nothing_and_stop_nobody(cluster: Cluster, tmp_path: Path):
    witnesses = [tmp_path / "called", tmp_path / "unpickled", tmp_path / "called back"]

    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (__import__("os").system, (f"touch '{witnesses[1]}'",))

    with Redis(port=cluster.redis_port) as redis:
        named = Job.create("os.system", args=[f"touch '{witnesses[0]}'"], connection=redis, serializer=JSONSerializer)
        pickled = Job.create(queue.PLAY, args=["x"], connection=redis)
        called_back = Job.create(
            queue.PLAY, args=[f"touch '{witnesses[2]}'"], connection=redis, serializer=JSONSerializer
        )
        for job in (named, pickled, called_back):
            job.save()
        redis.hset(pickled.key, "data", pickle.dumps((queue.PLAY, None, (Evil(),), {})))
        for name in ("success_callback_name", "failure_callback_name", "stopped_callback_name"):
            redis.hset(called_back.key, name, "os.system")
        for job in (named, pickled, called_back):
            redis.rpush(f"rq:queue:{queue.QUEUE}", job.id)
    await came_out_whole(await begin(cluster, rounds=2))
    assert not any(witness.exists() for witness in witnesses)
    assert cluster.runs("pool")
