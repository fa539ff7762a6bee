"""`rostra.AsyncClient`: takes the steps of `tasks` in an event loop. What each method does stands at its twin in
`rostra.client.blocking`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, Self, TypeVar, cast

import httpx2 as httpx

from rostra.client import calls, tasks
from rostra.client.base import Reach, reach
from rostra.client.calls import Call, Form
from rostra.client.live import Following, Told
from rostra.client.patience import Came, Steps
from rostra.models import DebateRequest, Status
from rostra.views import DebateView, FormatSummary, FormatView, ModelReport, ModelView, TranscriptView

T = TypeVar("T")


class AsyncSender:
    """Sends calls and waits for what comes."""

    def __init__(self, reach: Reach, transport: httpx.AsyncBaseTransport | None) -> None:
        self.reach = reach
        self.http = httpx.AsyncClient(**reach.http(), transport=transport)

    async def send(self, call: Call[T]) -> T:
        """What the API answers. Raises RostraError."""
        return await self.take(tasks.once(call, self.reach))

    async def take(self, steps: Steps[T]) -> T:
        """What the steps come to."""
        came: Came = None
        try:
            while True:
                step = steps.send(came)
                came = await (self._ask(step) if isinstance(step, Call) else asyncio.sleep(step))
        except StopIteration as done:
            return cast("T", done.value)

    async def _ask(self, call: Call[Any]) -> Came:
        try:
            return await self.http.request(**self.reach.request(call))
        except httpx.RequestError as error:
            return error

    async def follow(self, following: Following) -> AsyncGenerator[Told]:
        while not following.ended:
            try:
                async with self.http.sse(**following.request()) as source:
                    if source.response.is_success:
                        following.opened(source.response)
                        async for event in source:
                            if told := following.take(event):
                                yield told
                        pause = following.pause()
                    else:
                        await source.response.aread()
                        pause = following.failed(source.response)
            except httpx.RequestError as error:
                pause = following.failed(error)
            await asyncio.sleep(pause)


class AsyncClient:
    """As `rostra.Client`, to be awaited.

        async with AsyncClient() as client:
            debate = await client.debates.create("Tabs beat spaces", rounds=2)
            async for told in client.debates.stream(debate.id):
                print(told.kind, told.data)

    Who leaves a stream before its end closes it by `aclose`, or `contextlib.aclosing`.
    """

    def __init__(
        self,
        base_url: str | None = None,
        key: str | None = None,
        *,
        timeout: float = 30.0,
        retries: int = 4,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._sender = AsyncSender(reach(base_url, key, timeout, retries), transport)
        self.debates = AsyncDebates(self._sender)
        self.formats = AsyncFormats(self._sender)
        self.models = AsyncModels(self._sender)

    @property
    def address(self) -> str:
        """Where the API is."""
        return self._sender.reach.address

    async def close(self) -> None:
        """Closes its connections."""
        await self._sender.http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


class AsyncDebates:
    """`client.debates`."""

    def __init__(self, sender: AsyncSender) -> None:
        self._sender = sender

    async def create(
        self,
        request: str | DebateRequest | Mapping[str, Any] | None = None,
        /,
        *,
        idempotency_key: str | None = None,
        **fields: Any,
    ) -> DebateView:
        return await self._sender.send(calls.create(request, fields, idempotency_key))

    async def get(self, debate_id: str) -> DebateView:
        return await self._sender.send(calls.get(debate_id))

    async def wait(self, debate_id: str, timeout: float | None = None) -> DebateView:
        return await self._sender.take(tasks.end_of(debate_id, timeout, self._sender.reach))

    async def list(
        self, *, status: Status | str | None = None, metadata: Mapping[str, object] | None = None
    ) -> AsyncGenerator[DebateView]:
        after: str | None = None
        while True:
            page = await self._sender.send(calls.page(status, metadata or {}, after))
            for debate in page.data:
                yield debate
            if (after := page.next_cursor) is None:
                return

    def stream(self, debate_id: str, after: str | None = None, *, deltas: bool = True) -> AsyncGenerator[Told]:
        return self._sender.follow(Following(debate_id, after, deltas, self._sender.reach))

    async def transcript(self, debate_id: str) -> TranscriptView:
        return await self._sender.send(calls.transcript(debate_id))

    async def export(self, debate_id: str, form: Form) -> str:
        return await self._sender.send(calls.export(debate_id, form))

    async def cancel(self, debate_id: str) -> DebateView:
        return await self._sender.send(calls.steer(debate_id, "cancel"))

    async def pause(self, debate_id: str) -> DebateView:
        return await self._sender.send(calls.steer(debate_id, "pause"))

    async def resume(self, debate_id: str) -> DebateView:
        return await self._sender.send(calls.steer(debate_id, "resume"))

    async def delete(self, debate_id: str) -> None:
        return await self._sender.send(calls.delete(debate_id))

    async def speak(self, debate_id: str, text: str, *, seq: int | None = None) -> DebateView:
        return await self._sender.send(calls.speak(debate_id, text, seq))

    async def ask(self, debate_id: str, text: str, *, to: str | None = None) -> DebateView:
        return await self._sender.send(calls.ask(debate_id, text, to))

    async def fork(
        self,
        debate_id: str,
        after_turn: int | None = None,
        changes: Mapping[str, Any] | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> DebateView:
        return await self._sender.send(calls.fork(debate_id, after_turn, changes, idempotency_key))


class AsyncFormats:
    """`client.formats`."""

    def __init__(self, sender: AsyncSender) -> None:
        self._sender = sender

    async def list(self) -> Sequence[FormatSummary]:
        return (await self._sender.send(calls.formats())).data

    async def get(self, name: str) -> FormatView:
        return await self._sender.send(calls.debate_format(name))


class AsyncModels:
    """`client.models`."""

    def __init__(self, sender: AsyncSender) -> None:
        self._sender = sender

    async def list(self) -> Sequence[ModelView]:
        return (await self._sender.send(calls.models())).data

    async def report(self, name: str, *, fresh: bool = False) -> ModelReport:
        return await self._sender.take(tasks.report_on(name, fresh, self._sender.reach))
