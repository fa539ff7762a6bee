"""What happens to a debate, as server-sent events (WHATWG HTML, section 9.2) and as lines of JSON. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

from rostra.agenda import Slot, agenda
from rostra.events import (
    AttemptFailed,
    DebateClaimed,
    DebateCreated,
    DebatePaused,
    DebateReleased,
    Delta,
    Event,
    Recorded,
    TurnAwaited,
    TurnGiven,
    TurnTaken,
)
from rostra.models import Debate, Status
from rostra.plain import json_line
from rostra.sides import titles
from rostra.transcript import head_as_json, slot_as_json
from rostra.views import TOLD

RETRY_MS = 2000
FIRST = f"retry: {RETRY_MS}\n\n".encode()
KEEPALIVE = b": nothing new\n\n"

BEGINNING = "0-0"  # the id before the first event's
# An event's id: the turn it belongs to, and its place behind it. Redis takes 64 bits for each.
EVENT_ID = re.compile(r"[0-9]{1,18}-[0-9]{1,18}")

# What a reader says of the last one that it knows; of none, nothing.
KNOWN_SCHEMA: dict[str, Any] = {"type": "string", "pattern": f"^({EVENT_ID.pattern})?$"}
# What the contract says of a stream: each of its events is of this form.
SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "description": "One event of the stream; its `data` is a JSON object.",
    "properties": {
        "event": {"type": "string"},
        "id": {"type": "string", "pattern": f"^{EVENT_ID.pattern}$"},
        "data": {
            "type": "string",
            "contentMediaType": "application/json",
            "contentSchema": {"anyOf": [{"$ref": f"#/components/schemas/{view.__name__}"} for view in TOLD]},
        },
    },
    "required": ["event", "data"],
}


class Told:
    """How what happens to a debate is told: people by the names that they gave, turns with their slots. To be kept for
    all of a debate's events: to write its agenda out takes as long as to tell hundreds of them."""

    def __init__(self, debate: Debate) -> None:
        self._debate = debate

    @cached_property
    def names(self) -> Mapping[str, str]:
        return titles(self._debate)

    @cached_property
    def _slots(self) -> Mapping[int, Slot]:
        return {slot.seq: slot for slot in agenda(self._debate)}

    def event(self, event: Event) -> dict[str, Any]:
        # Which process it is concerns nobody outside; and a person's words come with their turn.
        hidden = {"process", "text"} if isinstance(event, TurnGiven) else {"process"}
        data = event.model_dump(mode="json", exclude=hidden, context=self.names)
        for whom in ("debater", "to"):
            if data.get(whom):
                data[whom] = self.names.get(data[whom], data[whom])
        return data | self._more(event)

    def _more(self, event: Event) -> dict[str, Any]:
        """What the event itself does not say."""
        match event:
            case DebateCreated():
                return {"debate": head_as_json(self._debate)}
            case TurnTaken():
                slot = self._slots.get(event.seq)
                return slot_as_json(self.names, slot) if slot else {}
            case _:
                return {}

    def words(self, delta: Delta, *, whole: bool = False) -> dict[str, Any]:
        said = {
            "seq": delta.seq,
            "attempt": delta.attempt,
            "debater": self.names.get(delta.debater, delta.debater),
            "text": delta.text,
        }
        return {**said, "whole": True} if whole else said


class News:
    """An event, or words of an attempt: some, or the `whole` of what was said so far. Rendered once, however many
    follow."""

    def __init__(self, told: Told, item: Recorded | Delta, *, whole: bool = False) -> None:
        self.item = item
        self._told = told
        self._whole = whole

    @cached_property
    def frame(self) -> bytes:
        if isinstance(self.item, Recorded):
            return frame(self.item.event.type, self._told.event(self.item.event), self.item.id)
        return frame("delta", self._told.words(self.item, whole=self._whole))


class Relevance:
    """Which words still matter: those of the newest claim that was not given up, for an attempt that is not over."""

    def __init__(self, turns_done: int) -> None:
        self._turns = turns_done
        self._failed = 0  # attempts at the next turn
        self._fence = 0
        self._given_up = False

    def of(self, item: Recorded | Delta) -> bool:
        """Whether `item` is to be shown; to be asked of each item once, in order."""
        if isinstance(item, Delta):
            return self._of_words(item)
        self._note(item.event)
        return True

    def _note(self, event: Event) -> None:
        match event:
            case DebateClaimed():
                self._fence, self._failed, self._given_up = max(self._fence, event.fence), 0, False
            case DebateReleased() | DebatePaused() | TurnAwaited():
                self._given_up = True
            case TurnTaken():
                self._turns, self._failed = max(self._turns, event.seq), 0
            case AttemptFailed():
                self._failed = event.attempt
            case _:
                pass

    def _of_words(self, delta: Delta) -> bool:
        if self._given_up or delta.fence < self._fence or delta.seq <= self._turns:
            return False
        self._fence = delta.fence
        return delta.seq > self._turns + 1 or delta.attempt > self._failed


def frame(event: str, data: Mapping[str, Any], event_id: str | None = None) -> bytes:
    """One event on the wire, in one `data:` line."""
    head = f"id: {event_id}\n" if event_id else ""
    return f"{head}event: {event}\ndata: {json_line(data)}\n\n".encode()


def end(status: Status, reason: str) -> bytes:
    """The last one: nothing will follow, so there is no need to come back."""
    return frame("end", {"status": status.value, "reason": reason})


def lines(debate: Debate, events: Iterable[Recorded]) -> str:
    """The same events a line each, with their ids."""
    told = Told(debate)
    return "".join(json_line({"id": one.id, **told.event(one.event)}) + "\n" for one in events)


def number(event_id: str) -> tuple[int, int]:
    """The id to compare by."""
    turn, place = event_id.split("-")
    return int(turn), int(place)
