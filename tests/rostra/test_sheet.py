"""The transcript as a sheet: what its readers get back is what was said, and nothing calculates."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from builders import A_FORMAT, a_debate, a_turn
from rostra.agenda import agenda
from rostra.events import DebateEnded, Usage
from rostra.models import Debate, Status
from rostra.sheet import COLUMNS, as_csv
from rostra.transcript import Course, as_json, fold

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def rows(debate: Debate, course: Course) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(as_csv(debate, course), newline=""), strict=True))


def said(text: str) -> str:
    """The cell that a turn's text becomes."""
    return rows(a_debate(), fold([a_turn(1, text=text)]))[0]["text"]


def test_a_row_tells_a_turn():
    debate = a_debate()
    turn = a_turn(
        1,
        text="Tabs are one byte.\nThey are sure.",
        attempts=2,
        faults=["repetition", "length"],
        fingerprint="sha256:abc",
        sampling={"temperature": 0.5, "stop": ["\nGrace:"]},
        usage=Usage(prompt_tokens=90, completion_tokens=12),
        started_at=NOW,
        ended_at=NOW + timedelta(seconds=2.5),
    )
    ended = fold([turn, DebateEnded(status=Status.COMPLETED)])
    row = rows(debate, ended)[0]
    assert tuple(row) == COLUMNS
    assert (row["debate"], row["seq"], row["debater"], row["kind"]) == (debate.id, "1", "Ada", "speech")
    assert (row["text"], row["characters"]) == ("Tabs are one byte.\nThey are sure.", "33")
    assert (row["attempts"], row["shortened"], row["faults"]) == ("2", "false", "repetition length")
    assert (row["prompt_tokens"], row["completion_tokens"], row["seconds"]) == ("90", "12", "2.5")
    assert (row["started_at"], row["fingerprint"]) == ("2026-01-02T03:04:05Z", "sha256:abc")
    assert json.loads(row["sampling"]) == {"temperature": 0.5, "stop": ["\nGrace:"]}
    measures = as_json(debate, ended)["measures"]["turns"][0]
    assert {name: row[name] for name in ("language", "containment", "fresh", "compression_ratio", "words")} == {
        name: str(measures[name]) for name in ("language", "containment", "fresh", "compression_ratio", "words")
    }


def test_measures_come_when_the_debate_has_ended():
    running = rows(a_debate(), fold([a_turn(1)]))[0]
    assert (running["text"], running["characters"], running["language"], running["fresh"]) == ("Point 1.", "8", "", "")


def test_slots_and_teams_are_told():
    debate = a_debate(format=A_FORMAT, debaters=None)
    turns = [a_turn(s.seq, debater=s.debater or "", phase=s.phase, round=s.round) for s in agenda(debate)]
    told = rows(debate, fold(turns))
    assert len(told) == len(turns)
    notes = next(row for row in told if row["kind"] == "notes")
    assert (notes["slot"], notes["team"], notes["heard_by"]) == ("S notes", "spaces", "spaces")
    question = next(row for row in told if row["kind"] == "question")
    assert question["to"] == next(row["debater"] for row in told if row["slot"] == "T case")


def test_lines_end_as_the_rfc_has_it_and_text_is_quoted():
    sheet = as_csv(a_debate(), fold([a_turn(1, text='He said "no"; then, yes\n')]))
    assert sheet.startswith('"debate","seq","phase"')
    assert sheet.count("\r\n") == 2
    assert '"He said ""no""; then, yes\n"' in sheet
    assert ',1,"debate",1,"speech",' in sheet


def test_no_turns_leave_the_names_of_the_columns():
    assert as_csv(a_debate(), fold([])).count("\r\n") == 1


@pytest.mark.parametrize(
    "formula",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        "  =1+1",
        "\x00=1+1",
        "\u202e=1+1",
        "\ufeff=1+1",
        "\u200b@x",
        "＝1+1",
        "＠SUM(A1)",
        '=HYPERLINK("http://evil.example","x")',
        "=cmd|' /C calc'!A0",
    ],
)
def test_what_a_spreadsheet_would_calculate_has_an_apostrophe_before_it(formula: str):
    assert said(formula).startswith("'")
    assert re.sub(r"[\s\x00\u202e]", "", said(formula)) == "'" + re.sub(r"[\s\x00\u202e]", "", formula)


@pytest.mark.parametrize("text", ["Tabs = 1", "'tis", "1 - 1", "タブは正直だ。", "وداعا", "a\tb", "x@example.org"])
def test_other_text_stays_as_it_is(text: str):
    assert said(text) == text


def test_names_cannot_calculate_either():
    debate = a_debate(debaters=[{"name": "=Ada()"}, {"name": "Grace"}])
    assert rows(debate, fold([a_turn(1)]))[0]["debater"] == "'=Ada()"


def test_every_column_is_documented_in_its_order():
    page = (ROOT / "docs/exports.md").read_text(encoding="utf-8")
    documented = re.findall(r"`(\w+)`", "\n".join(re.findall(r"^\| (`.*?) \|", page, re.MULTILINE)))
    assert tuple(documented) == COLUMNS
