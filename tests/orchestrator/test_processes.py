"""The real processes: a pool, its RQ workers, and a process for each debate; killed at bad moments."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from builders import a_debate
from judges import is_question, reading, says
from rostra import queue
from rostra.events import DebateClaimed
from rostra.models import ENDED, Debate, Status
from rostra.store import Store
from rostra.store.pools import Pools
from rostra.transcript import Course, fold
from scripted import Says, ScriptedModel

# What the design promises (seconds): a crash is taken over within a lease and a look of the reaper.
TAKEN_OVER = 15
AT_ONCE = 5  # a worker sees the death of its own player
DRAINED = 5


@pytest.fixture
def start(redis_url: str, model: ScriptedModel, tmp_path: Path) -> Callable[[], subprocess.Popen[bytes]]:
    """Starts a pool; its log lands in the test's folder."""

    def start() -> subprocess.Popen[bytes]:
        environment = {
            "ROSTRA_REDIS_URL": redis_url,
            "ROSTRA_LLM_URL": model.url,
            "ROSTRA_WORKERS": "2",
            "TMPDIR": str(tmp_path),
        }
        command = [sys.executable, "-m", "rostra_orchestrator"]
        with (tmp_path / "orchestrator.log").open("ab") as log:
            return subprocess.Popen(command, env={**os.environ, **environment}, stderr=log, stdout=log)

    return start


@asynccontextmanager
async def running(start: Callable[[], subprocess.Popen[bytes]]) -> AsyncIterator[subprocess.Popen[bytes]]:
    pool = start()
    try:
        yield pool
    finally:
        pool.terminate()
        await asyncio.to_thread(pool.wait, 20)


async def post(store: Store, redis_url: str, **fields: object) -> Debate:
    debate = a_debate(guard="off", **fields)
    await store.create(debate)
    with queue.connect(redis_url) as rq:
        queue.enqueue(rq, debate.id, 1)
    return debate


async def course(store: Store, debate: Debate) -> Course:
    return fold(recorded.event for recorded in await store.events(debate.id))


