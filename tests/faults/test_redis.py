"""Redis goes away in every way that a server can, and comes back; what was acknowledged is there, once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from random import Random

import pytest
from redis import Redis

from builders import a_request

from .checks import came_out_whole
from .cluster import Cluster
from .conftest import Start
from .report import Report, spoken_on
from .watching import begin

pytestmark = pytest.mark.faults

OUTAGE = 30.0
BACK = 15.0  # seconds after its return


async def killed(cluster: Cluster) -> None:
    cluster.kill("redis")
    await cluster.start("redis")


async def refusing(cluster: Cluster) -> None:
    cluster.kill("redis")
    await asyncio.sleep(OUTAGE)
    await cluster.start("redis")


async def frozen(cluster: Cluster) -> None:
    cluster.freeze("redis")
    await asyncio.sleep(OUTAGE)
    cluster.thaw("redis")


async def black_holed(cluster: Cluster) -> None:
    assert cluster.proxy
    cluster.proxy.black_hole()
    await asyncio.sleep(OUTAGE)
    cluster.proxy.heal()


async def black_holed_and_forgotten(cluster: Cluster) -> None:
    assert cluster.proxy
    cluster.proxy.black_hole()
    await asyncio.sleep(OUTAGE)
    cluster.proxy.heal(forgetting=True)


@pytest.mark.fault(6)
@pytest.mark.parametrize("outage", [killed, refusing, frozen, black_holed, black_holed_and_forgotten])
async def test_debates_go_on_when_redis_is_back(
    start: Start, report: Report, outage: Callable[[Cluster], Awaitable[None]]
):
    cluster = await start("redis", "model", "api", "pool", proxied="black" in outage.__name__, ROSTRA_WORKERS="3")
    debates = [await begin(cluster, rounds=30) for _ in range(2)]
    for debate in debates:
        await debate.until_turns(2)
    async with no_crash_loop(cluster):
        await outage(cluster)
        back = time.time()
        # The third worker waited for a job all the while; it must hear of this one.
        late = await begin(cluster, rounds=2)
        transcripts = [await came_out_whole(debate) for debate in (late, *debates)]
    for transcript in transcripts:
        report.recovered("Redis' return", spoken_on(transcript, back), BACK)


@asynccontextmanager
async def no_crash_loop(cluster: Cluster) -> AsyncIterator[None]:
    """The API and the pool are the same processes at the end, and no worker was replaced more than once."""
    seen: set[int] = set()
    before = {name: cluster.pid(name) for name in ("api", "pool")}
    watching = asyncio.create_task(_gather_workers(cluster, seen))
    yield
    watching.cancel()
    assert all(cluster.runs(name) for name in before)
    workers = len(cluster.workers())
    assert len(seen) <= 2 * workers, f"{len(seen)} processes for {workers} places; the log:\n{cluster.log('pool')}"


async def _gather_workers(cluster: Cluster, seen: set[int]) -> None:
    while True:
        seen.update(cluster.workers())
        await asyncio.sleep(0.5)


@pytest.mark.fault(6)
async def test_a_pool_that_is_stopped_while_redis_is_away_exits_within_its_grace_period(cluster: Cluster):
    debate = await begin(cluster, rounds=20)
    await debate.until_turns(2)
    cluster.kill("redis")
    await asyncio.sleep(1)
    await cluster.stop("pool")
    await cluster.start("redis", "pool")
    await came_out_whole(debate)


@pytest.mark.fault(7)
async def test_replies_that_are_lost_after_redis_ran_the_command_double_nothing(start: Start):
    cluster = await start("redis", "model", "api", "pool", proxied=True)
    assert cluster.proxy
    cluster.proxy.random, cluster.proxy.drops = Random(7), 0.15
    debates = [await begin(cluster, key=f"request-{number}", rounds=5) for number in range(4)]
    for debate in debates:
        await came_out_whole(debate, seconds=150)
    assert cluster.proxy.dropped > 20
    cluster.proxy.heal()
    listed = (await cluster.http.get("/v1/debates")).json()["data"]
    assert {view["id"] for view in listed} == {debate.id for debate in debates}


@pytest.mark.fault(7)
@pytest.mark.parametrize("command", [b"debate_created", b"debate_claimed", b"turn_taken", b"debate_ended"])
async def test_a_change_whose_reply_is_lost_happens_once(start: Start, command: bytes):
    cluster = await start("redis", "model", "api", "pool", proxied=True)
    assert cluster.proxy
    rule = cluster.proxy.when(command, loses="reply", times=2)
    debate = await begin(cluster, rounds=2)
    await came_out_whole(debate)
    assert rule.times < 2
    assert len((await cluster.http.get("/v1/debates")).json()["data"]) == 1


@pytest.mark.fault(8)
async def test_a_full_redis_refuses_what_is_new_and_debates_go_on_when_there_is_room(cluster: Cluster, report: Report):
    debate = await begin(cluster, rounds=20)
    await debate.until_turns(2)
    with redis_itself(cluster) as redis:
        redis.setrange("ballast", 32 << 20, "x")  # buffers that shrink make no room beside it
        redis.config_set("maxmemory", redis.info("memory")["used_memory"] - (4 << 20))
        async with no_crash_loop(cluster):
            await asyncio.sleep(20)
            refused = await cluster.http.post("/v1/debates", json=a_request())
            assert refused.status_code == 503
            assert "Retry-After" in refused.headers
            assert (await debate.look())["status"] == "running"
            assert (await debate.transcript())["turns"]
            redis.delete("ballast")
            freed = time.time()
            transcript = await came_out_whole(debate)
    report.recovered("Redis had room again", spoken_on(transcript, freed), BACK)


@pytest.mark.fault(9)
async def test_a_debate_that_was_accepted_is_there_after_a_power_cut(cluster: Cluster):
    """What a power cut leaves is what was on the disk: with `always` at least all that was answered. Here the log is
    cut where it ended when the last debate was accepted, and in the middle of the next write."""
    debates = [await begin(cluster, rounds=10) for _ in range(5)]
    (log,) = (cluster.folder / "appendonlydir").glob("*.incr.aof")
    accepted = log.stat().st_size
    await debates[0].until_turns(2)
    shown = [len(debate.seen) for debate in debates]
    for name in ("pool", "api", "redis"):
        cluster.kill_whole(name)
    for debate in debates:
        await debate.leave()
    whole = log.read_bytes()
    assert len(whole) > accepted + 20
    log.write_bytes(whole[: accepted + 20])
    await cluster.start("redis", "api", "pool")
    for debate in debates:
        # What its reader was shown since then was lost with the disk's cache, which `always` does not allow.
        debate.seen.clear()
        debate.watch()
        await came_out_whole(debate)
    assert any(shown)


@contextmanager
def redis_itself(cluster: Cluster) -> Iterator[Redis]:
    with Redis(port=cluster.redis_port) as redis:
        yield redis
