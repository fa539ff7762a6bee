"""Every error is a problem detail (RFC 9457), and one table says which.

    Refusal     what a request asked for cannot be had; the routes raise it, with its `Kind`

The errors of `rostra` know nothing of HTTP; `_KINDS` maps them. Nothing that a client sent is repeated in an
answer, beside the names of fields and parameters.
"""

from __future__ import annotations

import http
from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from rostra.models import Status
from rostra.store import Conflict, KeyReused, NotFound, QuestionsFull, QueueFull, StorageDown, StorageFull, Unawaited

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 5

log = structlog.stdlib.get_logger(__name__)


class Kind(NamedTuple):
    """A sort of problem: the status it has, its stable name, and what it is called."""

    status: int
    name: str
    title: str


NOT_HTTP = Kind(400, "not-http", "The request cannot be read")
NOT_JSON = Kind(400, "not-json", "The body is not JSON")
CUT_OFF = Kind(400, "cut-off", "The request ended too early")
BAD_PARAMETER = Kind(400, "bad-parameter", "A parameter or header is wrong")
NO_KEY = Kind(401, "no-key", "A key is needed")
NO_KEYS = Kind(401, "no-keys", "There are no keys yet")
BAD_KEY = Kind(401, "bad-key", "The key does not work")
MISSING_SCOPE = Kind(403, "missing-scope", "The key is not good for that")
FOREIGN = Kind(403, "foreign-name", "The request comes from somewhere else")
NOT_FOUND = Kind(404, "not-found", "There is no such thing here")
NO_MODEL = Kind(404, "no-model", "There is no such model")
NOT_ALLOWED = Kind(405, "method-not-allowed", "This cannot be done with that")
NOT_ACCEPTABLE = Kind(406, "not-acceptable", "It cannot be had in that form")
CONFLICT = Kind(409, "conflict", "The debate's status does not allow that")
KEY_SPENT = Kind(409, "key-spent", "The Idempotency-Key belongs to a deleted debate")
TOO_LARGE = Kind(413, "too-large", "The body is too large")
NOT_JSON_TYPE = Kind(415, "unsupported-media-type", "The body must be JSON in UTF-8")
DEBATE_FAILED = Kind(424, "debate-failed", "The debate ended before anybody spoke")
INVALID = Kind(422, "invalid-debate", "The debate cannot be held as described")
INVALID_WORDS = Kind(422, "invalid-words", "This cannot be said here")
KEY_REUSED = Kind(422, "key-reused", "The Idempotency-Key was used for another request")
TOO_OFTEN = Kind(429, "too-many-requests", "Too many requests")
TOO_MANY_QUEUED = Kind(429, "too-many-queued", "Too many of your debates wait")
TOO_MANY_FOLLOWERS = Kind(429, "too-many-followers", "Too many of your readers follow debates")
HEAD_TOO_LARGE = Kind(431, "head-too-large", "The request's line and headers are too long")
INTERNAL = Kind(500, "internal", "Something went wrong here")
QUEUE_FULL = Kind(503, "queue-full", "Too many debates wait")
FOLLOWERS_FULL = Kind(503, "followers-full", "Too many readers follow debates")
TOO_MANY_CONNECTIONS = Kind(503, "too-many-connections", "Too many connections")
STORAGE_FULL = Kind(503, "storage-full", "There is no room for more debates")
STORAGE_DOWN = Kind(503, "storage-down", "The storage does not answer")
BROKEN_OFF = Kind(503, "broken-off", "The answer breaks off")
NOT_READY = Kind(503, "not-ready", "Debates cannot be held at the moment")


class Fault(BaseModel):
    """One thing that is wrong, and where."""

    detail: str
    pointer: str | None = Field(default=None, description="Where in the body: a JSON Pointer (RFC 6901).")
    parameter: str | None = Field(default=None, description="Or which query parameter or header.")


class OpenAIError(BaseModel):
    """The same as clients of OpenAI's read it."""

    message: str
    type: str
    param: str | None = Field(default=None, description="The field that is wrong, as `messages[0].content`.")
    code: str = Field(description="The last word of the problem's `type`, or OpenAI's own name for it.")


