"""Debates for tests, with memorable data."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from rostra.events import TurnTaken
from rostra.formats import library
from rostra.models import Debate, DebateRequest, debate_from
from rostra.store import Claim, Store


def a_request(motion: str = "Tabs beat spaces", **fields: Any) -> dict[str, Any]:
    return {
        "motion": motion,
        "debaters": [
            {"name": "Ada", "stance": "for tabs", "persona": "A terse systems programmer."},
            {"name": "Grace", "stance": "for spaces", "persona": "A patient compiler writer."},
        ],
        "seed": 40,
        **fields,
    }


def a_debate(motion: str = "Tabs beat spaces", **fields: Any) -> Debate:
    request = DebateRequest.model_validate(a_request(motion, **fields))
    return debate_from(request, library()[request.format])


async def claimed(store: Store, debate: Debate, owner: str = "worker:1") -> Claim:
    """The debate, stored and taken up by `owner`."""
    await store.create(debate)
    claim = await store.claim(debate.id, owner)
    assert isinstance(claim, Claim)
    return claim


def a_turn(seq: int = 1, debater: str = "d1", text: str = "", **fields: Any) -> TurnTaken:
    now = datetime.now(UTC)
    said = {
        "phase": "debate",
        "round": 1,
        "model": "default",
        "text": text or f"Point {seq}.",
        "started_at": now,
        "ended_at": now,
    }
    return TurnTaken.model_validate({"seq": seq, "debater": debater, **said, **fields})
