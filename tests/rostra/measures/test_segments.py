"""Texts are counted and cut as their readers would."""

from __future__ import annotations

import pytest

from rostra.measures.segments import graphemes, has_words, is_spaced, normal, own_words, sentences, words


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("tabs", 4),
        ("e\u0301te\u0301", 3),
        ("が", 1),
        ("か\u3099", 1),
        ("👨‍👩‍👧 🇯🇵", 3),
        ("ที่นี่", 2),
        ("한국", 2),
        ("क्या", 1),
        ("a\r\nb", 3),
    ],
)
def test_characters_are_counted_as_readers_see_them(text: str, count: int):
    assert graphemes(text) == count


def test_words_are_found_in_any_script():
    assert words("Don’t ban “OpenAI's” 3.5% plan!") == ["don't", "ban", "openai's", "3.5", "plan"]
    assert words("AIは賛成") == ["ai", "は", "賛", "成"]
    assert words("ラーメン2024年") == ["ラ", "ー", "メ", "ン", "2024", "年"]
    assert words("أنا أعارض") == ["أنا", "أعارض"]
    assert words("می‌دانم") == ["می\u200cدانم"]
    assert words("STRASSE Straße") == ["strasse", "strasse"]
    assert words("… 😀 —") == []


@pytest.mark.parametrize("text", ["Tabs.", "賛成", "42", "Ω"])
def test_letters_and_digits_make_words(text: str):
    assert has_words(text)


@pytest.mark.parametrize("text", ["", "…", "「」", "😀!", " \n"])
def test_signs_make_no_words(text: str):
    assert not has_words(text)


def test_scripts_without_spaces_are_known():
    assert is_spaced("저는 반대합니다")
    assert is_spaced("Tabs beat spaces")
    assert not is_spaced("AIは雇用を奪う")
    assert not is_spaced("ผมไม่เห็นด้วย")


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        (
            "en",
            "Dr. Lee pays $3.50, e.g. for tea. Why? Who knows!",
            ["Dr. Lee pays $3.50, e.g. for tea.", "Why?", "Who knows!"],
        ),
        ("de", "Das gilt z. B. für Prof. Dr. Ada. Nein!", ["Das gilt z. B. für Prof. Dr. Ada.", "Nein!"]),
        (
            "ja",
            "死刑は廃止すべきです。なぜですか？冤罪があるからです！",
            ["死刑は廃止すべきです。", "なぜですか？", "冤罪があるからです！"],
        ),
        ("zh-Hant", "我同意。但是費用呢？", ["我同意。", "但是費用呢？"]),
        ("ar", "هل هذا صحيح؟ نعم.", ["هل هذا صحيح؟", "نعم."]),
        (None, "One.\n\nTwo\nThree.", ["One.", "Two", "Three."]),
        ("qq", "Nobody speaks it. Still.", ["Nobody speaks it.", "Still."]),
        ("en", "**Tabs win.** They do.", ["Tabs win.", "They do."]),
        ("en", " \n ** \n", []),
    ],
)
def test_sentences_end_where_readers_end_them(language: str | None, text: str, expected: list[str]):
    assert sentences(text, language) == expected


def test_sentences_stand_in_the_text_as_they_are():
    text = "**Tabs** win.  “Really?” 😀 Yes… and\tno.\n- Done!"
    assert all(sentence in text for sentence in sentences(text, "en"))


def test_what_is_compared_is_without_dress():
    assert normal("**Don’t** — “SAY” it! 😀👨‍👩‍👧 ❤️") == "dont say it"
    assert normal("ＡＩ①　は、はい！") == "ai1 ははい"
    assert normal("Ａda") == normal("ada!")
    assert normal("…") == ""


def test_quotations_are_not_ones_own_words():
    assert normal(own_words("You say “tabs are one byte”. I say they are none at all in the end.")) == (
        "you say i say they are none at all in the end"
    )
    assert "死刑は必要" not in own_words(
        "あなたは「死刑は必要だ」と言いますが、それは証明されていない主張にすぎません。"
    )


def test_a_turn_in_quotation_marks_is_ones_own():
    assert own_words("“Tabs are one byte.”") == "“Tabs are one byte.”"
