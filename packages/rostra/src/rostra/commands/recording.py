"""A debate as it was written down, read again: the lines of an `.ndjson` export, or a transcript as `.json`.

The file may be anybody's: what is shown of it is checked, the rest is handed on as it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple, cast

from pydantic import AwareDatetime, BaseModel, TypeAdapter, ValidationError


class Unreadable(Exception):
    """The file is no debate; the message says why, for people."""


class Happened(NamedTuple):
    """Something that happened in the debate: what is to be shown of it, in its own words."""

    type: str
    at: AwareDatetime
    data: Mapping[str, Any]


class Recording(NamedTuple):
    """A debate: what it is (motion, debaters, planned turns), and what happened, in order."""

    head: Mapping[str, Any]
    events: tuple[Happened, ...]


class _Debater(BaseModel):
    name: str
    stance: str = ""


class _Head(BaseModel):
    motion: str
    debaters: list[_Debater]
    turns_planned: int


class _Tokens(BaseModel):
    completion_tokens: int = 0


class _Turn(BaseModel):
    seq: int
    debater: str
    text: str
    attempts: int = 1
    usage: _Tokens = _Tokens()


class _Failed(BaseModel):
    seq: int
    attempt: int
    debater: str
    detail: str = ""
    text: str = ""


class _Awaited(BaseModel):
    seq: int
    debater: str


class _Ended(BaseModel):
    status: str
    reason: str = ""


class _Times(BaseModel):
    started_at: AwareDatetime
    ended_at: AwareDatetime


class _Transcript(BaseModel):
    status: str
    reason: str = ""
    complete: bool = False
    turns: list[dict[str, Any]]
    verdict: dict[str, Any] | None = None


# What is shown of an event must be there, and be what it is taken for.
_SHOWN: Mapping[str, type[BaseModel]] = {
    "turn_taken": _Turn,
    "attempt_failed": _Failed,
    "turn_awaited": _Awaited,
    "debate_ended": _Ended,
}
# When nothing was said.
_NEVER = datetime.fromtimestamp(0, UTC)
_MOMENT: TypeAdapter[AwareDatetime] = TypeAdapter(AwareDatetime)


def read(content: bytes) -> Recording:
    """Raises: Unreadable."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unreadable("it is not UTF-8") from None
    first = _object(text.lstrip().partition("\n")[0])
    whole = None if first and "type" in first else _object(text)
    try:
        if whole is not None and "turns" in whole:
            return _of_transcript(whole)
        return _of_lines(text)
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise Unreadable(f"{where or 'something'} is missing or not what it must be") from None


def _object(text: str) -> dict[str, Any] | None:
    try:
        found: object = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, Any]", found) if isinstance(found, dict) else None


def _of_lines(text: str) -> Recording:
    events = list(_happened(text))
    first = events[0].data.get("debate") if events and events[0].type == "debate_created" else None
    if not isinstance(first, dict):
        raise Unreadable("its first line does not say which debate it is; was it exported as .ndjson or .json?")
    return Recording(_head(cast("dict[str, Any]", first)), tuple(events))


def _happened(text: str) -> Iterator[Happened]:
    # Only line feeds end a line: JSON spells out none of the others that Unicode has.
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            data = _object(line)
            if data is None or not isinstance(data.get("type"), str):
                raise Unreadable(f"line {number} is no event")
            yield _event(data["type"], data.get("at"), data)


def _of_transcript(content: Mapping[str, Any]) -> Recording:
    """What a transcript tells of what happened: turns, the verdict and the end."""
    head, transcript = _head(content), _Transcript.model_validate(content)
    times = [_Times.model_validate(turn) for turn in transcript.turns]
    first, last = (times[0].started_at, times[-1].ended_at) if times else (_NEVER, _NEVER)
    ended = {"status": transcript.status, "reason": transcript.reason}
    told = [("turn_taken", time.ended_at, turn) for time, turn in zip(times, transcript.turns, strict=True)]
    if transcript.verdict:
        told.append(("verdict_given", last, {"verdict": transcript.verdict}))
    if transcript.complete:
        told.append(("debate_ended", last, ended))
    created = _event("debate_created", first, {"debate": head})
    return Recording(head, (created, *(_event(*each) for each in told)))


def _head(data: Mapping[str, Any]) -> Mapping[str, Any]:
    return _Head.model_validate(data).model_dump()


def _event(kind: str, at: object, data: Mapping[str, Any]) -> Happened:
    """With what is shown of it as it must be."""
    moment = _MOMENT.validate_python(at)
    shown = _SHOWN[kind].model_validate(data).model_dump() if kind in _SHOWN else {}
    return Happened(kind, moment, {"type": kind, "at": moment.isoformat(), **data, **shown})
