"""What becomes of a model's raw words."""

from __future__ import annotations

import pytest

from rostra_orchestrator.text import length, shortened, until_another_speaks, whole_sentences, without_label


@pytest.mark.parametrize(
    "raw",
    ["Ada: Tabs.", "  **Ada**: Tabs.", '"Ada": Tabs.', "Ada：Tabs.", "ADA Lovelace: Tabs.", "Tabs."],
)
def test_the_speakers_own_name_is_taken_off(raw: str):
    assert without_label(raw, ["Ada", "ADA Lovelace"]) == "Tabs."


def test_a_name_within_the_words_stays():
    assert without_label("I, Ada: listen.", ["Ada"]) == "I, Ada: listen."


def test_words_end_where_the_model_goes_on_as_somebody_else():
    assert until_another_speaks("Tabs.\nGrace: Spaces.\nAda: Tabs!", ["Grace"]) == "Tabs.\n"
    assert until_another_speaks("Grace: Spaces.", ["Grace"]) == ""
    assert until_another_speaks("As Grace said: no.", ["Grace"]) == "As Grace said: no."


@pytest.mark.parametrize(
    ("text", "limit", "kept"),
    [
        ("Tabs are small. Spaces are many.", 20, "Tabs are small."),
        ("Tabs cost 3.5 bytes less. Truly.", 27, "Tabs cost 3.5 bytes less."),
        ("税は公平です。だから賛成です。", 10, "税は公平です。"),
        ("「税は公平です。」だから賛成です。", 12, "「税は公平です。」"),
        ("ضريبة عادلة؟ نعم.", 14, "ضريبة عادلة؟"),
        ("no end in sight at all", 12, "no end in…"),
        ("切れ目がどこにもない文章", 6, "切れ目がど…"),
        ("short.", 80, "short."),
    ],
)
def test_a_turn_is_cut_behind_a_sentence_or_else_behind_a_word(text: str, limit: int, kept: str):
    assert shortened(text, limit) == kept
    assert length(kept) <= limit


def test_a_cut_number_is_not_taken_for_a_sentences_end():
    assert shortened("Yes. It costs 3.5 bytes", 16) == "Yes."


def test_without_a_whole_sentence_there_is_none():
    assert whole_sentences("It costs 3") == ""
    assert whole_sentences("Yes. It costs 3") == "Yes."


def test_an_accent_written_apart_counts_once():
    assert length("e\u0301") == 1
