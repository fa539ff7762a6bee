"""One endpoint under examination, over HTTP. Every wait is bounded."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from ssl import SSLContext
from typing import Any, NamedTuple, cast
from urllib.parse import urlsplit

import httpx2 as httpx

from rostra.doctor.answers import Reply, message, parsed, take, whole
from rostra.doctor.troubles import Broken, Busy, NoServer, Refused, explained
from rostra.endpoints import Endpoint
from rostra.pieces import TooLong, beginning, lines

Message = Mapping[str, str]

CONNECT_SECONDS = 5.0
QUESTION_SECONDS = 8.0
ANSWER_SECONDS = 20.0
# So often a server that has no time is asked, and so long it is waited for at most in between.
_ASKED_WHEN_BUSY = 3
_WAIT_SECONDS = 3.0

_CHAT = "/v1/chat/completions"
# Of the moment, not of the request.
_MOMENTARY = {408, 429, 502, 503, 504}
_MOST_WORDS = 200
_LONGEST_ERROR = 20_000  # bytes


class Page(NamedTuple):
    """An answer to GET; `body` is None unless it was JSON."""

    status: int
    body: Any
    headers: Mapping[str, str]


class Server:
    """Use as an async context manager."""

    def __init__(self, endpoint: Endpoint) -> None:
        """Raises: NoServer, when the address is none."""
        self.model = endpoint.model
        self.waits: list[str] = []  # Retry-After as it came with each "no time", "" where it was missing
        key = endpoint.api_key.get_secret_value() if endpoint.api_key else ""
        authorization = {b"Authorization": f"Bearer {key}".encode()} if key else {}
        try:
            self._secret = _secret(endpoint.url, key)
            self._http = httpx.AsyncClient(
                base_url=endpoint.url.rstrip("/"),
                headers=authorization,
                # A server may close a kept connection just when it is used again, which looks like a cut answer.
                limits=httpx.Limits(max_keepalive_connections=0),
                verify=_certificates(),
                trust_env=False,
            )
        except (ValueError, httpx.InvalidURL):
            raise NoServer("Its address is none, as http://127.0.0.1:8000 would be.") from None

    async def __aenter__(self) -> Server:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def get(self, path: str) -> Page:
        """Raises: Trouble."""
        with explained():
            response = await self._http.get(path, timeout=_bounded(QUESTION_SECONDS))
        _check_let_in(response.status_code)
        return Page(response.status_code, parsed(response.content), response.headers)

    async def chat(self, messages: Sequence[Message], *, seconds: float = ANSWER_SECONDS, **options: Any) -> Reply:
        """An answer in one piece. Raises: Trouble."""
        began = time.monotonic()
        response = await self._posted({"model": self.model, "messages": list(messages), **options}, seconds)
        self._check(response.status_code, response.content)
        reply = whole(parsed(response.content))
        reply.seconds = time.monotonic() - began
        return reply

    async def _posted(self, body: Mapping[str, Any], seconds: float) -> httpx.Response:
        """Sent again a moment later, when the server has no time."""
        attempts = 0
        while True:
            with explained():
                response = await self._http.post(_CHAT, json=body, timeout=_bounded(seconds))
            if not self._has_no_time(response):
                return response
            attempts += 1
            if attempts == _ASKED_WHEN_BUSY:
                raise Busy(f"It has no time ({response.status_code}), however often it is asked.")
            wanted = self.waits[-1]
            await asyncio.sleep(min(_WAIT_SECONDS, float(wanted) if wanted.isdecimal() else 1.0))

    def _has_no_time(self, response: httpx.Response) -> bool:
        if response.status_code in _MOMENTARY:
            self.waits.append(response.headers.get("retry-after", ""))
        return response.status_code in _MOMENTARY

    async def stream(
        self,
        messages: Sequence[Message],
        *,
        seconds: float = ANSWER_SECONDS,
        begun: asyncio.Event | None = None,
        **options: Any,
    ) -> Reply:
        """An answer in pieces; `begun` is set when the first one is here. One that breaks off ends without a reason.

        Raises: Trouble, where there were no words at all."""
        body = {"model": self.model, "messages": list(messages), "stream": True, **options}
        reply, began = Reply(), time.monotonic()

        def heard() -> None:
            reply.arrivals.append(time.monotonic() - began)
            if begun:
                begun.set()

        try:
            await self._listen(body, seconds, reply, heard)
        except TooLong:
            raise Broken("Its stream holds a line of over 1 MiB.") from None
        except Broken:
            if not reply.text:
                raise
        reply.seconds = time.monotonic() - began
        return reply

    async def _listen(self, body: Mapping[str, Any], seconds: float, reply: Reply, heard: Callable[[], None]) -> None:
        asked = self._http.stream("POST", _CHAT, json=body, timeout=_bounded(seconds))
        with explained():
            async with asked as response:
                await self._check_stream(response)
                async for line in lines(response.aiter_bytes()):
                    if line.startswith(b"data:") and self._take(line.removeprefix(b"data:").strip(), reply):
                        heard()

    async def _check_stream(self, response: httpx.Response) -> None:
        if self._has_no_time(response):
            raise Busy(f"It has no time ({response.status_code}).")
        if response.status_code != 200:
            self._check(response.status_code, await beginning(response.aiter_bytes(), _LONGEST_ERROR))
        if "json" in response.headers.get("content-type", ""):
            raise Broken("It was asked for a stream and answers in one piece.")

    def _take(self, data: bytes, reply: Reply) -> str:
        """The text in a piece of a stream."""
        if data == b"[DONE]":
            reply.done = True
        if not data or data == b"[DONE]":
            return ""
        chunk = parsed(data)
        if not isinstance(chunk, dict):
            raise Broken("Its stream holds something that is no JSON object.")
        if "error" in chunk:
            raise Broken(f"Its stream ends with an error: “{self._words(data)}”.")
        return take(cast("Mapping[str, Any]", chunk), reply)

    def _check(self, status: int, body: bytes) -> None:
        _check_let_in(status)
        if 300 <= status < 400:
            raise NoServer("It sends us on to another address: use that one.")
        if body.lstrip()[:1] == b"<":
            raise NoServer("A web page answers there, no model server: is the address like http://127.0.0.1:8000?")
        if status != 200:
            raise Refused(status, self._words(body))

    def _words(self, body: bytes) -> str:
        """What the server says of its refusal, bounded, without the address and the key."""
        words = "".join(c if c.isprintable() else "…" for c in self._secret.sub("…", message(body)))
        return words[:_MOST_WORDS] + ("…" if len(words) > _MOST_WORDS else "")


@cache
def _certificates() -> SSLContext:
    """Reading them takes 20 ms: once for all examinations of a process."""
    return httpx.create_ssl_context(trust_env=False)


def _bounded(seconds: float) -> httpx.Timeout:
    return httpx.Timeout(seconds, connect=CONNECT_SECONDS)


def _secret(url: str, key: str) -> re.Pattern[str]:
    """What must not be told: the address, the machine's name where it stands by itself, the key."""
    place = urlsplit(url)
    texts = [re.escape(text) for text in (url, place.netloc, key) if text]
    return re.compile("|".join([*texts, rf"(?<![\w.]){re.escape(place.hostname or place.netloc)}(?!\w)"]))


def _check_let_in(status: int) -> None:
    if status in {401, 403}:
        raise NoServer("It wants a key, or another one: set ROSTRA_LLM_API_KEY, or `api_key` in ROSTRA_MODELS.")
