"""How much may be asked for. What is refused names the setting that bounds it.

Who asks for too much themselves is told so with 429, and with 422 where waiting would not help; where all together do,
it is 503.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from rostra import questions
from rostra.lengths import tokens_of_all
from rostra.models import Debate
from rostra_api.caller import Caller
from rostra_api.problems import INVALID, TOO_OFTEN, Fault, Refusal
from rostra_api.settings import Settings

# More keys than this are seldom used within seconds; the one that was used longest ago has its whole bucket again.
MOST_BUCKETS = 10_000


@dataclass(slots=True)
class _Bucket:
    left: float
    since: float


class Rate:
    """A bucket of requests for each key, which fills by so many a second. Without keys all share one."""

    def __init__(self, a_second: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._a_second = a_second
        self._burst = burst
        self._clock = clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def take(self, caller: Caller) -> None:
        """Raises: Refusal."""
        bucket, now = self._bucket(caller.key_id), self._clock()
        bucket.left = min(self._burst, bucket.left + (now - bucket.since) * self._a_second)
        bucket.since = now
        if bucket.left < 1:
            wait = math.ceil((1 - bucket.left) / self._a_second)
            told = f"At most {self._a_second:g} requests a second are taken, and {self._burst} at once."
            raise Refusal(TOO_OFTEN, told, bound="ROSTRA_RATE", Retry_After=str(wait))
        bucket.left -= 1

    def _bucket(self, key_id: str) -> _Bucket:
        bucket = self._buckets.setdefault(key_id, _Bucket(self._burst, self._clock()))
        self._buckets.move_to_end(key_id)
        if len(self._buckets) > MOST_BUCKETS:
            self._buckets.popitem(last=False)
        return bucket


def most_tokens(debate: Debate, attempts: int) -> int:
    """What the debate's answers come to at most: its turns, each as long as it may be and tried so often, and what
    judges, voters and baselines may answer.

    `limits.tokens` bounds that, too; it counts the prompts as well.
    """
    most = tokens_of_all(debate) * attempts + questions.most_tokens(debate)
    return min(most, debate.limits.tokens or most)


def check_tokens(debate: Debate, settings: Settings) -> None:
    """Raises: Refusal."""
    cost = most_tokens(debate, settings.turn_attempts)
    if cost > settings.debate_tokens:
        detail = (
            f"the longest answers of all turns x {settings.turn_attempts} attempts, and what is asked beside them, "
            f"make {cost} tokens; a debate may have {settings.debate_tokens}: ask for fewer rounds or shorter turns, "
            "or set limits.tokens"
        )
        raise Refusal(INVALID, "See `errors`.", [Fault(pointer="/rounds", detail=detail)], bound="ROSTRA_DEBATE_TOKENS")
