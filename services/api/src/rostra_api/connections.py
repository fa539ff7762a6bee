"""Connections that do not go on for ever: so many at once, and each within its times.

uvicorn waits without end for a request's headers, for its body, and for a reader to read. Here a timer runs for each of
the three, in the connection itself, so that it holds on every route and before any other code of ours has to do with
it. Who is too slow is cut off without a word.

Who is answered in the middle of a body has most of it under way still. To close then makes the kernel reset the
connection, and the client throws away the answer that it did not read yet. So the connection is left slowly: nothing
more is said, and for a bounded time and a bounded number of bytes what comes is thrown away (RFC 9112, section 9.6).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, ClassVar, NamedTuple, cast

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from rostra_api.intake import MAX_HEAD
from rostra_api.problems import HEAD_TOO_LARGE, NOT_HTTP, TOO_MANY_CONNECTIONS, Kind, response
from rostra_api.settings import Settings

# How long and for how many bytes a connection is left slowly, and how many are at once; beyond, they are closed. A
# client that writes its whole body before it reads has this long for it: 200 MB over loopback take a second.
LEAVING_SECONDS = 5.0
LEAVING_BYTES = 256 << 20
MOST_LEAVING = 100


def _written(kind: Kind, detail: str, bound: str | None = None) -> bytes:
    """A problem as it goes over the wire, where there is no request yet that it could answer."""
    answer = response(kind, detail, headers={"Connection": "close"}, bound=bound)
    head = "".join(f"{name}: {value}\r\n" for name, value in answer.headers.items())
    return f"HTTP/1.1 {kind.status} {HTTPStatus(kind.status).phrase}\r\n{head}\r\n".encode() + bytes(answer.body)


_FULL = _written(TOO_MANY_CONNECTIONS, "Come back later.", "ROSTRA_MAX_CONNECTIONS")
_NOT_HTTP = _written(NOT_HTTP, "It must be HTTP/1.1.")
_HEAD_TOO_LARGE = _written(HEAD_TOO_LARGE, f"Line and headers have at most {MAX_HEAD} bytes.")


class Patience(NamedTuple):
    """How many connections there may be, the seconds for each part of a request, and the bytes that may wait for slow
    readers in all."""

    connections: int
    head: float
    body: float
    send: float
    waiting: int


class _Left:
    """The transport as uvicorn sees it: to close it is to leave the connection as we think best."""

    def __init__(self, transport: asyncio.Transport, leave: Callable[[], None]) -> None:
        self._transport = transport
        self.close = leave

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class Connection(H11Protocol):
    """A connection that is cut when it keeps us waiting."""

    patience: ClassVar[Patience]
    slow: ClassVar[dict[Connection, None]]  # those who read slower than is written, the longest first
    leaving: ClassVar[set[Connection]]

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._awaited: object = None
        self._arriving: asyncio.TimerHandle | None = None
        self._sending: asyncio.TimerHandle | None = None
        self._thrown_away = 0  # bytes

    # uvicorn narrows the transport as well: its connections are always streams.
    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        self._way = transport
        super().connection_made(cast("asyncio.Transport", _Left(transport, self._leave)))
        if len(self.connections) > self.patience.connections:
            transport.write(_FULL)
            transport.close()
        else:
            self._watch()

    def data_received(self, data: bytes) -> None:
        if self in self.leaving:
            self._throw_away(data)
        elif not self._way.is_closing():
            super().data_received(data)
            self._watch()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self in self.leaving:
            self._unset_keepalive_if_required()
        else:
            self._watch()

    def send_400_response(self, msg: str) -> None:
        """For what is not HTTP; uvicorn's own answer is no problem detail, and fails in the middle of another."""
        cycle = cast("RequestResponseCycle | None", self.cycle)
        if cycle and cycle.response_started and not cycle.response_complete:
            self._cut()
        else:
            unread, _ = self.conn.trailing_data
            self._way.write(_HEAD_TOO_LARGE if len(unread) > MAX_HEAD else _NOT_HTTP)
            self._leave_slowly()

    def _leave(self) -> None:
        """Closes the connection, slowly where an answer is on its way to somebody who still sends a body."""
        cycle = cast("RequestResponseCycle | None", self.cycle)
        if cycle and cycle.more_body and cycle.response_complete:
            self._leave_slowly()
        else:
            self._way.close()

    def _leave_slowly(self) -> None:
        if self in self.leaving or self._way.is_closing() or len(self.leaving) >= MOST_LEAVING:
            self._way.close()
            return
        try:
            self._way.write_eof()
        except OSError:  # it is gone already
            self._cut()
            return
        self.leaving.add(self)
        self.flow.resume_reading()
        self._arriving = _started_anew(self._arriving, self.loop, LEAVING_SECONDS, self._cut)

    def _throw_away(self, data: bytes) -> None:
        self._thrown_away += len(data)
        if self._thrown_away > LEAVING_BYTES:
            self._cut()

    def _watch(self) -> None:
        """Lets time run for what must come next, from when it was first awaited: bytes one by one win none."""
        cycle = cast("RequestResponseCycle | None", self.cycle)
        if cycle and cycle.more_body:
            awaited, seconds = (cycle, "body"), self.patience.body
        elif not cycle or cycle.response_complete:
            awaited, seconds = (cycle, "head"), self.patience.head
        else:
            awaited, seconds = None, 0.0
        if awaited != self._awaited:
            self._awaited = awaited
            self._arriving = _started_anew(self._arriving, self.loop, seconds if awaited else None, self._cut)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._sending = _started_anew(self._sending, self.loop, self.patience.send, self._cut)
        self.slow[self] = None
        self._make_room()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._sending = _started_anew(self._sending, self.loop, None, self._cut)
        self.slow.pop(self, None)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.slow.pop(self, None)
        self.leaving.discard(self)
        for timer in (self._arriving, self._sending):
            if timer:
                timer.cancel()

    def _make_room(self) -> None:
        """Answers are written whole: a few large ones that nobody reads would fill the memory within their time."""
        waiting = {one: one._way.get_write_buffer_size() for one in self.slow}
        excess = sum(waiting.values()) - self.patience.waiting
        for one, size in waiting.items():
            if excess <= 0:
                return
            one._cut()
            excess -= size

    def _cut(self) -> None:
        self.slow.pop(self, None)
        self._way.abort()  # to close it would wait until all that was written is read


def _started_anew(
    timer: asyncio.TimerHandle | None, loop: asyncio.AbstractEventLoop, seconds: float | None, call: Any
) -> asyncio.TimerHandle | None:
    if timer:
        timer.cancel()
    return None if seconds is None else loop.call_later(seconds, call)


def within(settings: Settings) -> type[Connection]:
    """The kind of connection that these settings ask for."""

    class Within(Connection):
        patience = Patience(
            settings.max_connections,
            settings.head_seconds,
            settings.body_seconds,
            settings.send_seconds,
            settings.send_mib << 20,
        )
        slow: ClassVar[dict[Connection, None]] = {}
        leaving: ClassVar[set[Connection]] = set()

    return Within
