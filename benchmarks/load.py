"""How much the API bears, beside the least that FastAPI and RQ do by themselves: rates, streams, debates, and abuse.

The clients share the machine with what they measure. Limits on how fast and how many one may ask are lifted where the
throughput is measured. `make bench-load` runs it; it writes benchmarks/results/load.json and its part of
docs/performance.md.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from itertools import cycle
from pathlib import Path
from typing import Any

import httpx2 as httpx
import redis
from load_clients import as_fast_as_possible, at_rate, connected, follow, get, post, quantiles_ms
from load_report import report
from serving_report import write_between
from turn_cost import redis_server

from builders import a_debate, a_turn, claimed
from rostra.processes import free_port
from rostra.store import Store, connect
from scripted import Says, ScriptedModel, serving

HERE = Path(__file__).parent
TICKS = os.sysconf("SC_CLK_TCK")
LIFTED = {
    "ROSTRA_RATE": "1000000",
    "ROSTRA_RATE_BURST": "1000000",
    "ROSTRA_QUEUED": "1000000",
    "ROSTRA_QUEUED_PER_OWNER": "1000000",
    "ROSTRA_FOLLOWERS_PER_OWNER": "4000",
    "ROSTRA_LOG_LEVEL": "error",
}
DEBATE = {"motion": "Tabs beat spaces", "language": "en", "seed": 40}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=8, help="of each rate")
    parser.add_argument("--readers", type=int, default=500, help="of one debate")
    parser.add_argument("--idle", type=int, default=1000, help="readers of debates in which nothing happens")
    parser.add_argument("--debates", type=int, default=50, help="debates of two turns through one worker")
    parser.add_argument("--queued", type=int, default=10_000, help="debates in the queue, for health under load")
    options = parser.parse_args()
    results = {"load_average": os.getloadavg()[0], **asyncio.run(measured(options))}
    (HERE / "results" / "load.json").write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    write_between(HERE.parent / "docs" / "performance.md", "load", report(results))


async def measured(options: argparse.Namespace) -> dict[str, Any]:
    results: dict[str, Any] = {}
    for name in ("rostra", "bare"):
        with tempfile.TemporaryDirectory() as folder, redis_server(Path(folder)) as url, served(name, url) as api:
            results[name] = {
                **await rates(api, options.seconds),
                "fan_out": await fan_out(name, url, api, options.readers),
                "idle": await idle(url, api, options.idle),
                "debates": await debates(name, url, api, Path(folder), options.debates),
            }
            print(name, json.dumps(results[name]), flush=True)
    with tempfile.TemporaryDirectory() as folder, redis_server(Path(folder)) as url, served("rostra", url) as api:
        results["abuse"] = await abuse(url, api, options)
        print("abuse", json.dumps(results["abuse"]), flush=True)
    return results


# ── What is measured ────────────────────────────────────────────────────────────────────────────────────


async def rates(api: Api, seconds: float) -> dict[str, Any]:
    """POST and GET at the rates of the targets, and as fast as they go."""
    begin = post("/v1/debates", DEBATE)
    async with connected(api.port) as connection:
        ids = cycle([json.loads((await connection.ask(begin))[1])["id"] for _ in range(50)])
    found = {}
    for kind, request, rate in (
        ("post", lambda: begin, 200),
        ("get", lambda: get(f"/v1/debates/{next(ids)}"), 1000),
    ):
        before = api.cpu_seconds()
        steady = await at_rate(api.port, request, rate, seconds)
        spent = api.cpu_seconds() - before
        fastest = await as_fast_as_possible(api.port, request, seconds / 2)
        found[kind] = {
            "asked_a_second": rate,
            **steady.row(),
            "cpu_ms": round(spent / steady.asked * 1000, 2),
            "most_a_second": round(fastest.asked / fastest.took),
            "failed_at_most": fastest.failed,
        }
    return found


async def fan_out(name: str, url: str, api: Api, readers: int, events: int = 40, pause: float = 0.25) -> dict[str, Any]:
    """One debate, many readers: from the moment that an event is sent to Redis until each reader has it."""
    async with contextlib.AsyncExitStack() as stack:
        append, path = await stack.enter_async_context(_speaking(name, url, events))
        delays: list[float] = []

        def hear(line: bytes) -> None:
            if b"spoken at" in line:
                delays.append(time.perf_counter() - float(line.partition(b"spoken at ")[2].split(b";")[0]))

        before = api.cpu_seconds()
        async with following(api.port, [path] * readers, hear):
            for seq in range(1, events + 1):
                await append(seq, f"spoken at {time.perf_counter()};")
                await asyncio.sleep(pause)
            await asyncio.sleep(2)
        spent = api.cpu_seconds() - before
    heard = len(delays)
    return {
        "readers": readers,
        "events": events,
        "missed": readers * events - heard,
        **quantiles_ms(delays),
        "cpu_us_a_message": round(spent / heard * 1_000_000),
    }


@asynccontextmanager
async def _speaking(name: str, url: str, events: int) -> AsyncIterator[tuple[Any, str]]:
    if name == "bare":
        async with redis.asyncio.Redis.from_url(url) as client:
            yield lambda _, text: client.xadd("debate", {"data": text}), "/v1/debates/debate/events"
        return
    store = Store(connect(url))
    claim = await claimed(store, a_debate(rounds=events))
    yield lambda seq, text: store.append(claim, a_turn(seq, text=text)), f"/v1/debates/{claim.debate.id}/events"
    await store.close()


async def idle(url: str, api: Api, readers: int) -> dict[str, Any]:
    """What readers cost in whose debates nothing happens; as many readers a debate as there are debates."""
    async with connected(api.port) as connection:
        ids = [json.loads((await connection.ask(post("/v1/debates", DEBATE)))[1])["id"] for _ in range(100)]
    before = api.memory_mib()
    paths = [f"/v1/debates/{ids[n % len(ids)]}/events" for n in range(readers)]
    async with following(api.port, paths, lambda _: None):
        await asyncio.sleep(2)
        began = api.cpu_seconds()
        await asyncio.sleep(5)
        spent = api.cpu_seconds() - began
        after = api.memory_mib()
        with redis.Redis.from_url(url) as client:
            connections = client.info("clients")["connected_clients"]
    return {
        "readers": readers,
        "kib_a_reader": round((after - before) * 1024 / readers, 1),
        "cpu_percent": round(spent / 5 * 100, 1),
        "redis_connections": connections,
    }


async def debates(name: str, url: str, api: Api, folder: Path, number: int) -> dict[str, Any]:
    """Debates of two turns with a model that answers at once, or RQ's jobs that do nothing, through one worker."""
    with redis.Redis.from_url(url) as client:
        client.flushall()
    model = ScriptedModel(lambda _: Says("Tabs are one byte."), context=8192)
    with serving(model) as served_model, worker(name, url, served_model.url, folder):
        request = post("/v1/debates", {**DEBATE, "rounds": 1, "guard": "off"})
        async with connected(api.port) as connection:
            ids = [json.loads((await connection.ask(request))[1])["id"] for _ in range(number + 1)]
            await _ended(connection, ids[:1])  # what the worker needs to start is not counted
            began = time.perf_counter()
            await _ended(connection, ids)
            took = time.perf_counter() - began
    return {"debates": number, "a_second": round(number / took, 1)}


