"""What a request may ask for: OpenAI's fields, and llama.cpp's sampling options under llama.cpp's names."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar, cast

from fastapi import Request
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from rostra_llm.errors import Refused

LARGEST = 4 << 20  # bytes; a context of 128k tokens is about 0.6 MB of text

# As llama-server's /props names them.
SAMPLERS = (
    "temperature",
    "top_k",
    "top_p",
    "min_p",
    "typical_p",
    "top_n_sigma",
    "repeat_penalty",
    "repeat_last_n",
    "presence_penalty",
    "frequency_penalty",
    "dry_multiplier",
    "dry_base",
    "dry_allowed_length",
    "dry_penalty_last_n",
    "dry_sequence_breakers",
    "xtc_probability",
    "xtc_threshold",
    "mirostat",
    "mirostat_tau",
    "mirostat_eta",
    "dynatemp_range",
    "dynatemp_exponent",
    "logit_bias",
    "grammar",
    "seed",
    "stop",
    "max_tokens",
    "min_tokens",
)

Body = TypeVar("Body", bound=BaseModel)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Text(_Strict):
    """As llama-server's /tokenize takes it; `model` where several are served."""

    content: str
    add_special: bool = False
    parse_special: bool = True
    model: str | None = None


class Tokens(_Strict):
    """As llama-server's /detokenize takes it; `model` where several are served."""

    tokens: list[int]
    model: str | None = None


class TextPart(_Strict):
    """A part of a message; pictures and sound are not served."""

    type: Literal["text"]
    text: str


def _joined(content: object) -> object:
    """The parts of a message as one text, as OpenAI's models read them."""
    if not isinstance(content, list):
        return content
    return "".join(TextPart.model_validate(part).text for part in cast("list[object]", content))


class Message(_Strict):
    """One message of a chat. A name reaches the model only where its template has a place for it."""

    role: Literal["system", "developer", "user", "assistant"]
    content: Annotated[str, BeforeValidator(_joined)]
    name: str | None = None

    def for_template(self) -> dict[str, str]:
        given = self.model_dump(exclude_none=True)
        return given | {"role": "system"} if self.role == "developer" else given


class Schema(_Strict):
    """OpenAI's named schema."""

    name: str = "answer"
    description: str | None = None
    schema_: dict[str, Any] = Field(alias="schema")
    strict: bool | None = None


