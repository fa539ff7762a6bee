"""`rostra replay`: an exported debate, played again without a model or a server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from builders import a_debate, a_turn
from rostra.commands.recording import Unreadable, read
from rostra.commands.replay import paced, seconds, summary
from rostra.events import AttemptFailed, DebateClaimed, DebateCreated, DebateEnded, Event, Recorded
from rostra.models import Status
from rostra.transcript import as_json, fold
from rostra_api import sse

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
DEBATE = a_debate(rounds=1)


def at(second: float) -> datetime:
    return NOW + timedelta(seconds=second)


EVENTS: list[Event] = [
    DebateCreated(at=at(-3600)),
    DebateClaimed(fence=1, process="w", at=at(0)),
    AttemptFailed(seq=1, attempt=1, debater="d1", reason="empty", detail="says nothing", text="…", at=at(1)),
    a_turn(1, "d1", "Tabs are one byte.", attempts=2, started_at=at(0), ended_at=at(3), at=at(3)),
    a_turn(2, "d2", "Spaces are sure.", started_at=at(3), ended_at=at(5), at=at(5)),
    DebateEnded(status=Status.COMPLETED, at=at(5)),
]


def lines(events: list[Event] = EVENTS) -> bytes:
    return sse.lines(DEBATE, [Recorded(id=f"0-{n}", event=event) for n, event in enumerate(events, 1)]).encode()


def a_transcript(events: list[Event] = EVENTS) -> bytes:
    return json.dumps(as_json(DEBATE, fold(events))).encode()


def replayed(file: Path | str, *arguments: str, said: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [Path(sys.executable).with_name("rostra"), "replay", file, *arguments],
        input=said,
        env={**os.environ, "COLUMNS": "200"},
        capture_output=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def log(tmp_path: Path) -> Path:
    (tmp_path / "debate.ndjson").write_bytes(lines())
    return tmp_path / "debate.ndjson"


def test_a_log_is_shown_in_the_terminal(log: Path):
    done = replayed(log, "--speed", "0")
    shown = done.stdout.decode()
    assert (done.returncode, done.stderr) == (0, b"")
    for said in ("Tabs beat spaces", "attempt 1: says nothing", "Ada: Tabs are one byte.", "Grace: Spaces are sure."):
        assert said in shown
    assert "completed" in shown
    assert "2 of 2 turns in 5.0 s." in shown


def test_a_transcript_is_shown_too(tmp_path: Path):
    (tmp_path / "debate.json").write_bytes(a_transcript())
    shown = replayed(tmp_path / "debate.json", "--speed", "0").stdout.decode()
    assert "Ada: Tabs are one byte." in shown
    assert "2 of 2 turns in 5.0 s." in shown


def test_what_a_file_calls_its_end_drives_no_terminal():
    ended = json.dumps(json.loads(a_transcript()) | {"status": "done\x1b[31mEVIL\u202e"}).encode()
    shown = replayed("-", "--speed", "0", said=ended).stdout.decode()
    assert "done[31mEVIL" in shown
    assert not {"\x1b", "\u202e"} & set(shown)


def test_as_json_the_lines_of_a_log_come_again(log: Path):
    done = replayed(log, "--speed", "0", "--json")
    told = [json.loads(line) for line in done.stdout.splitlines()]
    known = [json.loads(line) for line in lines().splitlines()]
    assert [one["type"] for one in told] == [one["type"] for one in known]
    assert [one["text"] for one in told if "text" in one] == [one["text"] for one in known if "text" in one]
    assert replayed("-", "--speed", "0", "--json", said=done.stdout).stdout == done.stdout


def test_it_takes_as_long_as_it_took_divided_by_the_speed(log: Path):
    begun = time.monotonic()
    replayed(log, "--speed", "0", "--json")
    at_once = time.monotonic() - begun
    begun = time.monotonic()
    replayed(log, "--speed", "2", "--json")
    assert time.monotonic() - begun > 2.4  # 5 s, twice as fast
    assert at_once < 30


def test_words_come_while_they_are_spoken_and_waits_for_a_worker_are_left_out():
    slept: list[float] = []
    told = list(paced(read(lines()).events, 1.0, slept.append))
    assert sum(slept) == pytest.approx(5.0)
    assert max(slept) <= 1.0
    spoken = "".join(data["text"] for kind, data in told if kind == "delta" and data["seq"] == 2)
    assert spoken == "Spaces are sure."
    kinds = [kind for kind, _ in told]
    assert kinds[:3] == ["debate_created", "debate_claimed", "delta"]
    assert [kind for kind in kinds if kind != "delta"] == [event.type for event in EVENTS]
    assert [kind for kind, _ in paced(read(lines()).events, 0, slept.append)] == [event.type for event in EVENTS]


def test_clocks_that_jump_are_waited_for_within_bounds():
    slept: list[float] = []
    jumped = [EVENTS[0], a_turn(1, "d1", at=at(0)), a_turn(2, "d2", at=at(1e9)), a_turn(2, "d1", at=at(-1e9))]
    list(paced(read(lines(jumped)).events, 1.0, slept.append))
    assert sum(slept) <= 3 * 3600 + 1
    assert min(slept) >= 0


def test_a_debate_that_goes_on_is_played_as_far_as_it_goes():
    recording = read(lines(EVENTS[:4]))
    assert (summary(recording)["status"], len(summary(recording)["turns"])) == ("not ended yet", 1)
    assert seconds(recording) == 3.0
    assert read(a_transcript(EVENTS[:2])).events[0].type == "debate_created"


def test_events_of_a_later_release_are_passed_over():
    newer = json.dumps({"id": "1-1", "type": "crowd_cheered", "at": "2026-01-02T03:04:06Z", "loudness": 9}).encode()
    recording = read(lines()[:-1] + b"\n" + newer + b"\n")
    assert [data["loudness"] for kind, data in paced(recording.events, 0, time.sleep) if kind == "crowd_cheered"] == [9]


def changed(event: int, **fields: Any) -> bytes:
    told = [json.loads(line) for line in lines().splitlines()]
    told[event] |= fields
    return b"\n".join(json.dumps(one).encode() for one in told)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"not json",
        b"[1, 2]",
        b"[" * 100_000,
        b'{"turns": 7}',
        b'{"turns": [7], "motion": "x", "debaters": [], "turns_planned": 1}',
        b'{"type": "turn_taken"}',
        b'{"type": "debate_created", "at": "2026-01-02T03:04:05Z"}',
        lines().replace(b'"debate"', b'"bedate"'),
        changed(0, debate={"motion": 7}),
        changed(3, at="yesterday"),
        changed(3, text=None),
        changed(3, seq="first"),
        changed(2, attempt={}),
        changed(5, status=None),
        changed(2, type="turn_awaited", seq="1\x1b[31m"),
        a_transcript().replace(b'"ended_at"', b'"ended"'),
    ],
)
def test_what_is_no_debate_is_refused_with_a_reason(content: bytes):
    with pytest.raises(Unreadable, match=r"^[a-z]"):
        read(content)


def test_the_reason_is_told(tmp_path: Path):
    (tmp_path / "x").write_text("not json")
    done = replayed(tmp_path / "x")
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode() == f"rostra: cannot play {tmp_path / 'x'}: line 1 is no event\n"
    assert replayed(tmp_path / "nothing").stderr.decode().endswith("nothing: No such file or directory\n")


@pytest.mark.parametrize(
    "event",
    [
        {"type": "verdict_given", "verdict": 7},
        {"type": "verdict_given"},
        {"type": "vote_cast", "voter": 1, "moment": "before", "ballot": 7},
        {"type": "question_failed", "question": [], "detail": {}},
    ],
)
def test_what_cannot_be_shown_is_told(event: dict[str, Any]):
    content = lines(EVENTS[:2]) + json.dumps({"id": "0-9", "at": "2026-01-02T03:04:06Z", **event}).encode()
    done = replayed("-", "--speed", "0", said=content)
    assert (done.returncode, done.stderr.decode().count("\n")) == (2, 1)
    assert f"an event `{event['type']}` is not what it must be" in done.stderr.decode()


@pytest.mark.parametrize("speed", ["-1", "nan", "inf", "fast", "1e-9"])
def test_a_speed_is_a_number_that_can_be_kept(log: Path, speed: str):
    assert replayed(log, f"--speed={speed}").returncode == 2
