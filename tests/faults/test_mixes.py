"""What comes together: two things at once that one alone would not show."""

from __future__ import annotations

import asyncio
import resource
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2 as httpx
import pytest

from builders import a_request

from .checks import came_out_whole
from .cluster import Cluster
from .conftest import Start
from .report import Report, spoken_on
from .test_clocks import HOUR, Clock
from .watching import begin, patiently

pytestmark = pytest.mark.faults

BACK = 15.0


@pytest.mark.fault(23)
@pytest.mark.parametrize("jump", [HOUR, -HOUR], ids=["forth", "back"])
async def test_the_clocks_jump_while_redis_is_black_holed_and_its_connections_are_forgotten(
    start: Start, report: Report, tmp_path: Path, jump: int
):
    clock = Clock(tmp_path / "clock")
    cluster = await start("redis", "model", "api", "pool", "pool-2", proxied=True, environment=clock.environment)
    debates = [await begin(cluster, rounds=20, limits={"seconds": 600}) for _ in range(3)]
    for debate in debates:
        await debate.until_turns(2)
    assert cluster.proxy
    cluster.proxy.black_hole()
    await asyncio.sleep(10)
    clock.set(jump)
    await asyncio.sleep(10)
    cluster.proxy.heal(forgetting=True)
    back = time.monotonic()
    for debate in debates:
        await debate.until_further()
    report.recovered("Redis' return, with the clocks moved", time.monotonic() - back, BACK)
    for debate in debates:
        await came_out_whole(debate)


@pytest.mark.fault(23)
async def test_redis_comes_back_as_it_was_some_turns_ago_while_everything_else_lives(cluster: Cluster, report: Report):
    """What was shown since then is lost, which a disk that keeps its word does not do; but debates go on from what is
    there, each turn once, and nobody plays on from what is not."""
    debates = [await begin(cluster, rounds=15) for _ in range(2)]
    for debate in debates:
        await debate.until_turns(2)
    (log,) = (cluster.folder / "appendonlydir").glob("*.incr.aof")
    then = log.stat().st_size
    for debate in debates:
        await debate.until_turns(8)
    forgotten = await begin(cluster, key="once", rounds=2)
    cluster.kill("redis")
    for debate in (*debates, forgotten):
        await debate.leave()
        debate.seen.clear()
    log.write_bytes(log.read_bytes()[:then])
    await cluster.start("redis")
    back = time.time()
    for debate in debates:
        debate.watch()
        report.recovered("the return of an older Redis", spoken_on(await came_out_whole(debate), back), BACK)
    again = await begin(cluster, key="once", rounds=2)
    await came_out_whole(again)
    there = (await patiently(cluster, "GET", "/v1/debates"))["data"]
    assert {view["id"] for view in there} == {debate.id for debate in (*debates, again)}


@pytest.mark.fault(23)
async def test_redis_gives_up_on_a_full_disk_again_and_again_and_loses_nothing(cluster: Cluster, report: Report):
    debates = [await begin(cluster, rounds=20) for _ in range(2)]
    for debate in debates:
        await debate.until_turns(2)
    async with full_disk(cluster) as deaths:
        await asyncio.sleep(20)
        refused = await cluster.http.post("/v1/debates", json=a_request())
        assert refused.status_code == 503
        turns = [debate.turns for debate in debates]
    assert len(deaths) > 1, "Redis lived with a full disk"
    back = time.time()
    transcripts = [await came_out_whole(debate) for debate in debates]
    for transcript in transcripts:
        report.recovered("the disk had room again", spoken_on(transcript, back), BACK)
    assert max(turns) < 20, "turns were stored on a full disk"


@asynccontextmanager
async def full_disk(cluster: Cluster) -> AsyncIterator[list[float]]:
    """No file of Redis may grow, as on a full disk; when it ends itself it is started again, as containers are. Yields
    the times of its deaths."""
    (log,) = (cluster.folder / "appendonlydir").glob("*.incr.aof")
    most = log.stat().st_size
    deaths: list[float] = []

    async def keep_up() -> None:
        while True:
            if not cluster.runs("redis"):
                deaths.append(time.time())
                cluster.launch("redis")
            resource.prlimit(cluster.pid("redis"), resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))
            await asyncio.sleep(0.5)

    keeping = asyncio.create_task(keep_up())
    yield deaths
    most = resource.RLIM_INFINITY
    await asyncio.sleep(1)
    keeping.cancel()
    await cluster.until_ready("pool")


async def killed(cluster: Cluster) -> None:
    cluster.kill("model")
    await cluster.start("model")


async def in_its_place(cluster: Cluster) -> None:
    """Nobody's connection breaks, as with a proxy in front of several model servers."""
    await cluster.tell_model()


@pytest.mark.fault(23)
@pytest.mark.parametrize("replaced", [killed, in_its_place])
async def test_the_model_is_replaced_in_mid_debate_by_one_with_less_context(
    cluster: Cluster, report: Report, replaced: Callable[[Cluster], Awaitable[None]]
):
    debates = [await begin(cluster, rounds=20) for _ in range(2)]
    for debate in debates:
        await debate.until_turns(24)
    cluster.context = 800
    await replaced(cluster)
    back = time.time()
    for debate in debates:
        transcript = await came_out_whole(debate)
        report.recovered("the model was another", spoken_on(transcript, back), BACK)


class SecondApi:
    """Another way in to the same debates."""

    def __init__(self, cluster: Cluster) -> None:
        self.http = httpx.AsyncClient(base_url=cluster.url_of("api-2"), timeout=30)
        self.is_whole = cluster.is_whole


@pytest.mark.fault(23)
async def test_two_apis_take_debates_and_wishes_while_all_workers_are_dead(cluster: Cluster, report: Report):
    running = await begin(cluster, rounds=15)
    await running.until_turns(2)
    await cluster.start("api-2")
    cluster.kill_whole("pool")
    other = SecondApi(cluster)
    begun = [await begin(front, key=f"once-{n}", rounds=2) for n in range(3) for front in (cluster, other)]
    assert len({debate.id for debate in begun}) == 3
    await patiently(other, "POST", f"{begun[0].path}/cancel")
    await patiently(cluster, "POST", f"{begun[2].path}/pause")
    await patiently(other, "POST", f"{begun[2].path}/resume")
    cluster.kill("api")
    await asyncio.sleep(10)
    await cluster.start("api", "pool")
    back = time.time()
    await came_out_whole(begun[0], status="cancelled")
    for debate in begun[2:]:
        await came_out_whole(debate)
    report.recovered("the death of all workers and an API", spoken_on(await came_out_whole(running), back), BACK)
    await other.http.aclose()
