"""How long turns may be in a format with minutes."""

from __future__ import annotations

from typing import Any

from rostra.agenda import agenda
from rostra.formats import library
from rostra.lengths import longest
from rostra.models import DebateRequest, debate_from


def characters(name: str, **fields: Any) -> dict[str, list[int | None]]:
    """The most of every turn, by the format's slot."""
    debate = debate_from(DebateRequest.model_validate({"motion": "Tabs beat spaces", **fields}), library()[name])
    most: dict[str, list[int | None]] = {}
    for slot in agenda(debate):
        most.setdefault(slot.name, []).append(longest(debate, slot).characters)
    return most


def test_a_minute_is_as_long_as_what_is_said_in_it():
    assert characters("lincoln_douglas", language="en")["AC"] == [6 * 150 * 6]
    assert characters("nade", language="ja")["肯定立論"] == [6 * 345]


def test_the_longest_speech_has_the_characters_that_were_asked_for_and_others_their_share():
    most = characters("lincoln_douglas", turn={"max_characters": 700})
    assert (most["NC"], most["1AR"], most["2AR"]) == ([700], [400], [300])


def test_an_exchange_that_lasts_longer_than_any_speech_is_not_the_longest_speech():
    most = characters("oxford", turn={"max_characters": 600})
    assert most["Opening F1"] == [600]
    assert max(n or 0 for n in most["Moderator's questions"]) < 200
