"""What is asked of the API, and how its answers are read. Pure: a `Call` is sent by a client of either kind."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Literal, TypeVar
from urllib.parse import quote

from pydantic import BaseModel, TypeAdapter
from pydantic_core import to_jsonable_python

from rostra.models import DebateRequest, Status
from rostra.views import (
    DebateList,
    DebateView,
    FormatList,
    FormatView,
    ModelList,
    ModelReport,
    ReportAwaited,
    TranscriptView,
)

T = TypeVar("T")

Form = Literal["md", "html", "json", "ndjson", "csv"]
# The longest that the API lets one wait for an end.
MAX_WAIT = 60
PAGE = 50

_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """A request, and what reads the body of its answer.

    `repeatable`: asked twice it does no more than asked once, so that it can be asked again where the answer got lost.
    `waits`: the seconds that the API may take on purpose. `done_if`: a status which says, at a second asking, that the
    first one was heard.
    """

    method: str
    path: str
    read: Callable[[bytes], T]
    params: Sequence[tuple[str, str]] = ()
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    content: bytes | None = None
    repeatable: bool = True
    waits: int = 0
    done_if: int | None = None


# ── debates ─────────────────────────────────────────────────────────────────────────────────────────────


def create(
    request: Mapping[str, Any] | DebateRequest | str | None, fields: Mapping[str, Any], key: str | None
) -> Call[DebateView]:
    """Under a key of its own, so that however often it is sent one debate begins."""
    call = _post("/v1/debates", body_of(request, fields), _reads(DebateView))
    return replace(call, headers={**call.headers, "Idempotency-Key": key or new_key()}, repeatable=True)


def new_key() -> str:
    return secrets.token_hex(16)


def body_of(request: Mapping[str, Any] | DebateRequest | str | None, fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """The debate as it is sent: a motion or a whole request, with `fields` before what it says."""
    if isinstance(request, DebateRequest):
        given: Mapping[str, Any] = request.model_dump(mode="json", exclude_unset=True)
    elif isinstance(request, str):
        given = {"motion": request}
    else:
        given = request or {}
    return to_jsonable_python({**given, **fields})


def get(debate_id: str, wait: int = 0) -> Call[DebateView]:
    params = [("wait", str(wait))] if wait else []
    return Call("GET", path_of(debate_id), _reads(DebateView), params=params, waits=wait)


def page(
    status: Status | str | None, metadata: Mapping[str, object], after: str | None, limit: int = PAGE
) -> Call[DebateList]:
    params = [("limit", str(limit)), *(("metadata", f"{key}:{as_text(value)}") for key, value in metadata.items())]
    params += [(name, str(value)) for name, value in (("status", status), ("after", after)) if value is not None]
    return Call("GET", "/v1/debates", _reads(DebateList), params=params)


def as_text(value: object) -> str:
    """A metadata value as the API compares it."""
    return value if isinstance(value, str) else json.dumps(value)


def transcript(debate_id: str) -> Call[TranscriptView]:
    return Call("GET", f"{path_of(debate_id)}/transcript.json", _reads(TranscriptView))


def export(debate_id: str, form: Form) -> Call[str]:
    return Call("GET", f"{path_of(debate_id)}/transcript.{form}", bytes.decode)


def steer(debate_id: str, action: Literal["cancel", "pause", "resume"]) -> Call[DebateView]:
    return Call("POST", f"{path_of(debate_id)}/{action}", _reads(DebateView))


def delete(debate_id: str) -> Call[None]:
    return Call("DELETE", path_of(debate_id), lambda _: None, done_if=404)


def speak(debate_id: str, text: str, seq: int | None) -> Call[DebateView]:
    """With its turn's number it is heard once; without, a second asking might fill the next turn."""
    body = {"text": text} if seq is None else {"text": text, "seq": seq}
    call = _post(f"{path_of(debate_id)}/turns", body, _reads(DebateView))
    return replace(call, repeatable=seq is not None)


def ask(debate_id: str, text: str, to: str | None) -> Call[DebateView]:
    body = {"text": text} if to is None else {"text": text, "to": to}
    return _post(f"{path_of(debate_id)}/questions", body, _reads(DebateView))


def fork(
    debate_id: str, after_turn: int | None, changes: Mapping[str, Any] | None, key: str | None
) -> Call[DebateView]:
    body = {"after_turn": after_turn, "changes": to_jsonable_python(dict(changes or {}))}
    call = _post(f"{path_of(debate_id)}/fork", body, _reads(DebateView))
    return replace(call, headers={**call.headers, "Idempotency-Key": key or new_key()}, repeatable=True)


def path_of(debate_id: str) -> str:
    """Raises ValueError for what cannot be an id, which might lead elsewhere in a path."""
    if not _ID.fullmatch(debate_id):
        raise ValueError(f"{debate_id!r} is no debate's id")
    return f"/v1/debates/{debate_id}"


# ── formats and models ──────────────────────────────────────────────────────────────────────────────────


def formats() -> Call[FormatList]:
    return Call("GET", "/v1/formats", _reads(FormatList))


def debate_format(name: str) -> Call[FormatView]:
    return Call("GET", f"/v1/formats/{quote(name, safe='')}", _reads(FormatView))


def models() -> Call[ModelList]:
    return Call("GET", "/v1/models", _reads(ModelList))


def report(name: str, fresh: bool) -> Call[ModelReport | ReportAwaited]:
    adapter: TypeAdapter[ModelReport | ReportAwaited] = TypeAdapter(ModelReport | ReportAwaited)
    params = [("fresh", "true")] if fresh else []
    return Call("GET", f"/v1/models/{quote(name)}/report", adapter.validate_json, params=params)


# ── ─────────────────────────────────────────────────────────────────────────────────────────────────────

View = TypeVar("View", bound=BaseModel)


def _reads(view: type[View]) -> Callable[[bytes], View]:
    return view.model_validate_json


def _post(path: str, body: Mapping[str, Any], read: Callable[[bytes], T]) -> Call[T]:
    """Spelt out in ASCII: half of a surrogate pair, as a terminal may give, has no bytes; the API says that it is
    wrong."""
    content = json.dumps(body, allow_nan=False).encode()
    return Call("POST", path, read, headers={"Content-Type": "application/json"}, content=content, repeatable=False)