class ResponseFormat(_Strict):
    """OpenAI's three kinds; `schema` beside `json_object` is llama.cpp's."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: Schema | None = None
    schema_: dict[str, Any] | None = Field(default=None, alias="schema")


class StreamOptions(_Strict):
    include_usage: bool = False
    include_obfuscation: bool = False  # OpenAI's padding against eavesdroppers; here there is none to leave out


def _not_none_at_all(tokens: int) -> int:
    if tokens == 0:
        raise ValueError("at least 1; -1 or nothing at all: up to the end of the context")
    return tokens


Length = Annotated[int, Field(ge=-1), AfterValidator(_not_none_at_all)]
Probability = Annotated[float, Field(ge=0, le=1)]
Stop = Annotated[str, Field(max_length=500)]  # characters; each token is compared with every beginning of it
Tokens32 = Annotated[int, Field(ge=-1, le=1 << 24)]


class Options(_Strict):
    """What both kinds of completions take. A field that is null counts as left out."""

    model: str | None = None
    stream: bool = False
    stream_options: StreamOptions | None = None
    max_tokens: Length | None = None
    n_predict: Length | None = None
    min_tokens: Annotated[int, Field(ge=0)] = 0
    ignore_eos: bool = False
    stop: Stop | Annotated[list[Stop], Field(max_length=32)] | None = None
    seed: Annotated[int, Field(ge=-1, le=(1 << 63) - 1)] | None = None
    n: Literal[1] = 1

    temperature: Annotated[float, Field(ge=0, le=5)] | None = None
    top_k: Annotated[int, Field(ge=-1, le=1 << 24)] | None = None
    top_p: Probability | None = None
    min_p: Probability | None = None
    typical_p: Probability | None = None
    top_n_sigma: Annotated[float, Field(ge=-1, le=100)] | None = None
    repeat_penalty: Annotated[float, Field(gt=0, le=10)] | None = None
    repeat_last_n: Tokens32 | None = None
    presence_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    frequency_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    dry_multiplier: Annotated[float, Field(ge=0, le=100)] | None = None
    dry_base: Annotated[float, Field(ge=1, le=100)] | None = None
    dry_allowed_length: Annotated[int, Field(ge=0, le=10_000)] | None = None
    dry_penalty_last_n: Tokens32 | None = None
    dry_sequence_breakers: (
        Annotated[list[Annotated[str, Field(min_length=1, max_length=100)]], Field(max_length=32)] | None
    ) = None
    xtc_probability: Probability | None = None
    xtc_threshold: Probability | None = None
    mirostat: Literal[0, 1, 2] | None = None
    mirostat_mode: Literal[0, 1, 2] | None = None  # the stock server's name for it
    mirostat_tau: Annotated[float, Field(ge=0, le=100)] | None = None
    mirostat_eta: Probability | None = None
    dynatemp_range: Annotated[float, Field(ge=0, le=5)] | None = None
    dynatemp_exponent: Annotated[float, Field(ge=0, le=10)] | None = None
    logit_bias: dict[str, Annotated[float, Field(ge=-100, le=100)] | Literal[False]] | None = None
    grammar: Annotated[str, Field(max_length=1 << 16)] | None = None
    json_schema: dict[str, Any] | None = None
    response_format: ResponseFormat | None = None

    cache_prompt: bool = True
    prompt_cache_key: Annotated[str, Field(max_length=256)] | None = None
    user: str | None = None
    metadata: dict[str, str] | None = None
    store: Literal[False] | None = None


class ChatRequest(Options):
    """`POST /v1/chat/completions`."""

    messages: Annotated[list[Message], Field(min_length=1)]
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None
    logprobs: bool = False
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    chat_template_kwargs: dict[str, Any] | None = None


class TextRequest(Options):
    """`POST /v1/completions`."""

    prompt: str | list[int] | list[str]
    logprobs: Annotated[int, Field(ge=0, le=20)] | None = None


# Options of OpenAI's and llama-server's that people may expect, with the values that ask for nothing.
UNSUPPORTED: Mapping[str, tuple[object, ...]] = {
    "n": (1,),
    "best_of": (1,),
    "echo": (False,),
    "suffix": ("",),
    "functions": ([],),
    "function_call": ("none",),
    "tools": ([],),
    "tool_choice": ("none", "auto"),
    "parallel_tool_calls": (True, False),
    "logit_bias_type": ("tokens",),
    "service_tier": ("auto", "default"),
    "modalities": (["text"],),
}


async def read(request: Request, kind: type[Body]) -> Body:
    """The request's body. Raises Refused, which names the field."""
    return validated(_object(await _bytes(request)), kind)


def validated(body: Mapping[str, Any], kind: type[Body]) -> Body:
    """The body as this kind of request. Raises Refused, which names the field."""
    given = {name: value for name, value in body.items() if value is not None}
    for name, nothing in UNSUPPORTED.items():
        if name in given and name not in kind.model_fields and given.pop(name) not in nothing:
            raise Refused(f"{name} is not supported.", param=name, code="unsupported_parameter")
    if given.get("n", 1) != 1:
        raise Refused("n is not supported: send the request several times.", param="n", code="unsupported_parameter")
    unknown = [name for name in given if name not in kind.model_fields]
    if unknown:
        raise Refused(f"Unknown option: {', '.join(unknown)}.", param=unknown[0], code="unknown_parameter")
    try:
        return kind.model_validate(given)
    except ValidationError as error:
        raise _first(error) from error


def _first(error: ValidationError) -> Refused:
    problem = error.errors(include_input=False, include_url=False)[0]
    where = ".".join(str(step) for step in problem["loc"])
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
    except (ValueError, RecursionError) as error:
        raise Refused(f"The body is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise Refused("The body is not a JSON object.")
    return cast("dict[str, Any]", value)
