"""Slow clients, large bodies and many connections: each is bounded, and the API answers the others meanwhile."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from httpx2 import AsyncClient

from builders import a_turn
from rostra.models import Status
from rostra.store import Claim, Store
from rostra_api.app import create_app
from rostra_api.connections import LEAVING_BYTES, LEAVING_SECONDS, MOST_LEAVING, Connection
from rostra_api.intake import MAX_HEAD
from rostra_api.server import Server
from rostra_api.settings import Settings

Open = Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]


@asynccontextmanager
async def serving(settings: Settings, **bounds: Any) -> AsyncIterator[int]:
    """A server with these bounds; its port."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    settings = settings.model_copy(update=bounds)
    server = Server(create_app(settings), settings)
    running = asyncio.create_task(server.serve([listener]))
    while not server.started:
        await asyncio.sleep(0.01)
    yield listener.getsockname()[1]
    server.should_exit = True
    await running


async def said(port: int, text: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(text.encode())
    await writer.drain()
    return reader, writer


async def is_cut(reader: asyncio.StreamReader, within: float = 5) -> bool:
    """Whether the connection ends without an answer."""
    try:
        async with asyncio.timeout(within):
            return await reader.read() == b""
    except ConnectionResetError:
        return True


def head(route: str, *headers: str) -> str:
    return "\r\n".join([f"{route} HTTP/1.1", "Host: 127.0.0.1", *headers, "", ""])


def post(length: int) -> str:
    return head("POST /v1/debates", "Content-Type: application/json", f"Content-Length: {length}")


async def without_end(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")
        await writer.drain()
        await asyncio.sleep(0.01)


class TestSlowClients:
    @pytest.mark.parametrize("beginning", ["", "GET /heal", "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "])
    async def test_headers_that_do_not_come_are_not_waited_for(self, settings: Settings, beginning: str):
        async with serving(settings, head_seconds=0.5) as port:
            reader, writer = await said(port, beginning)
            assert await is_cut(reader)
            writer.close()

    async def test_headers_that_drip_are_not_waited_for(self, settings: Settings):
        async with serving(settings, head_seconds=0.5) as port:
            reader, writer = await said(port, "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ")

            async def drip() -> None:
                while True:
                    writer.write(b"x")
                    await asyncio.sleep(0.1)

            dripping = asyncio.create_task(drip())
            assert await is_cut(reader)
            dripping.cancel()
            writer.close()

    async def test_nor_are_those_of_a_second_request(self, settings: Settings):
        async with serving(settings, head_seconds=0.5) as port:
            reader, writer = await said(port, head("GET /healthz"))
            assert b'{"status":"ok"}' in await reader.readuntil(b"}")
            writer.write(b"GET /hea")
            assert await is_cut(reader)
            writer.close()

    async def test_a_body_that_does_not_come_is_not_waited_for(self, settings: Settings):
        async with serving(settings, body_seconds=0.5) as port:
            reader, writer = await said(port, post(100) + '{"motion": ')
            assert await is_cut(reader)
            writer.close()

    async def test_a_body_that_does_not_end_is_not_waited_for_on_any_route(self, settings: Settings):
        async with serving(settings, body_seconds=0.5) as port:
            reader, writer = await said(port, head("GET /v1/formats", "Transfer-Encoding: chunked"))
            assert (await reader.readline()).startswith(b"HTTP/1.1 200")
            with pytest.raises(ConnectionError):
                await asyncio.wait_for(without_end(writer), 10)

    async def test_a_slow_body_within_the_time_is_taken(self, settings: Settings):
        async with serving(settings, body_seconds=5) as port:
            body = json.dumps({"motion": "Tabs beat spaces"})
            reader, writer = await said(port, post(len(body)))
            for byte in body:
                writer.write(byte.encode())
                await asyncio.sleep(0.01)
            assert (await reader.readline()).startswith(b"HTTP/1.1 202")
            writer.close()

    async def test_a_reader_who_does_not_read_is_cut_off(self, settings: Settings, store: Store, claim: Claim):
        async with (
            serving(settings, send_seconds=0.5) as port,
            AsyncClient(base_url=f"http://127.0.0.1:{port}") as http,
        ):
            _, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            writer.write(head(f"GET /v1/debates/{claim.debate.id}/events").encode())
            writer.transport.pause_reading()
            async with asyncio.timeout(5):
                while await self.followers(http) != 1:
                    await asyncio.sleep(0.05)
            for seq in range(1, 11):
                await store.append(claim, a_turn(seq, text="word " * 200_000))
            async with asyncio.timeout(20):
                while await self.followers(http) != 0:
                    await asyncio.sleep(0.1)
            writer.transport.abort()

    async def test_what_waits_for_slow_readers_is_bounded_in_all(self, settings: Settings, store: Store, claim: Claim):
        for seq in range(1, 11):
            await store.append(claim, a_turn(seq, text="word " * 100_000))
        async with serving(settings, send_mib=8) as port:
            slow: list[asyncio.StreamWriter] = []
            for _ in range(12):  # 5 MB each, of which the kernel takes up to 4
                reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                writer.write(head(f"GET /v1/debates/{claim.debate.id}/transcript.json").encode())
                assert (await reader.readline()).startswith(b"HTTP/1.1 200")
                writer.transport.pause_reading()
                slow.append(writer)
            (kind,) = {kind for kind in Connection.__subclasses__() if kind.slow}
            assert 0 < sum(one.transport.get_write_buffer_size() for one in kind.slow) <= 8 << 20
            assert len(kind.slow) < 12
            for writer in slow:
                writer.transport.abort()

    async def followers(self, http: AsyncClient) -> int:
        told = (await http.get("/metrics")).text
        return int(float(next(line for line in told.splitlines() if line.startswith("rostra_followers ")).split()[1]))

    async def test_one_who_waits_patiently_is_not_cut_off(self, settings: Settings, store: Store, claim: Claim):
        async with (
            serving(settings, head_seconds=0.3, body_seconds=0.3, send_seconds=0.3) as port,
            AsyncClient(base_url=f"http://127.0.0.1:{port}") as http,
        ):
            waiting = asyncio.create_task(http.get(f"/v1/debates/{claim.debate.id}?wait=10"))
            await asyncio.sleep(1)
            await store.finish(claim, Status.COMPLETED)
            assert (await waiting).json()["status"] == "completed"


class TestManyConnections:
    async def test_beyond_the_bound_one_is_told_to_come_back(self, settings: Settings):
        async with serving(settings, max_connections=10) as port:
            held = [await said(port, "") for _ in range(10)]
            reader, writer = await said(port, head("GET /healthz"))
            told, _, body = (await reader.read()).partition(b"\r\n\r\n")
            assert told.startswith(b"HTTP/1.1 503")
            assert b"retry-after: 5" in told
            assert json.loads(body)["bound"] == "ROSTRA_MAX_CONNECTIONS"
            for _, one in [*held, (reader, writer)]:
                one.close()
            await asyncio.sleep(0.1)
            reader, writer = await said(port, head("GET /healthz"))
            assert (await reader.readline()).startswith(b"HTTP/1.1 200")
            writer.close()


class TestLongHeads:
    @pytest.mark.parametrize("route", ["GET /healthz", "GET /v1/debates", "POST /nowhere"])
    @pytest.mark.parametrize("ended", [True, False])
    async def test_one_that_is_too_long_is_refused_ended_or_not(self, settings: Settings, route: str, ended: bool):
        async with serving(settings) as port:
            sent = head(route, "X-Long: " + "x" * (MAX_HEAD + 1))
            reader, writer = await said(port, sent if ended else sent[:-4])
            told, _, body = (await asyncio.wait_for(reader.read(), 5)).partition(b"\r\n\r\n")
            assert told.startswith(b"HTTP/1.1 431 ")
            assert json.loads(body)["type"] == "urn:rostra:problem:head-too-large"
            writer.close()

    async def test_one_of_many_small_headers_counts_whole(self, settings: Settings):
        async with serving(settings) as port:
            reader, writer = await said(port, head("GET /healthz", *(f"X-{n}: x" for n in range(2000))))
            assert (await reader.readline()).startswith(b"HTTP/1.1 431 ")
            writer.close()

    async def test_one_that_never_ends_is_cut_off(self, settings: Settings):
        async with serving(settings) as port:
            _, writer = await said(port, "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n")
            with pytest.raises(ConnectionError):
                await asyncio.wait_for(self.without_end(writer), 20)
            writer.close()

    async def without_end(self, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(b"X-More: " + b"x" * 1000 + b"\r\n")
            await writer.drain()
            await asyncio.sleep(0.001)

    async def test_one_within_the_bound_is_read(self, settings: Settings):
        async with serving(settings) as port:
            reader, writer = await said(port, head("GET /healthz", "X-Long: " + "x" * (MAX_HEAD - 200)))
            assert (await reader.readline()).startswith(b"HTTP/1.1 200")
            writer.close()


class TestBodiesThatAreTooLarge:
    LARGE = 200 << 20

    def pieces(self) -> Iterator[bytes]:
        for _ in range(self.LARGE >> 20):
            yield b" " * (1 << 20)

    @pytest.mark.parametrize("declared", [True, False])
    async def test_a_client_that_sends_all_of_it_first_is_told_so(self, settings: Settings, declared: bool):
        async with serving(settings) as port:
            status, kind = await asyncio.to_thread(self.posted, port, declared)
            assert (status, kind) == (413, "urn:rostra:problem:too-large")

    def posted(self, port: int, declared: bool) -> tuple[int, str]:
        """As the standard library's client does it, which writes the whole body before it reads."""
        client = HTTPConnection("127.0.0.1", port, timeout=30)
        length = {"Content-Length": str(self.LARGE)} if declared else {}
        headers = {"Content-Type": "application/json", **length}
        client.request("POST", "/v1/debates", self.pieces(), headers, encode_chunked=not declared)
        answer = client.getresponse()
        told = json.loads(answer.read())
        client.close()
        return answer.status, told["type"]

    async def test_one_that_does_not_stop_is_cut_off_after_so_many_bytes(self, settings: Settings):
        async with serving(settings) as port:
            reader, writer = await said(port, post(1 << 40))
            assert (await reader.readline()).startswith(b"HTTP/1.1 413")
            sent = await self.taken(writer, b" " * (1 << 20))
            assert LEAVING_BYTES / 2 < sent < LEAVING_BYTES + (64 << 20)  # the kernel takes some of it
            writer.close()

    async def test_one_that_drips_is_cut_off_after_some_time(self, settings: Settings):
        async with serving(settings) as port:
            reader, writer = await said(port, post(1 << 20))
            assert (await reader.readline()).startswith(b"HTTP/1.1 413")
            async with asyncio.timeout(4 * LEAVING_SECONDS):
                await self.taken(writer, b" ", pause=0.1)
            writer.close()

    async def taken(self, writer: asyncio.StreamWriter, piece: bytes, pause: float = 0.0) -> int:
        """How many bytes could be sent, piece after piece, until the connection was cut."""
        sent = 0
        with suppress(ConnectionError):
            while sent < 2 * LEAVING_BYTES:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(pause)
                sent += len(piece)
        return sent

    async def test_those_who_are_left_slowly_are_bounded_in_number(self, settings: Settings):
        async with serving(settings) as port:
            clients = [await said(port, post(1 << 20)) for _ in range(MOST_LEAVING + 20)]
            for reader, _ in clients:
                assert (await reader.readline()).startswith(b"HTTP/1.1 413")
            (kind,) = {kind for kind in Connection.__subclasses__() if kind.leaving}
            assert len(kind.leaving) == MOST_LEAVING
            for _, writer in clients:
                writer.close()
            async with asyncio.timeout(5):
                while kind.leaving:
                    await asyncio.sleep(0.01)


class TestWhatIsNotHttp:
    @pytest.mark.parametrize("sent", ["BREW\r\n\r\n", "GET / HTTP/1.1\r\n\r\n"])
    async def test_it_is_answered_with_a_problem(self, settings: Settings, sent: str):
        async with serving(settings) as port:
            reader, writer = await said(port, sent)
            told, _, body = (await reader.read()).partition(b"\r\n\r\n")
            assert told.startswith(b"HTTP/1.1 400 Bad Request\r\n")
            assert json.loads(body)["type"] == "urn:rostra:problem:not-http"
            writer.close()

    async def test_in_the_middle_of_an_answer_the_connection_is_cut(self, settings: Settings, claim: Claim):
        async with serving(settings) as port:
            request = head(f"GET /v1/debates/{claim.debate.id}/events", "Transfer-Encoding: chunked")
            reader, writer = await said(port, request)
            assert (await reader.readline()).startswith(b"HTTP/1.1 200")
            writer.write(b"no chunk\r\n")
            with suppress(ConnectionResetError):
                assert b"HTTP/1.1" not in await asyncio.wait_for(reader.read(), 5)
            writer.close()


class TestUnderAttack:
    @pytest.fixture
    async def api(self, redis_url: str) -> AsyncIterator[tuple[int, int]]:
        """An API in a process of its own: its port and its process id."""
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        environment = {**os.environ, "ROSTRA_REDIS_URL": redis_url, "ROSTRA_PORT": str(port), "ROSTRA_RATE": "1000"}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "rostra_api", env=environment, stderr=asyncio.subprocess.DEVNULL
        )
        while True:
            try:
                _, writer = await said(port, "")
            except ConnectionRefusedError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                break
        yield port, process.pid
        process.terminate()
        await process.wait()

    def memory(self, pid: int) -> float:
        """MiB that the process has in memory."""
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)

    async def slowest(self, port: int, seconds: float) -> float:
        """The longest that it took to hear whether it lives."""
        longest, end = 0.0, time.monotonic() + seconds
        async with AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10) as http:
            while time.monotonic() < end:
                began = time.monotonic()
                assert (await http.get("/healthz")).status_code == 200
                longest = max(longest, time.monotonic() - began)
                await asyncio.sleep(0.05)
        return longest

    async def test_500_slow_clients_cost_little_and_stall_nobody(self, api: tuple[int, int]):
        port, pid = api
        await self.slowest(port, 0.5)
        before = self.memory(pid)
        unfinished = head("GET /v1/debates", "X-Slow: " + "x" * 8000)[:-4]
        slow = [await said(port, unfinished if n % 2 else post(60_000) + " " * 30_000) for n in range(500)]
        longest = await self.slowest(port, 2)
        assert self.memory(pid) - before < 64
        assert longest < 2  # milliseconds on an idle machine; this one may be shared
        for _, writer in slow:
            writer.close()

    @pytest.mark.parametrize("path", ["POST /v1/debates", "GET /v1/formats", "DELETE /v1/debates/x"])
    async def test_200_mb_cost_little_and_stall_nobody(self, api: tuple[int, int], path: str):
        port, pid = api
        await self.slowest(port, 0.5)
        before, sent = self.memory(pid), 0
        chunked = head(path, "Content-Type: application/json", "Transfer-Encoding: chunked")
        _, writer = await said(port, chunked)
        asking = asyncio.create_task(self.slowest(port, 2))
        try:
            while sent < 200 << 20:
                writer.write(b"100000\r\n" + b" " * (1 << 20) + b"\r\n")
                await writer.drain()
                sent += 1 << 20
        except ConnectionError:
            pass  # it is refused, and the connection closed
        writer.close()
        assert await asking < 2
        assert self.memory(pid) - before < 32
