"""What of a long debate still fits."""

from __future__ import annotations

from itertools import pairwise

import pytest

from rostra_orchestrator.context import TooLong, fitted
from rostra_orchestrator.prompt import MODERATOR, Line


def a_long_debate(turns: int) -> list[Line]:
    opening = [Line(MODERATOR, "Begin.")]
    return opening + [Line(f"d{n % 2 + 1}", f"Point {n}.") for n in range(turns)]


def shown(turns: int, room: int) -> list[str]:
    lines = a_long_debate(turns)
    return ["…" if line is None else line.text for line in fitted(lines, [10] * len(lines), room)]


def test_a_short_debate_is_shown_whole():
    assert shown(4, 1000) == ["Begin.", "Point 0.", "Point 1.", "Point 2.", "Point 3."]


def test_of_a_long_one_the_opening_the_first_claims_and_the_newest_turns_are_kept():
    kept = shown(50, 100)
    assert kept[:4] == ["Begin.", "Point 0.", "Point 1.", "…"]
    assert kept[-1] == "Point 49."
    assert kept.count("…") == 1


def test_never_more_is_shown_than_fits():
    for turns in range(200):
        assert 10 * len([text for text in shown(turns, 120) if text != "…"]) <= 120


def test_the_cut_moves_in_steps_so_that_the_shared_prefix_survives_many_turns():
    prefixes = [tuple(shown(turns, 400)[:5]) for turns in range(40, 240)]
    changes = sum(a != b for a, b in pairwise(prefixes))
    assert changes <= 200 / 15


def test_between_two_cuts_a_prompt_only_grows_at_its_end():
    grown = 0
    for turns in range(40, 240):
        before, after = shown(turns, 400), shown(turns + 1, 400)
        grown += after[: len(before)] == before
    assert grown >= 185


def test_what_must_be_kept_and_does_not_fit_is_an_error():
    with pytest.raises(TooLong):
        shown(10, 35)


def words(turns: int, room: int, *, long: int, debaters: int = 2) -> list[str]:
    """As `shown`, of turns of `long` words with a token each."""
    lines = [Line(f"d{n % debaters + 1}", " ".join([f"{n}"] * long)) for n in range(turns)]
    return ["…" if line is None else line.text for line in fitted(lines, [long] * len(lines), room)]


@pytest.mark.parametrize(("turns", "debaters"), [(2, 2), (3, 2), (10, 2), (16, 16), (40, 16)])
def test_what_is_too_long_to_be_kept_whole_is_shortened(turns: int, debaters: int):
    kept = words(turns, 1000, long=600, debaters=debaters)
    assert sum(len(text.split()) for text in kept) <= 1000
    assert [text.split()[0] for text in kept[: min(turns, debaters)]] == [str(n) for n in range(min(turns, debaters))]
    assert kept[-1].split()[0] == str(turns - 1)


def test_a_debate_that_has_not_begun_needs_no_room():
    assert fitted([], [], 10) == []