class OpenAIErrors(BaseModel):
    """In the place of a chunk."""

    error: OpenAIError


class Problem(BaseModel):
    """What went wrong (RFC 9457)."""

    type: str = Field(description="A URN that stays the same for this sort of problem.")
    title: str
    status: int
    detail: str
    errors: list[Fault] = Field(default=[], description="Where one can point at what is wrong.")
    bound: str | None = Field(default=None, description="The setting that bounds what was asked for.")
    error: OpenAIError | None = Field(default=None, description="Below `/openai/`: the same for clients of OpenAI's.")


class Refusal(Exception):
    """What a request asked for cannot be had. Headers are given with underscores in the place of hyphens."""

    def __init__(
        self, kind: Kind, detail: str, errors: Sequence[Fault] = (), bound: str | None = None, **headers: str
    ) -> None:
        super().__init__(detail)
        self.bound = bound
        self.kind = kind
        self.detail = detail
        self.errors = list(errors)
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


# What each error of the packages below is to someone who asks over HTTP, and what they are told.
_KINDS: dict[type[Exception], tuple[Kind, str]] = {
    NotFound: (NOT_FOUND, "There is no debate with this id."),
    KeyReused: (KEY_REUSED, "Use a new key for each new request."),
    StorageFull: (STORAGE_FULL, "Redis has no room left. Delete debates, or wait until some are forgotten."),
    StorageDown: (STORAGE_DOWN, "Redis cannot be reached or refuses writes. Try again."),
    ClientDisconnect: (CUT_OFF, "The body did not arrive whole."),
}

# What Starlette raises by itself.
_BY_STATUS = {404: NOT_FOUND, 405: NOT_ALLOWED}


def response(
    kind: Kind,
    detail: str,
    errors: Sequence[Fault] = (),
    headers: dict[str, str] | None = None,
    bound: str | None = None,
    path: str = "",
) -> Response:
    """The problem; `path` is what was asked for, since below `OPENAI` it is told in two ways."""
    problem = Problem(
        type=f"urn:rostra:problem:{kind.name}",
        title=kind.title,
        status=kind.status,
        detail=detail,
        errors=list(errors),
        bound=bound,
        error=openai_error(kind, detail, errors) if path.startswith(OPENAI) else None,
    )
    waiting = {"Retry-After": str(RETRY_SECONDS)} if kind.status in {429, 503} else {}
    content = problem.model_dump_json(exclude_none=True)
    return Response(content, kind.status, {**waiting, **(headers or {})}, MEDIA_TYPE)


# Below this path clients of OpenAI's ask, who read of an answer nothing but `error`.
OPENAI = "/openai/"
# What OpenAI calls it; clients ask for some of these.
_OPENAI_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
_OPENAI_CODES = {NO_MODEL: "model_not_found", BAD_KEY: "invalid_api_key", TOO_OFTEN: "rate_limit_exceeded"}


def openai_error(kind: Kind, detail: str, errors: Sequence[Fault]) -> OpenAIError:
    told = [f"{_param(fault)} {fault.detail}" for fault in errors]
    return OpenAIError(
        message=f"{kind.title}: " + ("; ".join(told) if told else detail),
        type=_OPENAI_TYPES.get(kind.status, "server_error" if kind.status >= 500 else "invalid_request_error"),
        param=_param(errors[0]) if errors else None,
        code=_OPENAI_CODES.get(kind, kind.name),
    )


def as_openai(error: Exception) -> OpenAIErrors:
    """The same for a stream that has begun. `error` is a Refusal, or one of the table above."""
    if isinstance(error, Refusal):
        return OpenAIErrors(error=openai_error(error.kind, error.detail, error.errors))
    kind, detail = _kind_of(error)
    return OpenAIErrors(error=openai_error(kind, detail, ()))


def _kind_of(error: Exception) -> tuple[Kind, str]:
    return next(_KINDS[cls] for cls in type(error).__mro__ if cls in _KINDS)


