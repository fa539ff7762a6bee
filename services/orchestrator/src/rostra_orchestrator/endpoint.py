"""One model server over HTTP: a streamed chat completion, token counts, and what the server says of itself.

Knows OpenAI's wire format and nothing of AutoGen. Every wait is bounded.

    ModelError             a generation that did not come to its end
    ├── Unavailable        the server is away or busy: worth waiting for
    ├── BrokenAnswer       the stream was cut, silent, empty or no chat completion: worth another try
    └── Refused            the server will not do this, however often it is asked
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import math
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import cache
from ssl import SSLContext
from typing import Any, cast

import httpx2 as httpx
import structlog

from rostra.endpoints import TAKES_CACHE_KEY, Endpoint
from rostra.events import Usage
from rostra.pieces import TooLong, beginning, lines
from rostra.plain import on_one_line, whole

log = structlog.stdlib.get_logger(__name__)

Message = Mapping[str, str]

# What a model's context is taken for when neither the settings nor the server tell.
_CONTEXT_UNTOLD = 2048
_LONGEST_ERROR = 10_000
_LONGEST_REASON = 100  # of a finish
_LONGEST_FINGERPRINT = 128
_MOST_TOKENS = 2**31
_COUNTS_KEPT = 4096
_NO_COMPLETION = "the model server sent something that is not a chat completion"


class ModelError(Exception):
    """A generation did not come to its end."""


class Unavailable(ModelError):
    """The model server is away or busy."""


class BrokenAnswer(ModelError):
    """The answer was cut off, too slow, empty, or not a chat completion."""


class Refused(ModelError):
    """The model server refuses this request."""


@dataclass(frozen=True, slots=True)
class Patience:
    """The longest waits, in seconds."""

    connect: float = 5.0
    first_token: float = 300.0
    next_token: float = 60.0
    answer: float = 900.0


@dataclass(frozen=True, slots=True)
class Facts:
    """What a prompt must respect: the context in tokens, whether the template takes a system message, and
    whether the server goes on with an answer that is begun for it."""

    context: int
    system_role: bool
    begins_answer: bool


@dataclass(slots=True)
class Answer:
    """What a stream has brought so far; `usage` is None where the server sends none, and `fingerprint` says which
    model spoke, in the server's own words."""

    finish_reason: str | None = None
    fingerprint: str = ""
    usage: Usage | None = None
    pieces: list[str] = field(default_factory=list[str])

    @property
    def text(self) -> str:
        return "".join(self.pieces)


