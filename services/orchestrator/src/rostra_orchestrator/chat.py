"""A debate as an AutoGen group chat, one turn at a time. The seam: with `client`, all that knows AutoGen.

The debaters are seated in a `SelectorGroupChat` that asks nobody but the agenda. Each turn is one run of
the team. AutoGen's state after a failed or cancelled run is wrong, so such a team is thrown away: `seat`
another one from the turns that are finished.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Protocol

from autogen_agentchat.agents import BaseChatAgent
from autogen_agentchat.base import Response, TaskResult
from autogen_agentchat.messages import BaseAgentEvent, BaseChatMessage, TextMessage
from autogen_agentchat.teams import SelectorGroupChat
from autogen_core import CancellationToken
from autogen_core.models import AssistantMessage, CreateResult, LLMMessage, SystemMessage, UserMessage

from rostra_orchestrator.client import StreamingClient
from rostra_orchestrator.endpoint import Answer, Message, ModelServer
from rostra_orchestrator.slots import Line


class Speech(Protocol):
    """One attempt at a turn: what to ask, what to do with the words, and what becomes of them."""

    async def prompt(self, lines: Sequence[Line]) -> tuple[Sequence[Message], Mapping[str, object]]:
        """The messages and sampling options to send, given what was said so far."""
        ...

    async def heard(self, words: str) -> bool:
        """Takes the next words; False when there are enough and the rest need not be spoken."""
        ...

    async def spoken(self, answer: Answer) -> str:
        """The turn's text, from the whole answer."""
        ...


class Chat:
    """Seated debaters. `turn` lets one of them speak."""

    def __init__(self, servers: Mapping[str, ModelServer], history: Sequence[Line]) -> None:
        """`servers` holds each debater's model server by the debater's id."""
        self._speaker = ""
        self._speech: Speech | None = None
        self._history: Sequence[Line] = history
        self._agents = {i: _DebaterAgent(i, server, self) for i, server in servers.items()}
        agents = list(self._agents.values())
        self._team = SelectorGroupChat(
            list(agents),
            model_client=agents[0].client,
            selector_func=lambda _: self._speaker,
            allow_repeated_speaker=True,
            max_turns=1,
        )

    @property
    def speech(self) -> Speech:
        assert self._speech is not None, "an agent spoke outside a turn"
        return self._speech

    async def turn(self, speaker: str, speech: Speech, stop: Stop) -> str:
        """Lets `speaker` speak once; answers the turn's text.

        Raises:
            Whatever `speech` or the model server raised.
            asyncio.CancelledError: `stop` was called.
        """
        self._speaker, self._speech = speaker, speech
        task = [TextMessage(source=line.speaker, content=line.text) for line in self._history]
        self._history = ()
        result = await self._team.run(task=task or None, cancellation_token=stop.token)
        if (failure := self._agents[speaker].failure) is not None:
            raise failure
        return _last_text(result)


class Stop:
    """Ends a turn in flight: `task.cancel()` does not stop an AutoGen team, its token does."""

    def __init__(self) -> None:
        self.token = CancellationToken()

    def __call__(self) -> None:
        self.token.cancel()


class _DebaterAgent(BaseChatAgent):
    """A debater as AutoGen sees it: an ASCII id, and what has been said so far."""

    def __init__(self, debater_id: str, server: ModelServer, chat: Chat) -> None:
        super().__init__(debater_id, description="a debater")
        self.client = StreamingClient(server)
        self.failure: Exception | None = None
        self._chat = chat
        self._lines: list[Line] = []

    @property
    def produced_message_types(self) -> Sequence[type[BaseChatMessage]]:
        return (TextMessage,)

    async def on_messages(self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken) -> Response:
        self._lines += [Line(m.source, m.content) for m in messages if isinstance(m, TextMessage)]
        try:
            text = await self._speak(self._chat.speech, cancellation_token)
        except Exception as error:
            # Raised again by `Chat.turn`: through AutoGen it would come as a RuntimeError with the text only.
            self.failure, text = error, ""
        self._lines.append(Line(self.name, text))
        return Response(chat_message=TextMessage(source=self.name, content=text))

    async def on_messages_stream(
        self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
    ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | Response, None]:
        # Words go to `Speech.heard`, not through AutoGen's queues: a message there costs 0.7 ms of CPU.
        yield await self.on_messages(messages, cancellation_token)

    async def _speak(self, speech: Speech, token: CancellationToken) -> str:
        messages, options = await speech.prompt(self._lines)
        stream = self.client.create_stream(
            [_message(m) for m in messages], extra_create_args=options, cancellation_token=token
        )
        try:
            async for piece in stream:
                if not isinstance(piece, CreateResult) and not await speech.heard(piece):
                    break
        finally:
            await stream.aclose()
        return await speech.spoken(self.client.last)

    async def on_reset(self, cancellation_token: CancellationToken) -> None:
        self._lines.clear()


def _message(message: Message) -> LLMMessage:
    match message["role"]:
        case "system":
            return SystemMessage(content=message["content"])
        case "assistant":
            return AssistantMessage(content=message["content"], source="debater")
        case _:
            return UserMessage(content=message["content"], source="moderator")


def _last_text(result: TaskResult) -> str:
    last = result.messages[-1]
    assert isinstance(last, TextMessage), f"a turn ended with {type(last).__name__}"
    return last.content
