"""What the comparison of arrangements found, for readers: tables with confidence intervals, the goals, the plot."""

from __future__ import annotations

import random
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from quality_plot import Panel, Point, panels
from serving_report import write_between

from rostra.measures import DebateMeasures

Row = Mapping[str, Any]
Interval = tuple[float, float, float]  # mean, and the ends of its 95% confidence interval

PLAIN, OFF, STRICT = "autogen", "off", "strict"
RESAMPLES = 2000
COLUMNS: Sequence[tuple[str, str, str]] = (
    ("repeating", "repeat an earlier turn", "%"),
    ("giving_up", "give up their side", "%"),
    ("looping", "repeat themselves within", "%"),
    ("agreeing", "only agree or thank", "%"),
    ("empty", "empty", "%"),
    ("over_limit", "over the limit", "%"),
    ("cut_off", "cut off", "%"),
    ("speaking_for_others", "speak for others", "%"),
    ("leaking", "show the template or prompt", "%"),
    ("addressing_itself", "address themselves", "%"),
    ("wrong_language", "in another language", "%"),
    ("spoken", "planned turns spoken", "%"),
    ("relevance", "relevance to the motion", "2"),
    ("persona_kept", "persona kept", "2"),
    ("distinct_2", "distinct-2", "2"),
    ("seq_rep_4", "seq-rep-4", "2"),
    ("compression_ratio", "compression ratio", "2"),
    ("logprob", "log-probability a token, alone", "2"),
    ("logprob_new", "the same, of turns that repeat nothing", "2"),
    ("logprob_in_context", "log-probability a token, in context", "2"),
    ("attempts_a_turn", "attempts a turn", "2"),
    ("tokens_a_turn", "tokens a turn", "0"),
    ("seconds", "seconds a debate", "0"),
)


def figures(measured: DebateMeasures) -> dict[str, Any]:
    """Of one debate."""
    personas = [each.kept for each in measured.personas]
    return {
        **measured.shares.model_dump(),
        **measured.means.model_dump(),
        "persona_kept": statistics.fmean(personas) if personas else None,
        "compression_ratio": measured.compression_ratio,
        "first_collapse": measured.first_collapse,
    }


def _derived(row: Row) -> dict[str, Any]:
    turns = max(1, row["turns_spoken"])
    return {
        **row,
        "spoken": row["turns_spoken"] / row["turns_planned"],
        "attempts_a_turn": row["attempts"] / turns,
        "tokens_a_turn": row["tokens"] / turns,
    }


