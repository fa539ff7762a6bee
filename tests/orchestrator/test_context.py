"""What of a long debate still fits."""

from __future__ import annotations

from itertools import pairwise

import pytest

from builders import a_debate
from rostra.format import MODERATOR
from rostra_orchestrator.context import TooLong, fitted
from rostra_orchestrator.context import shown as context_shown
from rostra_orchestrator.slots import Line


def a_long_debate(turns: int) -> list[Line]:
    opening = [Line(MODERATOR, "Begin.")]
    return opening + [Line(f"d{n % 2 + 1}", f"Point {n}.") for n in range(turns)]


def shown(turns: int, room: int) -> list[str]:
    """What is shown of turns of ten tokens each; … for those left out."""
    lines = a_long_debate(turns)
    fit = fitted(lines, [10] * len(lines), {}, room)
    gap = ["…"] if fit.left_out else []
    return [*(lines[i].text for i in fit.beginning), *gap, *(lines[i].text for i in fit.newest)]


def test_a_short_debate_is_shown_whole():
    assert shown(4, 1000) == ["Begin.", "Point 0.", "Point 1.", "Point 2.", "Point 3."]


def test_of_a_long_one_the_opening_the_first_claims_and_the_newest_turns_are_kept():
    kept = shown(50, 100)
    assert kept[:4] == ["Begin.", "Point 0.", "Point 1.", "…"]
    assert kept[-1] == "Point 49."
    assert kept.count("…") == 1


def test_never_more_is_shown_than_fits():
    for turns in range(200):
        lines = a_long_debate(turns)
        fit = fitted(lines, [10] * len(lines), {}, 120)
        record = fit.record if fit.left_out else 0
        assert record + 10 * (len(fit.beginning) + len(fit.newest)) <= 120


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


def test_only_the_longest_of_the_first_turns_are_shortened():
    lines = [Line(f"d{n}", "…") for n in range(4)]
    fit = fitted(lines, [10, 400, 50, 300], {}, 500)
    assert [fit.limits[i] for i in range(4)] == [95, 95, 95, 95]
    assert fitted(lines, [10, 400, 20, 70], {}, 1000).limits[1] >= 400


def test_a_label_takes_nothing_of_what_a_line_may_say():
    lines = [Line(f"d{n}", "…") for n in range(4)]
    fit = fitted(lines, [110, 310, 310, 310], {"d0": 100, "d1": 10, "d2": 10, "d3": 10}, 500)
    assert fit.limits == [136, 46, 46, 46]


async def in_words(text: str) -> int:
    return len(text.split())


async def words(turns: int, room: int, *, long: int, debaters: int = 2) -> list[str]:
    """What is shown of turns of `long` words with a token each, without their names."""
    debate = a_debate(debaters=[{"name": f"D{n}"} for n in range(debaters)])
    lines = [Line(f"d{n % debaters + 1}", " ".join([f"{n}"] * long)) for n in range(turns)]
    return [line.partition(": ")[2] for line in await context_shown(debate, lines, room, in_words)]


@pytest.mark.parametrize(("turns", "debaters"), [(2, 2), (3, 2), (10, 2), (16, 16), (40, 16)])
async def test_what_is_too_long_to_be_kept_whole_is_shortened(turns: int, debaters: int):
    kept = await words(turns, 1000, long=600, debaters=debaters)
    assert sum(len(text.split()) + 2 for text in kept) <= 1000
    assert [text.split()[0] for text in kept[: min(turns, debaters)]] == [str(n) for n in range(min(turns, debaters))]
    assert kept[-1].split()[0] == str(turns - 1)
    assert all(text.endswith(("…", "]")) for text in kept if len(text.split()) < 600)


def test_a_debate_that_has_not_begun_needs_no_room():
    assert list(fitted([], [], {}, 10).newest) == []
