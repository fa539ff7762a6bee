"""How long it takes to go on, time after time: the same death again and again in one long debate."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest

from .checks import came_out_whole
from .cluster import Cluster
from .conftest import Start
from .report import Report, spoken_on
from .watching import begin, patiently

pytestmark = [pytest.mark.faults, pytest.mark.fault(22)]

TIMES = 6
Die = Callable[[Cluster, int], Awaitable[float]]


@dataclass(frozen=True)
class Death:
    """What happens, answering the moment from which on the debate should be spoken on, within so many seconds."""

    after: str
    die: Die
    within: float = 15.0
    pools: tuple[str, ...] = ("pool",)


async def a_player(cluster: Cluster, _: int) -> float:
    cluster.kill_players()
    return time.time()


async def a_worker_with_its_player(cluster: Cluster, _: int) -> float:
    players = cluster.players()
    cluster.kill_workers_of(players)
    cluster.kill_pids(players)
    return time.time()


async def a_pool(cluster: Cluster, _: int) -> float:
    cluster.kill_whole("pool")
    died = time.time()
    await cluster.start("pool", ready=False)
    return died


async def a_drained_pool(cluster: Cluster, count: int) -> float:
    """Whoever plays is stopped; the other pool takes over, and the first comes back for the next time."""
    (playing,) = [pool for pool in ("pool", "pool-2") if cluster.players(pool)]
    asked = time.time()
    await cluster.stop(playing)
    await cluster.start(playing)  # ready to take over itself
    return asked


async def the_model_server(cluster: Cluster, _: int) -> float:
    cluster.kill("model")
    died = time.time()
    await cluster.start("model")
    return died


async def redis(cluster: Cluster, _: int) -> float:
    cluster.kill("redis")
    await cluster.start("redis")
    return time.time()


DEATHS = (
    Death("the death of a player", a_player),
    Death("the death of a worker and its player", a_worker_with_its_player),
    Death("the death of a pool, started again at once", a_pool),
    Death("a pool was told to stop", a_drained_pool, within=5.0, pools=("pool", "pool-2")),
    Death("the death of the model server, started again at once", the_model_server),
    Death("Redis' return", redis),
)


@pytest.mark.parametrize("death", DEATHS, ids=lambda death: death.after)
async def test_a_debate_goes_on_in_time_again_and_again_after(start: Start, report: Report, death: Death):
    cluster = await start("redis", "model", "api", *death.pools)
    debate = await begin(cluster, rounds=500)
    moments: list[float] = []
    for count in range(TIMES):
        await debate.until_further()
        moments.append(await death.die(cluster, count))
        await debate.until_turns(debate.turns + 2)  # the first may have been under way
    await patiently(cluster, "POST", f"{debate.path}/cancel")
    transcript = await came_out_whole(debate, status="cancelled")
    for moment in moments:
        report.recovered(death.after, spoken_on(transcript, moment), death.within)


async def test_a_reader_is_shown_more_in_time_again_and_again_after_the_death_of_the_api(
    cluster: Cluster, report: Report
):
    debate = await begin(cluster, rounds=500)
    for _ in range(TIMES):
        await debate.until_further()
        cluster.kill("api")
        died = time.time()
        await cluster.start("api", ready=False)
        await debate.until_further()
        report.recovered("the death of the API, started again at once", time.time() - died, 15.0)
    await patiently(cluster, "POST", f"{debate.path}/cancel")
    await came_out_whole(debate, status="cancelled")
