"""What receivers are told of an event. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rostra.events import DebateClaimed, DebateEnded, Event, Recorded, TurnAwaited, TurnTaken, VerdictGiven
from rostra.models import Debate, Status
from rostra.plain import json_line
from rostra.rules import WebhookEvent
from rostra.sides import titles
from rostra_api.answering import path_of


@dataclass(frozen=True, slots=True)
class Message:
    """`id` is the same however often it is sent, so that a receiver knows a double."""

    id: str
    type: WebhookEvent
    body: str


def message(debate: Debate, recorded: Recorded) -> Message | None:
    """The message that the event makes; None where it makes none."""
    event = recorded.event
    said = _said(debate, event)
    if said is None:
        return None
    kind, own = said
    data = {
        "debate": debate.id,
        "event": recorded.id,
        **own,
        "metadata": dict(debate.metadata),
        "links": {"self": path_of(debate.id), "transcript": f"{path_of(debate.id)}/transcript"},
    }
    body = json_line({"type": kind, "timestamp": event.at.isoformat(), "data": data})
    return Message(_id(debate, recorded), kind, body)


def _said(debate: Debate, event: Event) -> tuple[WebhookEvent, Mapping[str, Any]] | None:
    """Its type and what it says by itself."""
    match event:
        case DebateClaimed(fence=1):  # later ones go on with it
            return "debate.started", {"status": Status.RUNNING}
        case TurnTaken():
            return "turn.taken", {
                "seq": event.seq,
                "phase": event.phase,
                "round": event.round,
                "debater": debate.names.get(event.debater, event.debater),
                "text": event.text,
                "finish_reason": event.finish_reason,
            }
        case VerdictGiven():
            verdict = event.verdict
            winner = titles(debate).get(verdict.winner) if verdict.winner else None
            return "verdict.given", {"outcome": verdict.outcome, "winner": winner, "reason": verdict.reason}
        case DebateEnded():
            return "debate.ended", {"status": event.status, "reason": event.reason}
        case TurnAwaited():
            debater = debate.names.get(event.debater, event.debater)
            return "turn.awaited", {"seq": event.seq, "debater": debater, "until": event.until.isoformat()}
        case _:
            return None


def _id(debate: Debate, recorded: Recorded) -> str:
    """With the moment in it: a debate that was put back from a backup may come to another turn at the same place."""
    of = f"{debate.id} {recorded.id} {recorded.event.at.isoformat()}"
    return f"msg_{hashlib.sha256(of.encode()).hexdigest()[:32]}"