async def _ended(connection: Any, ids: list[str]) -> None:
    for debate in ids:
        while True:
            _, body = await connection.ask(get(f"/v1/debates/{debate}"))
            if any(word in body for word in (b'"completed"', b"FINISHED", b"finished")):
                break
            if any(word in body for word in (b'"failed"', b'"collapsed"')):
                raise SystemExit(body.decode())
            await asyncio.sleep(0.02)


async def abuse(url: str, api: Api, options: argparse.Namespace) -> dict[str, Any]:
    """`/healthz` asked fifty times a second, and the API's memory, under each load by itself and then under all."""
    await rates(api, 1)
    found: dict[str, Any] = {"nothing": await _healthy(api, asyncio.sleep(5))}
    found["body_of_200_mb"] = await _healthy(api, large_bodies(api, 5))
    found["slow_clients_500"] = await _healthy(api, slow_clients(api, 500))
    found[f"readers_{options.idle}"] = await _healthy(api, many_readers(api, options.idle))
    found[f"queue_of_{options.queued}"] = await _healthy(api, flood(api, options.queued))
    everything = (large_bodies(api, 5), slow_clients(api, 500), many_readers(api, options.idle), flood(api, 1000))
    found["all_at_once"] = await _healthy(api, asyncio.gather(*everything))
    return found


