"""A question whose answer has a form: asked under a JSON schema where the server keeps to one, read leniently, and
asked again a bounded number of times.

What may be wrong with an answer is told by `Unreadable`; each answer that cannot be used is noted as it came.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar, cast

import json_repair
import structlog

from rostra.endpoints import SUPPORTED
from rostra.events import QuestionFailed, Usage
from rostra.models import derived_seed
from rostra.plain import whole
from rostra.questions import ASKS
from rostra_orchestrator.endpoint import Answer, BrokenAnswer, Message, ModelError, ModelServer, Refused, Unavailable
from rostra_orchestrator.pool import Pool

log = structlog.stdlib.get_logger(__name__)

T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")
Note = Callable[[QuestionFailed], Awaitable[None]]

# Lively enough for judges of one model to differ, and no livelier; what a server cannot do is left out.
_SAMPLING: Mapping[str, Any] = {"temperature": 0.6, "top_p": 0.9, "min_p": 0.05, "repeat_penalty": 1.0}
# Characters of a token at most, on average: a server that goes on beyond `max_tokens` is not listened to for ever.
_LONGEST_TOKEN = 24
_LONGEST_TEXT = 4000  # characters of an answer that are kept, where it cannot be used


class Unreadable(Exception):
    """The answer is not what was asked for; the message says what is wrong with it."""


class Question(Protocol[T_co]):
    """Something to be asked of a model. `name` is its own in the debate."""

    @property
    def name(self) -> str: ...

    @property
    def schema(self) -> Mapping[str, Any]: ...

    @property
    def longest(self) -> int:
        """Tokens of the answer at most."""
        ...

    async def messages(self, server: ModelServer, longest: int, *, again: bool) -> Sequence[Message]:
        """What is asked of this server; `again` after an answer that could not be used.

        Raises: ModelError.
        """
        ...

    def read(self, answer: Mapping[str, Any]) -> T_co:
        """What the answer says. Raises: Unreadable."""
        ...

    def failed(self, reason: str) -> T_co:
        """What is told where there is no answer."""
        ...


@dataclass(frozen=True, slots=True)
class Given(Generic[T]):
    """What became of a question: `value`, or None and `failed` says why; `away` where no endpoint was there."""

    value: T | None
    failed: str
    asks: int
    usage: Usage
    away: bool = False


@dataclass(slots=True)
class _Tried:
    """How it went so far."""

    patience: float
    asks: int = 0
    bad: int = 0
    pauses: int = 0
    missed: int = 0  # endpoints in a row that were away
    away_since: float = 0.0
    constrained: bool = True
    last: str = ""
    given_up: bool = False


async def ask(
    question: Question[T], pool: Pool, patience: float, seed: int, note: Note, before: Sequence[QuestionFailed] = ()
) -> Given[T]:
    """Asks until the answer can be used, `ASKS` were bad, or the endpoints stay away for `patience` seconds.

    `before` are the asks that failed before this process took the debate over.
    """
    tried = _Tried(
        patience=patience,
        asks=len(before),
        bad=sum(failure.reason not in _ABOUT_THE_SERVER for failure in before),
        constrained=not any(failure.reason == "form_refused" for failure in before),
        last=before[-1].detail if before else "",
    )
    while tried.bad < ASKS and not tried.given_up:
        tried.asks += 1
        answer, prompt = Answer(), list[Message]()
        try:
            value = await _once(question, pool.server, tried, seed, answer, prompt)
        except (ModelError, Unreadable) as error:
            tried.last = str(error)
            await note(await _failure(question, pool.server, tried, error, answer, prompt))
            tried.given_up = isinstance(error, Refused) and not prompt  # it cannot even be asked
            await _count(tried, error, pool)
        else:
            return Given(value, "", tried.asks, await _usage(pool.server, prompt, answer))
    return Given(None, tried.last, tried.asks, Usage(), away=tried.missed > 0)


async def _once(
    question: Question[T], server: ModelServer, tried: _Tried, seed: int, answer: Answer, prompt: list[Message]
) -> T:
    facts = await server.facts()
    longest = min(question.longest, facts.context // 2)
    prompt += await question.messages(server, longest, again=tried.bad > 0)
    able = SUPPORTED[server.endpoint.dialect]
    chosen = {**_SAMPLING, "seed": derived_seed(seed, question.name, tried.asks), "max_tokens": longest}
    options = {name: value for name, value in chosen.items() if name in able}
    if tried.constrained:
        options["response_format"] = server.endpoint.response_format("answer", question.schema)
    async with aclosing(server.stream(prompt, options, answer)) as pieces:
        async for _ in pieces:
            if sum(map(len, answer.pieces)) > longest * _LONGEST_TOKEN:
                raise BrokenAnswer("the model server went on beyond max_tokens")
    return question.read(object_in(answer.text))


def object_in(text: str) -> Mapping[str, Any]:
    """The JSON object in what a model said: alone, in a fence, between words, or with a model's usual slips.

    Raises: Unreadable.
    """
    found: object = json_repair.loads(text[text.find("{") :]) if "{" in text else None
    if isinstance(found, list):
        several = cast("list[object]", found)
        found = next((cast("object", each) for each in several if isinstance(each, dict)), None)
    if not isinstance(found, dict):
        raise Unreadable("the answer has no JSON object")
    return cast("dict[str, Any]", found)


# ── what went wrong ─────────────────────────────────────────────────────────────────────────────────────

# Failures that are not the answer's.
_ABOUT_THE_SERVER = frozenset({"unavailable", "form_refused"})


async def _count(tried: _Tried, error: ModelError | Unreadable, pool: Pool) -> None:
    """Decides whether to ask again, and waits where that helps."""
    match error:
        case _ if tried.given_up:
            pass
        case Unavailable():
            await _wait(tried, pool)
        case Refused() if tried.constrained:
            tried.constrained = False
        case Refused():
            tried.given_up = True
        case _:
            tried.missed = 0
            tried.bad += 1
            if isinstance(error, BrokenAnswer):
                pool.move_on()


async def _wait(tried: _Tried, pool: Pool) -> None:
    """The next endpoint is asked at once; after all of them, a pause is made, as long as patience lasts."""
    if not tried.missed:
        tried.away_since = time.monotonic()
    tried.missed += 1
    pool.move_on()
    if tried.missed % len(pool):
        return
    if time.monotonic() - tried.away_since >= tried.patience:
        tried.given_up = True
        return
    tried.pauses += 1
    await asyncio.sleep(min(4.0, 0.125 * 2**tried.pauses))


async def _failure(
    question: Question[Any],
    server: ModelServer,
    tried: _Tried,
    error: ModelError | Unreadable,
    answer: Answer,
    prompt: Sequence[Message],
) -> QuestionFailed:
    reason = _reason(error, can_do_without_form=tried.constrained and bool(prompt))
    log.warning("question failed", question=question.name, ask=tried.asks, reason=reason, detail=str(error))
    return QuestionFailed(
        question=question.name,
        ask=tried.asks,
        reason=reason,
        detail=str(error),
        text=whole(answer.text)[:_LONGEST_TEXT],
        usage=await _usage(server, prompt, answer),
    )


def _reason(error: ModelError | Unreadable, *, can_do_without_form: bool) -> str:
    match error:
        case Unreadable():
            return "unreadable"
        case Unavailable():
            return "unavailable"
        case Refused():
            return "form_refused" if can_do_without_form else "refused"
        case _:
            return "broken"


async def _usage(server: ModelServer, prompt: Sequence[Message], answer: Answer) -> Usage:
    """Nothing where nothing was heard."""
    if answer.usage is None and not answer.text:
        return Usage(counted_by="estimate")
    return await server.usage([message["content"] for message in prompt], answer)
