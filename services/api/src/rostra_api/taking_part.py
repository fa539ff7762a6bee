"""People in a debate: a debater's words, and a moderator's questions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from rostra.agenda import agenda
from rostra.lengths import longest
from rostra.measures.segments import graphemes
from rostra.models import MAX_CHARACTERS, Debate, QuestionRequest, TurnRequest
from rostra.naming import name_key
from rostra.store import Record
from rostra.views import DebateView
from rostra_api import intake
from rostra_api.debates import ALREADY, JSON, steered
from rostra_api.parts import DebateId, PartsNeeded
from rostra_api.problems import CONFLICT, INVALID_WORDS, Fault, Refusal, documented

router = APIRouter(tags=["taking part"])


def _body(kind: type[BaseModel]) -> Mapping[str, Any]:
    schema = {"$ref": f"#/components/schemas/{kind.__name__}"}
    return {"requestBody": {"required": True, "content": {JSON: {"schema": schema}}}}


@router.post(
    "/v1/debates/{id}/turns",
    status_code=202,
    response_model=DebateView,
    responses={**ALREADY, **documented(400, 404, 409, 413, 415, 422, 503)},
    openapi_extra=dict(_body(TurnRequest)),
)
async def speak(debate_id: DebateId, request: Request, parts: PartsNeeded) -> Response:
    """Speak in the turn that the debate waits for."""
    wanted = intake.read_as(TurnRequest, await intake.body_of(request), INVALID_WORDS)
    _check_length(await parts.store.get(debate_id), wanted)
    fence = await parts.store.give(debate_id, wanted.text, wanted.seq or 0)
    if fence is not None:
        await parts.call_a_worker(debate_id, fence)
    return await steered(parts, debate_id, fence is not None)


def _check_length(record: Record, wanted: TurnRequest) -> None:
    """Raises: Refusal."""
    seq = wanted.seq or (record.awaits.seq if record.awaits else 0)
    if not 0 < seq <= record.turns_planned:
        return
    most = longest(record.debate, agenda(record.debate)[seq - 1]).characters or MAX_CHARACTERS
    if (characters := graphemes(wanted.text)) > most:
        detail = f"has {characters} characters; this turn has at most {most}"
        raise Refusal(INVALID_WORDS, "See `errors`.", [Fault(pointer="/text", detail=detail)])


@router.post(
    "/v1/debates/{id}/questions",
    status_code=202,
    response_model=DebateView,
    responses=documented(400, 404, 409, 413, 415, 422, 503),
    openapi_extra=dict(_body(QuestionRequest)),
)
async def ask(debate_id: DebateId, request: Request, parts: PartsNeeded) -> Response:
    """Ask the debaters something, as the moderator, at any time before the end."""
    wanted = intake.read_as(QuestionRequest, await intake.body_of(request), INVALID_WORDS)
    debate = (await parts.store.get(debate_id)).debate
    if not debate.has_human_moderator:
        raise Refusal(CONFLICT, "No person moderates this debate.")
    to = _debater(debate, wanted.to) if wanted.to else None
    parts.lookout.check_room()
    await parts.store.ask(debate_id, wanted.text, to)
    return await steered(parts, debate_id, changed=True)


def _debater(debate: Debate, name: str) -> str:
    """The id of the debater of this name. Raises: Refusal."""
    ids = {name_key(debater.name): debater.id for debater in debate.debaters}
    if (found := ids.get(name_key(name))) is None:
        fault = Fault(pointer="/to", detail="is not the name of a debater")
        raise Refusal(INVALID_WORDS, "See `errors`.", [fault])
    return found
