"""Text is shown in whole characters, and never a stop string, however its tokens are cut."""

import random

import pytest

from rostra_llm.engine.text import Writing

SPEECH = "Häuser, 原子力発電 🦉👩‍👩‍👧 and «stop»—no, <|im_end|> stays. عربي 한국어"


def pieces(text: str, seed: int) -> list[bytes]:
    """The text's bytes, cut anywhere, as tokens cut them."""
    chance, data, found = random.Random(seed), text.encode(), []
    while data:
        size = chance.randint(1, 6)
        found.append(data[:size])
        data = data[size:]
    return found


@pytest.mark.parametrize("seed", range(20))
def test_characters_are_never_broken(seed: int) -> None:
    writing = Writing()
    shown = [writing.write(piece) for piece in pieces(SPEECH, seed)]
    assert "\ufffd" not in "".join(shown)
    assert "".join(shown) + writing.end() == SPEECH


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("stop", [["«stop»"], ["発電", "stop"], ["🦉"], ["no, <|im_end|> s", "nothing of this"]])
def test_a_stop_string_ends_the_text_before_it_wherever_tokens_are_cut(seed: int, stop: list[str]) -> None:
    writing = Writing(stop)
    shown = ""
    for piece in pieces(SPEECH, seed):
        shown += writing.write(piece)
        if writing.stopped:
            break
    assert writing.stopped
    assert shown + writing.end() == SPEECH[: min(SPEECH.index(s) for s in stop if s in SPEECH)]


@pytest.mark.parametrize("seed", range(20))
def test_what_only_began_like_a_stop_string_is_shown_in_the_end(seed: int) -> None:
    writing = Writing(["한국어!", "عربx"])
    shown = "".join(writing.write(piece) for piece in pieces(SPEECH, seed))
    assert not writing.stopped
    assert shown != SPEECH
    assert shown + writing.end() == SPEECH


def test_a_character_that_is_never_finished_is_marked() -> None:
    writing = Writing(["x"])
    assert writing.write("原".encode()[:2]) == ""
    assert writing.end() == "\ufffd"


def test_a_stop_string_that_ends_the_text_is_not_shown() -> None:
    writing = Writing(["\nB:"])
    assert writing.write(b"I agree.\nB") == "I agree."
    assert writing.write(b":") == ""
    assert (writing.stopped, writing.end()) == (True, "")
