"""A debate in which a model says every attack of the corpus, through the real worker and API, and all its readings."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from httpx2 import AsyncClient

from builders import a_debate
from playing import played
from rostra.plain import whole
from rostra.store import Store, connect
from rostra_api.app import create_app
from rostra_api.server import Server
from rostra_api.settings import Settings
from rostra_orchestrator.settings import Settings as OrchestratorSettings
from scripted import Says, ScriptedModel, serving

_CORPUS = Path(__file__).parent / "corpus" / "attacks.jsonl"  # a JSON string a line: some attacks are no UTF-8
ATTACKS: list[str] = [json.loads(line) for line in _CORPUS.read_text(encoding="utf-8").splitlines()]
# What could not be stored or sent as UTF-8 arrives as U+FFFD; the rest as it was said, but for the space around it.
SAID = [whole(attack).strip() for attack in ATTACKS]


@dataclass(frozen=True)
class Readings:
    """What readers of the API were sent."""

    transcript: dict[str, Any]
    markdown: str
    html: str
    lines: str
    sheet: str
    live: bytes  # followed from the beginning to the end
    replayed: bytes  # read afterwards
    headers: list[tuple[str, str]]


def attacked(redis_url: str) -> Readings:
    """Holds the debate in the empty Redis at `redis_url`."""
    with serving(ScriptedModel(lambda _: Says("Nothing more."), answers=[Says(attack) for attack in ATTACKS])) as model:
        return asyncio.run(_readings(redis_url, model.url))


async def _readings(redis_url: str, model_url: str) -> Readings:
    store = Store(connect(redis_url))
    debate = a_debate(rounds=len(ATTACKS) // 2 + 1, guard="off", turn={"max_tokens": 8192})
    async with api(redis_url) as client:
        await store.create(debate)
        live = asyncio.create_task(client.get(f"/v1/debates/{debate.id}/events"))
        claim = await store.claim(debate.id, "worker:1")
        await played(store, OrchestratorSettings(redis_url=redis_url, llm_url=model_url), claim)
        forms = [
            await client.get(f"/v1/debates/{debate.id}/{form}")
            for form in (
                "transcript.json",
                "transcript.md",
                "transcript.html",
                "transcript.ndjson",
                "transcript.csv",
                "events",
            )
        ]
        read = Readings(
            forms[0].json(),
            *(form.text for form in forms[1:5]),
            (await live).content,
            forms[5].content,
            [pair for form in forms for pair in form.headers.multi_items()],
        )
    await store.close()
    return read


@asynccontextmanager
async def api(redis_url: str) -> AsyncIterator[AsyncClient]:
    """The API as it is served; its client."""
    # With its protocol named, asyncio sends small answers at once; else each waits 40 ms for an acknowledgement.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    settings = Settings(redis_url=redis_url, rate=100_000, rate_burst=100_000)
    server = Server(create_app(settings), settings)
    running = asyncio.create_task(server.serve([listener]))
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        async with AsyncClient(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}", timeout=60) as client:
            yield client
    finally:
        server.should_exit = True
        await running
