"""A debate to watch: its events and its words, as they come."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AbstractContextManager, aclosing
from typing import Annotated

import structlog
from fastapi import APIRouter, Header, Query
from fastapi.responses import StreamingResponse
from pydantic import WithJsonSchema
from starlette.types import Receive, Scope, Send

from rostra.events import DebateEnded, Delta, Recorded
from rostra.models import ENDED
from rostra.store import NotFound, Record, StorageDown
from rostra_api import sse
from rostra_api.caller import Caller, CallerNeeded
from rostra_api.parts import DebateId, Parts, PartsNeeded
from rostra_api.problems import BAD_PARAMETER, Fault, Refusal, documented

router = APIRouter(tags=["debates"])
log = structlog.stdlib.get_logger(__name__)

LastEventId = Annotated[
    str | None,
    Header(
        alias="Last-Event-ID",
        description="The same, as a browser says it when it reconnects; it goes before `after`.",
    ),
    WithJsonSchema(sse.KNOWN_SCHEMA),
]


class EventStream(StreamingResponse):
    """Holds a place among those who follow, and closes what it reads from as soon as it is over, whoever ended it."""

    media_type = "text/event-stream"

    def __init__(self, events: AsyncGenerator[bytes], place: AbstractContextManager[None]) -> None:
        super().__init__(events, headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        self._events = events
        self._place = place

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            with self._place:
                await super().__call__(scope, receive, send)
        finally:
            await self._events.aclose()


@router.get(
    "/v1/debates/{id}/events",
    status_code=200,
    response_class=EventStream,
    responses={
        200: {
            "description": "Every event behind the given one, each once, then what comes. Words of an attempt come "
            "as `delta`, without an id; where a turn is being spoken, the first of them has all that was said of it "
            "and is `whole`. The last event is `end`.",
            "content": {"text/event-stream": {"schema": sse.SCHEMA}},
        },
        **documented(400, 404, 429, 503),
    },
)
async def watch(
    debate_id: DebateId,
    parts: PartsNeeded,
    caller: CallerNeeded,
    after: Annotated[
        str | None, Query(description="The last event's id that is known."), WithJsonSchema(sse.KNOWN_SCHEMA)
    ] = None,
    last_event_id: LastEventId = None,
    deltas: Annotated[bool, Query(description="Whether to send words while they are spoken.")] = True,
) -> EventStream:
    """Watch a debate live, as server-sent events."""
    start = _event_id("Last-Event-ID", last_event_id) or _event_id("after", after) or sse.BEGINNING
    record = await parts.store.get(debate_id)
    return EventStream(_events(parts, caller, record, start, deltas), parts.following.place(caller.owner))


def _event_id(parameter: str, value: str | None) -> str | None:
    if value and not sse.EVENT_ID.fullmatch(value):
        fault = Fault(parameter=parameter, detail="is not the id of an event")
        raise Refusal(BAD_PARAMETER, "See `errors`.", [fault])
    return value


async def _events(parts: Parts, caller: Caller, record: Record, after: str, words: bool) -> AsyncGenerator[bytes]:
    yield sse.FIRST
    try:
        async with aclosing(_frames(parts, caller, record, after, words)) as frames:
            async for frame in frames:
                yield frame
    except (StorageDown, NotFound) as error:  # a client that comes back gets the problem
        log.warning("live stream broken off", error=repr(error))


async def _frames(parts: Parts, caller: Caller, record: Record, after: str, words: bool) -> AsyncGenerator[bytes]:
    relevance = sse.Relevance(record.turns_done)
    news_of = parts.following.follow(record.debate, after, words=words, key_id=caller.key_id)
    async with aclosing(news_of) as following:
        async for news in following:
            if news is not None and relevance.of(news.item):
                yield news.frame
                if (ended := _ended(news.item)) is not None:
                    yield sse.end(ended.status, ended.reason)
            elif news is None and record.status in ENDED:  # and it was so before the silence: all is told
                yield sse.end(record.status, record.reason)
                return
            elif news is None:
                record = await parts.store.get(record.debate.id)
                yield sse.KEEPALIVE


def _ended(item: Recorded | Delta) -> DebateEnded | None:
    event = item.event if isinstance(item, Recorded) else None
    return event if isinstance(event, DebateEnded) else None
