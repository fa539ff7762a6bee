"""AutoGen's view of a model server: a `ChatCompletionClient` that always streams.

AutoGen's own OpenAI client drops llama.cpp's sampling options, sends names that Japanese debaters cannot
have, and reports neither a cut stream nor a finish reason. This one passes on what `rostra_orchestrator.endpoint`
says, and stops the generation as soon as its token is cancelled.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, Literal

from autogen_core import CancellationToken
from autogen_core.models import (
    AssistantMessage,
    ChatCompletionClient,
    CreateResult,
    FinishReasons,
    LLMMessage,
    ModelCapabilities,  # pyright: ignore[reportDeprecated]
    ModelFamily,
    ModelInfo,
    RequestUsage,
    SystemMessage,
    UserMessage,
)
from autogen_core.tools import Tool, ToolSchema
from pydantic import BaseModel

from rostra.events import Usage
from rostra_orchestrator.endpoint import Answer, Message, ModelServer, estimate

_INFO = ModelInfo(
    vision=False,
    function_calling=False,
    json_output=False,
    structured_output=False,
    family=ModelFamily.UNKNOWN,
)
_FINISH_REASONS: Mapping[str, FinishReasons] = {"stop": "stop", "length": "length"}


class StreamingClient(ChatCompletionClient):
    """Speaks with one model server.

    `extra_create_args` are the sampling options; tools and JSON output are not taken. After a stream, the
    answer's usage and finish reason as the server gave them stand in `last`.
    """

    component_type = "model"

    def __init__(self, server: ModelServer) -> None:
        self._server = server
        self._spent = RequestUsage(0, 0)
        self.last = Answer()

    async def create_stream(
        self,
        messages: Sequence[LLMMessage],
        *,
        tools: Sequence[Tool | ToolSchema] = (),
        tool_choice: Tool | Literal["auto", "required", "none"] = "auto",
        json_output: bool | type[BaseModel] | None = None,
        extra_create_args: Mapping[str, Any] | None = None,
        cancellation_token: CancellationToken | None = None,
    ) -> AsyncGenerator[str | CreateResult, None]:
        """Yields the text as it comes, several tokens at a time where they come fast, then the result.

        Raises:
            ModelError: the answer did not come to its end.
            asyncio.CancelledError: the token was cancelled; the connection is closed by then.
        """
        self.last = answer = Answer()
        pieces: asyncio.Queue[str | None] = asyncio.Queue()
        reading = asyncio.ensure_future(
            self._read([wire(m) for m in messages], extra_create_args or {}, answer, pieces)
        )
        if cancellation_token is not None:
            cancellation_token.link_future(reading)
        try:
            while (text := await _next(pieces)) is not None:
                yield text
            await reading
        finally:
            reading.cancel()
            await asyncio.wait([reading])
        yield self._result(answer)

    async def _read(
        self,
        messages: list[Message],
        options: Mapping[str, Any],
        answer: Answer,
        pieces: asyncio.Queue[str | None],
    ) -> None:
        stream = self._server.stream(messages, options, answer)
        try:
            async for piece in stream:
                pieces.put_nowait(piece)
        finally:
            pieces.put_nowait(None)
            await stream.aclose()

    def _result(self, answer: Answer) -> CreateResult:
        usage = answer.usage or Usage()
        spent = RequestUsage(usage.prompt_tokens, usage.completion_tokens)
        self._spent = RequestUsage(
            self._spent.prompt_tokens + spent.prompt_tokens,
            self._spent.completion_tokens + spent.completion_tokens,
        )
        reason = _FINISH_REASONS.get(answer.finish_reason or "", "unknown")
        return CreateResult(finish_reason=reason, content=answer.text, usage=spent, cached=False)

    async def create(
        self,
        messages: Sequence[LLMMessage],
        *,
        tools: Sequence[Tool | ToolSchema] = (),
        tool_choice: Tool | Literal["auto", "required", "none"] = "auto",
        json_output: bool | type[BaseModel] | None = None,
        extra_create_args: Mapping[str, Any] | None = None,
        cancellation_token: CancellationToken | None = None,
    ) -> CreateResult:
        """As `create_stream`, whole: only a stream frees the server when it is cancelled."""
        stream = self.create_stream(
            messages, extra_create_args=extra_create_args, cancellation_token=cancellation_token
        )
        async for piece in stream:
            if isinstance(piece, CreateResult):
                return piece
        raise AssertionError("a stream ends with its result")

    async def close(self) -> None:
        """The server's connection belongs to whoever opened it."""

    def actual_usage(self) -> RequestUsage:
        return self._spent

    def total_usage(self) -> RequestUsage:
        return self._spent

    def count_tokens(self, messages: Sequence[LLMMessage], *, tools: Sequence[Tool | ToolSchema] = ()) -> int:
        """An estimate: the endpoint's tokenizer is asked where prompts are made, and that takes an await."""
        return sum(estimate(wire(message)["content"]) for message in messages)

    def remaining_tokens(self, messages: Sequence[LLMMessage], *, tools: Sequence[Tool | ToolSchema] = ()) -> int:
        return (self._server.endpoint.context or 0) - self.count_tokens(messages)

    @property
    def capabilities(self) -> ModelCapabilities:  # pyright: ignore[reportDeprecated]
        return _INFO  # pyright: ignore[reportReturnType]

    @property
    def model_info(self) -> ModelInfo:
        return _INFO


async def _next(pieces: asyncio.Queue[str | None]) -> str | None:
    """The next text, with all that has come meanwhile: one hop through AutoGen for many fast tokens."""
    text = await pieces.get()
    while text is not None and not pieces.empty():
        more = pieces.get_nowait()
        if more is None:
            pieces.put_nowait(None)
            break
        text += more
    return text


def wire(message: LLMMessage) -> Message:
    """An AutoGen message as OpenAI's wire has it; names stay inside, since templates ignore them."""
    match message:
        case SystemMessage():
            return {"role": "system", "content": message.content}
        case UserMessage() if isinstance(message.content, str):
            return {"role": "user", "content": message.content}
        case AssistantMessage() if isinstance(message.content, str):
            return {"role": "assistant", "content": message.content}
        case _:
            raise TypeError(f"a debate has only text, not {type(message).__name__}")
