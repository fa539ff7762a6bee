"""Clients that cost little: plain HTTP/1.1 over asyncio's streams, as they share two cores with the server."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class Rate:
    """What came of asking at a rate. Seconds count from when a request was due, so that waiting in line counts, too."""

    asked: int = 0
    failed: int = 0
    seconds: list[float] = field(default_factory=list)
    took: float = 0.0

    def row(self) -> dict[str, float]:
        return {
            "requests_a_second": round(self.asked / self.took, 1),
            "failed": self.failed,
            **quantiles_ms(self.seconds),
        }


def quantiles_ms(seconds: list[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    return {f"p{q}_ms": round(ordered[min(len(ordered) - 1, len(ordered) * q // 100)] * 1000, 1) for q in (50, 99)}


class Connection:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        self.writer.write(request)
        head = (await self.reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
        return int(head[9:12]), await self.reader.readexactly(length)


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Connection]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Connection(reader, writer)
    finally:
        writer.close()


def get(path: str, **headers: str) -> bytes:
    told = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{told}\r\n".encode()


def post(path: str, body: object) -> bytes:
    content = json.dumps(body)
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(content)}\r\n\r\n{content}".encode()


async def at_rate(port: int, request: Callable[[], bytes], rate: float, seconds: float, connections: int = 32) -> Rate:
    """Asks so many times a second, whether or not answers keep up."""
    due: asyncio.Queue[float | None] = asyncio.Queue()
    told = Rate()

    async def work() -> None:
        async with connected(port) as connection:
            while (when := await due.get()) is not None:
                status, _ = await connection.ask(request())
                told.asked += 1
                told.failed += status >= 400
                told.seconds.append(time.perf_counter() - when)

    workers = [asyncio.create_task(work()) for _ in range(connections)]
    began = time.perf_counter()
    for n in range(round(rate * seconds)):
        when = began + n / rate
        await asyncio.sleep(max(0.0, when - time.perf_counter()))
        due.put_nowait(when)
    for _ in workers:
        due.put_nowait(None)
    await asyncio.gather(*workers)
    told.took = time.perf_counter() - began
    return told


async def as_fast_as_possible(port: int, request: Callable[[], bytes], seconds: float, connections: int = 16) -> Rate:
    told = Rate()
    end = time.perf_counter() + seconds

    async def work() -> None:
        async with connected(port) as connection:
            while (began := time.perf_counter()) < end:
                status, _ = await connection.ask(request())
                told.asked += 1
                told.failed += status >= 400
                told.seconds.append(time.perf_counter() - began)

    await asyncio.gather(*(work() for _ in range(connections)))
    told.took = seconds
    return told


async def follow(port: int, path: str, hear: Callable[[bytes], None], opened: asyncio.Semaphore) -> None:
    """Reads a stream until it ends or is cancelled; `hear` gets each line of data. Releases `opened` once when its
    answer began."""
    async with connected(port) as connection:
        connection.writer.write(get(path))
        await connection.reader.readuntil(b"\r\n\r\n")
        opened.release()
        while line := await connection.reader.readline():
            if line.startswith(b"data: "):
                hear(line)
