"""What came of a request, held against what was promised.

whole        finish reason, usage and, streamed, `[DONE]`; text as the options say
refused      a bad request, with the status and the body of an OpenAI error
unavailable  503, with such a body: only when an engine was killed
failed       an `error` in the stream, or a cut connection: only when an engine was killed
left         the client went away, as it meant to
broken       anything else
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx2 as httpx
from soak_requests import Asked

WHOLE, REFUSED, UNAVAILABLE, FAILED, LEFT, BROKEN = "whole", "refused", "unavailable", "failed", "left", "broken"
# What an engine's death explains.
EXCUSED = (UNAVAILABLE, FAILED)


@dataclass(frozen=True)
class Outcome:
    how: str
    detail: str = ""


class Broken(Exception):
    """A promise was not kept; the message says which."""


@dataclass(frozen=True)
class Said:
    """An answer with all its parts; `usage` is None where there was none."""

    text: str
    finish: str | None
    usage: dict[str, int] | None


async def outcome(client: httpx.AsyncClient, asked: Asked, deadline: float) -> Outcome:
    """Asks, and waits for the end; Broken where there is none within `deadline` seconds."""
    try:
        async with asyncio.timeout(deadline if asked.leaves is None else asked.leaves):
            return await _judged(client, asked)
    except TimeoutError:
        return Outcome(LEFT) if asked.leaves is not None else Outcome(BROKEN, f"no end within {deadline:.0f} s")
    except httpx.TransportError as error:
        return Outcome(FAILED, f"cut: {error!r}")
    except (Broken, KeyError, IndexError, TypeError, ValueError) as error:
        return Outcome(BROKEN, repr(error))


async def _judged(client: httpx.AsyncClient, asked: Asked) -> Outcome:
    async with client.stream("POST", asked.path, json=asked.body) as answer:
        if not answer.is_success:
            return _refusal(asked, answer.status_code, json.loads(await answer.aread()))
        if asked.refused:
            raise Broken(f"{answer.status_code}, though the request is bad")
        if not asked.body.get("stream"):
            said = _whole(json.loads(await answer.aread()))
        else:
            events = [line.removeprefix("data: ") async for line in answer.aiter_lines() if line.startswith("data: ")]
            if events and "error" in (last := _chunk(events[-1])):
                _check_error(last)
                return Outcome(FAILED, last["error"]["message"])
            said = _streamed(events)
    _check(asked, said)
    asked.said(said.text)
    return Outcome(WHOLE)


def _refusal(asked: Asked, status: int, body: Any) -> Outcome:
    _check_error(body)
    error = body["error"]
    if status == 503:
        return Outcome(UNAVAILABLE, error["message"])
    if not asked.refused or status not in (400, 404, 422):
        raise Broken(f"{status}: {error['message']}")
    if asked.code and error["code"] != asked.code:
        raise Broken(f"{error['code']} where {asked.code} was due")
    return Outcome(REFUSED)


def _check_error(body: Any) -> None:
    missing = {"message", "type", "param", "code"} - body["error"].keys()
    if missing or not body["error"]["message"]:
        raise Broken(f"the error has no {', '.join(missing) or 'message'}")


def _whole(body: Any) -> Said:
    choice = body["choices"][0]
    return Said(choice["message"]["content"], choice["finish_reason"], body["usage"])


def _streamed(events: Sequence[str]) -> Said:
    if not events or events[-1] != "[DONE]":
        raise Broken("the stream has no end")
    chunks = [_chunk(event) for event in events[:-1]]
    choices = [choice for chunk in chunks for choice in chunk["choices"]]
    finishes = [choice["finish_reason"] for choice in choices if choice["finish_reason"]]
    usages = [chunk["usage"] for chunk in chunks if chunk.get("usage")]
    if len(finishes) != 1:
        raise Broken(f"finish reasons: {finishes}")
    return Said("".join(map(_piece, choices)), finishes[0], usages[-1] if usages else None)


def _chunk(event: str) -> dict[str, Any]:
    return {} if event == "[DONE]" else json.loads(event)


def _piece(choice: Any) -> str:
    return choice["text"] if "text" in choice else choice["delta"].get("content") or ""


def _check(asked: Asked, said: Said) -> None:
    if said.finish not in ("stop", "length"):
        raise Broken(f"finish reason {said.finish}")
    usage = said.usage
    if not usage or usage["total_tokens"] != usage["prompt_tokens"] + usage["completion_tokens"]:
        raise Broken(f"usage {usage}")
    if usage["completion_tokens"] > asked.body["max_tokens"]:
        raise Broken(f"{usage['completion_tokens']} tokens of at most {asked.body['max_tokens']}")
    for stop in asked.stops:
        if stop in said.text:
            raise Broken(f"{stop!r} in the text")
    if asked.schema and said.finish == "stop":
        _check_schema(asked, said.text)


def _check_schema(asked: Asked, text: str) -> None:
    value = json.loads(text)
    if not isinstance(value, dict) or value.keys() != set((asked.schema or {})["required"]):
        raise Broken(f"{text!r} is not of the schema")
