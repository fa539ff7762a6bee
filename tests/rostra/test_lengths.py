"""What minutes come to."""

from __future__ import annotations

import pytest

from builders import A_FORMAT, a_debate
from rostra.agenda import agenda
from rostra.lengths import longest, tokens_of_all
from rostra.models import Debate


def characters(debate: Debate) -> dict[str, int | None]:
    """Of the last turn of each slot."""
    return {slot.name: longest(debate, slot).characters for slot in agenda(debate)}


def test_a_minute_is_a_hundred_and_fifty_words():
    debate = a_debate(format=A_FORMAT, language="en")
    assert characters(debate)["S case"] == 4 * 150 * 6
    assert characters(a_debate(format=A_FORMAT, language="en", turn={"words_per_minute": 100}))["S case"] == 2400


def test_languages_without_spaces_count_characters():
    assert characters(a_debate(format=A_FORMAT, language="ja"))["S case"] == 4 * 345


def test_where_people_say_the_longest_turn_the_others_have_their_share_of_it():
    lengths = characters(a_debate(format=A_FORMAT, turn={"max_characters": 800}))
    assert (lengths["S case"], lengths["S rebuttal"], lengths["S notes"]) == (800, 400, 200)
    assert lengths["T questioned"] == round(800 * (2 / 3) / 4)


def test_a_turn_has_tokens_for_its_characters_but_no_more_than_people_allow():
    debate = a_debate(format=A_FORMAT, language="en")
    case = next(slot for slot in agenda(debate) if slot.name == "S case")
    assert longest(debate, case).tokens == 3600 * 0.4 + 48
    assert longest(a_debate(format=A_FORMAT, turn={"max_tokens": 100}), case).tokens == 100


@pytest.mark.parametrize(("turn", "tokens"), [({}, 300), ({"max_tokens": 99}, 99)])
def test_a_free_debate_has_tokens_and_no_minutes(turn: dict[str, int], tokens: int):
    debate = a_debate(rounds=2, turn=turn)
    assert longest(debate, agenda(debate)[0]) == (None, tokens)
    assert tokens_of_all(debate) == 4 * tokens


def test_what_a_debate_comes_to_is_what_its_turns_do():
    debate = a_debate(format=A_FORMAT)
    assert tokens_of_all(debate) == sum(longest(debate, slot).tokens for slot in agenda(debate))


def test_an_exchange_that_lasts_longer_than_any_speech_is_not_the_longest_speech():
    most = characters(a_debate(format="oxford", debaters=None, turn={"max_characters": 600}))
    assert most["Opening F1"] == 600
    assert (most["Moderator's questions"] or 0) < 200
