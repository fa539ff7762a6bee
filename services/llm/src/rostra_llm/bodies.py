"""What a request may ask for."""

import json
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from fastapi import Request
from pydantic import BaseModel, ValidationError

from rostra_llm.errors import Refused

LARGEST = 4 << 20  # bytes; a context of 128k tokens is about 0.6 MB of text

# The sampling that the stock server does.
SAMPLERS = (
    "temperature",
    "top_k",
    "top_p",
    "min_p",
    "repeat_penalty",
    "presence_penalty",
    "frequency_penalty",
    "mirostat_mode",
    "mirostat_tau",
    "mirostat_eta",
    "logit_bias",
    "grammar",
    "seed",
    "stop",
    "max_tokens",
    "min_tokens",
)
# Taken though the stock server ignores it: without usage in the stream the client counts for itself.
TOLERATED = {"stream_options"}

Body = TypeVar("Body", bound=BaseModel)


class Text(BaseModel):
    """As llama-server's /tokenize takes it."""

    content: str
    add_special: bool = False
    parse_special: bool = True


class Tokens(BaseModel):
    """As llama-server's /detokenize takes it."""

    tokens: list[int]


async def read(request: Request, kind: type[Body]) -> Body:
    """The request's body; Refused where the stock server would answer 500 or ignore what it does not know."""
    body = _object(await _bytes(request))
    unknown = [name for name in body if name not in kind.model_fields and name not in TOLERATED]
    if unknown:
        raise Refused(f"Unknown option: {', '.join(unknown)}.", param=unknown[0], code="unknown_parameter")
    try:
        return kind.model_validate({name: value for name, value in body.items() if value is not None})
    except ValidationError as error:
        raise _first(error) from error


def _first(error: ValidationError) -> Refused:
    # A message is tried as each kind of message; that it is not of the other kinds tells nothing.
    problem = min(error.errors(include_input=False), key=lambda problem: problem["type"] == "literal_error")
    where = ".".join(str(step) for step in problem["loc"] if not str(step).startswith("ChatCompletion"))
    return Refused(f"{where}: {problem['msg']}", param=where)


async def _bytes(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST:
            raise Refused(f"The body is larger than {LARGEST} bytes.", status=413)
    return bytes(body)


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        value: object = json.loads(body)
    except ValueError as error:
        raise Refused(f"The body is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise Refused("The body is not a JSON object.")
    return cast("dict[str, Any]", value)