async def _healthy(api: Api, load: Any) -> dict[str, Any]:
    api.peak_mib()
    sampler = await asyncio.create_subprocess_exec(
        sys.executable,
        str(HERE / "load_health.py"),
        str(api.port),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    said = await load
    health, _ = await sampler.communicate(b"")
    told = {"healthz": json.loads(health), "peak_mib": api.peak_mib()}
    return told | ({"said": said} if isinstance(said, dict) else {})


async def large_bodies(api: Api, seconds: float) -> dict[str, int]:
    """Ten at once, of 200 MB each, with and without their length declared; what was answered."""
    said: dict[str, int] = {}
    end = time.perf_counter() + seconds

    async def send(declared: bool) -> None:
        while time.perf_counter() < end:
            status = await _large_body(api, declared)
            said[status] = said.get(status, 0) + 1

    await asyncio.gather(*(send(n % 2 == 0) for n in range(10)))
    return said


async def _large_body(api: Api, declared: bool) -> str:
    """The status that is answered, whether or not the whole body was taken."""
    length = "Content-Length: 200000000" if declared else "Transfer-Encoding: chunked"
    head = f"POST /v1/debates HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{length}\r\n\r\n"
    piece = b" " * 65536 if declared else b"10000\r\n" + b" " * 65536 + b"\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", api.port)
    answered = asyncio.ensure_future(reader.readuntil(b"\r\n"))
    try:
        writer.write(head.encode())
        for _ in range(200_000_000 // 65536):
            if answered.done():
                break
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        async with asyncio.timeout(10):
            return (await answered)[9:12].decode()
    except (OSError, EOFError, TimeoutError):
        return "cut off"
    finally:
        answered.cancel()
        writer.close()


async def slow_clients(api: Api, number: int, seconds: float = 10) -> None:
    """Each sends a byte of its request a second."""
    writers = [(await asyncio.open_connection("127.0.0.1", api.port))[1] for _ in range(number)]
    request = iter(post("/v1/debates", DEBATE))
    for _ in range(round(seconds)):
        byte = bytes([next(request)])
        for writer in writers:
            with contextlib.suppress(ConnectionError):
                writer.write(byte)
        await asyncio.sleep(1)
    for writer in writers:
        writer.close()


async def many_readers(api: Api, number: int) -> None:
    async with connected(api.port) as connection:
        debate = json.loads((await connection.ask(post("/v1/debates", DEBATE)))[1])["id"]
    async with following(api.port, [f"/v1/debates/{debate}/events"] * number, lambda _: None):
        await asyncio.sleep(5)


async def flood(api: Api, number: int) -> dict[str, int]:
    told: dict[str, int] = {}

    async def begin(share: int) -> None:
        async with connected(api.port) as connection:
            for _ in range(share):
                status, _ = await connection.ask(post("/v1/debates", DEBATE))
                told[str(status)] = told.get(str(status), 0) + 1

    await asyncio.gather(*(begin(number // 10) for _ in range(10)))
    return told


@asynccontextmanager
async def following(port: int, paths: list[str], hear: Any) -> AsyncIterator[None]:
    """All these streams, opened before it begins."""
    opened = asyncio.Semaphore(0)
    readers: list[asyncio.Task[None]] = []
    for n, path in enumerate(paths):
        readers.append(asyncio.create_task(follow(port, path, hear, opened)))
        if n % 50 == 49:
            await asyncio.sleep(0.05)
    for _ in readers:
        async with asyncio.timeout(60):
            await opened.acquire()
    yield
    for reader in readers:
        reader.cancel()
    await asyncio.gather(*readers, return_exceptions=True)


# ── Processes ───────────────────────────────────────────────────────────────────────────────────────────


class Api:
    """A process that serves, looked at through /proc."""

    def __init__(self, pid: int, port: int) -> None:
        self.pid, self.port = pid, port

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:13])) / TICKS

    def memory_mib(self) -> float:
        return self._status("VmRSS")

    def peak_mib(self) -> float:
        """The most since the last time that it was asked."""
        peak = round(self._status("VmHWM"), 1)
        with contextlib.suppress(OSError):
            Path(f"/proc/{self.pid}/clear_refs").write_text("5")
        return peak

    def _status(self, name: str) -> float:
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1024


@contextmanager
def served(name: str, url: str) -> Iterator[Api]:
    port = free_port()
    command = {
        "rostra": [sys.executable, "-m", "rostra_api"],
        "bare": [
            *(sys.executable, "-m", "uvicorn", "load_bare:app", f"--port={port}"),
            *("--no-access-log", "--log-level=critical"),
        ],
    }[name]
    with process(command, {"ROSTRA_REDIS_URL": url, "ROSTRA_PORT": str(port), **LIFTED}) as pid:
        for _ in range(200):
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"http://127.0.0.1:{port}/healthz").is_success:
                    break
            time.sleep(0.1)
        yield Api(pid, port)


@contextmanager
def worker(name: str, url: str, model: str, folder: Path) -> Iterator[None]:
    command = {
        "rostra": [sys.executable, "-m", "rostra_orchestrator"],
        "bare": [Path(sys.executable).with_name("rq"), "worker", "--quiet", "--url", url],
    }[name]
    settings = {"ROSTRA_LLM_URL": model, "ROSTRA_WORKERS": "1", "TMPDIR": str(folder)}
    with process(command, {"ROSTRA_REDIS_URL": url, **settings, **LIFTED}):
        yield


@contextmanager
def process(command: list[Any], environment: dict[str, str]) -> Iterator[int]:
    path = os.pathsep.join([str(HERE), *sys.path])
    started = subprocess.Popen(
        command, env={**os.environ, **environment, "PYTHONPATH": path}, stdout=subprocess.DEVNULL, stderr=None
    )
    try:
        yield started.pid
    finally:
        started.terminate()
        started.wait(30)


if __name__ == "__main__":
    main()
