"""A toy language model behind OpenAI's wire format: it takes the sampling options that it is told to, and has the traps
of real servers on request.

Its words follow from the prompt, their place, and the options, so that each option has the effect it has on a model.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import itertools
import json
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from rostra.rules import Sampling

EVERYTHING = frozenset(Sampling.model_fields)
_WORDS = re.findall(
    r"\w+", "salt wave gull lamp stone tide wreck rope storm anchor coral foam harbour kelp mast oyster"
)
_KNOWN = {"model", "messages", "stream", "stream_options", "response_format", "prompt_cache_key"}
_DEFAULT_MOST = 400
_drawn = itertools.count()


@dataclass
class Toy:
    """A model server; each field beside the first ones is a way to go wrong."""

    takes: frozenset[str] = EVERYTHING
    names: dict[str, str] = field(default_factory=dict)  # its own names for some of them
    refuses_others: bool = False
    model: str = "toy"
    owner: str = "somebody"
    tells: bool = True  # has /props
    context: int = 4096
    key: str = ""
    roles: dict[str, bool] = field(default_factory=dict)  # in /props
    continues_answer: bool = False

    parrots: bool = False
    parrots_in: str = "nothing of the kind"  # prompts that have this in them
    mute: bool = False
    thinks: bool = False
    system: Literal["taken", "dropped", "refused"] = "taken"
    strict: bool = False  # roles must alternate
    history: bool = True  # earlier answers reach the model
    begun: Literal["continued", "repeated", "ignored", "refused"] = "continued"
    counts: bool = True  # tells its usage
    ends: bool = True  # streams have a finish reason
    in_one_piece: bool = False  # streams arrive at once
    interrupts: bool = False  # a request ends the streams that run
    serial: bool = False
    long: Literal["refused", "empty", "cut", "error"] = "refused"
    schemas: bool = True
    busy: int = 0  # requests that get 503 first
    retry_after: str = ""
    page: Literal["", "html", "garbage", "silence"] = ""
    pause: float = 0.001  # seconds a word

    requests: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""
    stop: Callable[[], None] = lambda: None
    _asked: int = 0
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def app(self) -> Starlette:
        routes = [Route("/v1/chat/completions", self._chat, methods=["POST"]), Route("/v1/models", self._models)]
        return Starlette(routes=[*routes, Route("/props", self._props)])

    # ── what is asked ───────────────────────────────────────────────────────────────────────────────────

    async def _models(self, request: Request) -> Response:
        self._asked += 1
        row = {"id": self.model, "object": "model", "owned_by": self.owner}
        return await self._spoilt(request) or JSONResponse({"object": "list", "data": [row]})

    async def _props(self, request: Request) -> Response:
        if not self.tells:
            return JSONResponse({"detail": "Not Found"}, 404)
        told = {"n_ctx": self.context, "roles": self.roles, "continues_answer": self.continues_answer}
        return await self._spoilt(request) or JSONResponse(told)

    async def _spoilt(self, request: Request) -> Response | None:
        if self.page == "silence":
            await asyncio.sleep(600)
        if self.page == "html":
            return HTMLResponse("<html><body>Welcome to nginx!</body></html>")
        if self.page == "garbage":
            return JSONResponse(
                {"data": [3, None, {"id": 7}], "choices": [{"message": 5}], "usage": {"prompt_tokens": "x"}}
            )
        if self.key and request.headers.get("Authorization") != f"Bearer {self.key}":
            return JSONResponse({"error": {"message": "Incorrect API key provided"}}, 401)
        return None

    async def _chat(self, request: Request) -> Response:
        self._asked += 1
        turn = self._asked
        if spoilt := await self._spoilt(request):
            return spoilt
        if self.busy:
            self.busy -= 1
            return JSONResponse({}, 503, {"Retry-After": self.retry_after} if self.retry_after else {})
        body = await request.json()
        self.requests.append(body)
        if refusal := self._refusal(body):
            return _refused(*refusal)
        tokens = self._prompt_tokens(body)
        if tokens > self.context:
            return self._too_long(body, tokens)
        words, finish = self._answer(body)
        return await self._said(body, words, finish, tokens, turn)

    def _refusal(self, body: dict[str, Any]) -> tuple[int, str] | None:
        roles = [message["role"] for message in body["messages"]]
        if self.system == "refused" and "system" in roles:
            return 400, "System role not supported"
        if self.strict and any(a == b for a, b in itertools.pairwise(roles)):
            return 400, "Conversation roles must alternate user/assistant"
        if self.begun == "refused" and roles[-1] == "assistant":
            return 400, "The last message must be the user's"
        unknown = body.keys() - _KNOWN - {self.names.get(name, name) for name in self.takes}
        if self.refuses_others and unknown:
            return 400, f"Unknown option at {self.url}: \x1b[2J{', '.join(sorted(unknown))}"
        return None

    def _too_long(self, body: dict[str, Any], tokens: int) -> Response:
        said = f"This model's maximum context length is {self.context} tokens, you sent {tokens}"
        match self.long:
            case "empty" if body.get("stream"):
                return StreamingResponse(iter(()), media_type="text/event-stream")
            case "cut":
                chunks = [_chunk({"content": "Yes."}, "stop"), {"choices": [], "usage": _usage(self.context - 9, 1)}]
                return StreamingResponse((_event(chunk) for chunk in chunks), media_type="text/event-stream")
            case "error":
                return _refused(500, said)
        return _refused(400, said)

    def _prompt_tokens(self, body: dict[str, Any]) -> int:
        return sum(4 + len(message["content"].split()) for message in self._heard(body))

    def _heard(self, body: dict[str, Any]) -> list[dict[str, str]]:
        *earlier, last = body["messages"]
        dropped = {"system"} if self.system == "dropped" else set()
        if not self.history:
            earlier = [message for message in earlier if message["role"] == "system"]
        return [message for message in earlier if message["role"] not in dropped] + [last]

    # ── what is said ────────────────────────────────────────────────────────────────────────────────────

    def _answer(self, body: dict[str, Any]) -> tuple[list[str], str]:
        if self.mute:
            return [], "stop"
        options = {name: body[self.names.get(name, name)] for name in self.takes if self.names.get(name, name) in body}
        if fixed := self._fixed(body, options):
            return fixed, "stop"
        heard = self._heard(body)
        spoken = len(heard[-1]["content"].split()) if heard[-1]["role"] == "assistant" else 0
        prompt = json.dumps(heard[:-1] if spoken else heard)
        begun = spoken if self.begun in {"continued", "repeated"} else 0
        ends_at = 1 if "2 + 2" in prompt else 300
        ends_at = max(ends_at, options.get("min_tokens", 0))
        most = options.get("max_tokens", _DEFAULT_MOST)
        chooser = Chooser(prompt, options)
        words = [chooser.word(begun + place) for place in range(min(most, ends_at))]
        if begun and self.begun == "repeated":
            words = heard[-1]["content"].split() + words
        if self.parrots or self.parrots_in in prompt:
            words = ["[/INST]", "<<SYS>>", *words][:most]
        return self._stopped(words, options, "stop" if ends_at <= most else "length")

    def _fixed(self, body: dict[str, Any], options: dict[str, Any]) -> list[str]:
        if "grammar" in options:
            return re.findall(r'"(.*)"', options["grammar"])
        form = body.get("response_format") if self.schemas else None
        return ['{"verdict":', '"quince"}'] if form else []

    def _stopped(self, words: list[str], options: dict[str, Any], finish: str) -> tuple[list[str], str]:
        place = next((place for place, word in enumerate(words) if word in options.get("stop", ())), None)
        return (words, finish) if place is None else (words[:place], "stop")

    async def _said(self, body: dict[str, Any], words: list[str], finish: str, tokens: int, turn: int) -> Response:
        if body.get("stream"):
            usage = _usage(tokens, len(words)) if self.counts and "stream_options" in body else None
            return StreamingResponse(self._stream(words, finish, usage, turn), media_type="text/event-stream")
        async with self._lock if self.serial else contextlib.nullcontext():
            await asyncio.sleep(self.pause * len(words) if self.pause > 0.01 else 0)
        said = {"reasoning_content" if self.thinks else "content": " ".join(words)}
        choice = {"index": 0, "message": {"role": "assistant", "content": "", **said}, "finish_reason": finish}
        return JSONResponse({"choices": [choice], **({"usage": _usage(tokens, len(words))} if self.counts else {})})

    async def _stream(
        self, words: list[str], finish: str, usage: dict[str, int] | None, turn: int
    ) -> AsyncIterator[str]:
        async with self._lock if self.serial else contextlib.nullcontext():
            async for event in self._words(words):
                yield event
                if self.interrupts and self._asked > turn:
                    yield "data: [DONE]\n\n"
                    return
        yield _event(_chunk({}, finish if self.ends else None))
        if usage:
            yield _event({"choices": [], "usage": usage})
        yield "data: [DONE]\n\n"

    async def _words(self, words: list[str]) -> AsyncIterator[str]:
        if self.in_one_piece:
            await asyncio.sleep(self.pause * len(words))
            yield "".join(_event(_chunk({"content": word + " "})) for word in words)
            return
        for word in words:
            await asyncio.sleep(self.pause)
            yield _event(_chunk({"content": word + " "}))


@dataclass(frozen=True)
class Chooser:
    """Which of eight words comes next."""

    prompt: str
    options: dict[str, Any]

    def word(self, place: int) -> str:
        if forced := self.options.get("logit_bias"):
            return f"token{next(iter(forced))}"
        if "la la" in self.prompt and not self._penalised() and self._index(place) < 6:
            return "la"
        start = self._drawn_from("words", place, len(_WORDS))
        return _WORDS[(start + self._index(place)) % len(_WORDS)] + str(place)

    def _penalised(self) -> bool:
        get = self.options.get
        if get("repeat_penalty", 1) != 1 and get("repeat_last_n", 64) != 0:
            return True
        felt = get("dry_multiplier", 0) * get("dry_base", 1.75) ** 3 > 1
        lets = get("dry_allowed_length", 2) > 100 or get("dry_penalty_last_n", -1) == 0 or get("dry_sequence_breakers")
        return get("frequency_penalty", 0) > 0 or (felt and not lets)

    def _index(self, place: int) -> int:
        """0 is the most probable word, 7 the least."""
        get = self.options.get
        if get("xtc_probability", 0) > 0 and get("xtc_threshold", 0.1) < 0.5:
            return 7
        narrow = (
            (get("temperature", 0.8), 0),
            (get("top_k", 40), 1),
            (get("mirostat_tau", 5) if get("mirostat") else 5, 0),
        )
        if any(value == narrowest for value, narrowest in narrow) or get("min_p", 0) == 1:
            return 0
        if get("typical_p", 1) < 0.01:
            return 3
        if get("top_p", 1) < 0.01 or 0 < get("top_n_sigma", -1) < 0.1:
            return 0
        # What shifts probabilities shifts what is drawn by the same seed.
        shifts = [get(name) for name in ("presence_penalty", "dynatemp_range", "dynatemp_exponent", "mirostat_eta")]
        seed = self.options.get("seed", next(_drawn))
        return self._drawn_from(f"draw {seed} {shifts}", place, 8)

    def _drawn_from(self, what: str, place: int, choices: int) -> int:
        digest = hashlib.blake2b(f"{self.prompt} {what} {place}".encode(), digest_size=4).digest()
        return int.from_bytes(digest) % choices


def _refused(status: int, words: str) -> Response:
    return JSONResponse({"error": {"message": words}}, status)


def _usage(prompt: int, completion: int) -> dict[str, int]:
    return {"prompt_tokens": prompt, "completion_tokens": completion}


def _chunk(delta: dict[str, str], finish: str | None = None) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def _event(chunk: dict[str, Any]) -> str:
    return f"data: {json.dumps(chunk)}\n\n"
