"""Text that only shows itself."""

from __future__ import annotations

import json

import pytest

from rostra.plain import json_line, on_one_line, plain, spelt_out, whole

ENGLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"


@pytest.mark.parametrize(
    ("acting", "shown"),
    [
        ("\x1b[2J\x1b]0;owned\x07gone", "[2J]0;ownedgone"),
        ("\x9b31mred", "31mred"),
        ("a\x00b\x7f", "ab"),
        ("one\r\ntwo\rthree\u2028four\x0bfive", "one\ntwo\nthree\nfour\nfive"),
        ("abc\u202edcba\u202c \u2066x\u2069", "abcdcba x"),
        ("half \ud83d of a pair", "half \ufffd of a pair"),
        ("hello\U000e0069\U000e0067\U000e006e\U000e006f\U000e0072\U000e0065", "hello"),
    ],
)
def test_what_acts_is_gone(acting: str, shown: str):
    assert plain(acting) == shown


@pytest.mark.parametrize(
    "text",
    [
        "Line\n\n\tand another",
        f"{ENGLAND} 👩\u200d👩\u200d👧 ✊🏽 ❤️",
        "می\u200cخواهم",
        "\u200fשלום\u200e",
        "क्\u200dष",
        "Zalgo̷̢ and café",
    ],
)
def test_what_people_write_is_left_as_it_is(text: str):
    assert plain(text) == text


def test_a_line_is_one_line():
    assert on_one_line("  one\u2029\u2029two\r\nthree\t four ") == "one two three four"


def test_half_a_pair_can_be_sent():
    assert whole("\udc80 and \ud800").encode() == b"\xef\xbf\xbd and \xef\xbf\xbd"


@pytest.mark.parametrize(
    "text", ["\x85\u2028\u2029\x0b\x1c", "\x9b2J\x7f", "\u202etxt.exe", "\ud800", ENGLAND, "日本語"]
)
def test_json_says_the_same_spelt_out(text: str):
    line = json_line({"text": text})
    assert json.loads(line) == {"text": text}
    assert len(line.splitlines()) == 1
    assert line.isprintable()
    line.encode()


def test_what_only_shows_itself_is_not_spelt_out():
    written = json.dumps({"text": "日本語 שלום\u200f 👩\u200d👧"}, ensure_ascii=False)
    assert spelt_out(written) == written
