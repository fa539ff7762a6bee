"""What a client of OpenAI's asks for, as a debate.

The last `user` message is the motion, `model` is the format, and `rostra` holds any other field of a debate's request.
Of OpenAI's own fields those that mean something for a debate are taken, those that mean nothing are passed over, and
those that ask for what the answer will not be are refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictInt, StrictStr

from rostra.endpoints import Endpoints
from rostra.fields import Number
from rostra.format import Format
from rostra.models import Debate, DebateRequest, DebaterRequest, default_debaters
from rostra.rules import MAX_SEED, Sampling
from rostra_api import intake
from rostra_api.problems import INVALID, NO_MODEL, Fault, Refusal

# What a turn may have at least and at most; clients send anything.
_FEWEST_TOKENS, _MOST_TOKENS = 8, 8192
_SAMPLING = ("temperature", "top_p", "presence_penalty", "frequency_penalty", "logit_bias")
# Said by OpenAI's own fields.
_ELSEWHERE = {"motion": "the last message of the user is the motion", "format": "`model` names the format"}


class Asked(BaseModel):
    """Clients send more than is known here: what is not named is passed over."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class ChatPart(Asked):
    """A part of a message; only text can be a motion."""

    type: StrictStr
    text: StrictStr | None = None


class ChatMessage(Asked):
    """What was said in the chat, by whom."""

    role: StrictStr = Field(examples=["user"])
    content: StrictStr | tuple[ChatPart, ...] | None = Field(default=None, examples=["Tabs beat spaces"])


class StreamOptions(Asked):
    """What a stream has beside the words."""

    include_usage: StrictBool | None = None


class ResponseFormat(Asked):
    """In which form the answer is."""

    type: StrictStr


_Stop = Annotated[StrictStr, Field(min_length=1, max_length=100)]
_Stops = Annotated[tuple[_Stop, ...], Field(max_length=16)]


def _as_several(stop: object) -> object:
    return (stop,) if isinstance(stop, str) else stop


class ChatRequest(Asked):
    """What a client of OpenAI's sends. Other fields of theirs are passed over, but for those that are named here."""

    model: StrictStr = Field(description="A debate format by its name.", examples=["round_robin"])
    messages: tuple[ChatMessage, ...] = Field(
        min_length=1,
        description="The last one of the role `user` is the motion, as a text or as parts of text; the others are "
        "passed over.",
        examples=[[{"role": "user", "content": "Tabs beat spaces"}]],
    )
    stream: StrictBool | None = None
    stream_options: StreamOptions | None = None
    temperature: Annotated[Number, Field(ge=0, le=5)] | None = Field(
        default=None, description="Of every debater that has none of its own; so are the other options of sampling."
    )
    top_p: Annotated[Number, Field(ge=0, le=1)] | None = None
    presence_penalty: Annotated[Number, Field(ge=-2, le=2)] | None = None
    frequency_penalty: Annotated[Number, Field(ge=-2, le=2)] | None = None
    logit_bias: (
        Annotated[
            dict[Annotated[StrictStr, Field(pattern=r"^[0-9]{1,9}$")], Annotated[Number, Field(ge=-100, le=100)]],
            Field(max_length=256),
        ]
        | None
    ) = None
    stop: Annotated[_Stops, BeforeValidator(_as_several, json_schema_input_type=_Stop | _Stops)] | None = Field(
        default=None, description="What ends a turn, beside what ends it anyway."
    )
    seed: StrictInt | None = Field(default=None, description="The debate's; a negative one stands for none.")
    max_tokens: Annotated[StrictInt, Field(ge=1)] | None = Field(
        default=None, description="Of one turn, as `max_completion_tokens`: taken as 8 at least and 8,192 at most."
    )
    max_completion_tokens: Annotated[StrictInt, Field(ge=1)] | None = None
    n: Annotated[StrictInt, Field(ge=1, le=1)] | None = None
    logprobs: Annotated[StrictBool, Field(json_schema_extra={"const": False})] | None = None
    response_format: ResponseFormat | None = Field(default=None, description="Only `text` can be had.")
    modalities: tuple[StrictStr, ...] | None = Field(default=None, description="Only `text` can be had.")
    tools: tuple[dict[str, Any], ...] | None = Field(
        default=None, description="Refused, unless `tool_choice` is `none`; so are `functions`."
    )
    functions: tuple[dict[str, Any], ...] | None = None
    tool_choice: StrictStr | dict[str, Any] | None = None
    rostra: dict[str, Any] | None = Field(
        default=None, description="Any other fields of a debate's request (DebateRequest), but `motion` and `format`."
    )

    @property
    def with_usage(self) -> bool:
        return bool(self.stream_options and self.stream_options.include_usage)


def read(body: bytes) -> ChatRequest:
    """Raises: Refusal."""
    return intake.read_as(ChatRequest, body, INVALID, extra="ignore")


