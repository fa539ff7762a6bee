"""Writes what the runs of `make faults` and `make nemesis` found into docs/reliability.md."""

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

Run = Mapping[str, Any]


def faults(runs: Sequence[Run]) -> str:
    """What was tried and what held, and how long it took to go on, in all of the runs."""
    parts = [
        "### What was tried: `make faults`",
        f"The last {_runs(len(runs))}, on {_machines(runs)}:",
        _outcomes(runs),
        *_broken(runs),
        "What was tried, by fault:",
        table(
            [("fault", lambda row: row[0]), ("tests", lambda row: row[1]), ("tried", lambda row: row[2]), _held(3)],
            [
                (number, str(len({one["promise"] for one in of})), str(len(of)), str(_passed(of)))
                for number, of in _by_fault(_promises(runs))
            ],
        ),
        "Seconds until a debate was spoken on, in all of these runs:",
        table(
            [("after", lambda row: row[0]), ("times", lambda row: str(len(row[1]))), *_quantiles()],
            _recoveries(runs),
        ),
    ]
    return "\n\n".join(parts)


def containers(runs: Sequence[Run]) -> str:
    """The same of the containers."""
    names = dict.fromkeys(one["promise"] for one in _promises(runs))
    by_name = [(name, [one for one in _promises(runs) if one["promise"] == name]) for name in names]
    return "\n\n".join(
        [
            "### The containers' part: `tests/e2e/faults`",
            f"The last {_runs(len(runs))}, with the bundled model:",
            _outcomes(runs),
            *_broken(runs),
            table(
                [("promise", lambda row: row[0]), ("tried", lambda row: row[1]), _held(2)],
                [(name, str(len(of)), str(_passed(of))) for name, of in by_name],
            ),
            "Seconds until a debate was spoken on:",
            table(
                [("after", lambda row: row[0]), ("seconds", lambda row: ", ".join(map(str, row[1])))],
                _recoveries(runs),
            ),
        ]
    )


def nemesis(runs: Sequence[Run]) -> str:
    """Every run of the nemesis, and what happened in all of them."""
    parts = [
        "### The nemesis: `make nemesis`",
        f"{_runs(len(runs)).capitalize()}, {sum(run['seconds'] for run in runs) / 60:g} minutes in all: "
        f"{sum(_suffered(runs).values()):,} faults on {sum(run['debates'] for run in runs):,} debates of "
        f"{sum(run['turns'] for run in runs):,} turns. {_harm(runs)}.",
        table(
            [
                ("date", lambda run: run["at"][:10]),
                ("where", lambda run: run["where"]),
                ("seed", lambda run: str(run["seed"])),
                ("minutes", lambda run: f"{run['seconds'] / 60:g}"),
                ("faults", lambda run: f"{sum(run['faults'].values())} of {len(run['faults'])} kinds"),
                ("debates", lambda run: ", ".join(f"{n} {status}" for status, n in sorted(run["ended"].items()))),
                ("turns", lambda run: f"{run['turns']:,}"),
                *((kind.replace("_", " "), lambda run, kind=kind: str(run[kind])) for kind in HARM),
                ("longest standstill, p50 / p95 / most", lambda run: " / ".join(map(str, run["standstill_seconds"]))),
            ],
            runs,
        ),
        *(_told(run) for run in runs if any(run[kind] for kind in HARM)),
        "A debate's longest standstill is in seconds, outages included. What happened, in all runs:",
        table(
            [("fault", lambda row: row[0][1]), ("where", lambda row: row[0][0]), ("times", lambda row: str(row[1]))],
            _suffered(runs).most_common(),
        ),
    ]
    return "\n\n".join(parts)


# ── runs of what tries the same each time ───────────────────────────────────────────────────────────────────────────


def _outcomes(runs: Sequence[Run]) -> str:
    return table(
        [
            ("date", lambda run: run["at"].replace("T", " ").removesuffix("+00:00")),
            ("tests", lambda run: str(len(run["promises"]))),
            ("held", lambda run: str(_passed(run["promises"]))),
            ("minutes", lambda run: f"{_seconds(run) / 60:.0f}"),
        ],
        runs,
    )


def _seconds(run: Run) -> float:
    """The whole run's, or where it does not tell, those of its tests."""
    return run.get("seconds") or sum(one["seconds"] for one in run["promises"])


def _broken(runs: Sequence[Run]) -> Iterator[str]:
    for run in runs:
        for one in run["promises"]:
            if one["outcome"] != "passed":
                fault = f" (fault {one['fault']})" if "fault" in one else ""
                yield f"- **Did not hold** on {run['at'][:10]}: {one['promise']}{fault}"


def _promises(runs: Sequence[Run]) -> list[Mapping[str, Any]]:
    return [one for run in runs for one in run["promises"]]


def _passed(tried: Sequence[Mapping[str, Any]]) -> int:
    return Counter(one["outcome"] for one in tried)["passed"]


def _by_fault(tried: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, list[Mapping[str, Any]]]]:
    for number in sorted({one["fault"] for one in tried}, key=int):
        yield number, [one for one in tried if one["fault"] == number]


def _recoveries(runs: Sequence[Run]) -> list[tuple[str, list[float]]]:
    after: dict[str, list[float]] = {}
    for run in runs:
        for what, seconds in run["recoveries"].items():
            after.setdefault(what, []).extend(seconds)
    return sorted(after.items())


def _machines(runs: Sequence[Run]) -> str:
    return " and ".join(dict.fromkeys(run["machine"] for run in runs))


def _held(place: int) -> tuple[str, Any]:
    """How often, marked where it is not as often as tried."""
    return "held", lambda row: row[place] if row[place] == row[place - 1] else f"**{row[place]}**"


def _quantiles() -> list[tuple[str, Any]]:
    return [
        ("p50", lambda row: f"{statistics.median(row[1]):.1f}"),
        ("p95", lambda row: f"{_p95(row[1]):.1f}"),
        ("longest", lambda row: f"{max(row[1]):.1f}"),
    ]


def _p95(values: Sequence[float]) -> float:
    return sorted(values)[round(0.95 * (len(values) - 1))]


# ── runs of the nemesis ─────────────────────────────────────────────────────────────────────────────────────────────


def _suffered(runs: Sequence[Run]) -> Counter[tuple[str, str]]:
    """How often what happened, by where and what."""
    suffered: Counter[tuple[str, str]] = Counter()
    for run in runs:
        suffered.update({(run["where"], name): times for name, times in run["faults"].items()})
    return suffered


def _harm(runs: Sequence[Run]) -> str:
    return ", ".join(f"**{sum(run[kind] for run in runs)} {kind.replace('_', ' ')}**" for kind in HARM)


def _told(run: Run) -> str:
    """What a run did harm to, and what it was where that is known and mended."""
    mended = f"Mended since: {run['mended']}" if "mended" in run else "**Not mended.**"
    return f"- Seed {run['seed']}, {run['where']}, {run['at'][:10]}: {' '.join(run['told'][0].split())[:300]} {mended}"


def _runs(number: int) -> str:
    return "run" if number == 1 else f"{number} runs"


def main() -> None:
    for name, report in (("faults", faults), ("faults-containers", containers), ("nemesis", nemesis)):
        if (file := RESULTS / f"{name}.json").exists():
            write_between(DOCUMENT, name, report(json.loads(file.read_text(encoding="utf-8"))))


if __name__ == "__main__":
    main()
