"""The model server fails in every way that a server can: the turn is tried again, or the debate fails and says why.
What it said by halves never becomes a turn."""

from __future__ import annotations

import asyncio
import time

import pytest

from .checks import came_out_whole
from .cluster import Cluster
from .conftest import Start
from .report import Report, spoken_on
from .speaker import MISBEHAVIOUR
from .watching import begin

pytestmark = pytest.mark.faults

BACK = 15.0


@pytest.mark.fault(11)
@pytest.mark.parametrize("kind", MISBEHAVIOUR)
async def test_a_turn_is_tried_again_when_the_model_server(cluster: Cluster, kind: str):
    debate = await begin(cluster, rounds=4)
    await debate.until_turns(2)
    await cluster.tell_model(kind, times=2)
    transcript = await came_out_whole(debate)
    assert sum(turn["attempts"] for turn in transcript["turns"]) == debate.turns_planned + 2
    assert sum(event.kind == "attempt_failed" for event in debate.seen) == 2


@pytest.mark.fault(11)
@pytest.mark.parametrize("kind", [kind for kind in MISBEHAVIOUR if kind not in ("hangs", "hangs in mid-sentence")])
async def test_a_debate_fails_and_says_why_when_the_model_server_always(start: Start, kind: str):
    cluster = await start("redis", "model", "api", "pool", ROSTRA_MODEL_PATIENCE_SECONDS="3")
    debate = await begin(cluster, rounds=4)
    await debate.until_turns(2)
    await cluster.tell_model(kind, times=1000)
    await came_out_whole(debate, status="failed")
    assert len((await debate.look())["reason"]) > 20


@pytest.mark.fault(11)
async def test_debates_go_on_when_the_model_server_was_killed(cluster: Cluster, report: Report):
    debates = [await begin(cluster, rounds=20) for _ in range(2)]
    for debate in debates:
        await debate.until_turns(2)
    cluster.kill("model")
    await asyncio.sleep(5)
    await cluster.start("model")
    back = time.time()
    for debate in debates:
        report.recovered("the model server's return", spoken_on(await came_out_whole(debate), back), BACK)


@pytest.mark.fault(11)
async def test_debates_go_on_when_the_model_server_was_frozen(cluster: Cluster, report: Report):
    debates = [await begin(cluster, rounds=20) for _ in range(2)]
    for debate in debates:
        await debate.until_turns(2)
    cluster.freeze("model")
    await asyncio.sleep(12)  # longer than a token is waited for
    cluster.thaw("model")
    back = time.time()
    for debate in debates:
        report.recovered("the model server's return", spoken_on(await came_out_whole(debate), back), BACK)
