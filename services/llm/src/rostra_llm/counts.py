"""What happened to requests, since this process began."""

from __future__ import annotations

from dataclasses import dataclass, field

# Seconds. A cached prompt's first token comes within one batch; a long prompt's behind a queue takes minutes.
BOUNDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)


@dataclass(slots=True)
class Waits:
    """A histogram: how many waits were at most as long as each bound, and all of them at the end."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    total: float = 0.0

    def add(self, seconds: float) -> None:
        self.total += seconds
        for place, bound in enumerate((*BOUNDS, float("inf"))):
            self.counts[place] += seconds <= bound


@dataclass(slots=True)
class Counts:
    """`ended` by the reason: stop, length, gone (nobody waited any more), failed."""

    ended: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("stop", "length", "gone", "failed"), 0))
    refused: int = 0
    restarts: int = 0
    first_token: Waits = field(default_factory=Waits)
