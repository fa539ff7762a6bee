"""The processes as people start them: the API, workers, Redis and a model that talks; for other programs to ask."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2 as httpx
import pytest

from conftest import as_user, free_port
from scripted import ScriptedModel, counting, serving


@pytest.fixture(scope="session")
def stack(redis_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the API is."""
    port, folder = free_port(), tmp_path_factory.mktemp("stack")
    with serving(ScriptedModel(counting())) as model:
        own = {"ROSTRA_LLM_URL": model.url, "ROSTRA_PORT": str(port), "ROSTRA_WORKERS": "2", "TMPDIR": str(folder)}
        with (
            started("rostra_api", "api", redis_server, own),
            started("rostra_orchestrator", "orchestrator", redis_server, own),
        ):
            until_ready(f"http://127.0.0.1:{port}")
            yield f"http://127.0.0.1:{port}"


@contextmanager
def started(module: str, user: str, redis_url: str, own: dict[str, str]) -> Iterator[None]:
    environment = {**os.environ, **own, "ROSTRA_REDIS_URL": as_user(user, redis_url)}
    process = subprocess.Popen([sys.executable, "-m", module], env=environment, stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


def until_ready(url: str) -> None:
    for _ in range(1200):
        try:
            if httpx.get(f"{url}/readyz").is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise TimeoutError("the stack did not get ready")