def _param(fault: Fault) -> str:
    """Where it is, as OpenAI writes it: `messages[0].content`."""
    if fault.pointer is None:
        return fault.parameter or ""
    steps = [step.replace("~1", "/").replace("~0", "~") for step in fault.pointer.split("/")[1:]]
    return "".join(f"[{step}]" if step.isdecimal() else f".{step}" for step in steps).removeprefix(".")


def install(app: FastAPI) -> None:
    """Makes `app` answer every error with a problem."""
    for error in _KINDS:
        app.add_exception_handler(error, _told)
    app.add_exception_handler(Conflict, _conflict)
    app.add_exception_handler(Unawaited, _unawaited)
    app.add_exception_handler(QueueFull, _queue_full)
    app.add_exception_handler(QuestionsFull, _questions_full)
    app.add_exception_handler(Refusal, _told)
    app.add_exception_handler(RequestValidationError, _bad_parameters)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _internal)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What OpenAPI says of the problems that a route answers with."""
    schema = {"$ref": f"#/components/schemas/{Problem.__name__}"}
    return {
        status: {
            "description": http.HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": schema}},
        }
        for status in statuses
    }


def told(error: Exception, path: str) -> Response:
    """The problem that a Refusal, or an error of the table above, is to who asked."""
    if isinstance(error, Refusal):
        return response(error.kind, error.detail, error.errors, error.headers, error.bound, path)
    kind, detail = _kind_of(error)
    if kind is STORAGE_DOWN:
        log.warning("storage down", path=path, error=repr(error))
    return response(kind, detail, path=path)


async def _told(request: Request, error: Exception) -> Response:
    return told(error, request.url.path)


async def _conflict(_: Request, error: Exception) -> Response:
    return response(CONFLICT, f"The debate is {cast('Conflict', error).status.value}.")


async def _unawaited(_: Request, error: Exception) -> Response:
    unawaited = cast("Unawaited", error)
    if unawaited.why == "other":
        return response(CONFLICT, "Other words were given for this turn.")
    if unawaited.why == "again":
        return response(CONFLICT, "These were the last words that were given: say with `seq` which turn they are for.")
    if unawaited.status is Status.WAITING:
        return response(CONFLICT, "The debate waits for another turn; see `awaits`.")
    return response(CONFLICT, f"The debate is {unawaited.status.value}; it does not wait for words.")


async def _queue_full(request: Request, error: Exception) -> Response:
    full, path = cast("QueueFull", error), request.url.path
    if full.own:
        told = f"At most {full.most} debates of one owner wait."
        return response(TOO_MANY_QUEUED, told, bound="ROSTRA_QUEUED_PER_OWNER", path=path)
    return response(QUEUE_FULL, f"At most {full.most} debates wait.", bound="ROSTRA_QUEUED", path=path)


async def _questions_full(_: Request, error: Exception) -> Response:
    return response(CONFLICT, f"In this debate {error}.")


async def _bad_parameters(request: Request, error: Exception) -> Response:
    """FastAPI's own checks: of the query and the headers, as bodies are read by `rostra_api.intake`."""
    faults = [
        Fault(parameter=str(fault["loc"][-1]), detail=fault["msg"])
        for fault in cast("RequestValidationError", error).errors()
    ]
    return response(BAD_PARAMETER, "See `errors`.", faults, path=request.url.path)


async def _http(request: Request, error: Exception) -> Response:
    refused = cast("HTTPException", error)
    kind = _BY_STATUS.get(refused.status_code) or Kind(refused.status_code, "http", refused.detail)
    headers = {"Allow": _allowed(request)} if kind is NOT_ALLOWED else {}
    return response(kind, kind.title + ".", headers=headers, path=request.url.path)


def _allowed(request: Request) -> str:
    """All methods of the path; Starlette knows those of the first route only."""
    app = cast("FastAPI", request.app)
    route = request.scope.get("route")
    methods = app.openapi()["paths"].get(route.path if route else "", {"get": {}})  # /openapi.json is not in itself
    return ", ".join(sorted(method.upper() for method in methods))


async def _internal(request: Request, error: Exception) -> Response:
    """Tells the client nothing; the server logs the error with its traceback when Starlette raises it on."""
    return response(INTERNAL, "The error was logged.", path=request.url.path)
