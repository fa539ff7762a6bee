"""A model server that says what it is told to: OpenAI's wire format over real HTTP, with faults on request."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route


@dataclass(frozen=True)
class Says:
    """A whole answer, or one that stops without its end where `finish` is None. Its words are said, but it is not over
    before `until` is set."""

    text: str
    finish: str | None = "stop"
    pause: float = 0.0
    usage: dict[str, int] | None = None
    fingerprint: Any = None
    until: threading.Event | None = None


@dataclass(frozen=True)
class Fails:
    """An HTTP error before the stream."""

    status: int = 500
    body: Any = field(default_factory=lambda: {"error": {"message": "out of order"}})


@dataclass(frozen=True)
class Garbage:
    """A stream of this text, as it is."""

    text: str = "data: {not json\n\n"
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Cuts:
    """An answer that begins like any other and breaks off with its connection."""

    text: str


@dataclass(frozen=True)
class Hangs:
    """An answer that is taken on, and never comes."""

    text: str = ""  # what is said before the silence


Answer = Says | Fails | Garbage | Cuts | Hangs
Script = Callable[[dict[str, Any]], Answer]


@dataclass
class ScriptedModel:
    """What the server was asked, and what it answers: the next of `answers`, then `script`."""

    script: Script
    answers: list[Answer] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    context: int = 4096
    system_role: bool = True
    tokenizes: bool = True
    continues_answer: bool = False
    away: bool = False  # for the small questions, as a server that restarts
    tokens: Callable[[str], int] = lambda text: len(text.split())
    counted: list[dict[str, Any]] = field(default_factory=list)
    described: list[str] = field(default_factory=list)  # models that were asked about
    cancelled: int = 0
    url: str = ""
    stop: Callable[[], None] = lambda: None  # the server dies

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/v1/chat/completions", self._complete, methods=["POST"]),
                Route("/props", self._props),
                Route("/tokenize", self._tokenize, methods=["POST"]),
                Route("/health", lambda _: JSONResponse({"status": "ok"})),
            ]
        )

    async def _complete(self, request: Request) -> Response:
        body = await request.json()
        self.requests.append(body)
        self.keys.append(request.headers.get("Authorization", ""))
        answer = self.answers.pop(0) if self.answers else self.script(body)
        match answer:
            case Fails(status, said):
                return JSONResponse(said, status_code=status)
            case Garbage(text, headers):
                return StreamingResponse(iter([text]), media_type="text/event-stream", headers=headers)
            case Cuts(text):
                return StreamingResponse(_cut(text), media_type="text/event-stream")
            case Hangs(text):
                return StreamingResponse(self._silence(text), media_type="text/event-stream")
            case Says():
                return StreamingResponse(self._stream(answer), media_type="text/event-stream")

    async def _silence(self, text: str) -> AsyncIterator[str]:
        try:
            if text:
                yield _chunk({"delta": {"content": text}, "finish_reason": None})
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise

    async def _stream(self, answer: Says) -> AsyncIterator[str]:
        try:
            for word in answer.text.split(" "):
                yield _chunk({"delta": {"content": word + " "}, "finish_reason": None}, answer.fingerprint)
                await asyncio.sleep(answer.pause)
            while answer.until and not answer.until.is_set():
                await asyncio.sleep(0.01)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if answer.finish is not None:
            yield _chunk({"delta": {}, "finish_reason": answer.finish})
        if answer.usage is not None:
            yield f"data: {json.dumps({'choices': [], 'usage': answer.usage})}\n\n"
        yield "data: [DONE]\n\n"

    async def _props(self, request: Request) -> Response:
        self.described.append(request.query_params.get("model", ""))
        if self.away:
            return JSONResponse({"detail": "loading"}, status_code=503)
        roles = {"system": self.system_role}
        return JSONResponse({"n_ctx": self.context, "roles": roles, "continues_answer": self.continues_answer})

    async def _tokenize(self, request: Request) -> Response:
        if self.away:
            return JSONResponse({"detail": "loading"}, status_code=503)
        if not self.tokenizes:
            return JSONResponse({"detail": "Not Found"}, status_code=404)
        body = await request.json()
        self.counted.append(body)
        text = body["prompt"] if "prompt" in body else body["content"]
        return JSONResponse({"tokens": list(range(self.tokens(text)))})


async def _cut(text: str) -> AsyncIterator[str]:
    yield _chunk({"delta": {"content": text}, "finish_reason": None})
    # What the protocol offers for it: the response ends without its last chunk. The server takes it for a client
    # that left.
    raise asyncio.CancelledError


def _chunk(choice: dict[str, Any], fingerprint: Any = None) -> str:
    # Raw UTF-8, as llama-server and vLLM write it; but half of a surrogate pair has no bytes.
    whole = {"choices": [{"index": 0, **choice}], "system_fingerprint": fingerprint}
    written = json.dumps(whole, ensure_ascii=False)
    return "data: " + re.sub("[\ud800-\udfff]", lambda half: f"\\u{ord(half[0]):x}", written) + "\n\n"


def counting() -> Script:
    """Says something new at every request: `Point 1.`, `Point 2.`, …"""
    said = iter(range(1, 1_000_000))
    return lambda _: Says(f"Point {next(said)}.")


@contextlib.contextmanager
def serving(model: ScriptedModel, port: int = 0) -> Iterator[ScriptedModel]:
    """Serves `model` on a port of this machine, a free one unless it is given, in a thread."""
    config = uvicorn.Config(model.app(), port=port, log_config=None, lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        if not thread.is_alive():
            raise RuntimeError("the scripted model server did not start")
    port = server.servers[0].sockets[0].getsockname()[1]
    model.url = f"http://127.0.0.1:{port}"

    def stop() -> None:
        server.should_exit = True
        thread.join(10)

    model.stop = stop
    try:
        yield model
    finally:
        stop()
