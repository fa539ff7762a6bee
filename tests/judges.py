"""Scripted judges and voters: what they are asked, and what they answer."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from scripted import Answer, Says, Script

SENSE = (
    "Tabs let each reader choose a width that suits their eyes.",
    "A screen reader announces one tab instead of eight spaces.",
    "Every indented line is shorter by three bytes with tabs.",
)
GIBBERISH = ("Wug blick dax tove.", "Dax dax dax wug.", "Blick, blick, tove, wug.")


def asked(body: Mapping[str, Any]) -> str:
    """All that a request says, in one text."""
    return "\n".join(message["content"] for message in body["messages"])


def is_question(body: Mapping[str, Any], field: str) -> bool:
    """Whether it asks for an answer that has this field."""
    return f'"{field}"' in asked(body) and "JSON" in asked(body)


def side_that_says(body: Mapping[str, Any], words: str) -> str:
    """The letter of the side who says them in what the request shows."""
    found = re.search(rf"^Side ([A-P]): .*{re.escape(words)}", asked(body), re.MULTILINE)
    assert found, f"{words!r} is not shown"
    return found[1]


def letters(body: Mapping[str, Any]) -> list[str]:
    return re.findall(r"^- Side ([A-P])", asked(body), re.MULTILINE)


def reading(winner: str, quotes: Sequence[str], of: Sequence[str] = "AB", **more: Any) -> dict[str, Any]:
    """A judge's answer, with more points for the winner."""
    scores = {side: dict.fromkeys(("content", "style", "strategy"), 8 if side == winner else 4) for side in of}
    return {
        "quotes": list(quotes),
        "reasons": f"Side {winner} gave reasons.",
        "scores": scores,
        "winner": winner,
        **more,
    }


def says(answer: Mapping[str, Any], **more: Any) -> Says:
    return Says(json.dumps(answer, ensure_ascii=False), **more)


def a_debate_of(first: Sequence[str], second: Sequence[str], judge: Callable[[dict[str, Any]], Answer]) -> Script:
    """Two debaters who say these turns, and judges who answer so."""
    turns = iter([turn for pair in zip(first, second, strict=True) for turn in pair])

    def script(body: dict[str, Any]) -> Answer:
        return judge(body) if is_question(body, "winner") else Says(next(turns))

    return script


def sensible(body: dict[str, Any]) -> Answer:
    """A judge who knows arguments when it reads them."""
    return says(reading(side_that_says(body, SENSE[0]), [SENSE[0]]))
