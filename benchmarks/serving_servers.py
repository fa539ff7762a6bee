"""The servers that are measured, each set up as it would be for so many requests at once.

    rostra         python -m rostra_llm
    stock          llama-cpp-python's own, through serving_stock.py, which counts for it
    llama-server   llama.cpp's own: the program that LLAMA_SERVER names

The peers' settings that are not named here are their own defaults, their caches' memory among them.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx2 as httpx
from serving_stock import Counts

from rostra.processes import free_port

READY_SECONDS = 120
SPENT = "rostra_llm_engine_seconds_total{"
# What would set a server up behind our back.
FOREIGN = ("ROSTRA_", "LLAMA_ARG_")


@dataclass(frozen=True)
class Setup:
    """What a server is made ready for; `context` is tokens a request."""

    model: Path
    parallel: int
    context: int
    threads: int


@dataclass(frozen=True)
class Place:
    """Where a server runs: its port, and a folder of its own."""

    port: int
    folder: Path

    @property
    def counts(self) -> Path:
        return self.folder / "counts"


@dataclass(frozen=True)
class Server:
    """A server, and one way to set it up."""

    name: str
    variant: str
    command: Callable[[Setup, Place], Sequence[str | Path]]
    environment: Callable[[Setup, Place], Mapping[str, str]] = lambda _setup, _place: {}
    ready: str = "/health"
    hints: bool = False  # takes prompt_cache_key
    tells: bool = True  # says in `usage` what was evaluated
    shipped: bool = False  # set up as it comes: counts, whatever else was tried


@dataclass(frozen=True)
class Running:
    server: Server
    url: str
    pid: int
    counts: Counts = field(repr=False)


def rostra(cache_mib: int | None = None, run: int = 0) -> Server:
    def environment(setup: Setup, place: Place) -> Mapping[str, str]:
        models = place.folder / "models"  # empty: the bundled model is served
        models.mkdir(exist_ok=True)
        settings = {
            "LLM_PORT": place.port,
            "MODELS_DIR": models,
            "CONTEXT": setup.context,
            "PARALLEL": setup.parallel,
            "THREADS": setup.threads,
            "CACHE_RUN": run,
            **({} if cache_mib is None else {"CACHE_MIB": cache_mib}),
        }
        return {f"ROSTRA_{name}": str(value) for name, value in settings.items()}

    command = [sys.executable, "-m", "rostra_llm"]
    return Server("rostra", f"runs of {run}", lambda _setup, _place: command, environment, hints=True)


def stock(cache: bool) -> Server:
    def command(setup: Setup, place: Place) -> Sequence[str | Path]:
        options = {
            "model": setup.model,
            "port": place.port,
            "n_ctx": setup.context,
            "n_threads": setup.threads,
            "n_threads_batch": setup.threads,
            "interrupt_requests": "false",  # else a request ends those before it
            "logits_all": "false",
            "cache": str(cache).lower(),
            "verbose": "false",
        }
        launcher = Path(__file__).with_name("serving_stock.py")
        return [sys.executable, launcher, place.counts, *_flags(options)]

    variant = "cache on" if cache else "cache off, as it comes"
    return Server("stock", variant, command, ready="/v1/models", tells=False, shipped=not cache)


def llama_server(program: str, unified: bool, reuse: int) -> Server:
    def command(setup: Setup, place: Place) -> Sequence[str | Path]:
        options = {
            "model": setup.model,
            "port": place.port,
            "ctx-size": setup.parallel * setup.context,
            "parallel": setup.parallel,
            "threads": setup.threads,
            "threads-batch": setup.threads,
            "cache-reuse": reuse,
        }
        return [program, *_flags(options), "--kv-unified" if unified else "--no-kv-unified"]

    variant = f"{'unified' if unified else 'separate'} KV, cache-reuse {reuse}"
    return Server("llama-server", variant, command)


def _flags(options: Mapping[str, object]) -> list[str]:
    return [word for name, value in options.items() for word in (f"--{name}", str(value))]


def servers(names: Sequence[str]) -> dict[str, list[Server]]:
    """The servers wanted, each with the ways to set it up that are tried; llama-server only where there is one."""
    found = {"rostra": [rostra(), rostra(run=16)], "stock": [stock(cache=False), stock(cache=True)]}
    if program := os.environ.get("LLAMA_SERVER"):
        found["llama-server"] = [llama_server(program, unified, r) for unified in (False, True) for r in (0, 32)]
    elif "llama-server" in names:
        print("llama-server is left out: set LLAMA_SERVER to its program", file=sys.stderr)
    return {name: found[name] for name in names if name in found}


@contextmanager
def running(server: Server, setup: Setup, log: Path | None = None) -> Iterator[Running]:
    """The server, ready for requests; its process ends with the block, its log is kept where `log` says."""
    with TemporaryDirectory() as folder:
        place = Place(free_port(), Path(folder))
        log = log or place.folder / "log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                server.command(setup, place),
                env={**_environment(), **server.environment(setup, place)},
                stdout=output,
                stderr=output,
            )
        try:
            url = f"http://127.0.0.1:{place.port}"
            _wait(process, url + server.ready, log)
            yield Running(server, url, process.pid, Counts(place.counts))
        finally:
            _stop(process)


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}


def _wait(process: subprocess.Popen[bytes], ready: str, log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            if httpx.get(ready, timeout=5).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise SystemExit(f"{process.args} is not ready:\n{log.read_text(errors='replace')[-2000:]}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def metrics(url: str) -> dict[str, float]:
    """A server's counters by name and labels, as Prometheus reads them; none where it has none."""
    answer = httpx.get(f"{url}/metrics", timeout=10)
    if not answer.is_success:
        return {}
    rows = (row.rpartition(" ") for row in answer.text.splitlines() if row and not row.startswith("#"))
    return {name: float(value) for name, _, value in rows}


def python_share(before: Mapping[str, float], after: Mapping[str, float]) -> float | None:
    """The part of the engines' busy time that they spent in Python; None where the server does not tell."""
    spent = {name: value - before.get(name, 0.0) for name, value in after.items() if name.startswith(SPENT)}
    busy = sum(spent.values())
    in_python = sum(seconds for name, seconds in spent.items() if 'part="python"' in name)
    return round(in_python / busy, 4) if busy else None
