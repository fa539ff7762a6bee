"""A real server with the bundled model, in a process of its own, as it runs in production."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from rostra.processes import free_port
from rostra_llm.models import find_model
from rostra_llm.settings import Settings
from rostra_llm.vocabulary import Vocabulary

KEY = "a key for tests"
CONTEXT = 1024


@dataclass
class Server:
    url: str
    process: subprocess.Popen[str]
    log: Path

    def client(self, key: str | None = KEY) -> httpx2.AsyncClient:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return httpx2.AsyncClient(base_url=self.url, headers=headers, timeout=60)


@pytest.fixture(scope="session")
def bundled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return find_model(Settings(models_dir=tmp_path_factory.mktemp("no-models"))).path


@pytest.fixture(scope="session")
def vocabulary(bundled: Path) -> Vocabulary:
    return Vocabulary(bundled, None)


@pytest.fixture(scope="session")
def without_template(bundled: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundled model with its template under another name, of the same length: as base models come."""
    file = tmp_path_factory.mktemp("base-model") / "base.gguf"
    shutil.copy(bundled, file)
    with file.open("r+b") as model:
        head = model.read(4 << 20)
        model.seek(head.index(b"tokenizer.chat_template"))
        model.write(b"tokenizer.chat_xemplate")
    return file


@pytest.fixture(scope="session")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Server]]:
    """Starts `python -m rostra_llm` with these settings and no others."""
    running: list[subprocess.Popen[str]] = []

    def start_one(**settings: object) -> Server:
        folder = tmp_path_factory.mktemp("server")
        port = free_port()
        given = {"models_dir": folder, "llm_port": port} | settings
        environment = {name: value for name, value in os.environ.items() if not name.startswith("ROSTRA_")}
        environment |= {f"ROSTRA_{name.upper()}": str(value) for name, value in given.items()}
        log = folder / "log"
        with log.open("w") as out:
            command = [sys.executable, "-m", "rostra_llm"]
            process = subprocess.Popen(command, env=environment, cwd=folder, stdout=out, stderr=out, text=True)
        running.append(process)
        return Server(f"http://127.0.0.1:{port}", process, log)

    yield start_one
    for process in running:
        process.kill()
        process.wait()


@pytest.fixture(scope="session")
def server(start: Callable[..., Server]) -> Server:
    server = start(llm_api_key=KEY, context=CONTEXT)
    until_it_answers(server)
    return server


@pytest.fixture
async def client(server: Server) -> AsyncIterator[httpx2.AsyncClient]:
    async with server.client() as client:
        yield client


def until_it_answers(server: Server, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and server.process.poll() is None:
        try:
            httpx2.get(f"{server.url}/health").raise_for_status()
        except httpx2.HTTPError:
            time.sleep(0.05)
        else:
            return
    pytest.fail(f"no answer: {server.log.read_text()}")