def request_of(asked: ChatRequest, formats: Mapping[str, Format]) -> DebateRequest:
    """The request for a debate that `asked` stands for. Raises: Refusal."""
    if asked.model not in formats:
        raise Refusal(
            NO_MODEL,
            "A model is a debate format here; GET /openai/v1/models lists them.",
            [Fault(pointer="/model", detail="is not a debate format")],
        )
    if lies := [*_lies(asked), *_said_twice(asked)]:
        raise Refusal(INVALID, "See `errors`.", lies)
    place, motion = _motion(asked)
    own = asked.rostra or {}
    document = {**_mapped(asked), **own, "motion": motion, "format": asked.model}
    if isinstance(own.get("turn", {}), dict):
        document["turn"] = {**_turn(asked), **own.get("turn", {})}
    try:
        request = intake.read(json.dumps(document).encode())
    except Refusal as refused:
        raise _placed(refused, asked, place) from None
    return _with_sampling(request, _sampling(asked), formats[asked.model])


def debate_of(
    request: DebateRequest, asked: ChatRequest, models: Mapping[str, Endpoints], formats: Mapping[str, Format]
) -> Debate:
    """The debate itself, if this installation can hold it. Raises: Refusal."""
    place, _ = _motion(asked)
    try:
        return intake.debate_of(request, models, formats)
    except Refusal as refused:
        raise _placed(refused, asked, place) from None


def _lies(asked: ChatRequest) -> Iterator[Fault]:
    """What cannot be had: to pass it over would be to answer something else than was asked for."""
    if asked.tool_choice != "none":
        for name in ("tools", "functions"):
            if getattr(asked, name):
                yield Fault(pointer=f"/{name}", detail="a debate calls none: leave them out")
    if asked.response_format and asked.response_format.type != "text":
        yield Fault(pointer="/response_format", detail="a debate is answered as text only")
    if asked.logprobs:
        yield Fault(pointer="/logprobs", detail="a debate has none")
    if set(asked.modalities or ()) - {"text"}:
        yield Fault(pointer="/modalities", detail="a debate is answered as text only")


def _said_twice(asked: ChatRequest) -> Iterator[Fault]:
    for name, where in _ELSEWHERE.items():
        if name in (asked.rostra or {}):
            yield Fault(pointer=f"/rostra/{name}", detail=f"is not taken here: {where}")


def _motion(asked: ChatRequest) -> tuple[int, str]:
    """Which message is the motion, and its text. Raises: Refusal."""
    place = next((n for n in reversed(range(len(asked.messages))) if asked.messages[n].role == "user"), None)
    if place is None:
        fault = Fault(pointer="/messages", detail="has no message of the role `user`, which would be the motion")
        raise Refusal(INVALID, "See `errors`.", [fault])
    content = asked.messages[place].content
    if isinstance(content, str):
        return place, content
    if any(part.type != "text" for part in content or ()):
        fault = Fault(pointer=_content(place), detail="has parts that are no text; a motion is text")
        raise Refusal(INVALID, "See `errors`.", [fault])
    return place, "\n".join(part.text or "" for part in content or ())


def _mapped(asked: ChatRequest) -> dict[str, Any]:
    drawn = asked.seed is None or asked.seed < 0
    return {} if drawn else {"seed": cast("int", asked.seed) % (MAX_SEED + 1)}


def _turn(asked: ChatRequest) -> dict[str, Any]:
    """Clients send a length for every answer, meant for what one speaker says: a turn, not a debate."""
    longest = asked.max_completion_tokens or asked.max_tokens
    return {"max_tokens": min(max(longest, _FEWEST_TOKENS), _MOST_TOKENS)} if longest else {}


def _sampling(asked: ChatRequest) -> Sampling:
    options = {name: value for name in _SAMPLING if (value := getattr(asked, name)) is not None}
    return Sampling.model_validate({**options, **({"stop": asked.stop} if asked.stop else {})})


def _with_sampling(request: DebateRequest, sampling: Sampling, debate_format: Format) -> DebateRequest:
    """The request with these options for each debater, behind the debater's own."""
    if not sampling.given():
        return request
    language = request.language or intake.language_of(request)
    debaters = request.debaters or default_debaters(language, debate_format)
    return request.model_copy(update={"debaters": tuple(_sampled(debater, sampling) for debater in debaters)})


def _sampled(debater: DebaterRequest, sampling: Sampling) -> DebaterRequest:
    return debater.model_copy(update={"sampling": sampling | debater.sampling})


# ── Where in what was sent ──────────────────────────────────────────────────────────────────────────────


def _content(place: int) -> str:
    return f"/messages/{place}/content"


def _placed(refused: Refusal, asked: ChatRequest, place: int) -> Refusal:
    """The same refusal, with pointers into what was sent."""
    faults = {(_sent(fault.pointer or "", asked, place), fault.detail): fault for fault in refused.errors}
    errors = [fault.model_copy(update={"pointer": pointer}) for (pointer, _), fault in faults.items()]
    return Refusal(refused.kind, refused.detail, errors, refused.bound)


def _sent(pointer: str, asked: ChatRequest, place: int) -> str:
    match pointer.split("/")[1:]:
        case ["motion"]:
            return _content(place)
        case ["debaters", n, "sampling", option] if option not in _own_sampling(asked, int(n)):
            return f"/{option}"
        case _:
            return f"/rostra{pointer}"


def _own_sampling(asked: ChatRequest, n: int) -> Mapping[str, Any]:
    """What the request says of a debater itself; it was read as a debate's before."""
    debaters = cast("Sequence[Mapping[str, Any]]", (asked.rostra or {}).get("debaters") or ())
    return debaters[n].get("sampling", {}) if n < len(debaters) else {}
