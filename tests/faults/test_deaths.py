"""Whoever dies, the debate goes on from its last finished turn, and nobody speaks a turn twice."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest

from .checks import came_out_whole, claims
from .cluster import EXIT_SECONDS, Cluster
from .conftest import Start
from .proxy import Loses
from .report import Report, spoken_on
from .watching import begin

pytestmark = pytest.mark.faults

TAKEN_OVER = 15.0
DRAINED = 5.0


@pytest.mark.fault(1)
@pytest.mark.parametrize(
    ("command", "loses"),
    [
        pytest.param(b"debate_claimed", "request", id="before the claim"),
        pytest.param(b"debate_claimed", "reply", id="after the claim"),
        pytest.param(b"turn_taken", "request", id="before a turn is stored"),
        pytest.param(b"turn_taken", "reply", id="after a turn is stored"),
        pytest.param(b"debate_ended", "request", id="before the end is stored"),
        pytest.param(b"debate_ended", "reply", id="after the end is stored"),
    ],
)
async def test_a_debate_survives_its_player_killed(start: Start, report: Report, command: bytes, loses: Loses):
    cluster = await start("redis", "model", "api", "pool", proxied=True)
    assert cluster.proxy
    killed: list[float] = []

    def kill(_: int) -> None:
        killed.append(time.time())
        cluster.kill_players()

    rule = cluster.proxy.when(command, loses=loses, then=kill)
    debate = await begin(cluster, rounds=3)
    await asyncio.wait_for(rule.met.wait(), 60)
    transcript = await came_out_whole(debate)
    if command != b"debate_ended":
        report.recovered("the death of a player", spoken_on(transcript, killed[0]), TAKEN_OVER)


@pytest.mark.fault(1)
async def test_a_debate_survives_its_player_killed_in_mid_turn(cluster: Cluster, report: Report):
    debate = await begin(cluster, rounds=4)
    await debate.until_turns(2)
    await asyncio.sleep(0.1)
    killed = time.time()
    cluster.kill_players()
    transcript = await came_out_whole(debate)
    report.recovered("the death of a player", spoken_on(transcript, killed), TAKEN_OVER)
    assert claims(debate) == 2


@pytest.mark.fault(1)
async def test_a_debate_whose_player_is_killed_does_not_wait_behind_a_queue(cluster: Cluster, report: Report):
    debates = [await begin(cluster, rounds=8) for _ in range(2)]
    for debate in debates:
        await debate.until_turns(2)
    queue = [await begin(cluster, rounds=20, watched=False) for _ in range(20)]
    killed = time.time()
    cluster.kill_players()
    for debate in debates:
        transcript = await came_out_whole(debate)
        report.recovered("the death of a player, before a queue", spoken_on(transcript, killed), TAKEN_OVER)
    assert sum(each["status"] == "queued" for each in [await debate.look() for debate in queue]) >= 10


@pytest.mark.fault(2)
async def test_a_player_whose_worker_is_killed_plays_on_and_no_other_does(cluster: Cluster):
    debate = await begin(cluster, rounds=40)
    await debate.until_turns(2)
    cluster.kill_workers_of(cluster.players())
    await came_out_whole(debate)
    assert claims(debate) == 1
    saw = await cluster.model_saw()
    assert saw["most_at_once"] == 1
    assert saw["begun"][debate.id] == debate.turns_planned


@pytest.mark.fault(3)
async def test_debates_go_on_when_everything_but_redis_was_killed(cluster: Cluster, report: Report):
    debates = [await begin(cluster, rounds=8) for _ in range(2)]
    for debate in debates:
        await debate.until_turns(2)
    for name in ("pool", "api", "model"):
        cluster.kill_whole(name)
    await cluster.start("pool", "api", "model")
    back = time.time()
    for debate in debates:
        report.recovered("the death of everything but Redis", spoken_on(await came_out_whole(debate), back), TAKEN_OVER)


@pytest.mark.fault(3)
async def test_debates_go_on_when_everything_was_killed(cluster: Cluster, report: Report):
    debates = [await begin(cluster, rounds=8) for _ in range(2)]
    for debate in debates:
        await debate.until_turns(2)
    for name in ("redis", "pool", "api", "model"):
        cluster.kill_whole(name)
    await cluster.start("redis", "pool", "api", "model")
    back = time.time()
    for debate in debates:
        report.recovered("the death of everything", spoken_on(await came_out_whole(debate), back), TAKEN_OVER)


@pytest.mark.fault(4)
async def test_a_pool_that_is_stopped_in_mid_turn_hands_its_debates_over_at_once(start: Start, report: Report):
    cluster = await start("redis", "model", "api", "pool")
    debates = [await begin(cluster, rounds=24) for _ in range(2)]
    for debate in debates:
        await debate.until_turns(2)
    await cluster.start("pool-2")
    asked = time.time()
    assert await cluster.stop("pool") < EXIT_SECONDS
    for debate in debates:
        transcript = await came_out_whole(debate)
        report.recovered("a worker was told to stop", spoken_on(transcript, asked), DRAINED)


@pytest.mark.fault(5)
async def test_a_player_that_is_frozen_for_half_a_minute_is_replaced_and_comes_back_to_nothing(
    cluster: Cluster, report: Report
):
    debate = await begin(cluster, rounds=60)
    await debate.until_turns(2)
    frozen_at, frozen = time.time(), cluster.players()
    cluster.freeze_pids(frozen)
    await asyncio.sleep(30)
    assert debate.turns > 4, "nobody took the debate over"
    cluster.thaw_pids(frozen)
    transcript = await came_out_whole(debate)
    report.recovered("a player was frozen", spoken_on(transcript, frozen_at), TAKEN_OVER)
    assert claims(debate) == 2
    await _until(lambda: not set(frozen) & set(cluster.players()), "the player that was frozen has gone")


async def _until(condition: Callable[[], bool], what: str, seconds: float = 15) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not so within {seconds:g} s: {what}"
        await asyncio.sleep(0.1)
