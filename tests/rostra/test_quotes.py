"""Whether a quote stands in what was said."""

from __future__ import annotations

import pytest

from rostra.quotes import Found, Said, found

TURNS = [
    Said(1, "d1", "Tabs let each reader choose a width, don’t they?"),
    Said(2, "d2", "Spaces look the same\nin every editor."),
    Said(3, "d1", "タブなら読む人が幅を選べます。「自由」が大切です。"),
    Said(4, "d2", "No."),
]


@pytest.mark.parametrize(
    ("quote", "seq"),
    [
        ("Tabs let each reader choose a width", 1),
        ("“tabs let each reader choose a width, don't they?”", 1),
        ("...each reader   choose a width…", 1),
        ("Spaces look the same in every editor", 2),
        ("Ｓｐａｃｅｓ look the same", 2),
        ("読む人が幅を選べます", 3),
        ("「読む人が 幅を選べます。自由が大切」", 3),
    ],
)
def test_what_was_said_is_found_however_it_is_set(quote: str, seq: int):
    place = found(quote, TURNS)
    assert isinstance(place, Found)
    assert place.seq == seq


@pytest.mark.parametrize(
    ("quote", "why"),
    [
        ("Tabs cure the common cold", "not in the transcript"),
        ("Tabs let every reader choose", "not in the transcript"),
        ("width, don't they? Spaces look the same", "not in the transcript"),
        ("each reader", "too short"),
        ("幅を選べ", "too short"),
        ("", "empty"),
        ("“…”", "empty"),
    ],
)
def test_what_was_not_said_or_says_nothing_is_told_apart(quote: str, why: str):
    assert found(quote, TURNS) == why


def test_a_whole_turn_is_a_quote_however_short():
    assert found("No", TURNS) == Found(4, "d2")
