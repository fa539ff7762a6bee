"""An answer on its way to the client, for as long as the client is there."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from rostra_llm.answers import DONE, Form, event, problem
from rostra_llm.errors import Refused
from rostra_llm.work import Piece

Pieces = AsyncGenerator[Piece, None]


class _Answering(Response):
    """Stops generating when the client goes away."""

    def __init__(self, pieces: Pieces, form: Form) -> None:
        super().__init__()
        self.pieces = pieces
        self.form = form

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        writing = asyncio.create_task(self._write(send))
        gone = asyncio.create_task(_gone(receive))
        try:
            await asyncio.wait({writing, gone}, return_when=asyncio.FIRST_COMPLETED)
            if writing.done():
                await writing
        finally:
            for task in (writing, gone):
                task.cancel()
            await asyncio.gather(writing, gone, return_exceptions=True)

    async def _write(self, send: Send) -> None:
        async with aclosing(self.pieces) as pieces:
            await self._write_all(pieces, send)

    async def _write_all(self, pieces: Pieces, send: Send) -> None:
        raise NotImplementedError


class Whole(_Answering):
    """One JSON object."""

    async def _write_all(self, pieces: Pieces, send: Send) -> None:
        body = self.form.whole([piece async for piece in pieces])
        await _begin(send, b"application/json")
        await send({"type": "http.response.body", "body": json.dumps(body, ensure_ascii=False).encode()})


class Stream(_Answering):
    """Server-sent events. They begin with the first token: until then a failure is an error with its status, not a cut
    stream. What fails later ends the stream with an `error` and without `[DONE]`."""

    def __init__(self, pieces: Pieces, form: Form, *, with_usage: bool) -> None:
        super().__init__(pieces, form)
        self._with_usage = with_usage

    async def _write_all(self, pieces: Pieces, send: Send) -> None:
        first = True
        try:
            async for piece in pieces:
                if first:
                    await _begin(send, b"text/event-stream; charset=utf-8")
                await self._send(send, piece, first=first)
                first = False
        except Refused as refused:
            if first:
                raise
            said = event(problem(refused.message, type=refused.type, code=refused.code))
            await send({"type": "http.response.body", "body": said})

    async def _send(self, send: Send, piece: Piece, *, first: bool) -> None:
        body = b"".join(event(chunk) for chunk in self.form.chunks(piece, first=first, with_usage=self._with_usage))
        ended = piece.reason is not None
        await send({"type": "http.response.body", "body": body + (DONE if ended else b""), "more_body": not ended})


async def _begin(send: Send, kind: bytes) -> None:
    headers = [(b"content-type", kind), (b"cache-control", b"no-store"), (b"x-accel-buffering", b"no")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})


async def _gone(receive: Receive) -> None:
    """Returns when the client has gone away."""
    with contextlib.suppress(asyncio.CancelledError):
        while (await receive())["type"] != "http.disconnect":
            pass
