"""Writes what `make faults` and `make nemesis` found into docs/reliability.md."""

from __future__ import annotations

import json
import statistics
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from serving_report import table, write_between

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
DOCUMENT = ROOT / "docs" / "reliability.md"
# What the nemesis asserts to be none.
HARM = ("lost", "doubled", "stuck", "otherwise_wrong")


def faults(figures: Mapping[str, Any]) -> str:
    """What was tried and what held, and how long it took to go on."""
    tried = figures["promises"]
    held = Counter(one["outcome"] for one in tried)["passed"]
    broken = [one for one in tried if one["outcome"] != "passed"]
    parts = [
        "### What was tried: `make faults`",
        f"{figures['at'][:10]}, {figures['machine']}, {figures['seconds'] / 60:.0f} minutes: "
        f"{len(tried)} tests, {held} held.",
        *(f"- **Did not hold**: {one['promise']} (fault {one['fault']})" for one in broken),
        table(
            [("fault", lambda row: row[0]), ("tests", lambda row: row[1]), ("held", lambda row: row[2])],
            [
                (number, str(len(of)), str(sum(one["outcome"] == "passed" for one in of)))
                for number, of in _by_fault(tried)
            ],
        ),
        "Seconds until a debate was spoken on:",
        table(
            [("after", lambda r: r[0]), ("times", lambda r: str(len(r[1]))), *_quantiles()],
            sorted(figures["recoveries"].items()),
        ),
    ]
    return "\n\n".join(parts)


def containers(figures: Mapping[str, Any]) -> str:
    """The same of the containers."""
    held = [
        ("promise", lambda one: one["promise"]),
        ("", lambda one: "held" if one["outcome"] == "passed" else "**not**"),
    ]
    return "\n\n".join(
        [
            "### The containers' part: `tests/e2e/faults`",
            f"{figures['at'][:10]}, with the bundled model.",
            table(held, figures["promises"]),
            "Seconds until a debate was spoken on:",
            table(
                [("after", lambda row: row[0]), ("seconds", lambda row: ", ".join(map(str, row[1])))],
                sorted(figures["recoveries"].items()),
            ),
        ]
    )


def _by_fault(tried: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, list[Mapping[str, Any]]]]:
    for number in sorted({one["fault"] for one in tried}, key=int):
        yield number, [one for one in tried if one["fault"] == number]


def _quantiles() -> list[tuple[str, Any]]:
    return [
        ("p50", lambda row: f"{statistics.median(row[1]):.1f}"),
        ("p95", lambda row: f"{_p95(row[1]):.1f}"),
        ("longest", lambda row: f"{max(row[1]):.1f}"),
    ]


def _p95(values: Sequence[float]) -> float:
    return sorted(values)[round(0.95 * (len(values) - 1))]


def nemesis(verdict: Mapping[str, Any]) -> str:
    """A run of the nemesis."""
    told = ", ".join(f"{count} {status}" for status, count in sorted(verdict["ended"].items()))
    harm = ", ".join(f"**{verdict[kind]} {kind.replace('_', ' ')}**" for kind in HARM)
    p50, p95, longest = verdict["standstill_seconds"]
    suffered = [(name, count) for name, count in verdict["faults"].items()]
    return "\n\n".join(
        [
            "### The nemesis: `make nemesis`",
            f"{verdict['seconds'] / 60:g} minutes with the seed {verdict['seed']}: {sum(verdict['faults'].values())} "
            f"faults on {verdict['debates']} debates of {verdict['turns']:,} turns ({told}). {harm}. The longest "
            f"standstill of a debate, outages included: p50 {p50} s, p95 {p95} s, at most {longest} s.",
            table([("what happened", lambda row: row[0]), ("times", lambda row: str(row[1]))], suffered),
        ]
    )


def main() -> None:
    for name, report in (("faults", faults), ("faults-containers", containers), ("nemesis", nemesis)):
        if (file := RESULTS / f"{name}.json").exists():
            write_between(DOCUMENT, name, report(json.loads(file.read_text(encoding="utf-8"))))


if __name__ == "__main__":
    main()
