"""A page of the documents for each format, made from its file: what it is, who sits where, how to begin one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from os.path import relpath
from pathlib import Path
from typing import Any

from rostra.format import Format, Order, Team
from rostra.formats.timeline import picture
from rostra.views import FormatSummary
from rostra_api.answering import format_summary

_FOLDER = Path("docs/formats")
_SOURCE = "packages/rostra/src/rostra/formats"
# In the language of a format whose file is written in one.
_MOTIONS = {"nade": "日本は死刑を廃止すべきである", "nade_middle_school": "日本は救急車の利用を有料化すべきである"}
_MOTION = "Every town should ban cars from its centre"


def page(debate_format: Format, drawn: Path) -> str:
    """In Markdown; `drawn` is where its picture stands."""
    name = debate_format.name
    source = f"{_SOURCE}/{name}.toml"
    parts = [
        f"# {debate_format.title}",
        f"`{name}` · made by `make openapi` from [{name}.toml]({relpath(source, _FOLDER)}), which is what to change",
        debate_format.summary,
        f"Rules: {debate_format.source}." if debate_format.source else "",
        f"![The slots of {debate_format.title}, one a row]({relpath(drawn, _FOLDER)})",
        f"```text\n{picture(debate_format)}```",
        *_teams(debate_format),
        _size(format_summary(debate_format)),
        *_defaults(debate_format),
        f"```sh\ncurl --json '{_request(debate_format)}' http://127.0.0.1:8080/v1/debates\n```",
        "All formats, and how to write one: [formats.md](../formats.md).",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _teams(debate_format: Format) -> Iterator[str]:
    if debate_format.teams:
        rows = [_team(team) for team in debate_format.teams]
        yield "\n".join(["| team | side | seats |", "|---|---|---|", *rows])


def _team(team: Team) -> str:
    titles = team.titles or ("",) * len(team.seats)
    seats = [
        f"`{seat}` {title}" if title not in ("", seat) else f"`{seat}`"
        for seat, title in zip(team.seats, titles, strict=True)
    ]
    return f"| `{team.name}` {team.title} | {team.side} | {', '.join(seats)} |"


def _size(summary: FormatSummary) -> str:
    if summary.turns is None:
        return "As many turns as the request lists."
    minutes = f" in {summary.minutes:g} minutes" if summary.minutes else ""
    seated = "a debater on every seat" if summary.teams else "two debaters"
    tokens = f"at most {summary.tokens:,} tokens in English, at the default lengths"
    return f"{summary.turns} turns{minutes} with {seated}: {tokens}."


def _defaults(debate_format: Format) -> Iterator[str]:
    if debate_format.audience:
        yield f"An audience of {debate_format.audience} votes before and after, where the request says nothing else."
    if debate_format.decision:
        yield f"In the end the debaters vote (`{debate_format.decision}`), where the request says nothing else."


def _request(debate_format: Format) -> str:
    request: dict[str, Any] = {"motion": _MOTIONS.get(debate_format.name, _MOTION), "format": debate_format.name}
    if any(phase.order is Order.MANUAL for phase in debate_format.phases):
        request["speakers"] = ["Affirmative", "Negative", "Negative", "Affirmative"]
    return json.dumps(request, ensure_ascii=False)
