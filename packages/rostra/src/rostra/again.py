"""What to POST for the same debate again. Pure."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel

from rostra.format import Format
from rostra.formats import library
from rostra.models import Debate, DebateRequest, DebaterRequest
from rostra.plain import spelt_out

# What is written otherwise in a request than in the debate that comes of it.
_OTHERWISE = frozenset({"format", "rounds", "speakers", "debaters"})


def request_of(debate: Debate) -> dict[str, Any]:
    """The request, with its language and seed told: with names for ids, the library's format by its name or another one
    whole, and without what is so anyway."""
    fields = (DebateRequest.model_fields.keys() & Debate.model_fields.keys()) - _OTHERWISE
    told = _told(debate, fields)
    return {
        **{name: told[name] for name in DebateRequest.model_fields if name in told},
        **_format(debate.format),
        "debaters": [_told(debater, set(DebaterRequest.model_fields)) for debater in debate.debaters],
        **({"speakers": [debate.names[i] for i in debate.speakers]} if debate.speakers else {}),
    }


def as_written(debate: Debate) -> str:
    """The same as JSON to read and to copy; what acts in a text is spelt out as `\\u…`."""
    return spelt_out(json.dumps(request_of(debate), ensure_ascii=False, indent=2))


def _told(model: BaseModel, fields: set[str]) -> dict[str, Any]:
    return model.model_dump(mode="json", include=fields, exclude_defaults=True)


def _format(played: Format) -> dict[str, Any]:
    """The library's by its name, with the rounds that were asked for; one of the request's own whole."""
    known = library().get(played.name)
    if known == played:
        return {"format": played.name}
    for rounds in {phase.rounds for phase in played.phases if phase.order}:
        if known and _in_rounds(known, rounds) == played:
            return {"format": played.name, "rounds": rounds}
    return {"format": played.model_dump(mode="json", exclude_defaults=True)}


def _in_rounds(debate_format: Format, rounds: int) -> Format:
    phases = (phase.model_copy(update={"rounds": rounds}) if phase.order else phase for phase in debate_format.phases)
    return debate_format.model_copy(update={"phases": tuple(phases)})
