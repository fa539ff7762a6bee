"""What one can choose from: the formats and the models."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from rostra.formats import library
from rostra_api.parts import PartsNeeded
from rostra_api.problems import NOT_FOUND, Refusal, documented
from rostra_api.views import FormatList, FormatView, ModelList, ModelReport, ReportAwaited, format_view, model_view

router = APIRouter(tags=["catalogue"])

JSON = "application/json"
# An examination takes up to a minute.
ASK_AGAIN_SECONDS = 5


@router.get("/v1/formats")
async def formats() -> FormatList:
    """Who speaks when: all formats."""
    return FormatList(data=[format_view(debate_format) for debate_format in library().values()])


@router.get("/v1/formats/{name}", responses=documented(404))
async def debate_format(name: Annotated[str, Path()]) -> FormatView:
    """One format."""
    if name not in library():
        raise Refusal(NOT_FOUND, "There is no format of this name.")
    return format_view(library()[name])


@router.get("/v1/models")
async def models(parts: PartsNeeded) -> ModelList:
    """The models that debaters can have, and what each can do; not where it is served."""
    return ModelList(data=[model_view(name, endpoints) for name, endpoints in sorted(parts.models.items())])


@router.get(
    "/v1/models/{name:path}/report",
    response_model=ModelReport,
    responses={202: {"description": "The servers are being asked.", "model": ReportAwaited}, **documented(400, 404)},
)
async def model_report(
    name: Annotated[str, Path()],
    parts: PartsNeeded,
    fresh: Annotated[bool, Query(description="Ask the servers anew, at most once a minute.")] = False,
) -> Response:
    """What the model's servers can do for debates, found out by asking them: come again until it is there."""
    if name not in parts.models:
        raise Refusal(NOT_FOUND, "There is no model of this name.")
    if report := parts.reports.of(name, fresh=fresh):
        return Response(report.model_dump_json(), media_type=JSON)
    return Response(ReportAwaited(name=name).model_dump_json(), 202, {"Retry-After": str(ASK_AGAIN_SECONDS)}, JSON)