def interval(values: Sequence[float]) -> Interval:
    """The mean, and where it lies in 95 of 100 resamples (Efron's percentile bootstrap)."""
    if not values:
        return (0.0, 0.0, 0.0)
    draw = random.Random(1)
    means = sorted(statistics.fmean(draw.choices(values, k=len(values))) for _ in range(RESAMPLES))
    return (statistics.fmean(values), means[RESAMPLES // 40], means[-RESAMPLES // 40])


def _by_arm(rows: Sequence[Row]) -> dict[str, dict[tuple[int, int], Row]]:
    arms: dict[str, dict[tuple[int, int], Row]] = {}
    for row in map(_derived, rows):
        arms.setdefault(row["arm"], {})[row["motion"], row["seed"]] = row
    return arms


def _values(arm: Mapping[tuple[int, int], Row], name: str) -> list[float]:
    return [row[name] for row in arm.values() if row.get(name) is not None]


def _differences(one: Mapping[Any, Row], other: Mapping[Any, Row], name: str) -> list[float]:
    """Paired: the same motion with the same seed."""
    pairs = [(one[cell][name], other[cell][name]) for cell in one.keys() & other.keys()]
    return [a - b for a, b in pairs if a is not None and b is not None]


# ── tables ──────────────────────────────────────────────────────────────────────────────────────────────


def summary(rows: Sequence[Row]) -> str:
    """All arrangements side by side: means with their intervals."""
    arms = _by_arm(rows)
    lines = [["", *arms], ["---"] * (1 + len(arms))]
    for name, title, form in COLUMNS:
        lines.append([title, *(_shown(interval(_values(arm, name)), form) for arm in arms.values())])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def differences(rows: Sequence[Row]) -> str:
    """Each arrangement less the plain one, paired by motion and seed."""
    arms = _by_arm(rows)
    plain = arms.pop(PLAIN)
    lines = [["", *arms], ["---"] * (1 + len(arms))]
    for name, title, form in COLUMNS:
        lines.append([title, *(_shown(interval(_differences(arm, plain, name)), form, "+") for arm in arms.values())])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _shown(value: Interval, form: str, sign: str = "") -> str:
    mean, low, high = value
    if form == "%":
        return f"{mean:{sign}.1%} ({low:{sign}.1%} to {high:{sign}.1%})"
    return f"{mean:{sign},.{form}f} ({low:{sign},.{form}f} to {high:{sign},.{form}f})"


# ── the goals ───────────────────────────────────────────────────────────────────────────────────────────


def goals(rows: Sequence[Row]) -> str:
    """What the strict guard should reach, what it reached, and whether that is enough."""
    arms = {
        name: {key: statistics.fmean(_values(arm, key) or [0.0]) for key in _KEYS}
        for name, arm in _by_arm(rows).items()
    }
    totals = {name: sum(row["tokens"] for row in arm.values()) for name, arm in _by_arm(rows).items()}
    lines = ["| with the guard strict | goal | measured | |", "| --- | --- | --- | --- |"]
    for title, goal, measured, held in _judged(arms[PLAIN], arms[STRICT], totals[STRICT] / totals[OFF]):
        lines.append(f"| {title} | {goal} | {measured} | {'held' if held else '**missed**'} |")
    return "\n".join(lines)


_NEVER = ("empty", "over_limit", "speaking_for_others", "leaking")
_KEYS = (*_NEVER, "repeating", "giving_up", "spoken", "logprob", "logprob_in_context", "relevance")


def _judged(plain: Mapping[str, float], strict: Mapping[str, float], tokens: float) -> list[tuple[str, str, str, bool]]:
    titles = {name: title for name, title, _ in COLUMNS}

    def at_most(name: str, share: float) -> tuple[str, str, str, bool]:
        goal = f"at most {share:.2f} of plain AutoGen's {plain[name]:.1%}"
        return f"turns that {titles[name]}", goal, f"{strict[name]:.1%}", strict[name] <= share * plain[name]

    return [
        *((f"turns: {titles[name]}", "none", f"{strict[name]:.1%}", strict[name] == 0) for name in _NEVER),
        at_most("repeating", 0.1),
        at_most("giving_up", 1 / 3),
        ("tokens spent", "at most 2.0 of the guard-off run's", f"{tokens:.2f}", tokens <= 2),
        ("planned turns spoken", "at least 75%", f"{strict['spoken']:.0%}", strict["spoken"] >= 0.75),
        *(
            (
                titles[name],
                f"at least plain AutoGen's {plain[name]:.2f} - 0.30",
                f"{strict[name]:.2f}",
                strict[name] >= plain[name] - 0.3,
            )
            for name in ("logprob", "logprob_in_context")
        ),
        (
            titles["relevance"],
            f"not under plain AutoGen's {plain['relevance']:.3f}",
            f"{strict['relevance']:.3f}",
            strict["relevance"] >= plain["relevance"],
        ),
    ]


# ── the document ────────────────────────────────────────────────────────────────────────────────────────


def publish(rows: Sequence[Row], root: Path) -> None:
    """The tables of docs/quality.md, and its plot."""
    (root / "docs/images/quality.svg").write_text(plot(rows), encoding="utf-8")
    text = "\n\n".join(
        [
            _conditions(rows),
            "![Repetition, stance and cost by arrangement](images/quality.svg)",
            summary(rows),
            "The same, each less plain AutoGen, paired by motion and seed:",
            differences(rows),
            "### Against the goals",
            goals(rows),
        ]
    )
    write_between(root / "docs/quality.md", "quality", text)


def _conditions(rows: Sequence[Row]) -> str:
    motions, seeds = len({row["motion"] for row in rows}), len({row["seed"] for row in rows})
    return (
        f"{motions} motions, {seeds} seeds, {rows[0]['turns_planned']} turns: {motions * seeds} debates in each "
        "arrangement. Means over debates, with 95% confidence intervals (bootstrap, 2,000 resamples)."
    )


def plot(rows: Sequence[Row]) -> str:
    shown = (
        ("repeating", "turns that repeat an earlier turn, %", 100),
        ("giving_up", "turns that give up their side, %", 100),
        ("tokens_a_turn", "tokens a turn", 1),
    )
    arms = _by_arm(rows)
    return panels(
        [
            Panel(
                title,
                [Point(name, *(end * times for end in interval(_values(arm, key)))) for name, arm in arms.items()],
            )
            for key, title, times in shown
        ]
    )
