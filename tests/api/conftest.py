"""The API over a real Redis: called within the process, or served on a port where streams must flow."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from httpx2 import ASGITransport, AsyncClient

from builders import a_debate, claimed
from conftest import as_user
from rostra.endpoints import Endpoint
from rostra.keys import Scope, make
from rostra.store import Claim, Store, connect
from rostra.store.keys import Keys
from rostra_api.app import Api, create_app
from rostra_api.server import Server
from rostra_api.settings import Settings


@pytest.fixture
def redis_url(redis_url: str) -> str:
    """As the API enters: what it may not do fails here."""
    return as_user("api", redis_url)


@pytest.fixture
def settings(redis_url: str) -> Settings:
    plain = Endpoint(url="http://secret.example", api_key="hush", dialect="openai", context=4096)
    stock = Endpoint(url="http://stock.secret.example", dialect="llama-cpp-python")
    vllm = Endpoint(url="http://vllm.secret.example", dialect="vllm", context=8192)
    return Settings(redis_url=redis_url, models={"plain": plain, "stock": stock, "mixed": [vllm, plain]})


@pytest.fixture
async def app(settings: Settings) -> AsyncIterator[Api]:
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
async def client(app: Api) -> AsyncIterator[AsyncClient]:
    transport = ASGITransport(app, raise_app_exceptions=False)
    async with AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        yield client


@pytest.fixture
async def server(settings: Settings) -> AsyncIterator[Server]:
    """A server that listens; `server.url` says where, `server.app` what it serves."""
    listener = socket.create_server(("127.0.0.1", 0))
    app = create_app(settings)
    server = Server(app, settings)
    server.app = app
    running = asyncio.create_task(server.serve([listener]))
    while not server.started:
        await asyncio.sleep(0.01)
    server.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    yield server
    server.should_exit = True
    await running


@pytest.fixture
async def reader(server: Server) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(base_url=server.url, timeout=20) as reader:
        yield reader


@pytest.fixture
async def keys(redis_url: str) -> AsyncIterator[Keys]:
    keys = Keys(connect(redis_url))
    yield keys
    await keys.close()


@pytest.fixture
def key_of(keys: Keys) -> Callable[..., Awaitable[dict[str, str]]]:
    """Makes a key for an owner; answers the header that carries it."""

    async def made(owner: str, *scopes: str) -> dict[str, str]:
        key, token = make(owner, [Scope(scope) for scope in scopes or ("write",)])
        await keys.add(key)
        return {"Authorization": f"Bearer {token}"}

    return made


@pytest.fixture
async def claim(store: Store) -> Claim:
    """A debate between Ada and Grace that is being held."""
    return await claimed(store, a_debate(rounds=5))
