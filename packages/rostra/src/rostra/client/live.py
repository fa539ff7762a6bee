"""A debate's events as they are told, and how a reader who was cut off goes on. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, cast, get_args

import httpx2 as httpx
from pydantic import BaseModel, ValidationError

from rostra.client.base import Reach
from rostra.client.calls import path_of
from rostra.client.errors import NotRostra
from rostra.client.patience import failure, retry_after
from rostra.events import Event, NewerEvent
from rostra.views import TOLD, ClaimedView, CreatedView, GivenView, TakenView, WordsView

# Comments come every 15 seconds, so longer silence is a dead connection.
SILENT_SECONDS = 40.0
# What the API asks for before one comes back, unless it says otherwise.
_PAUSE_SECONDS = 2.0
# How often a reader who was there tries to come back, at least: for more than a minute, while the API is started anew.
_COMES_BACK = 8

# As they are stored, but for those of which more or less is told.
LiveEvent = Event | CreatedView | ClaimedView | TakenView | GivenView | WordsView

_MODELS: Mapping[str, type[BaseModel]] = {
    "delta": WordsView,
    **{get_args(view.model_fields["type"].annotation)[0]: view for view in TOLD if "type" in view.model_fields},
}


@dataclass(frozen=True)
class Told:
    """One event: its `kind`, its `data` as it came, its place `id` in the debate (`""` for words, which have none),
    and read, `event`. Debaters and sides go by the names that people gave."""

    kind: str
    data: Mapping[str, Any]
    id: str = ""

    @cached_property
    def event(self) -> LiveEvent:
        """One that this version does not know, or not in this form, is a `NewerEvent`."""
        model = _MODELS.get(self.kind, NewerEvent)
        try:
            return cast("LiveEvent", model.model_validate({**self.data, "type": self.kind}))
        except ValidationError:
            return NewerEvent(type=self.kind)


class Following:
    """Where a reader is in a debate's stream: what to ask for, what was told, and when to come back."""

    def __init__(self, debate_id: str, after: str | None, deltas: bool, reach: Reach) -> None:
        if after and not re.fullmatch("[0-9]{1,18}-[0-9]{1,18}", after):
            raise ValueError(f"{after!r} is no event's id")
        self._path = f"{path_of(debate_id)}/events"
        self._deltas = deltas
        self._reach = reach
        self._last = after or ""
        self._patience = reach.patience
        self._retry = _PAUSE_SECONDS
        self._failed = 0
        self.ended = False

    def request(self) -> Mapping[str, Any]:
        """For the `sse` of an HTTP client."""
        return {
            "url": self._path,
            "params": {} if self._deltas else {"deltas": "false"},
            "headers": {"Last-Event-ID": self._last} if self._last else {},
            "timeout": httpx.Timeout(SILENT_SECONDS, connect=10.0),
        }

    def opened(self, answer: httpx.Response) -> None:
        """The stream is there. Raises NotRostra where it is another's."""
        media_type = answer.headers.get("Content-Type", "")
        if media_type.partition(";")[0].strip() != "text/event-stream":
            raise NotRostra(self._reach.address, f"a stream that is {media_type or 'of no media type'}")
        self._failed = 0
        self._patience = replace(self._reach.patience, retries=max(self._reach.patience.retries, _COMES_BACK))

    def take(self, event: httpx.ServerSentEvent) -> Told | None:
        """What it tells, if anything that was not told before. Raises NotRostra."""
        try:
            return self._taken(event)
        except ValueError:
            raise NotRostra(self._reach.address, "an event that cannot be read") from None

    def _taken(self, event: httpx.ServerSentEvent) -> Told | None:
        if event.retry is not None:
            self._retry = event.retry / 1000
        if event.event == "end":
            self.ended = True
            return None
        if event.event == "message":  # nothing but a field for the reader itself
            return None
        if event.event == "delta":
            return Told("delta", _data(event))
        place = _place(event.id)
        if self._last and place <= _place(self._last):
            return None
        self._last = event.id
        return Told(event.event, _data(event), event.id)

    def pause(self) -> float:
        """Seconds until one comes back to a stream that broke off."""
        return 0 if self.ended else self._retry * (0.5 + self._patience.chance() / 2)

    def failed(self, came: httpx.Response | httpx.RequestError) -> float:
        """Seconds until one tries again. Raises RostraError when it is of no use."""
        self._failed += 1
        pause = self._patience.pause(self._failed, retry_after(came))
        if not _passes(came) or pause is None:
            raise failure(came, self._reach.address)
        return pause


def _place(event_id: str) -> tuple[int, int]:
    """The id to compare by."""
    turn, _, number = event_id.partition("-")
    return int(turn), int(number)


def _data(event: httpx.ServerSentEvent) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", json.loads(event.data))


def _passes(came: httpx.Response | httpx.RequestError) -> bool:
    """Whether it may be otherwise the next time."""
    if isinstance(came, httpx.Response):
        return came.status_code in {429, 502, 503, 504}
    return not isinstance(came, httpx.SSEError)
