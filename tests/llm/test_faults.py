"""What a client sees when things go wrong, and that they are right again soon."""

import asyncio
import contextlib
import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from .asking import a_chat, a_long_chat, answer_of, chunks
from .conftest import Server, until_it_answers

Start = Callable[..., Server]


def engine_of(server: Server) -> int:
    """The process id of the server's engine."""
    task = Path(f"/proc/{server.process.pid}/task")
    (child,) = {pid for thread in task.iterdir() for pid in (thread / "children").read_text().split()}
    return int(child)


@pytest.fixture(scope="module")
def narrow(start: Start) -> Server:
    """One request at a time, one may wait, and nobody waits for long."""
    server = start(context=512, parallel=1, llm_queue=1, llm_first_token_seconds=2, llm_answer_seconds=6)
    until_it_answers(server)
    return server


async def test_when_the_queue_is_full_a_request_is_refused_and_told_when_to_ask_again(narrow: Server) -> None:
    async with narrow.client() as client:
        running = chunks(client, a_long_chat())
        await anext(running)
        waiting = asyncio.create_task(client.post("/v1/chat/completions", json=a_chat(max_tokens=1)))
        await asyncio.sleep(0.2)
        refused = await client.post("/v1/chat/completions", json=a_chat())
        assert refused.status_code == 503
        assert int(refused.headers["Retry-After"]) >= 1
        assert refused.json()["error"]["code"] == "unavailable"
        assert (await client.get("/health")).status_code == 200
        await running.aclose()
        assert (await waiting).status_code == 200


async def test_a_request_that_waits_too_long_for_its_first_token_is_refused(narrow: Server) -> None:
    async with narrow.client() as client:
        running = chunks(client, a_long_chat(ignore_eos=True, max_tokens=450))
        await anext(running)
        late = await client.post("/v1/chat/completions", json=a_chat(stream=True))
        # A fast machine may have served it in time.
        assert (late.status_code, "no token within 2 s" in late.text) in [(503, True), (200, False)]
        await running.aclose()
        await answer_of(client, max_tokens=1)


@pytest.mark.parametrize("stream", [True, False])
async def test_a_client_that_goes_away_frees_its_slot(narrow: Server, stream: bool) -> None:
    async with narrow.client() as client:
        with contextlib.suppress(httpx2.ReadTimeout):
            await client.post("/v1/chat/completions", json=a_long_chat(ignore_eos=True, stream=stream), timeout=0.3)
    async with narrow.client() as client:
        begun = time.monotonic()
        await answer_of(client, max_tokens=1)
        assert time.monotonic() - begun < 1


async def test_an_engine_that_dies_is_replaced_and_nobody_takes_a_part_for_the_whole(start: Start) -> None:
    server = start(context=512)
    until_it_answers(server)
    async with server.client() as client:
        stream = chunks(client, a_long_chat())
        await anext(stream)
        whole = asyncio.create_task(client.post("/v1/chat/completions", json=a_long_chat()))
        await asyncio.sleep(0.3)
        engine = engine_of(server)
        os.kill(engine, signal.SIGKILL)
        received = [chunk async for chunk in stream]
        assert "[DONE]" not in received
        assert json.loads(received[-1])["error"]["code"] == "unavailable"
        assert (await whole).status_code == 503
        assert int((await whole).headers["Retry-After"]) >= 1
        assert (await client.get("/health")).status_code == 503
        refused = await client.post("/v1/chat/completions", json=a_chat())
        assert refused.status_code == 503
        await until_healthy(client)
        await answer_of(client, max_tokens=2)
        assert engine_of(server) != engine
        assert 'restarts_total{model="default"} 1.0' in (await client.get("/metrics")).text


async def until_healthy(client: httpx2.AsyncClient, seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not (await client.get("/health")).is_success:
            await asyncio.sleep(0.1)


async def test_an_engine_that_hangs_is_replaced(start: Start) -> None:
    server = start(context=512, llm_stall_seconds=2)
    until_it_answers(server)
    async with server.client() as client:
        os.kill(engine_of(server), signal.SIGSTOP)
        begun = time.monotonic()
        answer = await client.post("/v1/chat/completions", json=a_chat())
        assert answer.status_code == 503
        assert time.monotonic() - begun < 10
        await until_healthy(client)
        await answer_of(client, max_tokens=2)


async def test_an_engine_dies_with_its_server(start: Start) -> None:
    server = start(context=256)
    until_it_answers(server)
    engine = engine_of(server)
    server.process.kill()
    async with asyncio.timeout(5):
        while is_there(engine):
            await asyncio.sleep(0.05)


def is_there(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


async def stopped_in_mid_answer(server: Server, **body: Any) -> tuple[list[str], float]:
    """What a stream received from a server that was told to stop, and how many seconds that took."""
    until_it_answers(server)
    received: list[str] = []
    async with server.client() as client:
        stream = chunks(client, a_chat("Tell a story.", ignore_eos=True, **body))
        await anext(stream)
        begun = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        with contextlib.suppress(httpx2.RemoteProtocolError):
            received += [chunk async for chunk in stream]
    server.process.wait(timeout=20)
    return received, time.monotonic() - begun


async def test_a_server_told_to_stop_lets_answers_come_to_their_end(start: Start) -> None:
    server = start(context=256)
    received, _ = await stopped_in_mid_answer(server, max_tokens=60)
    assert received[-1] == "[DONE]"
    assert server.process.returncode == 0


async def test_what_takes_longer_than_the_grace_is_cut_and_does_not_look_whole(start: Start) -> None:
    server = start(context=4096, llm_drain_seconds=1, threads=1)
    received, seconds = await stopped_in_mid_answer(server, max_tokens=4000)
    assert "[DONE]" not in received
    assert seconds < 6


async def test_several_models_are_served_each_by_its_own_engine(
    start: Start, bundled: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("models")
    for name in ("first.gguf", "second.gguf"):
        (folder / name).symlink_to(bundled)
    more = {"judge": {"file": "second.gguf", "context": 512, "parallel": 2}}
    server = start(models_dir=folder, model_file="first.gguf", context=256, llm_models=json.dumps(more))
    until_it_answers(server)
    async with server.client() as client:
        assert {model["id"] for model in (await client.get("/v1/models")).json()["data"]} == {"default", "judge"}
        contexts = [
            (await client.get("/props", params={"model": name})).json()["n_ctx"] for name in ("default", "judge")
        ]
        assert contexts == [256, 512]
        for name in ("default", "judge"):
            answer = await client.post("/v1/chat/completions", json=a_chat(model=name, max_tokens=2))
            assert answer.json()["model"] == name
        assert (await client.get("/v1/models/nobody")).status_code == 404


async def test_in_exact_mode_the_same_request_gives_the_same_text_whatever_else_runs(start: Start) -> None:
    server = start(context=1024, exact=True)
    until_it_answers(server)
    asked = a_chat("Argue for the sea. " * 30, temperature=0.9, seed=11, max_tokens=40)
    async with server.client() as client:

        async def text() -> str:
            answer = await client.post("/v1/chat/completions", json=asked)
            return answer.json()["choices"][0]["message"]["content"]

        alone = await text()
        others = [
            asyncio.create_task(client.post("/v1/chat/completions", json=a_chat(f"Argue {'for the sea. ' * n}")))
            for n in range(1, 60, 12)
        ]
        beside = [await text() for _ in range(3)]
        for other in others:
            assert (await other).status_code == 200
        assert [*beside, await text()] == [alone] * 4
