"""What can go wrong for a client, each error with what to do about it in its message.

RostraError
├── Unreachable      nothing answers there, or the connection broke and did not come back
├── NotRostra        something answers there, but not as Rostra does
├── NotEnded         the debate goes on longer than one wanted to wait; also a TimeoutError
└── ApiError         the API said no: status, title, detail, errors, as in docs/api.md
    ├── NotLetIn     401, 403: a key is missing, does not work, or is not good for that
    ├── NotFound     404: there is no such debate, format or model, or it is somebody else's
    ├── Conflict     409: the debate's status does not allow that
    ├── TooMuch      429: more than this client may ask for at once
    ├── Refused      any other 4xx: it cannot be had as it was asked for; `errors` points at what is wrong
    └── Unavailable  5xx: the API cannot do it now
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from rostra.views import DebateView

_PROBLEM = "application/problem+json"
_PREFIX = "urn:rostra:problem:"


class RostraError(Exception):
    """Something that was asked of Rostra cannot be had."""


class Unreachable(RostraError):
    """Nothing answers there, or the connection broke and did not come back."""

    def __init__(self, address: str, why: str) -> None:
        super().__init__(
            f"no Rostra answers at {address} ({why}). Start one with `rostra serve` or `docker compose up --wait`, or "
            "say where it is with ROSTRA_URL."
        )
        self.address = address


class NotRostra(RostraError):
    """Something answers there, but not as Rostra does."""

    def __init__(self, address: str, what: str) -> None:
        super().__init__(f"{what} came from {address}, which Rostra does not say. Is ROSTRA_URL the API's address?")
        self.address = address


class NotEnded(RostraError, TimeoutError):
    """The debate goes on longer than one wanted to wait; `debate` is how it stands."""

    def __init__(self, debate: DebateView) -> None:
        super().__init__(f"debate {debate.id} is still {debate.status}, and goes on; wait again to see its end.")
        self.debate = debate


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, and where: a JSON Pointer into what was sent, or a parameter's or header's name."""

    detail: str
    pointer: str | None = None
    parameter: str | None = None

    def __str__(self) -> str:
        place = self.pointer if self.pointer is not None else self.parameter
        return f"{place}: {self.detail}" if place else self.detail


class ApiError(RostraError):
    """The API said no, by a problem detail (RFC 9457).

    `kind` is what stays the same for this sort of problem (`invalid-debate`), `bound` the setting that bounds what was
    asked for, `retry_after` the seconds after which asking again may help.
    """

    def __init__(self, status: int, problem: Mapping[str, Any], retry_after: float | None = None) -> None:
        self.status = status
        self.kind = str(problem.get("type", "")).removeprefix(_PREFIX)
        self.title = str(problem.get("title", ""))
        self.detail = str(problem.get("detail", ""))
        self.errors: Sequence[Fault] = tuple(_faults(problem.get("errors")))
        self.bound = str(problem.get("bound") or "")
        self.retry_after = retry_after
        super().__init__(self._message())

    def _message(self) -> str:
        said = f"{self.title}. {self.detail}" if self.detail != f"{self.title}." else self.detail
        if self.errors and self.detail == "See `errors`.":
            said = f"{self.title}:"
        bound = f" The bound is {self.bound}." if self.bound else ""
        return "\n  ".join([f"{said}{bound}{self._hint()}", *map(str, self.errors)])

    def _hint(self) -> str:
        return ""


class NotLetIn(ApiError):
    """401, 403: a key is missing, does not work, or is not good for that."""

    def _hint(self) -> str:
        return " ROSTRA_API_KEY or `key=` gives the client its key." if self.status == 401 else ""


class NotFound(ApiError):
    """404: there is no such debate, format or model, or it is somebody else's."""


class Conflict(ApiError):
    """409: the debate's status does not allow that."""


class TooMuch(ApiError):
    """429: more than this client may ask for at once."""


class Refused(ApiError):
    """Any other 4xx: it cannot be had as it was asked for; `errors` points at what is wrong."""


class Unavailable(ApiError):
    """5xx: the API cannot do it now."""


_BY_STATUS: Mapping[int, type[ApiError]] = {401: NotLetIn, 403: NotLetIn, 404: NotFound, 409: Conflict, 429: TooMuch}


def error_of(status: int, media_type: str, body: bytes, retry_after: float | None, address: str) -> RostraError:
    """The error that an answer is which is no success."""
    problem = _object(body) if media_type.partition(";")[0].strip() == _PROBLEM else None
    if problem is not None:
        kind = _BY_STATUS.get(status, Refused if status < 500 else Unavailable)
        return kind(status, problem, retry_after)
    if status in {429, 502, 503, 504}:  # of a proxy before the API
        problem = {"title": f"Something before the API at {address} answered {status}", "detail": "Try again later."}
        return (TooMuch if status == 429 else Unavailable)(status, problem, retry_after)
    return NotRostra(address, f"an answer with status {status}, {media_type or 'of no media type'},")


def _object(body: bytes) -> Mapping[str, Any] | None:
    try:
        read = json.loads(body)
    except ValueError:
        return None
    return cast("Mapping[str, Any]", read) if isinstance(read, dict) else None


def _faults(told: object) -> Iterable[Fault]:
    for one in cast("list[object]", told) if isinstance(told, list) else []:
        if isinstance(one, dict):
            fault = cast("Mapping[str, Any]", one)
            yield Fault(str(fault.get("detail", "")), fault.get("pointer"), fault.get("parameter"))
