"""A debate as its client sees it, across everything that breaks: what was asked, answered, and shown."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import httpx2 as httpx

from builders import a_request

ENDED = frozenset({"completed", "collapsed", "failed", "cancelled"})
# Not stored: words, the stream's own end, and what a connection begins with.
PASSING = frozenset({"message", "delta", "end"})
# A client's own patience before it tries again.
RETRY_SECONDS = 0.2


class Front(Protocol):
    """Where debates are asked for."""

    http: httpx.AsyncClient

    def is_whole(self, text: str) -> bool:
        """Whether a turn's text is one that the model server meant, from its beginning to its end."""
        ...


@dataclass(frozen=True)
class Seen:
    """An event that was shown."""

    id: str
    kind: str
    data: Mapping[str, Any]


@dataclass
class Watched:
    """A debate that was accepted, with a reader who follows it and comes back whenever the stream breaks."""

    front: Front
    id: str
    turns_planned: int
    seen: list[Seen] = field(default_factory=list)
    ended: bool = False  # the reader was told so
    lost: str = ""  # an answer that no debate which was accepted may have
    most_at_once: int | None = None  # events that are read before the connection is cut
    reading: asyncio.Task[None] | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def path(self) -> str:
        return f"/v1/debates/{self.id}"

    @property
    def turns(self) -> int:
        """How many turns were shown."""
        return sum(event.kind == "turn_taken" for event in self.seen)

    async def until_turns(self, number: int, seconds: float = 60) -> None:
        """Returns when so many turns were shown, or the debate has ended."""
        await self._until(lambda: self.turns >= number, f"{number} turns", seconds)

    async def until_further(self, seconds: float = 60) -> None:
        """Returns when another turn was shown."""
        await self.until_turns(self.turns + 1, seconds)

    async def until_ended(self, seconds: float = 90) -> dict[str, Any]:
        """The transcript, when the stream has told its end."""
        await self._until(lambda: self.ended, "its end", seconds)
        return await self.transcript()

    async def until_event(self, kind: str, seconds: float = 60) -> None:
        await self._until(lambda: any(event.kind == kind for event in self.seen), kind, seconds)

    async def _until(self, condition: Any, what: str, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                while not (condition() or self.ended or self.lost):
                    self.changed.clear()
                    await self.changed.wait()
        except TimeoutError:
            last = self.seen[-1] if self.seen else None
            raise AssertionError(f"no {what} within {seconds:g} s; the last of {self.id}: {last}") from None
        assert not self.lost, self.lost

    async def look(self) -> dict[str, Any]:
        return await patiently(self.front, "GET", self.path)

    async def transcript(self) -> dict[str, Any]:
        return await patiently(self.front, "GET", f"{self.path}/transcript.json")

    async def replay(self) -> list[Seen]:
        """All events of an ended debate, read anew from the first."""
        again = Watched(self.front, self.id, self.turns_planned)
        async with asyncio.timeout(30):
            await again.follow()
        assert not again.lost, again.lost
        return again.seen

    def watch(self) -> None:
        self.reading = asyncio.create_task(self.follow())

    async def leave(self) -> None:
        if self.reading:
            self.reading.cancel()
            await asyncio.gather(self.reading, return_exceptions=True)

    # ── the reader ──────────────────────────────────────────────────────────────────────────────────────

    async def follow(self) -> None:
        """Reads to the end, as a browser does: after a break from the last event's id on."""
        while not (self.ended or self.lost):
            with suppress(httpx.TransportError):
                await self._read_on()
            self.changed.set()
            if not self.ended:
                await asyncio.sleep(RETRY_SECONDS)

    async def _read_on(self) -> None:
        headers = {"Last-Event-ID": self.seen[-1].id} if self.seen else {}
        # The server says something at least every 15 s; longer silence is a dead connection.
        timeout = httpx.Timeout(20, connect=2)
        async with self.front.http.sse(f"{self.path}/events", headers=headers, timeout=timeout) as source:
            status = source.response.status_code
            if status in (404, 410):
                self.lost = f"the debate {self.id} was accepted, and its events are answered with {status}"
            if status != 200:
                return
            last = len(self.seen) + (self.most_at_once or math.inf)
            async for event in source:
                self._take(event)
                if len(self.seen) >= last:
                    return

    def _take(self, event: httpx.ServerSentEvent) -> None:
        if event.event == "end":
            self.ended = True
        elif event.event not in PASSING:
            self.seen.append(Seen(event.id, event.event, _fields(event)))
        self.changed.set()


def _fields(event: httpx.ServerSentEvent) -> dict[str, Any]:
    data = event.json()
    assert isinstance(data, dict)
    return data


async def begin(front: Front, *, key: str = "", watched: bool = True, **fields: Any) -> Watched:
    """A debate that was accepted; asked for again, under its key, until it is."""
    headers = {"Idempotency-Key": key} if key else {}
    view = await patiently(front, "POST", "/v1/debates", headers=headers, json=a_request(**{"guard": "off", **fields}))
    debate = Watched(front, view["id"], view["turns_planned"])
    if watched:
        debate.watch()
    return debate


async def patiently(front: Front, method: str, path: str, seconds: float = 60, **request: Any) -> dict[str, Any]:
    """An answer, asked for until the API is there and has its storage."""
    end = time.monotonic() + seconds
    while True:
        try:
            answer = await front.http.request(method, path, **request)
            if answer.is_success:
                return answer.json()
            said = f"{answer.status_code} {answer.text[:300]}"
            assert answer.status_code == 503, f"{method} {path}: {said}"
        except httpx.TransportError as error:
            said = repr(error)
        assert time.monotonic() < end, f"{method} {path} is not answered within {seconds:g} s: {said}"
        await asyncio.sleep(RETRY_SECONDS)


def moment(timestamp: str) -> float:
    """Seconds since the epoch, of a time in the API's answers."""
    return datetime.fromisoformat(timestamp).timestamp()