class ModelServer:
    """A model as it is served at one endpoint. Use as an async context manager."""

    def __init__(self, endpoint: Endpoint, patience: Patience | None = None, cache_key: str = "") -> None:
        """`cache_key` tells the server, if it cares, that the prompts begin alike that come with the same one."""
        self.endpoint = endpoint
        self._patience = patience or Patience()
        self._affinity = {"prompt_cache_key": cache_key} if cache_key and endpoint.dialect in TAKES_CACHE_KEY else {}
        headers: dict[str, str] = {}
        if endpoint.api_key is not None:
            headers["Authorization"] = f"Bearer {endpoint.api_key.get_secret_value()}"
        self._http = httpx.AsyncClient(
            base_url=endpoint.url.rstrip("/"),
            headers=headers,
            timeout=httpx.Timeout(10.0, connect=self._patience.connect),
            transport=httpx.AsyncHTTPTransport(verify=_certificates(), trust_env=False, socket_options=_kept_alive()),
            trust_env=False,
        )
        self._counts: dict[bytes, int] = {}
        self._tokenizes = True
        self._facts: Facts | None = None
        self._is_known = False  # whether the facts are those of the server that answers now

    async def __aenter__(self) -> ModelServer:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def stream(
        self, messages: Sequence[Message], options: Mapping[str, Any], answer: Answer
    ) -> AsyncGenerator[str, None]:
        """Yields the answer's pieces as they come, and gathers them in `answer`.

        Closing the iterator closes the connection, which is what makes the server stop.

        Raises:
            ModelError: the answer did not come to its end; what came of it stands in `answer`.
        """
        body = {
            "model": self.endpoint.model,
            "messages": list(messages),
            "stream": True,
            "stream_options": {"include_usage": True},
            **self._affinity,
            **self.endpoint.on_the_wire(options),
        }
        try:
            async with aclosing(self._chunks(body)) as chunks:
                async for chunk in self._bounded(chunks):
                    if piece := _read(chunk, answer):
                        answer.pieces.append(piece)
                        yield piece
        except httpx.RequestError as error:
            self._is_known = False
            raise self._interrupted(error, answer) from error
        except Unavailable:
            self._is_known = False
            raise
        except Refused as refused:
            if await self._is_another():
                raise Unavailable(f"another model is served at {self.endpoint.url} since: {refused}") from refused
            raise
        except TooLong:
            raise BrokenAnswer("the model server sent a line of over 1 MiB") from None
        if answer.finish_reason is None:
            raise BrokenAnswer("the answer was cut off: the stream ended without a finish reason")

    def _interrupted(self, error: httpx.RequestError, answer: Answer) -> ModelError:
        said = str(error) or type(error).__name__
        if answer.pieces or not isinstance(error, httpx.TransportError):
            return BrokenAnswer(f"the answer was cut off: {said}")
        return Unavailable(f"the model server at {self.endpoint.url} does not answer: {said}")

    async def _bounded(self, chunks: AsyncIterator[dict[str, Any]]) -> AsyncIterator[dict[str, Any]]:
        """The chunks, each awaited only so long."""
        loop = asyncio.get_running_loop()
        silence, end = self._patience.first_token, math.inf
        while True:
            try:
                async with asyncio.timeout(min(silence, end - loop.time())):
                    chunk = await anext(chunks)
            except StopAsyncIteration:
                return
            except TimeoutError:
                if loop.time() >= end:
                    raise BrokenAnswer(f"the answer took longer than {self._patience.answer:g} s") from None
                raise BrokenAnswer(f"the model server was silent for {silence:g} s") from None
            silence = self._patience.next_token
            end = min(end, loop.time() + self._patience.answer)
            yield chunk

    async def _chunks(self, body: Mapping[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        no_read_limit = httpx.Timeout(None, connect=self._patience.connect)
        async with self._http.stream("POST", "/v1/chat/completions", json=body, timeout=no_read_limit) as response:
            if response.status_code != 200:
                raise self._refusal(response.status_code, await beginning(response.aiter_bytes(), _LONGEST_ERROR))
            async for line in lines(response.aiter_bytes()):
                data = line.removeprefix(b"data:").strip() if line.startswith(b"data:") else b""
                if data == b"[DONE]":
                    return
                if data:
                    yield _parsed(data)

    async def count(self, text: str) -> tuple[int, bool]:
        """How many tokens `text` has, and whether the endpoint's own tokenizer counted them.

        Raises: Unavailable.
        """
        if not self._tokenizes:
            return estimate(text), False
        key = hashlib.blake2b(text.encode(), digest_size=16).digest()
        if key not in self._counts:
            tokens = await self._counted(text)
            if tokens is None:
                return estimate(text), False
            if len(self._counts) >= _COUNTS_KEPT:
                self._counts.clear()
            self._counts[key] = tokens
        return self._counts[key], True

    async def _counted(self, text: str) -> int | None:
        """None where the server cannot count at all, now or ever."""
        try:
            response = await self._asked("POST", "/tokenize", json=self._to_tokenize(text))
            self._tokenizes = response.is_success
            return len(cast("Any", _json(response.content))["tokens"]) if response.is_success else None
        except (ValueError, KeyError, TypeError):
            self._tokenizes = False
            return None

    async def _asked(self, method: str, path: str, **request: Any) -> httpx.Response:
        """An answer to a small question; one that is about the moment only is raised as Unavailable."""
        try:
            response = await self._http.request(method, path, **request)
        except httpx.RequestError as error:
            raise self._interrupted(error, Answer()) from error
        if response.status_code in {408, 429, 500, 502, 503, 504}:
            raise self._refusal(response.status_code, response.content[:_LONGEST_ERROR])
        return response

    def _refusal(self, status: int, body: bytes) -> ModelError:
        said = f": {message}" if (message := _told(body)) else ""
        # 408, 429 and 5xx are about the moment; everything else is about the request.
        if status in {408, 429} or status >= 500:
            return Unavailable(f"the model server at {self.endpoint.url} answered {status}{said}")
        return Refused(f"the model server answered {status}{said}")

    async def usage(self, prompt: Sequence[str], answer: Answer) -> Usage:
        """What the generation cost: the server's own figures, or else what its tokenizer counts in the parts of the
        prompt and in the answer."""
        if answer.usage is not None:
            return answer.usage
        *asked, said = [await self._counted_or_estimated(text) for text in (*prompt, answer.text)]
        return Usage(
            prompt_tokens=sum(tokens for tokens, _ in asked),
            completion_tokens=said[0] if answer.text else 0,
            counted_by="tokenizer" if all(exact for _, exact in (*asked, said)) else "estimate",
        )

    async def _counted_or_estimated(self, text: str) -> tuple[int, bool]:
        try:
            return await self.count(text)
        except ModelError:
            return estimate(text), False

    def _to_tokenize(self, text: str) -> Mapping[str, object]:
        if self.endpoint.dialect == "vllm":
            return {"model": self.endpoint.model, "prompt": text, "add_special_tokens": False}
        served = {"model": self.endpoint.model} if self.endpoint.dialect == "rostra" else {}
        return {"content": text, "add_special": False, **served}

    async def facts(self) -> Facts:
        """The context and roles, from the settings or else from the server's /props. They are asked for anew when the
        server was away: another model may answer since. Raises: Unavailable."""
        if self._facts is None or not self._is_known:
            found = self._told_by(await self._props())
            if found != self._facts:
                self._counts.clear()
                self._tokenizes = True
            self._facts, self._is_known = found, True
        return self._facts

    async def _is_another(self) -> bool:
        """Whether the server is not the one that the prompt was made for. Raises: Unavailable."""
        known, self._is_known = self._facts, False
        return known is not None and await self.facts() != known

    def _told_by(self, props: Mapping[str, Any]) -> Facts:
        context = self.endpoint.context or _context(props)
        if not context:
            log.warning("context unknown: set it in ROSTRA_MODELS", taken_for=_CONTEXT_UNTOLD)
        roles = props.get("roles")
        takes_system = not (isinstance(roles, Mapping) and cast("Any", roles).get("system") is False)
        begins = self.endpoint.begins_answer
        return Facts(
            context or _CONTEXT_UNTOLD,
            self.endpoint.system_role and takes_system,
            props.get("continues_answer") is True if begins is None else begins,
        )

    async def _props(self) -> dict[str, Any]:
        """What the server says of itself; nothing where it has no such page."""
        response = await self._asked("GET", "/props", params={"model": self.endpoint.model})
        try:
            props: object = _json(response.content) if response.is_success else {}
        except ValueError:
            return {}
        return cast("dict[str, Any]", props) if isinstance(props, dict) else {}


# A first token may take minutes, so silence proves nothing; but a server that is there answers the kernel's own probes
# at once, whatever it computes. One that is not, and does not say so, is given up after 5 + 3 * 3 s.
_PROBES: Mapping[str, int] = {"TCP_KEEPIDLE": 5, "TCP_KEEPINTVL": 3, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 14_000}


def _kept_alive() -> list[tuple[int, int, int]]:
    """Socket options, as far as this system has them."""
    probes = [
        (socket.IPPROTO_TCP, getattr(socket, name), value) for name, value in _PROBES.items() if hasattr(socket, name)
    ]
    return [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1), *probes]


@cache
def _certificates() -> SSLContext:
    """Reading them takes 20 ms: once for all servers of a process."""
    return httpx.create_ssl_context(trust_env=False)


def estimate(text: str) -> int:
    """A token count where nobody can count, on the safe side.

    ASCII has about four characters a token with common tokenizers: three are taken. Other scripts have a token a
    character with a tokenizer that knows them and two with one that does not: a token for 1.5 bytes of UTF-8 is taken.
    """
    ascii_characters = sum(character.isascii() for character in text)
    return ascii_characters // 3 + (len(text.encode()) - ascii_characters) * 2 // 3 + 1


def _context(props: Mapping[str, Any]) -> int | None:
    """`n_ctx` where Rostra's server says it, or where llama-server does."""
    settings = props.get("default_generation_settings")
    inner = cast("Mapping[str, Any]", settings).get("n_ctx") if isinstance(settings, Mapping) else None
    found = props.get("n_ctx", inner)
    return found if isinstance(found, int) and found > 0 else None


def _json(data: bytes) -> object:
    """Raises ValueError, also where it is nested too deeply to be read."""
    try:
        return json.loads(data)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _parsed(data: bytes) -> dict[str, Any]:
    try:
        chunk = _json(data)
    except ValueError:
        raise BrokenAnswer("the model server sent something that is not JSON") from None
    if not isinstance(chunk, dict):
        raise BrokenAnswer(_NO_COMPLETION)
    return cast("dict[str, Any]", chunk)


def _read(chunk: Mapping[str, Any], answer: Answer) -> str:
    """Takes finish reason, fingerprint and usage from a chunk into `answer`; answers its text."""
    if "error" in chunk:
        raise BrokenAnswer(f"the model server reported an error: {_message(chunk)}")
    if isinstance(fingerprint := chunk.get("system_fingerprint"), str):
        answer.fingerprint = on_one_line(fingerprint)[:_LONGEST_FINGERPRINT]
    try:
        if usage := chunk.get("usage"):
            answer.usage = _usage(usage)
        if not (choices := chunk.get("choices")):
            return ""
        reason = choices[0].get("finish_reason") or ""
        content = choices[0].get("delta", {}).get("content") or ""
    except (TypeError, KeyError, IndexError, AttributeError, ValueError, OverflowError):
        raise BrokenAnswer(_NO_COMPLETION) from None
    # What is no text cannot be stored: it would end the process that plays, each time anew.
    if not (isinstance(reason, str) and isinstance(content, str)):
        raise BrokenAnswer(_NO_COMPLETION)
    if reason:
        answer.finish_reason = on_one_line(reason)[:_LONGEST_REASON]
    return whole(content)


def _usage(told: Mapping[str, Any]) -> Usage:
    """Raises, among others, ValueError where it is no number of tokens that Redis could add up."""
    spent = Usage(prompt_tokens=int(told["prompt_tokens"]), completion_tokens=int(told["completion_tokens"]))
    if not all(0 <= tokens <= _MOST_TOKENS for tokens in (spent.prompt_tokens, spent.completion_tokens)):
        raise ValueError("nobody has spent so many tokens")
    return spent


def _told(body: bytes) -> str:
    try:
        return _message(_json(body))
    except ValueError:
        return ""


def _message(body: object) -> str:
    """The server's own words, if they stand where OpenAI's or FastAPI's errors have them; one plain line, bounded."""
    if not isinstance(body, Mapping):
        return ""
    fields = cast("Mapping[str, Any]", body)
    error = fields.get("error", fields.get("detail", ""))
    if isinstance(error, Mapping):
        error = cast("Mapping[str, Any]", error).get("message", "")
    return on_one_line(error)[:300] if isinstance(error, str) else ""
