"""Debates: to begin, to find, to ask after, to steer, to forget."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from contextlib import aclosing, suppress
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import WithJsonSchema

from rostra.agenda import turns_planned
from rostra.events import Event, Recorded, TurnAwaited, Usage
from rostra.models import ENDED, Debate, DebateRequest, Status
from rostra.store import NotFound, Record, StorageDown
from rostra.views import DebateList, DebateView
from rostra_api import intake
from rostra_api.answering import debate_view, list_view, path_of
from rostra_api.bounds import check_tokens
from rostra_api.caller import Caller, CallerNeeded
from rostra_api.conditional import IfNoneMatch, answer, is_known
from rostra_api.following import Full
from rostra_api.parts import DebateId, Parts, PartsNeeded
from rostra_api.problems import BAD_PARAMETER, KEY_SPENT, Fault, Refusal, documented
from rostra_api.sse import BEGINNING
from rostra_api.webhooks.taking import check_webhook

router = APIRouter(tags=["debates"])

JSON = "application/json"
# How long to wait before one asks again, where one asks again and again.
ASK_AGAIN_SECONDS = 2

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="1 to 255 visible ASCII characters. The same request under the same key begins one debate.",
    ),
    WithJsonSchema({"type": "string", "pattern": "^[!-~]{1,255}$"}),
]
Prefer = Annotated[
    str | None,
    Header(
        alias="Prefer",
        description="`wait=N`: answer when the debate has ended or begins to wait for a person, or after N seconds, at "
        "most 60.",
    ),
]

_CURSOR = re.compile(r"[0-9a-f]{28}")
_REQUEST_BODY = {
    "required": True,
    "content": {JSON: {"schema": {"$ref": f"#/components/schemas/{DebateRequest.__name__}"}}},
}
_NOT_MODIFIED = {304: {"description": "It is what `If-None-Match` names."}}
ALREADY = {200: {"description": "It was so already.", "model": DebateView}}


@router.post(
    "/v1/debates",
    status_code=202,
    response_model=DebateView,
    response_description="The debate was accepted, or it was accepted before under the same key.",
    responses=documented(400, 409, 413, 415, 422, 503),
    openapi_extra={"requestBody": _REQUEST_BODY},
)
async def begin(
    request: Request,
    parts: PartsNeeded,
    caller: CallerNeeded,
    idempotency_key: IdempotencyKey = None,
    prefer: Prefer = None,
) -> Response:
    """Begin a debate. `{"motion": "..."}` is enough."""
    key = intake.idempotency_key(idempotency_key)
    if not key:
        parts.lookout.check_room()
    wanted = intake.read(await intake.body_of(request))
    debate = intake.debate_of(wanted, parts.models, parts.formats.by_name)
    check_tokens(debate, parts.settings)
    return await accept(parts, caller, debate, key, intake.fingerprint(wanted), intake.wait_preferred(prefer))


async def accept(
    parts: Parts, caller: Caller, debate: Debate, key: str, request: bytes, seconds: int, carried: Sequence[Event] = ()
) -> Response:
    """The debate is stored, or was before under this key, and a worker is called; answered after the wait."""
    debate_id = await stored(parts, caller, debate, key, request, carried)
    if debate_id != debate.id:
        return await replay(parts, caller, debate_id, seconds)
    record = await _begun_now(parts, caller, debate, seconds)
    return _accepted(record, replayed=False, waited=seconds)


async def replay(parts: Parts, caller: Caller, debate_id: str, seconds: int) -> Response:
    """The debate that the same request has begun before, after the wait."""
    record = await _begun(parts, caller, debate_id, seconds)
    return _accepted(record, replayed=True, waited=seconds)


async def stored(
    parts: Parts, caller: Caller, debate: Debate, key: str, request: bytes, carried: Sequence[Event] = ()
) -> str:
    """The id of the debate, stored now, or of the one that the key stands for already: that one needs no room."""
    check_webhook(debate.webhook, parts.settings)
    try:
        parts.lookout.check_room()
    except Refusal:
        known = await parts.store.known(key, owner=caller.owner, request=request) if key else None
        if known is None:
            raise
        return known
    debate_id, _ = await parts.store.create(
        debate, owner=caller.owner, key=key, request=request, most=_most_queued(parts), carried=carried
    )
    return debate_id


def _most_queued(parts: Parts) -> tuple[int, int]:
    """How many debates may wait, of one owner and in all."""
    return parts.settings.queued_per_owner, parts.settings.queued


async def _begun_now(parts: Parts, caller: Caller, debate: Debate, seconds: int) -> Record:
    """As `_begun`; but once it is accepted, a storage that goes away does not keep it from being answered."""
    await parts.call_a_worker(debate.id, fence=1)
    if seconds:
        with suppress(StorageDown):
            return await _begun(parts, caller, debate.id, seconds)
    return _fresh(debate, caller)


async def _begun(parts: Parts, caller: Caller, debate_id: str, seconds: int) -> Record:
    """The debate after the wait, which is a wish only: where there is no room for waiting, as it stands."""
    try:
        return await _at_its_end(parts, caller, debate_id, seconds)
    except Full:
        return await parts.store.get(debate_id)
    except NotFound:
        raise Refusal(KEY_SPENT, "Use a new key to hold the debate again.") from None


def _fresh(debate: Debate, caller: Caller) -> Record:
    """What was stored just now; not read again, so that an accepted debate is always answered as one."""
    done, planned = debate.turns_carried, turns_planned(debate)
    return Record(debate, caller.owner, Status.QUEUED, "", done, planned, None, None, Usage(), "")


def _accepted(record: Record, *, replayed: bool, waited: int) -> Response:
    headers = {"Location": path_of(record.debate.id)}
    if record.status not in ENDED:
        headers["Retry-After"] = str(ASK_AGAIN_SECONDS)
    if replayed:
        headers["Idempotent-Replayed"] = "true"
    if waited:
        headers["Preference-Applied"] = f"wait={waited}"
    return Response(debate_view(record).model_dump_json(), 202, headers, JSON)


@router.get("/v1/debates", response_model=DebateList, responses=documented(400, 503))
async def find(
    parts: PartsNeeded,
    caller: CallerNeeded,
    status: Annotated[Status | None, Query(description="Only those with this status.")] = None,
    metadata: Annotated[
        list[Annotated[str, WithJsonSchema({"type": "string", "pattern": "^[^:]+:"})]],
        Query(description="`key:value`: only those whose metadata say so. May be repeated."),
    ] = [],  # noqa: B006  FastAPI reads it, and nobody writes to it
    after: Annotated[
        str | None,
        Query(description="The `next_cursor` of the page before."),
        WithJsonSchema({"type": "string", "pattern": f"^{_CURSOR.pattern}$"}),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> Response:
    """Find debates, newest first."""
    if after is not None and not _CURSOR.fullmatch(after):
        raise _bad("after", "is not a cursor")
    owner = None if caller.sees_all else caller.owner
    page = await parts.store.page(owner=owner, status=status, metadata=_pairs(metadata), after=after, limit=limit)
    return Response(list_view(page).model_dump_json(), media_type=JSON)


def _pairs(metadata: list[str]) -> Mapping[str, str]:
    pairs = [text.partition(":") for text in metadata]
    if not all(key and colon for key, colon, _ in pairs):
        raise _bad("metadata", "is not of the form key:value")
    return {key: value for key, _, value in pairs}


def _bad(parameter: str, detail: str) -> Refusal:
    return Refusal(BAD_PARAMETER, "See `errors`.", [Fault(parameter=parameter, detail=detail)])


@router.get(
    "/v1/debates/{id}", response_model=DebateView, responses={**_NOT_MODIFIED, **documented(400, 404, 429, 503)}
)
async def look(
    debate_id: DebateId,
    parts: PartsNeeded,
    caller: CallerNeeded,
    if_none_match: IfNoneMatch = None,
    wait: Annotated[
        int,
        Query(
            ge=0,
            le=intake.MAX_WAIT,
            description="Answer when the debate has ended or begins to wait for a person, or after so many seconds.",
        ),
    ] = 0,
) -> Response:
    """Look how a debate stands."""
    record = await _at_its_end(parts, caller, debate_id, wait, if_none_match)
    return answer(debate_view(record).model_dump_json(), JSON, if_none_match)


async def _at_its_end(
    parts: Parts, caller: Caller, debate_id: str, seconds: int, if_none_match: str | None = None
) -> Record:
    """The debate when it has ended or begins to wait for a person, or as it stands after `seconds`.

    Raises: NotFound, Full.
    """
    if not seconds:
        return await parts.store.get(debate_id)
    with parts.following.place(caller.owner):
        return await _waited_for(parts, caller, debate_id, seconds, if_none_match)


async def _waited_for(parts: Parts, caller: Caller, debate_id: str, seconds: int, if_none_match: str | None) -> Record:
    newest = await parts.store.newest(debate_id)  # before the look, so that an end between them is not missed
    record = await parts.store.get(debate_id)
    if record.status in ENDED or _is_news(record, if_none_match):
        return record
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await _something_to_do(parts, caller, record, newest.id if newest else BEGINNING)
    return await parts.store.get(debate_id)


def _is_news(record: Record, if_none_match: str | None) -> bool:
    """Whether the debate waits for a person, and who asks says what they know and does not know that. Who says nothing
    of it asks again and again until the end, perhaps, and is not answered at once each time."""
    waits = record.status is Status.WAITING and if_none_match is not None
    return waits and not is_known(debate_view(record).model_dump_json(), if_none_match or "")


async def _something_to_do(parts: Parts, caller: Caller, record: Record, newest: str) -> None:
    """Until the debate ends, or begins to wait for a person."""
    news_of = parts.following.follow(record.debate, newest, words=False, key_id=caller.key_id)
    async with aclosing(news_of) as following:
        async for news in following:
            if news and isinstance(news.item, Recorded) and isinstance(news.item.event, TurnAwaited):
                return


@router.post(
    "/v1/debates/{id}/cancel",
    status_code=202,
    response_model=DebateView,
    responses={**ALREADY, **documented(404, 409, 503)},
)
async def cancel(debate_id: DebateId, parts: PartsNeeded) -> Response:
    """End a debate: at once, or as soon as its worker notices."""
    changed = await parts.store.cancel(debate_id)
    return await steered(parts, debate_id, changed)


@router.post(
    "/v1/debates/{id}/pause",
    status_code=202,
    response_model=DebateView,
    responses={**ALREADY, **documented(404, 409, 503)},
)
async def pause(debate_id: DebateId, parts: PartsNeeded) -> Response:
    """Let a debate stand still until it is resumed."""
    changed = await parts.store.pause(debate_id)
    return await steered(parts, debate_id, changed)


@router.post(
    "/v1/debates/{id}/resume",
    status_code=202,
    response_model=DebateView,
    responses={**ALREADY, **documented(404, 409, 429, 503)},
)
async def resume(debate_id: DebateId, parts: PartsNeeded) -> Response:
    """Let a paused debate go on."""
    parts.lookout.check_room()
    fence = await parts.store.resume(debate_id, most=_most_queued(parts))
    if fence is not None:
        await parts.call_a_worker(debate_id, fence)
    return await steered(parts, debate_id, fence is not None)


async def steered(parts: Parts, debate_id: str, changed: bool) -> Response:
    """The debate after what was asked of it: 202, or 200 where it was so before."""
    record = await parts.store.get(debate_id)
    return Response(debate_view(record).model_dump_json(), 202 if changed else 200, media_type=JSON)


@router.delete("/v1/debates/{id}", status_code=204, responses=documented(404, 409, 503))
async def forget(debate_id: DebateId, parts: PartsNeeded) -> Response:
    """Forget an ended debate and all that was said in it."""
    await parts.store.delete(debate_id)
    return Response(status_code=204)
