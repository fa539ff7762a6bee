"""What clients do: ask twice, leave and come back, come by the hundred, send too much."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2 as httpx
import pytest

from builders import a_request

from .checks import came_out_whole
from .cluster import Cluster
from .conftest import Start
from .watching import Watched, begin

pytestmark = pytest.mark.faults

HEALTHY_SECONDS = 0.5
ROOM_MIB = 150  # what the API may grow by


@pytest.mark.fault(14)
async def test_a_hundred_identical_requests_at_once_begin_one_debate(cluster: Cluster):
    headers = {"Idempotency-Key": "once-and-for-all"}
    body = a_request(guard="off", rounds=2)
    post = cluster.http.post
    answers = await asyncio.gather(*(post("/v1/debates", json=body, headers=headers) for _ in range(100)))
    assert {answer.status_code for answer in answers} == {202}
    (debate_id,) = {answer.json()["id"] for answer in answers}
    other = await post("/v1/debates", json=a_request("Spaces beat tabs"), headers=headers)
    assert other.status_code == 422
    debate = Watched(cluster, debate_id, answers[0].json()["turns_planned"])
    debate.watch()
    await came_out_whole(debate)
    assert len((await cluster.http.get("/v1/debates")).json()["data"]) == 1


@pytest.mark.fault(15)
async def test_a_reader_who_is_cut_off_at_every_event_and_loses_the_api_misses_nothing(cluster: Cluster):
    debate = await begin(cluster, rounds=10, watched=False)
    debate.most_at_once = 1
    debate.watch()
    await debate.until_turns(3)
    cluster.kill("api")
    await cluster.start("api")
    await debate.until_turns(6)
    await cluster.restart("api")
    await came_out_whole(debate)


@pytest.mark.fault(17)
async def test_a_body_of_200_mb_is_refused_and_kept_nowhere(cluster: Cluster):
    before = memory_mib(cluster.pid("api"))

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(3200):
            yield b"x" * (1 << 16)

    headers = {"Content-Type": "application/json"}
    try:
        answer = await cluster.http.post("/v1/debates", content=endless(), headers=headers)
    except httpx.TransportError:
        pass  # it took longer to send than the API waits for one whom it has answered
    else:
        assert answer.status_code == 413
    assert memory_mib(cluster.pid("api")) < before + ROOM_MIB
    assert (await cluster.http.get("/healthz")).is_success


@pytest.mark.fault(17)
async def test_slow_clients_readers_and_a_flood_leave_the_api_healthy(start: Start):
    cluster = await start("redis", "model", "api", "pool")
    before = memory_mib(cluster.pid("api"))
    debate = await begin(cluster, rounds=30)
    readers = [Watched(cluster, debate.id, debate.turns_planned) for _ in range(80)]
    for reader in readers:
        reader.watch()
    async with slow_clients(cluster, 200):
        flood = asyncio.create_task(_flood(cluster, 100))
        seconds = [await _health(cluster)]
        while not flood.done():
            seconds.append(await _health(cluster))
            await asyncio.sleep(0.02)
        statuses = await flood
    assert set(statuses) <= {202, 429, 503}, statuses
    assert statuses[202] > 0
    # The readers and the flood share the machine with what they ask; how fast it is alone, the benchmarks measure.
    assert statistics.median(seconds) < HEALTHY_SECONDS
    await came_out_whole(debate)
    for reader in readers:
        await reader.until_ended()
        assert reader.seen == debate.seen
    assert memory_mib(cluster.pid("api")) < before + ROOM_MIB


@asynccontextmanager
async def slow_clients(cluster: Cluster, number: int) -> AsyncIterator[None]:
    """Requests that were begun and do not go on."""
    slow = [await asyncio.open_connection("127.0.0.1", cluster.ports["api"]) for _ in range(number)]
    try:
        for _, writer in slow:
            writer.write(b"POST /v1/debates HTTP/1.1\r\nHost: rostra\r\nContent-Length: 1000\r\n\r\n{")
        yield
    finally:
        for _, writer in slow:
            writer.close()


async def _health(cluster: Cluster) -> float:
    """Seconds until it is answered that the API is well."""
    asked = time.monotonic()
    assert (await cluster.http.get("/healthz")).is_success
    return time.monotonic() - asked


async def _flood(cluster: Cluster, requests: int) -> Counter[int]:
    async with httpx.AsyncClient(base_url=cluster.url, timeout=60) as http:
        posts = (http.post("/v1/debates", json=a_request(rounds=1, guard="off")) for _ in range(requests))
        return Counter(answer.status_code for answer in await asyncio.gather(*posts))


def memory_mib(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024
