"""What people, models and servers write does not drive the terminal that shows it."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from rostra.commands.reading import row
from rostra.commands.scene import Scene, summarise
from rostra.commands.terminal import complain, note
from rostra.doctor import Report, page
from rostra.doctor.report import Finding, Speed

# Clears the screen, sets the title, sets a colour by C1, a link, turns what follows, and markup of rich.
HOSTILE = "\x1b[2J\x1b]0;owned\x07\x9b31m\x1b]8;;http://evil\x1b\\x\u202e[link=http://evil]y[/link][/nothing]"
SHOWN = "[2J]0;owned31m]8;;http://evil\\x[link=http://evil]y[/link][/nothing]"
_STYLE = re.compile(r"\x1b\[[0-9;]*m|\x1b\[\?25[hl]|\x1b\[[0-9]*[AK]|[\r\n]")


def a_terminal() -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=200, legacy_windows=False)


def said_by(terminal: Console) -> str:
    """What was written to it, beside styles and the moves of the live display."""
    assert isinstance(terminal.file, io.StringIO)
    return _STYLE.sub("", terminal.file.getvalue())


def test_a_debate_is_shown_plainly():
    terminal = a_terminal()
    debaters = [{"name": HOSTILE, "stance": HOSTILE}]
    scene = Scene(terminal, {"motion": HOSTILE, "debaters": debaters, "turns_planned": 1})
    with scene.live():
        scene.show("delta", {"debater": HOSTILE, "attempt": 1, "text": HOSTILE})
        scene.show("attempt_failed", {"attempt": 1, "detail": HOSTILE})
        scene.show("turn_taken", {"seq": 1, "debater": HOSTILE, "text": HOSTILE})
    said = said_by(terminal)
    assert said.count(SHOWN) >= 6
    assert all(character.isprintable() for character in said)


def test_words_told_again_stand_in_place_of_those_heard():
    terminal = a_terminal()
    scene = Scene(terminal, {"motion": "m", "debaters": [{"name": "Ada", "stance": ""}], "turns_planned": 1})
    with scene.live():
        for text, more in (("Tabs", {}), (" are", {}), ("Tabs are one", {"whole": True}), (" character", {})):
            scene.show("delta", {"debater": "Ada", "attempt": 1, "text": text, **more})
    assert "Ada: Tabs are one character▌" in said_by(terminal)


def test_so_is_all_else_that_happens():
    terminal = a_terminal()
    scene = Scene(terminal, {"motion": "m", "debaters": [{"name": HOSTILE, "stance": ""}], "turns_planned": 1})
    found = {"outcome": "winner", "winner": HOSTILE, "agreement": 1.0, "totals": {HOSTILE: 7.0}}
    events = [
        ("turn_taken", {"seq": 1, "debater": HOSTILE, "to": HOSTILE, "phase": HOSTILE, "text": HOSTILE}),
        ("turn_taken", {"seq": 2, "debater": HOSTILE, "finish_reason": "skipped", "text": ""}),
        ("turn_awaited", {"seq": HOSTILE, "debater": HOSTILE}),
        ("turn_missed", {"seq": 3, "debater": HOSTILE}),
        ("question_put", {"seq": 3, "text": HOSTILE}),
        ("question_failed", {"question": HOSTILE, "detail": HOSTILE}),
        ("reading_given", {"judge": 1, "reading": 1, "ranking": [HOSTILE]}),
        ("vote_cast", {"voter": HOSTILE, "moment": "before", "ballot": [HOSTILE]}),
        ("verdict_given", {"verdict": found}),
        ("verdict_given", {"verdict": {"outcome": "ranking", "ranking": [HOSTILE]}}),
        ("verdict_given", {"verdict": {"outcome": "no_verdict", "reason": HOSTILE}}),
        (HOSTILE, {"text": HOSTILE}),
    ]
    with scene.live():
        for kind, data in events:
            scene.show(kind, data)
    said = said_by(terminal)
    assert said.count(SHOWN[:20]) >= 16
    assert all(character.isprintable() for character in said)


def test_so_is_what_the_api_complains_about(capsys: pytest.CaptureFixture[str]):
    complain(HOSTILE)
    note(HOSTILE)
    said = capsys.readouterr().err
    assert said.count("\n") == 2
    assert all(character.isprintable() for character in said.replace("\n", ""))


def test_so_is_a_line_of_a_table():
    terminal = a_terminal()
    row(terminal, HOSTILE)
    assert "owned" in said_by(terminal)
    assert all(character.isprintable() for character in said_by(terminal))


def test_so_is_its_summary():
    terminal = a_terminal()
    turn = {"debater": HOSTILE, "text": HOSTILE, "attempts": 1, "usage": {"completion_tokens": 2}}
    transcript = {"status": "failed", "reason": HOSTILE, "turns": [turn], "turns_planned": 2}
    summarise(terminal, {**transcript, "debaters": [{"name": HOSTILE}]}, 1.0)
    said = said_by(terminal)
    assert "\x1b" not in said
    assert f"failed: {SHOWN}" in said
    assert all(character.isprintable() for character in said)


def test_so_is_what_a_server_says_to_the_doctor():
    finding = Finding(name="streaming", title="Streaming", grade="fault", says=HOSTILE, advice=HOSTILE)
    report = Report(
        fitness="usable",
        server="vllm",
        dialect="vllm",
        context=4096,
        speed=Speed(),
        findings=[finding],
        options=[],
        configuration={},
    )
    shown = page(report, "http://127.0.0.1:8000", HOSTILE)
    assert all(character.isprintable() for character in shown.replace("\n", ""))
    assert SHOWN in shown
