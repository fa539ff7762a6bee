"""What was measured, for readers: tables between markers in a document, and the plot."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from serving_chart import Line, chart

Row = Mapping[str, Any]
Column = tuple[str, Callable[[Row], str]]

COLOURS = {"rostra": "#1b7f5c", "stock": "#b4472f", "llama-server": "#3b5fa8"}

SPEED: Sequence[Column] = (
    ("CPU ms a token", lambda row: f"{row['cpu_ms_per_token']:.1f}"),
    ("turns a minute", lambda row: f"{row['turns_per_minute']:.0f}"),
    ("first token, p50 / p95 ms", lambda row: f"{row['ttft_p50_ms']:,} / {row['ttft_p95_ms']:,}"),
    ("MiB", lambda row: f"{row['rss_mib']:,}"),
)
EVALUATED: Sequence[Column] = (
    ("sent", lambda row: f"{row['tokens_sent']:,}"),
    ("evaluated", lambda row: f"{row['tokens_evaluated']:,}"),
    ("of the lower bound", lambda row: f"{row['tokens_evaluated'] / row['tokens_lower_bound']:.2f}"),
)
AT_ONCE: Sequence[Column] = (
    ("layout", lambda row: row["layout"]),
    ("at once", lambda row: str(row["debates"])),
    ("server", lambda row: row["server"]),
)


def write_between(document: Path, name: str, text: str) -> None:
    """Put `text` between the document's markers of that name; at its end, with markers, where there are none."""
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    whole = document.read_text(encoding="utf-8")
    if begin not in whole:
        whole = f"{whole.rstrip()}\n\n{begin}\n{end}\n"
    before, _, rest = whole.partition(begin)
    document.write_text(f"{before}{begin}\n{text.strip()}\n{end}{rest.partition(end)[2]}", encoding="utf-8")


def table(columns: Sequence[Column], rows: Sequence[Row]) -> str:
    lines = [[title for title, _ in columns], ["---"] * len(columns)]
    lines += [[shown(row) for _, shown in columns] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def threads(number: int) -> str:
    return "one thread" if number == 1 else f"{number} threads"


def report(rows: Sequence[Row], plot: str) -> str:
    """The tables; `plot` is where the document finds the plot."""
    debates, chats, growth = (_of(rows, *layouts) for layouts in (("rostra", "autogen"), ("chat",), ("growth",)))
    parts = [
        "## Serving: `make bench-serving`",
        _conditions(rows),
        f"![Processor time a token by debates at once]({plot})",
        table([*AT_ONCE, *EVALUATED, *SPEED, ("turns", _done)], debates),
        "Short chats, a question and an answer at a time:",
        table([*AT_ONCE[1:], *EVALUATED, *SPEED, ("turns", _done)], chats),
        *(_grown(growth) if growth else ()),
        _variants(rows),
        _python(rows),
    ]
    return "\n\n".join(part for part in parts if part)


def _grown(rows: Sequence[Row]) -> list[str]:
    columns = [("turns of each", _turns), AT_ONCE[1], *EVALUATED, *SPEED, ("turns", _done)]
    return ["Debates that grow, in our layout:", table(columns, rows)]


def plot(rows: Sequence[Row]) -> str:
    """Processor time a token by debates at once, a line for each server and layout."""
    debates = _of(rows, "rostra", "autogen")
    kinds = dict.fromkeys((row["server"], row["layout"]) for row in debates)
    places = sorted({row["debates"] for row in debates})
    lines = [_line(server, layout, debates) for server, layout in kinds]
    return chart("CPU milliseconds a generated token", "debates at once", places, lines)


def _line(server: str, layout: str, rows: Sequence[Row]) -> Line:
    values = {r["debates"]: r["cpu_ms_per_token"] for r in rows if (r["server"], r["layout"]) == (server, layout)}
    return Line(f"{server}, layout {layout}", COLOURS[server], layout == "autogen", values)


def _of(rows: Sequence[Row], *layouts: str) -> list[Row]:
    return [row for row in rows if row["layout"] in layouts]


def _conditions(rows: Sequence[Row]) -> str:
    first = rows[0]
    return (
        f"All servers: the same model file, {threads(first['threads'])}, {first['context']:,} tokens of context a "
        "request, their own defaults otherwise. Prompts are written alike, and each answer has the same number of "
        "tokens. Processor time is that of the server and its processes, over the tokens generated; memory is theirs "
        "at its most. Sent and evaluated are prompt tokens; the lower bound is each token of a debate's texts once, "
        "without those that were generated in their place: with our layout the last prompt and each turn's cue."
    )


def _done(row: Row) -> str:
    done, planned = row["turns_done"], row["turns_planned"]
    return str(done) if done == planned else f"{done} of {planned} when the time was up"


def _turns(row: Row) -> str:
    return str(row["turns_planned"] // row["debates"])


def _variants(rows: Sequence[Row]) -> str:
    """Which settings of a server were tried, and what they cost."""
    tried = {(row["server"], row["layout"]): row for row in rows if row.get("variants_tried")}
    if not tried:
        return ""
    told = (f"- {server}, {layout}: {_weighed(row)}" for (server, layout), row in tried.items())
    return "\n".join(["Settings tried, and their CPU ms a token; the first counts:", "", *told])


def _weighed(row: Row) -> str:
    figures = sorted(row["variants_tried"].items(), key=lambda figure: (figure[0] != row["variant"], figure[1]))
    return "; ".join(f"{variant}: {figure:.1f}" for variant, figure in figures)


def _python(rows: Sequence[Row]) -> str:
    shares = [row["python_share"] for row in rows if row["python_share"] is not None]
    if not shares:
        return ""
    return f"Of its engine's busy time our server spends {min(shares):.0%} to {max(shares):.0%} in Python."