async def until_turns(store: Store, debate: Debate, turns: int, seconds: float = 30) -> Course:
    """Waits until so many turns are taken, or the debate has ended."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        now = await course(store, debate)
        if len(now.turns) >= turns or now.status in ENDED:
            return now
        await asyncio.sleep(0.05)
    raise TimeoutError(f"{len(now.turns)} of {turns} turns after {seconds} s; the debate is {now.status}")


async def until_waiting(store: Store, debate: Debate) -> None:
    for _ in range(600):
        if (await store.get(debate.id)).status is Status.WAITING:
            return
        await asyncio.sleep(0.05)
    raise TimeoutError


async def until_readings(store: Store, debate: Debate, readings: int) -> None:
    for _ in range(600):
        if len((await course(store, debate)).outcomes.readings) >= readings:
            return
        await asyncio.sleep(0.05)
    raise TimeoutError


async def until_ended(store: Store, debate: Debate, seconds: float = 60) -> Course:
    ended = await until_turns(store, debate, 10**6, seconds)
    assert [turn.seq for turn in ended.turns] == list(range(1, len(ended.turns) + 1))
    return ended


async def player(store: Store, debate: Debate) -> int:
    """The process that plays the debate."""
    claims = [r.event for r in await store.events(debate.id) if isinstance(r.event, DebateClaimed)]
    return int(claims[-1].process.split(":")[1])


async def claims(store: Store, debate: Debate) -> int:
    return sum(isinstance(r.event, DebateClaimed) for r in await store.events(debate.id))


def parent(pid: int) -> int:
    stat = Path(f"/proc/{pid}/stat").read_text()
    return int(stat.rsplit(")", 1)[1].split()[1])


@pytest.fixture(autouse=True)
def slow_words(model: ScriptedModel) -> None:
    said = iter(range(1, 1_000_000))
    model.script = lambda _: Says(f"Point {next(said)} " + "and so on " * 5 + ".", pause=0.02)


async def test_debates_are_played_side_by_side_to_their_ends(
    store: Store, redis_url: str, start: Callable[[], subprocess.Popen[bytes]]
):
    async with running(start):
        debates = [await post(store, redis_url, rounds=2) for _ in range(6)]
        for debate in debates:
            ended = await until_ended(store, debate)
            assert ended.status is Status.COMPLETED
            assert [t.debater for t in ended.turns] == ["d1", "d2", "d1", "d2"]


async def test_debates_that_wait_for_people_keep_no_worker_from_the_others(
    store: Store, redis_url: str, start: Callable[[], subprocess.Popen[bytes]]
):
    people = {"debaters": [{"name": "Ada", "human": True}, {"name": "Grace"}], "rounds": 1}
    async with running(start):
        waiting = [await post(store, redis_url, **people) for _ in range(5)]
        for debate in waiting:
            await until_waiting(store, debate)
        models = await until_ended(store, await post(store, redis_url, rounds=1))
        assert models.status is Status.COMPLETED
        for debate in waiting[:4]:
            fence = await store.give(debate.id, "Tabs.")
            assert fence is not None
            with queue.connect(redis_url) as rq:
                queue.enqueue(rq, debate.id, fence)
            assert [turn.finish_reason for turn in (await until_ended(store, debate)).turns] == ["human", "stop"]
        await until_waiting(store, waiting[4])


async def test_the_keeper_lets_a_debate_go_on_when_nobody_speaks(
    store: Store, redis_url: str, start: Callable[[], subprocess.Popen[bytes]]
):
    people = {"debaters": [{"name": "Ada", "human": True}, {"name": "Grace"}], "rounds": 1}
    async with running(start):
        debate = await post(store, redis_url, humans={"seconds": 1, "then": "skip"}, **people)
        ended = await until_ended(store, debate)
    assert [turn.finish_reason for turn in ended.turns] == ["skipped", "stop"]


async def test_a_killed_player_is_replaced_and_no_turn_is_lost_or_doubled(
    store: Store, redis_url: str, start: Callable[[], subprocess.Popen[bytes]]
):
    async with running(start):
        debate = await post(store, redis_url, rounds=4)
        before = await until_turns(store, debate, 2)
        os.kill(await player(store, debate), signal.SIGKILL)
        await until_turns(store, debate, len(before.turns) + 2, AT_ONCE)
        ended = await until_ended(store, debate)
    assert ended.status is Status.COMPLETED
    assert len(ended.turns) == 8
    assert ended.turns[:2] == before.turns[:2]
    assert await claims(store, debate) == 2


async def test_a_player_killed_between_two_readings_is_replaced_and_nothing_is_read_twice(
    store: Store, redis_url: str, model: ScriptedModel, start: Callable[[], subprocess.Popen[bytes]]
):
    def script(body: dict[str, Any]) -> Says:
        return says(reading("A", ["Point"]), pause=0.05) if is_question(body, "winner") else Says("Point of order.")

    model.script = script
    async with running(start):
        debate = await post(store, redis_url, rounds=1, judge={"panel": 3})
        await until_readings(store, debate, 2)
        os.kill(await player(store, debate), signal.SIGKILL)
        ended = await until_ended(store, debate)
    read = [(one.judge, one.reading) for one in ended.outcomes.readings]
    assert read == [(judge, reading) for reading in (1, 2) for judge in (1, 2, 3)]
    assert ended.status is Status.COMPLETED
    assert ended.outcomes.verdict is not None
    assert await claims(store, debate) == 2


async def test_a_killed_worker_leaves_its_player_playing(
    store: Store, redis_url: str, start: Callable[[], subprocess.Popen[bytes]]
):
    async with running(start):
        debate = await post(store, redis_url, rounds=4)
        await until_turns(store, debate, 1)
        os.kill(parent(await player(store, debate)), signal.SIGKILL)
        ended = await until_ended(store, debate)
    assert ended.status is Status.COMPLETED
    assert await claims(store, debate) == 1


async def test_when_everything_is_killed_a_new_pool_goes_on(
    store: Store, redis_url: str, start: Callable[[], subprocess.Popen[bytes]]
):
    pool = start()
    debate = await post(store, redis_url, rounds=4)
    await until_turns(store, debate, 2)
    playing = await player(store, debate)
    for pid in (pool.pid, parent(playing), playing):
        os.kill(pid, signal.SIGKILL)
    pool.wait(5)
    async with running(start):
        await until_turns(store, debate, 4, TAKEN_OVER)
        ended = await until_ended(store, debate)
    assert ended.status is Status.COMPLETED
    assert len(ended.turns) == 8


async def test_a_pool_that_is_stopped_gives_its_debates_to_another_at_once(
    store: Store, redis_url: str, start: Callable[[], subprocess.Popen[bytes]]
):
    first = start()
    debate = await post(store, redis_url, rounds=4)
    before = await until_turns(store, debate, 2)
    async with running(start):
        await asyncio.sleep(2)  # the second one is ready
        first.terminate()
        assert await asyncio.to_thread(first.wait, 10) == 0
        began = time.monotonic()
        await until_turns(store, debate, len(before.turns) + 1, DRAINED)
        assert time.monotonic() - began < DRAINED
        ended = await until_ended(store, debate)
    assert ended.status is Status.COMPLETED
    assert len(ended.turns) == 8


async def test_the_pool_says_whether_it_is_healthy(
    pools: Pools, start: Callable[[], subprocess.Popen[bytes]], tmp_path: Path
):
    def healthcheck() -> int:
        command = [sys.executable, "-m", "rostra_orchestrator", "healthcheck"]
        return subprocess.run(command, env={**os.environ, "TMPDIR": str(tmp_path)}, check=False).returncode

    assert healthcheck() == 1
    async with running(start) as pool:
        for _ in range(100):
            if await pools.alive():
                break
            await asyncio.sleep(0.1)
        assert list((await pools.alive()).values()) == [2]
        assert str(pool.pid) in next(iter(await pools.alive()))
        assert healthcheck() == 0
    assert healthcheck() == 1
