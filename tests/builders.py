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
    request = DebateRequest.model_validate(a_request(motion, **fields), extra="forbid")
    debate_format = library()[request.format] if isinstance(request.format, str) else request.format
    return debate_from(request, debate_format)


# A format that no file has: two teams, an announcement, a speech with a point, an exchange, notes, a rebuttal.
A_FORMAT: dict[str, Any] = {
    "title": "A short clash",
    "teams": [
        {"name": "tabs", "side": "for", "seats": ["T1", "T2"]},
        {"name": "spaces", "side": "against", "seats": ["S1", "S2"]},
    ],
    "phases": [
        {
            "name": "cases",
            "title": "The cases",
            "announced": True,
            "task": "constructive",
            "slots": [
                {"name": "T case", "speaker": "T1", "minutes": 4, "points": {"most": 1, "after": 1, "until": 3}},
                {
                    "name": "T questioned",
                    "kind": "cross_examination",
                    "speaker": "T1",
                    "questioner": "S2",
                    "minutes": 2,
                    "responds_to": ["T case"],
                },
                {"name": "S notes", "kind": "preparation", "speaker": "S1", "minutes": 1},
                {"name": "S case", "speaker": "S1", "minutes": 4},
            ],
        },
        {
            "name": "rebuttals",
            "new_arguments": False,
            "task": "rebuttal",
            "slots": [
                {"name": "T rebuttal", "speaker": "T2", "minutes": 2, "responds_to": ["S case"]},
                {"name": "S rebuttal", "speaker": "S2", "minutes": 2, "responds_to": ["T case", "T rebuttal"]},
            ],
        },
    ],
}


# Every sampling option, each with a value that no default has and every kind of server takes.
EVERY_OPTION: dict[str, Any] = {
    "temperature": 0.71,
    "top_k": 41,
    "top_p": 0.91,
    "min_p": 0.06,
    "typical_p": 0.92,
    "top_n_sigma": 1.5,
    "repeat_penalty": 1.12,
    "repeat_last_n": 65,
    "presence_penalty": 0.13,
    "frequency_penalty": 0.14,
    "dry_multiplier": 0.75,
    "dry_base": 1.76,
    "dry_allowed_length": 3,
    "dry_penalty_last_n": 66,
    "dry_sequence_breakers": ["#", "。"],
    "xtc_probability": 0.16,
    "xtc_threshold": 0.17,
    "mirostat": 2,
    "mirostat_tau": 5.1,
    "mirostat_eta": 0.18,
    "dynatemp_range": 0.19,
    "dynatemp_exponent": 1.2,
    "logit_bias": {"7": -1.5},
    "grammar": "root ::= [a-zA-Z0-9 .]+",
    "seed": 4711,
    "stop": ["###", "THE END"],
    "max_tokens": 77,
    "min_tokens": 8,
}


async def claimed(store: Store, debate: Debate, process: str = "worker:1") -> Claim:
    """The debate, stored and taken up by `process`."""
    await store.create(debate)
    claim = await store.claim(debate.id, process)
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
