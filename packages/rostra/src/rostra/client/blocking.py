"""`rostra.Client`: takes the steps of `tasks` one after another, and waits meanwhile."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Mapping, Sequence
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


class Sender:
    """Sends calls and waits for what comes."""

    def __init__(self, reach: Reach, transport: httpx.BaseTransport | None) -> None:
        self.reach = reach
        self.http = httpx.Client(**reach.http(), transport=transport)

    def send(self, call: Call[T]) -> T:
        """What the API answers. Raises RostraError."""
        return self.take(tasks.once(call, self.reach))

    def take(self, steps: Steps[T]) -> T:
        """What the steps come to."""
        came: Came = None
        try:
            while True:
                step = steps.send(came)
                came = self._ask(step) if isinstance(step, Call) else time.sleep(step)
        except StopIteration as done:
            return cast("T", done.value)

    def _ask(self, call: Call[Any]) -> Came:
        try:
            return self.http.request(**self.reach.request(call))
        except httpx.RequestError as error:
            return error

    def follow(self, following: Following) -> Generator[Told]:
        while not following.ended:
            try:
                with self.http.sse(**following.request()) as source:
                    if source.response.is_success:
                        following.opened(source.response)
                        for event in source:
                            if told := following.take(event):
                                yield told
                        pause = following.pause()
                    else:
                        source.response.read()
                        pause = following.failed(source.response)
            except httpx.RequestError as error:
                pause = following.failed(error)
            time.sleep(pause)


class Client:
    """Debates from a program.

        with Client() as client:
            debate = client.debates.create("Tabs beat spaces", rounds=2)
            for told in client.debates.stream(debate.id):
                print(told.kind, told.data)

    `base_url` and `key` come from ROSTRA_URL and ROSTRA_API_KEY where they are left out. An answer may take `timeout`
    seconds. What the API cannot do at the moment is asked for up to `retries` times more. `transport` is httpx2's.
    """

    def __init__(
        self,
        base_url: str | None = None,
        key: str | None = None,
        *,
        timeout: float = 30.0,
        retries: int = 4,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._sender = Sender(reach(base_url, key, timeout, retries), transport)
        self.debates = Debates(self._sender)
        self.formats = Formats(self._sender)
        self.models = Models(self._sender)

    @property
    def address(self) -> str:
        """Where the API is."""
        return self._sender.reach.address

    def close(self) -> None:
        """Closes its connections."""
        self._sender.http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Debates:
    """`client.debates`."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def create(
        self,
        request: str | DebateRequest | Mapping[str, Any] | None = None,
        /,
        *,
        idempotency_key: str | None = None,
        **fields: Any,
    ) -> DebateView:
        """Begins a debate: by its motion, by a whole request, or by fields of one (`motion=…`, `rounds=…`).

        It carries an idempotency key, drawn unless it is given, so that asking again begins no second one."""
        return self._sender.send(calls.create(request, fields, idempotency_key))

    def get(self, debate_id: str) -> DebateView:
        """How the debate stands."""
        return self._sender.send(calls.get(debate_id))

    def wait(self, debate_id: str, timeout: float | None = None) -> DebateView:
        """The debate when it has ended. Raises NotEnded when it has not within `timeout` seconds."""
        return self._sender.take(tasks.end_of(debate_id, timeout, self._sender.reach))

    def list(
        self, *, status: Status | str | None = None, metadata: Mapping[str, object] | None = None
    ) -> Iterator[DebateView]:
        """All debates, newest first: those with this status and these metadata. Asks for more as they are taken."""
        after: str | None = None
        while True:
            page = self._sender.send(calls.page(status, metadata or {}, after))
            yield from page.data
            if (after := page.next_cursor) is None:
                return

    def stream(self, debate_id: str, after: str | None = None, *, deltas: bool = True) -> Generator[Told]:
        """What happened, from the beginning or behind the event `after`, and what happens, to the debate's end.

        Every event comes once, however often the connection breaks. Words (`delta`) are told while they are spoken;
        after a connection that broke those of the turn come all at once, as `whole`, in place of what was heard."""
        return self._sender.follow(Following(debate_id, after, deltas, self._sender.reach))

    def transcript(self, debate_id: str) -> TranscriptView:
        """What was said so far, and everything about it."""
        return self._sender.send(calls.transcript(debate_id))

    def export(self, debate_id: str, form: Form) -> str:
        """The transcript as `md`, `html`, `json`, `ndjson` or `csv`."""
        return self._sender.send(calls.export(debate_id, form))

    def cancel(self, debate_id: str) -> DebateView:
        """Ends it: at once, or as soon as its worker notices."""
        return self._sender.send(calls.steer(debate_id, "cancel"))

    def pause(self, debate_id: str) -> DebateView:
        """Lets it stand still until it is resumed."""
        return self._sender.send(calls.steer(debate_id, "pause"))

    def resume(self, debate_id: str) -> DebateView:
        """Lets it go on."""
        return self._sender.send(calls.steer(debate_id, "resume"))

    def delete(self, debate_id: str) -> None:
        """Forgets an ended debate and all that was said in it."""
        return self._sender.send(calls.delete(debate_id))

    def speak(self, debate_id: str, text: str, *, seq: int | None = None) -> DebateView:
        """A human debater's turn. With the number of the turn that is meant, `seq`, it is heard once however often it
        is sent; without, it is not sent again where the answer gets lost."""
        return self._sender.send(calls.speak(debate_id, text, seq))

    def ask(self, debate_id: str, text: str, *, to: str | None = None) -> DebateView:
        """The human moderator's question, to a debater or to all."""
        return self._sender.send(calls.ask(debate_id, text, to))

    def fork(
        self,
        debate_id: str,
        after_turn: int | None = None,
        changes: Mapping[str, Any] | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> DebateView:
        """Begins a debate that has the first `after_turn` turns of this one, all that are finished when it is left out,
        and goes on otherwise: `changes` is a JSON merge patch on the request that it came from."""
        return self._sender.send(calls.fork(debate_id, after_turn, changes, idempotency_key))


class Formats:
    """`client.formats`."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def list(self) -> Sequence[FormatSummary]:
        """All formats, in short."""
        return self._sender.send(calls.formats()).data

    def get(self, name: str) -> FormatView:
        """A format, whole, with its picture."""
        return self._sender.send(calls.debate_format(name))


class Models:
    """`client.models`."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def list(self) -> Sequence[ModelView]:
        """The models that debaters can have."""
        return self._sender.send(calls.models()).data

    def report(self, name: str, *, fresh: bool = False) -> ModelReport:
        """What the model's servers can do for debates, found out by asking them, which takes up to a minute each."""
        return self._sender.take(tasks.report_on(name, fresh, self._sender.reach))
