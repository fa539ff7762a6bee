"""What a server sends, read as OpenAI's wire format has it; nothing in it is trusted to be what it should."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from rostra.doctor.troubles import Broken

# Where thinking models put what comes before their answer.
_THOUGHTS = ("reasoning_content", "reasoning")


@dataclass(slots=True)
class Reply:
    """What came of one chat. `text` is all that the model wrote, `thought` what of it came before its answer.

    Of a stream, `arrivals` are the seconds from the request to each piece of text, and `done` says whether its end was
    announced."""

    text: str = ""
    thought: str = ""
    finish_reason: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    seconds: float = 0.0
    arrivals: list[float] = field(default_factory=list[float])
    done: bool = False


def parsed(body: bytes) -> Any:
    """None where it is no JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def fields(value: object) -> Mapping[str, Any]:
    """Those of a JSON object; none of anything else."""
    return cast("Mapping[str, Any]", value) if isinstance(value, dict) else {}


def number(value: object) -> int | None:
    """A whole number above zero, or None."""
    return value if isinstance(value, int) and value > 0 else None


def whole(body: object) -> Reply:
    """An answer that came in one piece. Raises: Broken."""
    reply = Reply(done=True)
    choice = _choice(body)
    if choice is None or not isinstance(choice.get("message"), dict):
        raise Broken("Its answer is no chat completion: is it a model server?")
    _take(choice, choice["message"], reply)
    _count(body, reply)
    return reply


def take(chunk: object, reply: Reply) -> str:
    """The text in a piece of a stream; all that it holds goes into `reply`."""
    _count(chunk, reply)
    choice = _choice(chunk)
    return _take(choice, choice.get("delta"), reply) if choice else ""


def _choice(body: object) -> Mapping[str, Any] | None:
    choices = fields(body).get("choices")
    return fields(cast("list[object]", choices)[0]) if isinstance(choices, list) and choices else None


def _take(choice: Mapping[str, Any], message: object, reply: Reply) -> str:
    said = fields(message)
    thought = next((text for name in _THOUGHTS if (text := _text(said, name))), "")
    text = thought + _text(said, "content")
    reply.thought += thought
    reply.text += text
    if isinstance(reason := choice.get("finish_reason"), str):
        reply.finish_reason = reason
    return text


def _text(said: Mapping[str, Any], name: str) -> str:
    return said[name] if isinstance(said.get(name), str) else ""


def _count(body: object, reply: Reply) -> None:
    usage = fields(fields(body).get("usage"))
    reply.prompt_tokens = number(usage.get("prompt_tokens")) or reply.prompt_tokens
    reply.completion_tokens = number(usage.get("completion_tokens")) or reply.completion_tokens


def message(body: bytes) -> str:
    """The words of an error, where OpenAI's or FastAPI's have them; plain text as it is; one line."""
    said = parsed(body)
    if said is None:
        text = body.decode(errors="replace").strip()
        return "" if text.startswith("<") else " ".join(text.split())
    error = next((fields(said)[name] for name in ("error", "detail", "message") if fields(said).get(name)), "")
    if isinstance(error, list):
        error = "; ".join(_text(fields(fault), "msg") for fault in cast("list[object]", error))
    return " ".join(str(fields(error).get("message", error)).split())
