"""What was tried, what held, and how long it took to go on: kept while the tests run, written at their end."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .watching import moment


@dataclass
class Report:
    """One run of the suite."""

    began: float = field(default_factory=time.monotonic)
    promises: list[dict[str, Any]] = field(default_factory=list)
    recoveries: dict[str, list[float]] = field(default_factory=dict)

    def tried(self, number: str, promise: str, outcome: str, seconds: float) -> None:
        """`number` is that of the list of faults in docs/reliability.md."""
        tried = {"fault": number, "promise": promise, "outcome": outcome, "seconds": round(seconds, 1)}
        self.promises.append(tried)

    def recovered(self, after: str, seconds: float, within: float) -> None:
        """A debate was spoken on so long after a fault was over; asserts that it was in time."""
        self.recoveries.setdefault(after, []).append(round(max(seconds, 0.0), 2))
        assert seconds <= within, f"spoken on {seconds:.1f} s after {after}, not within {within:g} s"

    def merge(self, figures: Mapping[str, Any]) -> None:
        """What another process tried beside this one."""
        self.promises.extend(figures["promises"])
        for after, seconds in figures["recoveries"].items():
            self.recoveries.setdefault(after, []).extend(seconds)

    def figures(self) -> Mapping[str, Any]:
        return {
            "machine": f"{platform.machine()}, {os.cpu_count()} cores",
            "seconds": round(time.monotonic() - self.began),
            "promises": self.promises,
            "recoveries": self.recoveries,
        }


def spoken_on(transcript: Mapping[str, Any], after: float) -> float:
    """Seconds from `after` (since the epoch) until a turn was begun. A turn is begun when the one before it stands."""
    begun = [moment(turn["started_at"]) for turn in transcript["turns"]]
    later = [started for started in begun if started > after]
    assert later, "no turn was begun after that"
    return later[0] - after
