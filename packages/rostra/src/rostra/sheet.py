"""The transcript as a sheet: a row a turn, for spreadsheets and statistics. Pure; CSV as RFC 4180 has it."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping
from typing import Any, cast

from rostra.agenda import Slot, agenda
from rostra.events import TurnTaken
from rostra.measures import DebateMeasures, TurnMeasures
from rostra.measures.segments import graphemes
from rostra.models import Debate
from rostra.plain import plain, spelt_out
from rostra.transcript import Course, measured, slot_as_json

# New ones go to the end of their group in docs/exports.md and here; none is renamed or moved within a minor version.
_SPOKEN = ("debate", "seq", "phase", "round", "kind", "slot", "debater", "team", "to", "heard_by", "text", "characters")
_MADE = (
    "attempts",
    "shortened",
    "faults",
    "chosen_by",
    "model",
    "fingerprint",
    "sampling",
    "prompt_tokens",
    "completion_tokens",
    "counted_by",
    "finish_reason",
    "started_at",
    "ended_at",
    "seconds",
)
_MEASURED = (
    "words",
    "flags",
    "language",
    "containment",
    "closest",
    "fresh",
    "repeated_sentences",
    "relevance",
    "seq_rep_4",
    "distinct_1",
    "distinct_2",
    "compression_ratio",
)
COLUMNS = (*_SPOKEN, *_MADE, *_MEASURED)

# What spreadsheets take for a formula or for the beginning of a cell when a cell begins with it (OWASP, "CSV
# Injection"), also behind blanks and what nobody sees, and in full width.
_ACTING = re.compile(r"[\s\u00ad\u200b-\u200f\u2060-\u2064\ufeff]*[=+\-@＝＋－＠]|[\t\r\n]")


def as_csv(debate: Debate, course: Course, measures: DebateMeasures | None = None) -> str:
    """All turns so far; their measures once the debate has ended. `measures` are `transcript.measured`, where they are
    known."""
    sheet = io.StringIO(newline="")
    # Text is quoted, also where it need not be: it then stays in its cell where others than commas separate cells.
    writer = csv.writer(sheet, quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow(COLUMNS)
    figures = measures or measured(debate, course)
    by_turn = {each.seq: each for each in figures.turns} if figures else {}
    for turn, slot in zip(course.turns, agenda(debate), strict=False):
        row = _row(debate, turn, slot, by_turn.get(turn.seq))
        writer.writerow([_cell(row.get(column)) for column in COLUMNS])
    return sheet.getvalue()


def _row(debate: Debate, turn: TurnTaken, slot: Slot, measures: TurnMeasures | None) -> Mapping[str, Any]:
    return {
        **turn.model_dump(mode="json"),
        **slot_as_json(debate.names, slot),
        **(measures.model_dump(mode="json") if measures else {}),
        "debate": debate.id,
        "debater": debate.names[turn.debater],
        "team": debate.speaker(turn.debater).team,
        "characters": graphemes(turn.text),
        "prompt_tokens": turn.usage.prompt_tokens,
        "completion_tokens": turn.usage.completion_tokens,
        "counted_by": turn.usage.counted_by,
        "seconds": (turn.ended_at - turn.started_at).total_seconds(),
    }


def _cell(value: Any) -> str | int | float:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() | float():
            return value
        case dict():
            return spelt_out(json.dumps(value, ensure_ascii=False))
        case list():
            return _text(" ".join(cast("list[str]", value)))
        case _:
            return _text(str(value))


def _text(text: str) -> str:
    """The text as it only shows itself, with an apostrophe before what a spreadsheet would calculate."""
    shown = plain(text)
    return f"'{shown}" if _ACTING.match(shown) else shown
