"""What was said: as JSON or a sheet to work with, as Markdown or a page to read; and all that happened, a line an
event."""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Header, Response

from rostra.events import Recorded
from rostra.markdown import as_markdown
from rostra.measures import DebateMeasures
from rostra.models import ENDED, Debate
from rostra.plain import spelt_out
from rostra.sheet import as_csv
from rostra.transcript import Course, as_json, fold, measured
from rostra.views import TranscriptView
from rostra_api import sse
from rostra_api.conditional import IfNoneMatch, answer
from rostra_api.page import POLICY, page
from rostra_api.parts import DebateId, Parts, PartsNeeded
from rostra_api.problems import NOT_ACCEPTABLE, Refusal, documented

router = APIRouter(tags=["transcripts"])

JSON = "application/json"
MARKDOWN = "text/markdown"
HTML = "text/html"
LINES = "application/x-ndjson"
SHEET = "text/csv"
# In the order of preference of one who takes them all, each with the ending of its name.
_FORMS: Mapping[str, str] = {JSON: "json", MARKDOWN: "md", HTML: "html", LINES: "ndjson", SHEET: "csv"}

_NOT_MODIFIED = {304: {"description": "It is what `If-None-Match` names."}}


def _as_text(*forms: str) -> dict[str, Any]:
    return {"content": {form: {"schema": {"type": "string"}} for form in forms}}


@router.get(
    "/v1/debates/{id}/transcript",
    response_model=TranscriptView,
    responses={200: _as_text(MARKDOWN, HTML, LINES, SHEET), **_NOT_MODIFIED, **documented(404, 406, 503)},
)
async def transcript(
    debate_id: DebateId,
    parts: PartsNeeded,
    accept: Annotated[str, Header(include_in_schema=False)] = "*/*",
    if_none_match: IfNoneMatch = None,
) -> Response:
    """The transcript in the form that `Accept` names."""
    form = preferred(accept, tuple(_FORMS))
    if form is None:
        raise Refusal(NOT_ACCEPTABLE, f"Accept one of {', '.join(_FORMS)}.")
    return await _transcript(parts, debate_id, form, if_none_match)


@router.get(
    "/v1/debates/{id}/transcript.json",
    response_model=TranscriptView,
    responses={**_NOT_MODIFIED, **documented(404, 503)},
)
async def transcript_as_json(debate_id: DebateId, parts: PartsNeeded, if_none_match: IfNoneMatch = None) -> Response:
    """The transcript as JSON."""
    return await _transcript(parts, debate_id, JSON, if_none_match)


@router.get(
    "/v1/debates/{id}/transcript.md",
    response_class=Response,
    responses={200: _as_text(MARKDOWN), **_NOT_MODIFIED, **documented(404, 503)},
)
async def transcript_as_markdown(
    debate_id: DebateId, parts: PartsNeeded, if_none_match: IfNoneMatch = None
) -> Response:
    """The transcript as Markdown."""
    return await _transcript(parts, debate_id, MARKDOWN, if_none_match)


@router.get(
    "/v1/debates/{id}/transcript.html",
    response_class=Response,
    responses={200: _as_text(HTML), **_NOT_MODIFIED, **documented(404, 503)},
)
async def transcript_as_page(debate_id: DebateId, parts: PartsNeeded, if_none_match: IfNoneMatch = None) -> Response:
    """The transcript as a page to read, print or keep: one file, without scripts."""
    return await _transcript(parts, debate_id, HTML, if_none_match)


@router.get(
    "/v1/debates/{id}/transcript.ndjson",
    response_class=Response,
    responses={200: _as_text(LINES), **_NOT_MODIFIED, **documented(404, 503)},
)
async def transcript_as_lines(debate_id: DebateId, parts: PartsNeeded, if_none_match: IfNoneMatch = None) -> Response:
    """All that happened so far, a line of JSON an event: what `events` sends, with the ids and without the words."""
    return await _transcript(parts, debate_id, LINES, if_none_match)


@router.get(
    "/v1/debates/{id}/transcript.csv",
    response_class=Response,
    responses={200: _as_text(SHEET), **_NOT_MODIFIED, **documented(404, 503)},
)
async def transcript_as_sheet(debate_id: DebateId, parts: PartsNeeded, if_none_match: IfNoneMatch = None) -> Response:
    """The turns as CSV, a row each, with their measures once the debate has ended."""
    return await _transcript(parts, debate_id, SHEET, if_none_match)


async def _transcript(parts: Parts, debate_id: str, form: str, if_none_match: str | None) -> Response:
    record = await parts.store.get(debate_id)
    events = await parts.store.events(debate_id)
    content = await _rendered(record.debate, events, form)
    named = {"Content-Disposition": f'inline; filename="debate-{debate_id}.{_FORMS[form]}"'}
    own_policy = {"Content-Security-Policy": POLICY} if form == HTML else {}
    return answer(content, form, if_none_match, Vary="Accept", **named, **own_policy)


# To measure an ended debate takes 5 ms a turn, so it is done beside the requests of others, and what was asked for last
# is kept, the measures for the other forms: an ended debate does not change.
_kept: OrderedDict[tuple[str, str], str] = OrderedDict()
_KEPT = 32
_LARGEST_KEPT = 1 << 20  # characters
_measures: OrderedDict[str, DebateMeasures] = OrderedDict()
_MEASURES_KEPT = 8


async def _rendered(debate: Debate, events: Sequence[Recorded], form: str) -> str:
    place = (debate.id, form)
    if (content := _kept.get(place)) is None:
        course = fold(recorded.event for recorded in events)
        content = await asyncio.to_thread(_written, debate, course, events, form)
        if course.status in ENDED and len(content) <= _LARGEST_KEPT:
            _kept[place] = content
            if len(_kept) > _KEPT:
                _kept.popitem(last=False)
    return content


def _written(debate: Debate, course: Course, events: Sequence[Recorded], form: str) -> str:
    if form == MARKDOWN:
        return as_markdown(debate, course)
    if form == HTML:
        return page(debate, course, _measured(debate, course))
    if form == SHEET:
        return as_csv(debate, course, _measured(debate, course))
    if form == LINES:
        return sse.lines(debate, events)
    told = as_json(debate, course, _measured(debate, course))
    return spelt_out(json.dumps(told, ensure_ascii=False, separators=(",", ":")))


def _measured(debate: Debate, course: Course) -> DebateMeasures | None:
    if (known := _measures.get(debate.id)) is None and (known := measured(debate, course)):
        _measures[debate.id] = known
        if len(_measures) > _MEASURES_KEPT:
            _measures.popitem(last=False)
    return known


def preferred(accept: str, offers: tuple[str, ...]) -> str | None:
    """Which of `offers` the header wants most (RFC 9110, section 12.5.1); the earlier one where it is a draw."""
    ranges = [_media_range(part) for part in accept.split(",")]
    best = max(offers, key=lambda offer: _quality(offer, ranges))
    return best if _quality(best, ranges) > 0 else None


def _media_range(part: str) -> tuple[str, float]:
    media_type, *parameters = (piece.strip().lower() for piece in part.split(";"))
    weight = next((p.removeprefix("q=") for p in parameters if p.startswith("q=")), "1")
    try:
        return media_type, min(max(float(weight), 0.0), 1.0)
    except ValueError:
        return media_type, 0.0


def _quality(offer: str, ranges: list[tuple[str, float]]) -> float:
    """The weight of the most specific range that fits."""
    for pattern in (offer, f"{offer.partition('/')[0]}/*", "*/*"):
        weights = [weight for media_range, weight in ranges if media_range == pattern]
        if weights:
            return max(weights)
    return 0.0
