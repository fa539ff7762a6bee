"""What one can choose from: the formats and the models."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Response

from rostra.format import Format
from rostra.formats.drawing import STYLE, drawn
from rostra.formats.schema import format_schema
from rostra.views import FormatList, FormatView, ModelList, ModelReport, ReportAwaited
from rostra_api.answering import format_view, model_view
from rostra_api.headers import policy
from rostra_api.parts import Parts, PartsNeeded
from rostra_api.problems import NOT_ACCEPTABLE, NOT_FOUND, Refusal, documented
from rostra_api.transcripts import preferred

router = APIRouter(tags=["catalogue"])

JSON = "application/json"
SVG = "image/svg+xml"
SCHEMA = "application/schema+json"
_AS_SVG: Mapping[str, Any] = {"content": {SVG: {"schema": {"type": "string"}}}}
_AS_SCHEMA: Mapping[str, Any] = {"content": {SCHEMA: {"schema": {"type": "object"}}}}

# A picture is styled by itself, and does nothing else, should its escaping ever fail.
_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
PICTURE_POLICY = policy(f"style-src 'sha256-{_STYLE_HASH}'", "sandbox")

# An examination takes up to a minute.
ASK_AGAIN_SECONDS = 5


@router.get("/v1/formats")
async def formats(parts: PartsNeeded) -> FormatList:
    """Who speaks when: all formats."""
    return parts.formats.listed


# Before the route of the format itself, whose name would take the ending.
@router.get(
    "/v1/formats/{name}.svg",
    response_class=Response,
    responses={200: _AS_SVG, **documented(404)},
)
async def format_as_picture(name: Annotated[str, Path()], parts: PartsNeeded) -> Response:
    """One format as a picture: a row for each slot, as long as its minutes."""
    return _picture(_found(name, parts))


@router.get(
    "/v1/formats/{name}",
    response_model=FormatView,
    responses={200: _AS_SVG, **documented(404, 406)},
)
async def debate_format(
    name: Annotated[str, Path()],
    parts: PartsNeeded,
    accept: Annotated[str, Header(include_in_schema=False)] = "*/*",
) -> Response:
    """One format, whole, as a request can send one; or as a picture, where `Accept` names it."""
    found = _found(name, parts)
    form = preferred(accept, (JSON, SVG))
    if form is None:
        raise Refusal(NOT_ACCEPTABLE, f"Accept {JSON} or {SVG}.")
    if form == SVG:
        return _picture(found)
    return Response(format_view(found).model_dump_json(), media_type=JSON, headers={"Vary": "Accept"})


def _found(name: str, parts: Parts) -> Format:
    if name not in parts.formats.by_name:
        raise Refusal(NOT_FOUND, "There is no format of this name.")
    return parts.formats.by_name[name]


def _picture(debate_format: Format) -> Response:
    headers = {"Content-Security-Policy": PICTURE_POLICY, "Vary": "Accept"}
    return Response(drawn(debate_format), media_type=SVG, headers=headers)


@router.get("/v1/schemas/format", response_class=Response, responses={200: _AS_SCHEMA})
async def schema_of_formats() -> Response:
    """What a format may hold, as JSON Schema: enough to write one by."""
    return Response(json.dumps(format_schema(), ensure_ascii=False), media_type=SCHEMA)


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
