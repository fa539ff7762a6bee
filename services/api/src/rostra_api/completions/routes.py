"""The routes that clients of OpenAI's ask: which formats there are, and a debate as an answer.

The debate is one like any other, with its id in `X-Rostra-Debate` and in the completion's own. Who asked reads it to
its end: when they leave, it is cancelled, unless they gave an `Idempotency-Key`, with which they may come back.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Mapping
from contextlib import AbstractContextManager, ExitStack, aclosing
from typing import Annotated, Any, TypeVar

import anyio
import structlog
from fastapi import APIRouter, Path, Request, Response
from starlette.types import Receive, Scope, Send

from rostra.events import DebateEnded, Event, Recorded
from rostra.format import Format
from rostra.models import Debate
from rostra.store import Conflict, NotFound, StorageDown
from rostra_api import intake, problems, sse
from rostra_api.bounds import check_tokens
from rostra_api.caller import Caller, CallerNeeded
from rostra_api.completions import asked as asking
from rostra_api.completions.answers import Answer, Completion, Models, OneModel
from rostra_api.completions.asked import ChatRequest
from rostra_api.completions.told import Told, how_it_ended, said_nothing
from rostra_api.debates import IdempotencyKey, stored
from rostra_api.live import EventStream
from rostra_api.parts import Parts, PartsNeeded
from rostra_api.problems import BROKEN_OFF, DEBATE_FAILED, KEY_SPENT, NO_MODEL, Refusal, documented

router = APIRouter(prefix="/openai/v1", tags=["openai"])
log = structlog.stdlib.get_logger(__name__)

T = TypeVar("T")

JSON = "application/json"
_DEBATE = "X-Rostra-Debate"
_REQUEST_BODY = {
    "required": True,
    "content": {JSON: {"schema": {"$ref": f"#/components/schemas/{ChatRequest.__name__}"}}},
}
_STREAM: Mapping[str, Any] = {
    "type": "object",
    "description": "One event of the stream; its `data` is a `chat.completion.chunk`, an `error`, or `[DONE]`.",
    "properties": {"data": {"type": "string"}},
    "required": ["data"],
}


@router.get("/models")
async def formats_as_models(parts: PartsNeeded) -> Models:
    """The debate formats, as models."""
    return Models(data=[_model(each) for each in parts.formats.by_name.values()])


@router.get("/models/{name}", response_model=OneModel, responses=documented(404))
async def format_as_model(name: Annotated[str, Path()], parts: PartsNeeded) -> OneModel:
    """One format, as a model."""
    if name not in parts.formats.by_name:
        raise Refusal(NO_MODEL, "A model is a debate format here; GET /openai/v1/models lists them.")
    return _model(parts.formats.by_name[name])


def _model(each: Format) -> OneModel:
    return OneModel(id=each.name, name=each.title, description=each.summary)


@router.post(
    "/chat/completions",
    response_model=Completion,
    responses={
        200: {
            "description": "The whole debate as Markdown, when it has ended; or with `stream`, turn by turn.",
            "content": {"text/event-stream": {"schema": _STREAM}},
        },
        **documented(400, 404, 409, 413, 415, 422, 424, 503),
    },
    openapi_extra={"requestBody": _REQUEST_BODY},
)
async def complete(
    request: Request, parts: PartsNeeded, caller: CallerNeeded, idempotency_key: IdempotencyKey = None
) -> Response:
    """Hold a debate in the format that `model` names, and answer with what is said in it."""
    key = intake.idempotency_key(idempotency_key)
    asked = asking.read(await intake.body_of(request))
    with ExitStack() as place:
        place.enter_context(parts.following.place(caller.owner))  # before the debate: who cannot follow begins none
        debate = await _begun(parts, caller, asked, key)
        reading = _Reading(parts, caller, debate, asked, stays=bool(key))
        if asked.stream:
            return _Stream(reading, place.pop_all())
        return await _unless_left(request, reading)


async def _begun(parts: Parts, caller: Caller, asked: ChatRequest, key: str) -> Debate:
    """The debate, begun now or before under the same key. Raises: Refusal."""
    formats = parts.formats.by_name
    wanted = asking.request_of(asked, formats)
    debate = asking.debate_of(wanted, asked, parts.models, formats)
    check_tokens(debate, parts.settings)
    debate_id = await stored(parts, caller, debate, key, intake.fingerprint(wanted))
    structlog.contextvars.bind_contextvars(debate_id=debate_id)
    if debate_id == debate.id:
        await parts.call_a_worker(debate.id, fence=1)
        return debate
    try:
        return (await parts.store.get(debate_id)).debate
    except NotFound:
        raise Refusal(KEY_SPENT, "Use a new key to hold the debate again.") from None


class _Reading:
    """A debate that is read to its end for one who asked."""

    def __init__(self, parts: Parts, caller: Caller, debate: Debate, asked: ChatRequest, *, stays: bool) -> None:
        self.debate = debate
        self.asked = asked
        self.told = Told(debate)
        self._parts = parts
        self._caller = caller
        self._stays = stays
        self._over = False  # by itself, and not because who asked has left

    async def pieces(self) -> AsyncGenerator[str | None]:
        """What is told, up to the end; None where there was nothing to tell for a while.

        Raises: Refusal, StorageDown, NotFound.
        """
        try:
            async with aclosing(self._events()) as events:
                async for event in events:
                    yield self.told.after(event) if event else None
        except (Refusal, StorageDown, NotFound):
            self._over = True
            raise
        self._over = True
        if said_nothing(self.told.course):
            raise Refusal(DEBATE_FAILED, how_it_ended(self.told.course))

    async def _events(self) -> AsyncGenerator[Event | None]:
        follow = self._parts.following.follow(self.debate, words=False, key_id=self._caller.key_id)
        async with aclosing(follow) as following:
            async for news in following:
                if news is None:
                    await self._parts.store.get(self.debate.id)  # it may have been deleted
                    yield None
                elif isinstance(news.item, Recorded):
                    yield news.item.event
                    if isinstance(news.item.event, DebateEnded):
                        return
        told = "The service stops, or the key does not work any more; the debate goes on."
        raise Refusal(BROKEN_OFF, told, X_Should_Retry="false")  # OpenAI's clients would begin a second debate

    async def left(self) -> None:
        """Who asked has left, or has the answer: then nobody needs the debate to go on."""
        if self._over or self._stays:
            return
        try:
            await self._parts.store.cancel(self.debate.id)
            log.info("cancelled: who asked for it has left")
        except (StorageDown, NotFound, Conflict) as error:
            log.warning("not cancelled, though who asked for it has left", error=repr(error))


# ── The answer whole ────────────────────────────────────────────────────────────────────────────────────


async def _unless_left(request: Request, reading: _Reading) -> Response:
    try:
        text = await _before(_whole(reading), _gone(request))
    finally:
        await reading.left()
    if text is None:
        return Response(status_code=204)  # nobody reads it
    completion = Answer(reading.debate).whole(text, reading.told.course)
    return Response(completion.model_dump_json(), media_type=JSON, headers={_DEBATE: reading.debate.id})


async def _whole(reading: _Reading) -> str:
    async with aclosing(reading.pieces()) as pieces:
        return "".join([piece async for piece in pieces if piece])


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _before(work: Awaitable[T], end: Awaitable[None]) -> T | None:
    """What `work` comes to, or None where `end` comes first."""
    came: T | None = None
    failed: Exception | None = None
    # A group cancels what it holds until it ends: a task that asyncio cancels once was seen to go on.
    async with anyio.create_task_group() as both:

        async def until_end() -> None:
            await end
            both.cancel_scope.cancel()

        both.start_soon(until_end)
        try:
            came = await work
        except Exception as error:  # for who waits, and not as one of a group
            failed = error
        both.cancel_scope.cancel()
    if failed:
        raise failed
    return came


# ── The answer as it comes ──────────────────────────────────────────────────────────────────────────────


class _Stream(EventStream):
    """The debate turn by turn, in OpenAI's chunks."""

    def __init__(self, reading: _Reading, place: AbstractContextManager[Any]) -> None:
        super().__init__(_frames(reading), place)
        self.headers[_DEBATE] = reading.debate.id
        self._reading = reading

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._reading.left()


async def _frames(reading: _Reading) -> AsyncGenerator[bytes]:
    answer = Answer(reading.debate, usage=reading.asked.with_usage)
    yield _frame(answer.first().model_dump_json(exclude_unset=True))
    try:
        async with aclosing(reading.pieces()) as pieces:
            async for piece in pieces:
                if piece:
                    yield _frame(answer.more(piece).model_dump_json(exclude_unset=True))
                elif piece is None:
                    yield sse.KEEPALIVE
    except (Refusal, StorageDown, NotFound) as error:
        yield _frame(problems.as_openai(error).model_dump_json())
        return
    for chunk in answer.last(reading.told.course):
        yield _frame(chunk.model_dump_json(exclude_unset=True))
    yield _frame("[DONE]")


def _frame(data: str) -> bytes:
    return f"data: {data}\n\n".encode()
