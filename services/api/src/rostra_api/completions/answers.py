"""Models and completions as OpenAI has them on the wire."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from rostra.events import Usage
from rostra.models import Debate, Status
from rostra.transcript import Course
from rostra.views import View
from rostra_api.completions.told import finish_reason

FinishReason = Literal["stop", "length"]


class OneModel(View):
    """A debate format, as a model."""

    id: str
    object: Literal["model"] = "model"
    created: int = Field(default=0, description="A format has no date.")
    owned_by: Literal["rostra"] = "rostra"
    name: str = Field(description="The format's title; beyond OpenAI's fields, as `description` is.")
    description: str


class Models(View):
    """All debate formats, as models."""

    object: Literal["list"] = "list"
    data: list[OneModel]


class Held(View):
    """What became of the debate; beyond OpenAI's fields."""

    debate: str
    status: Status
    reason: str


class Tokens(View):
    """Tokens spent, failed attempts and what was asked beside the turns included."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class AnswerMessage(View):
    """All that was said, as Markdown."""

    role: Literal["assistant"] = "assistant"
    content: str
    refusal: None = None


class Choice(View):
    """The one answer."""

    index: Literal[0] = 0
    message: AnswerMessage
    logprobs: None = None
    finish_reason: FinishReason = Field(description="`stop`: the debate was held to its end; `length`: it ended early.")


class Completion(View):
    """A debate, as the answer of a chat."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[Choice]
    usage: Tokens
    rostra: Held


class _Wire(BaseModel):
    """A part of a chunk: only the fields that were given are sent."""

    model_config = ConfigDict(frozen=True)


class Piece(_Wire):
    index: int
    delta: dict[str, str]
    logprobs: None
    finish_reason: FinishReason | None


class Chunk(_Wire):
    id: str
    object: str
    created: int
    model: str
    choices: list[Piece]
    usage: Tokens | None = None
    rostra: Held | None = None


class Answer:
    """A debate's answer, in the forms that clients ask for."""

    def __init__(self, debate: Debate, *, usage: bool = False) -> None:
        self._debate = debate
        self._usage = usage

    @property
    def _head(self) -> dict[str, Any]:
        debate = self._debate
        created = int(debate.created_at.timestamp())
        return {"id": f"chatcmpl-{debate.id}", "created": created, "model": debate.format.name}

    def whole(self, text: str, course: Course) -> Completion:
        choice = Choice(message=AnswerMessage(content=text), finish_reason=finish_reason(course))
        return Completion(**self._head, choices=[choice], usage=_tokens(course.usage), rostra=self._held(course))

    def first(self) -> Chunk:
        return self._chunk({"role": "assistant", "content": ""})

    def more(self, text: str) -> Chunk:
        return self._chunk({"content": text})

    def last(self, course: Course) -> Iterator[Chunk]:
        yield self._chunk({}, finish_reason(course), rostra=self._held(course))
        if self._usage:
            yield self._made([], usage=_tokens(course.usage))

    def _chunk(self, delta: dict[str, str], finish: FinishReason | None = None, **more: Any) -> Chunk:
        # Where the usage is asked for, all chunks but the last have none, and say so.
        usage = {"usage": None} if self._usage else {}
        piece = Piece(index=0, delta=delta, logprobs=None, finish_reason=finish)
        return self._made([piece], **usage, **more)

    def _made(self, choices: list[Piece], **more: Any) -> Chunk:
        return Chunk(**self._head, object="chat.completion.chunk", choices=choices, **more)

    def _held(self, course: Course) -> Held:
        return Held(debate=self._debate.id, status=course.status, reason=course.reason)


def _tokens(usage: Usage) -> Tokens:
    return Tokens(
        prompt_tokens=usage.prompt_tokens, completion_tokens=usage.completion_tokens, total_tokens=usage.total
    )
