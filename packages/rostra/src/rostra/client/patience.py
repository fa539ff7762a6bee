"""When to ask again, and how long to wait before. Pure: steps that a client of either kind takes."""

from __future__ import annotations

import random
from collections.abc import Callable, Generator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import httpx2 as httpx
from pydantic import ValidationError

from rostra.client.calls import Call
from rostra.client.errors import NotRostra, RostraError, Unreachable, error_of

T = TypeVar("T")

# A call to send, or seconds to rest; and what came of it: an answer, or why there was none.
Step = Call[Any] | float
Came = httpx.Response | httpx.RequestError | None
Steps = Generator[Step, Came, T]

# The API could not, or would not yet; nothing was done.
_REFUSED_FOR_NOW = frozenset({429})
# It may have been done all the same: of the API when its storage fails on the way, or of a proxy that lost the answer.
_PERHAPS_DONE = frozenset({502, 503, 504})
# The request did not leave.
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


@dataclass(frozen=True, slots=True)
class Patience:
    """Up to `retries` further askings, after pauses that double from `first` seconds and are drawn anew each time, so
    that clients which were refused together do not come back together. The API's own word (`Retry-After`) is kept to;
    where it asks for more than `longest` seconds, nothing is asked again."""

    retries: int = 4
    first: float = 0.5
    longest: float = 60.0
    chance: Callable[[], float] = random.random

    def pause(self, retry: int, retry_after: float | None = None) -> float | None:
        """Seconds to wait before the `retry`th further asking, counted from 1; None where it is time to give up."""
        if retry > self.retries or (retry_after or 0) > self.longest:
            return None
        doubled = min(self.first * 2 ** min(retry - 1, 16), self.longest)
        return (retry_after or 0) + doubled * (0.5 + self.chance() / 2)


def patiently(call: Call[T], address: str, patience: Patience) -> Steps[tuple[T, httpx.Response]]:
    """What is read of the answer, and the answer.

    Raises RostraError when it is a refusal, or when there is none however often it is asked for."""
    retry = 0
    while True:
        came = yield call
        assert came is not None
        if isinstance(came, httpx.Response):
            if came.is_success:
                return _read(call, came, address), came
            if retry and came.status_code == call.done_if:
                return call.read(b""), came
        retry += 1
        pause = patience.pause(retry, retry_after(came)) if can_repeat(call, came) else None
        if pause is None:
            raise failure(came, address)
        yield pause


def can_repeat(call: Call[Any], came: httpx.Response | httpx.RequestError) -> bool:
    """Whether asking again may help, and does no harm."""
    if isinstance(came, httpx.Response):
        status = came.status_code
        return status in _REFUSED_FOR_NOW or (status in _PERHAPS_DONE and call.repeatable)
    return isinstance(came, _NEVER_SENT) or (isinstance(came, httpx.TransportError) and call.repeatable)


def failure(came: httpx.Response | httpx.RequestError, address: str) -> RostraError:
    """The error that an answer is, or that there was none."""
    if isinstance(came, httpx.Response):
        media_type = came.headers.get("Content-Type", "")
        return error_of(came.status_code, media_type, came.content, retry_after(came), address)
    return Unreachable(address, str(came) or type(came).__name__)


def retry_after(came: httpx.Response | httpx.RequestError) -> float | None:
    """Seconds, which the header says in digits or as a date (RFC 9110, section 10.2.3)."""
    said = came.headers.get("Retry-After", "") if isinstance(came, httpx.Response) else ""
    if said.isascii() and said.isdigit():
        return float(said)
    try:
        moment = parsedate_to_datetime(said)
    except ValueError:
        return None
    return max(0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def _read(call: Call[T], answer: httpx.Response, address: str) -> T:
    try:
        return call.read(answer.content)
    except (ValidationError, UnicodeDecodeError) as error:
        why = error.errors()[0] if isinstance(error, ValidationError) else None
        what = f"an answer whose {'.'.join(map(str, why['loc'])) or 'body'} cannot be read" if why else "another text"
        raise NotRostra(address, what) from error
