"""The transcript is a reading of the events."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from builders import a_debate, a_turn
from rostra.again import as_written
from rostra.events import (
    AttemptFailed,
    DebateClaimed,
    DebateCreated,
    DebateEnded,
    DebatePaused,
    DebateReleased,
    DebateResumed,
    Event,
    Usage,
    decode,
    encode,
)
from rostra.markdown import as_markdown, neutral
from rostra.models import Status
from rostra.transcript import as_json, fold

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_the_status_follows_the_events():
    claimed = DebateClaimed(fence=1, process="w", at=NOW)
    course: list[tuple[Event, Status]] = [
        (DebateCreated(), Status.QUEUED),
        (claimed, Status.RUNNING),
        (DebateReleased(reason="the worker was stopped"), Status.QUEUED),
        (DebateClaimed(fence=2, process="w"), Status.RUNNING),
        (DebatePaused(), Status.PAUSED),
        (DebateResumed(), Status.QUEUED),
        (DebateEnded(status=Status.FAILED, reason="out of luck"), Status.FAILED),
    ]
    events: list[Event] = []
    for event, status in course:
        events.append(event)
        assert fold(events).status is status
    assert fold(events).reason == "out of luck"
    assert fold(events).started_at == NOW


def test_tokens_of_failed_attempts_count():
    failed = AttemptFailed(
        seq=1, attempt=1, debater="d1", reason="empty", usage=Usage(prompt_tokens=5, completion_tokens=2)
    )
    course = fold([failed, a_turn(1, usage=Usage(prompt_tokens=10, completion_tokens=3, counted_by="tokenizer"))])
    assert course.tokens == 20
    assert course.usage == Usage(prompt_tokens=15, completion_tokens=5, counted_by="tokenizer")


def test_in_json_people_go_by_the_names_they_were_given():
    debate = a_debate(debaters=[{"name": "バイデン"}, {"name": "トランプ"}])
    transcript = as_json(debate, fold([DebateCreated(), a_turn(1, "d1"), a_turn(2, "d2")]))
    assert [turn["debater"] for turn in transcript["turns"]] == ["バイデン", "トランプ"]
    assert [turn["seq"] for turn in transcript["turns"]] == [1, 2]
    assert transcript["complete"] is False
    assert transcript["settings"]["seed"] == 40


def test_an_ended_debate_has_a_complete_transcript():
    course = fold([DebateCreated(), a_turn(1), DebateEnded(status=Status.COMPLETED)])
    assert as_json(a_debate(), course)["complete"] is True


def test_a_debate_is_measured_once_it_has_ended():
    debate, running = a_debate(), [DebateCreated(), a_turn(1, "d1"), a_turn(2, "d2")]
    assert as_json(debate, fold(running))["measures"] is None
    ended = as_json(debate, fold([*running, DebateEnded(status=Status.COMPLETED)]))
    assert [turn["seq"] for turn in ended["measures"]["turns"]] == [1, 2]
    assert json.loads(json.dumps(ended)) == ended
    assert as_json(debate, fold([DebateEnded(status=Status.FAILED)]))["measures"] is None


def test_events_of_a_later_release_are_read():
    stored = encode(a_turn(1, text="Tabs are one byte.")).replace('"v":1', '"v":2,"mood":"solemn"')
    event = decode(stored)
    assert event.type == "turn_taken"
    assert event.text == "Tabs are one byte."


def test_events_of_an_earlier_release_are_read():
    turn, claim = json.loads(encode(a_turn(1))), {"type": "debate_claimed", "v": 2, "fence": 1, "process": "w"}
    del turn["fingerprint"]
    course = fold([decode(json.dumps(claim)), decode(json.dumps(turn))])
    assert (course.turns[0].fingerprint, course.versions) == ("", ())


def test_each_version_that_played_it_is_known_once():
    claims = [DebateClaimed(fence=n, process="w", rostra=version) for n, version in enumerate(["1.0", "1.1", "1.0"], 1)]
    assert fold(claims).versions == ("1.0", "1.1")


def test_the_markdown_reads_like_a_transcript():
    debate = a_debate(opening="Begin.", rounds=1)
    course = fold(
        [
            DebateClaimed(fence=1, process="w", rostra="0.1.0", at=NOW),
            a_turn(1, "d1", text="Tabs are one byte.", fingerprint="sha256:abc"),
            AttemptFailed(seq=2, attempt=1, debater="d2", reason="repetition", detail="says what was said before"),
            a_turn(2, "d2", text="Spaces are sure."),
            DebateEnded(status=Status.COMPLETED, at=NOW),
        ]
    )
    assert as_markdown(debate, course) == (
        "# Tabs beat spaces\n\n"
        "- **Ada**: for tabs\n- **Grace**: for spaces\n\n"
        "> Begin.\n\n"
        "## Debate, round 1\n\n"
        "**Ada:** Tabs are one byte.\n\n"
        "**Grace:** Spaces are sure.\n\n"
        "## Settings\n\n- Format: Round robin (round\\_robin)\n- Phases: Debate (round robin, 1 round)\n"
        "- Each turn: words per minute 150\n- Guard: repetition lenient, length lenient, language lenient, stance "
        "lenient, speaker lenient, leaks lenient\n- Seed: 40\n\n"
        "### Ada\n\n- Stance: for tabs\n- Persona: A terse systems programmer.\n- Model: default\n\n"
        "### Grace\n\n- Stance: for spaces\n- Persona: A patient compiler writer.\n- Model: default\n\n"
        "## Failed attempts\n\n- Turn 2, attempt 1, Grace: repetition: says what was said before\n\n"
        f"## Once more\n\nPOST this to /v1/debates.\n\n```json\n{as_written(debate)}\n```\n\n"
        f"---\n\n- Debate: {debate.id}\n- Status: completed\n- Turns: 2 of 2\n- Format: round\\_robin\n"
        "- Model: default\n- Seed: 40\n- Started: 2026-01-02 03:04:05 UTC\n- Ended: 2026-01-02 03:04:05 UTC\n"
        "- Rostra: 0\\.1.0\n- Model default: sha256:abc (1 turn)\n"
        "- Model default: its server did not say which (1 turn)\n"
    )


def test_the_language_and_what_differs_in_a_phase_are_told():
    phases = {"debate": {"sampling": {"temperature": 0.2}}}
    debate = a_debate(language="ja", phases=phases)
    assert "- Language: ja\n" in as_markdown(debate, fold([]))
    settings = as_json(debate, fold([]))["settings"]
    assert settings["language"] == "ja"
    assert [phase["sampling"] for phase in settings["phases"]] == [{"temperature": 0.2}]
    assert [phase["sampling"] for phase in as_json(a_debate(), fold([]))["settings"]["phases"]] == [{}]


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "![x](http://evil/x.png)",
        "[click](javascript:alert(1))",
        "# a heading",
        "1. a list",
        "- a list",
        "=== a line",
        "> a quote\n\n---\n\n```\ncode",
        "https://evil.example",
        "\x1b[2Jwrite to eve@evil.example",
        "eve+@evil.example",
        "_https://evil.example",
        "言うhttps://evil.example",
        "//evil.example/x",
        "evil.example, @everyone",
        "| a | b |",
    ],
)
def test_what_was_said_stays_text_in_markdown(hostile: str):
    shown = neutral(hostile)
    assert "\n" not in shown
    for markup in ("<", "[", "]", "`", "|"):
        assert all(shown[i - 1] == "\\" for i, c in enumerate(shown) if c == markup)
    assert not shown.startswith(("#", ">", "1. ", "-", "="))
    for address in ("https:", "//", ".example", "evil.", "@e", "\x1b"):
        assert address not in shown


def test_what_is_no_markup_is_left_as_it_was_said():
    said = "Yes! A four-day week, {now} + always = better (1. of all)."
    assert neutral(said) == said
