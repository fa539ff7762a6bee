"""Whatever a model says is only shown: no attack of the corpus gets out of any reading."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from attacked import ATTACKS, SAID, Readings
from pages import ELEMENTS, Page
from rostra.plain import on_one_line, plain
from rostra.sheet import COLUMNS


def frames(stream: bytes) -> Iterator[dict[str, str]]:
    """The events of a stream, as WHATWG HTML, section 9.2.6, has them parsed: lines end at CR, LF or both."""
    event: dict[str, str] = {}
    for line in re.split("\r\n|\r|\n", stream.decode()):
        name, colon, value = line.partition(":")
        if not line:
            if "data" in event:
                yield event
            event = {}
        elif not (colon and not name):
            value = value.removeprefix(" ")
            event[name] = f"{event[name]}\n{value}" if name == "data" and "data" in event else value


def turns_of(stream: bytes) -> list[str]:
    return [json.loads(one["data"])["text"] for one in frames(stream) if one["event"] == "turn_taken"]


def test_every_attack_was_said(readings: Readings):
    told = [turn["text"] for turn in readings.transcript["turns"]]
    lines = [json.loads(line) for line in readings.lines.splitlines()]
    failed = [line["text"].strip() for line in lines if line["type"] == "attempt_failed"]
    assert [said for said in SAID if said not in told and said not in failed] == []
    assert readings.transcript["status"] == "completed"
    assert len(ATTACKS) > 150


def test_the_page_is_made_of_its_own_elements_only(readings: Readings):
    page = Page(readings.html)
    assert [(tag, names) for tag, names in page.elements if not names <= ELEMENTS.get(tag, {None})] == []
    assert page.asides == ["doctype html"]
    assert [tag for tag, _ in page.elements].count("meta") == 5
    assert [tag for tag, _ in page.elements].count("style") == 1
    assert re.findall(' href="(?!#)', readings.html) == []


def test_the_page_says_what_was_said(readings: Readings):
    told = [f"{turn['debater']} {turn['text']}" for turn in readings.transcript["turns"]]
    assert [on_one_line(said) for said in Page(readings.html).articles] == [on_one_line(plain(said)) for said in told]


@pytest.mark.parametrize("rules", ["commonmark", "gfm-like"])
def test_markdown_makes_no_markup_of_it(readings: Readings, rules: str):
    rendered = MarkdownIt(rules, {"html": True, "linkify": rules == "gfm-like"}).render(readings.markdown)
    made = Page(rendered)
    assert {tag for tag, _ in made.elements} == {"h1", "h2", "h3", "ul", "li", "p", "strong", "hr", "pre", "code"}
    assert [(tag, names) for tag, names in made.elements if names] == [("code", {"class"})]
    assert made.asides == []
    turns = re.findall(r"<p><strong>(?:Ada|Grace):</strong> (.*)</p>", rendered)
    assert len(turns) == len(readings.transcript["turns"])


def test_the_renderer_would_make_links_and_markup_of_it():
    """Else the test above would say nothing."""
    renderer = MarkdownIt("gfm-like", {"html": True, "linkify": True})
    made = [attack for attack in ATTACKS if {tag for tag, _ in Page(renderer.render(attack)).elements} - {"p"}]
    assert len(made) > 80


def test_streams_and_lines_tell_the_same(readings: Readings):
    told = [turn["text"] for turn in readings.transcript["turns"]]
    assert turns_of(readings.live) == turns_of(readings.replayed) == told
    lines = [json.loads(line) for line in readings.lines.splitlines()]  # at whatever Unicode takes for a line's end
    assert [line["text"] for line in lines if line["type"] == "turn_taken"] == told
    ids = [one["id"] for one in frames(readings.replayed) if "id" in one]
    assert ids == [line["id"] for line in lines]
    assert len(set(ids)) == len(ids)


def test_streams_hold_events_of_ours_only(readings: Readings):
    names = {"debate_created", "debate_claimed", "attempt_failed", "turn_taken", "delta", "debate_ended", "end"}
    for stream in (readings.live, readings.replayed):
        told = list(frames(stream))
        assert {one["event"] for one in told} <= names
        assert [one["event"] for one in told].count("end") == 1
        assert {name for one in told for name in one} <= {"id", "event", "data", "retry"}


def test_a_sheet_has_a_row_a_turn_and_calculates_nothing(readings: Readings):
    rows = list(csv.reader(io.StringIO(readings.sheet, newline=""), strict=True))
    told = [turn["text"] for turn in readings.transcript["turns"]]
    assert {len(row) for row in rows} == {len(COLUMNS)}
    shown = [row[COLUMNS.index("text")] for row in rows[1:]]
    assert [text.removeprefix("'") for text in shown] == [plain(text).removeprefix("'") for text in told]
    assert [cell for row in rows for cell in row if cell.lstrip()[:1] in {*"=+-@＝＋－＠"} - {""}] == []


def test_no_reading_drives_a_terminal(readings: Readings):
    sheet = readings.sheet.replace("\r\n", "\n")
    streams = [readings.replayed.decode(), readings.live.decode()]
    for text in (readings.markdown, readings.html, readings.lines, sheet, *streams):
        assert re.findall("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029]", text) == []


@pytest.mark.parametrize("arguments", [[], ["--json"]])
@pytest.mark.parametrize("form", ["lines", "transcript"])
def test_no_replay_drives_a_terminal(readings: Readings, form: str, arguments: list[str]):
    exported = readings.lines if form == "lines" else json.dumps(readings.transcript)
    rostra = Path(sys.executable).with_name("rostra")
    done = subprocess.run(
        [rostra, "replay", "-", "--speed", "0", *arguments],
        input=exported.encode(),
        env={**os.environ, "COLUMNS": "100000"},
        capture_output=True,
        timeout=120,
        check=True,
    )
    shown = done.stdout.decode()
    assert re.findall("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029]", shown) == []
    told = [turn["text"] for turn in readings.transcript["turns"]]
    if arguments:
        lines = [json.loads(line) for line in shown.splitlines()]
        assert [line["text"] for line in lines if line["type"] == "turn_taken"] == told
    else:
        spoken = re.findall("^(?:Ada|Grace): (.*)$", shown, re.MULTILINE)
        assert [" ".join(line.split()) for line in spoken] == [on_one_line(text) for text in told]


def test_no_header_was_added(readings: Readings):
    assert {name for name, _ in readings.headers} == {
        "cache-control",
        "content-disposition",
        "content-length",
        "content-security-policy",
        "content-type",
        "cross-origin-opener-policy",
        "cross-origin-resource-policy",
        "date",
        "etag",
        "referrer-policy",
        "transfer-encoding",
        "vary",
        "x-accel-buffering",
        "x-content-type-options",
        "x-frame-options",
    }
