"""A debate forks: a new one begins with its first turns, and something changed."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import cast

from fastapi import APIRouter, Request, Response
from pydantic import JsonValue

from rostra.events import Event
from rostra.forking import Difference, ForkRequest, carried, changed, difference, request_of, turns_of
from rostra.models import Debate, DebateRequest, ForkedFrom
from rostra.store import NotFound
from rostra.views import DebateView
from rostra_api import intake
from rostra_api.bounds import check_tokens
from rostra_api.caller import CallerNeeded
from rostra_api.debates import JSON, IdempotencyKey, Prefer, accept, replay
from rostra_api.parts import NamedId, Parts, PartsNeeded
from rostra_api.problems import INVALID, TOO_LARGE, Fault, Refusal, documented

router = APIRouter(tags=["debates"])

_REQUEST_BODY = {
    "required": True,
    "content": {JSON: {"schema": {"$ref": f"#/components/schemas/{ForkRequest.__name__}"}}},
}


@router.post(
    "/v1/debates/{id}/fork",
    status_code=202,
    response_model=DebateView,
    response_description="The new debate was accepted, or it was accepted before under the same key.",
    responses=documented(400, 404, 409, 413, 415, 422, 503),
    openapi_extra={"requestBody": _REQUEST_BODY},
)
async def fork(
    original_id: NamedId,
    request: Request,
    parts: PartsNeeded,
    caller: CallerNeeded,
    idempotency_key: IdempotencyKey = None,
    prefer: Prefer = None,
) -> Response:
    """Begin a debate with this one's first turns, and something changed; or hold this one again."""
    key, seconds = intake.idempotency_key(idempotency_key), intake.wait_preferred(prefer)
    if not key:
        await parts.owners.check(original_id, caller)
        parts.lookout.check_room()
    asked = intake.read_as(ForkRequest, await intake.body_of(request), INVALID)
    fingerprint = intake.fingerprint(asked, of=original_id)
    if key:
        # A fork that there is already does not need the debate that it came from.
        if known := await parts.store.known(key, owner=caller.owner, request=fingerprint):
            return await replay(parts, caller, known, seconds)
        await parts.owners.check(original_id, caller)
    debate, events = await _forked(parts, original_id, asked)
    return await accept(parts, caller, debate, key, fingerprint, seconds, events)


async def _forked(parts: Parts, original_id: str, asked: ForkRequest) -> tuple[Debate, list[Event]]:
    """The new debate and the events that it begins with. Raises: NotFound, Refusal."""
    original = (await parts.store.get(original_id)).debate
    events = await parts.store.events(original_id)
    if not events:  # deleted since
        raise NotFound(original_id)
    turns = turns_of(events)
    after_turn = len(turns) if asked.after_turn is None else asked.after_turn
    if after_turn > len(turns):
        raise _wrong(f"is more than the {len(turns)} turns that the debate has")
    debate = _changed(original, asked.changes, parts)
    debate = debate.model_copy(update={"forked_from": ForkedFrom(id=original_id, after_turn=after_turn)})
    if differs := difference(original, debate, turns[:after_turn]):
        raise _wrong(_told(differs))
    return debate, carried(events, after_turn, original, debate)


def _wrong(detail: str) -> Refusal:
    return Refusal(INVALID, "See `errors`.", [Fault(pointer="/after_turn", detail=detail)])


def _told(differs: Difference) -> str:
    what = f"is another one in its `{differs.field}`" if differs.field else "is not there"
    return f"with these changes the slot of turn {differs.seq} {what}: keep {differs.seq - 1} turns at most"


# ── what is changed ─────────────────────────────────────────────────────────────────────────────────────

# What the language is told by, where the debate has none.
_TELLING = frozenset({"language", "motion"})


def _changed(original: Debate, changes: Mapping[str, JsonValue], parts: Parts) -> Debate:
    """The debate that the original's request asks for after the changes. Raises: Refusal."""
    before = request_of(original, parts.formats.by_name)
    after = {**dict.fromkeys(_unknown(changes)), **cast("dict[str, JsonValue]", changed(before, dict(changes)))}
    with _pointing_into_changes():
        wanted = intake.read(_body(after, at_most=max(intake.MAX_BODY, len(_body(before)))))
        find_language = bool(_TELLING & changes.keys())
        debate = intake.debate_of(wanted, parts.models, parts.formats.by_name, find_language=find_language)
        check_tokens(debate, parts.settings)
    return debate


def _unknown(changes: Mapping[str, JsonValue]) -> Iterator[str]:
    """A patch takes out what is not there without a word; here that is a mistake."""
    return (name for name in changes if name not in DebateRequest.model_fields)


def _body(request: Mapping[str, JsonValue], at_most: int | None = None) -> bytes:
    """The request as one would send it. With small changes one by one it must not grow larger than what is taken of
    anybody; unless it was so from the start, being written otherwise than it was sent. Raises: Refusal."""
    body = json.dumps(request, ensure_ascii=False, separators=(",", ":")).encode()
    if at_most and len(body) > at_most:
        raise Refusal(TOO_LARGE, f"With these changes the request has {len(body)} bytes; at most {at_most} are taken.")
    return body


@contextmanager
def _pointing_into_changes() -> Generator[None]:
    """What is wrong with the request is told where one would mend it."""
    try:
        yield
    except Refusal as refusal:
        faults = [fault.model_copy(update={"pointer": f"/changes{fault.pointer or ''}"}) for fault in refusal.errors]
        raise Refusal(refusal.kind, refusal.detail, faults, refusal.bound, **refusal.headers) from None
