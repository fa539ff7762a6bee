"""What takes more than one call: to wait for an end, to have a report made. Pure: steps, as in `patience`."""

from __future__ import annotations

import math
import time
from typing import TypeVar

from rostra.client.base import Reach
from rostra.client.calls import MAX_WAIT, Call, get, report
from rostra.client.errors import NotEnded
from rostra.client.patience import Steps, patiently, retry_after
from rostra.models import ENDED
from rostra.views import DebateView, ModelReport

T = TypeVar("T")

_ASK_AGAIN_SECONDS = 5.0


def once(call: Call[T], reach: Reach) -> Steps[T]:
    """One call, until it is answered."""
    read, _ = yield from patiently(call, reach.address, reach.patience)
    return read


def end_of(debate_id: str, timeout: float | None, reach: Reach) -> Steps[DebateView]:
    """The debate when it has ended. Raises NotEnded after `timeout` seconds."""
    until = math.inf if timeout is None else time.monotonic() + timeout
    while True:
        left = max(0.0, until - time.monotonic())
        debate = yield from once(get(debate_id, wait=math.ceil(min(MAX_WAIT, left))), reach)
        if debate.status in ENDED:
            return debate
        if time.monotonic() >= until:
            raise NotEnded(debate)


def report_on(name: str, fresh: bool, reach: Reach) -> Steps[ModelReport]:
    """The report, when it has been made."""
    while True:
        read, answer = yield from patiently(report(name, fresh), reach.address, reach.patience)
        if isinstance(read, ModelReport):
            return read
        fresh = False  # that it be made anew was heard
        yield retry_after(answer) or _ASK_AGAIN_SECONDS
