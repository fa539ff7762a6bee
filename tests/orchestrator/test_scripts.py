"""What a grammar lets through, read as the regular expression that it is; tests/llm has llama.cpp read it."""

from __future__ import annotations

import re

import pytest

from rostra.measures.language import SCRIPTS
from rostra_orchestrator.scripts import grammar_for

SAID = {
    "ja": "はい、消費税は５％に下げるべきです！「AIの時代」に、ＣＯ２も……「ー」「々」「〆」。",
    "zh-TW": "我反對。GDP成長了3.5%，但「幸福」呢？——不是數字能說明的；AI也不能。",
    "ko": "저는 반대합니다. CO2 배출량은 2030년까지 40% 줄어야 합니다! (그렇지 않습니까?)",
    "ar": "أنا أعارض ذلك؛ فالتكلفة ٣٠٪، أليس كذلك؟ (AI) «نعم».",
    "fa": "می‌خواهم بگویم که این درست نیست.",
    "ru": "Я против: это стоит 300 рублей — и кто заплатит? «ЕС» и NATO тоже…",
    "uk": "Ґанок і їжак: об'єднання — це 100% правда.",
    "hi": "मैं इससे सहमत नहीं हूँ। AI का खर्च ₹500 है?",
    "th": "ผมไม่เห็นด้วย เพราะค่าใช้จ่ายสูงถึง 300 บาท",
    "el": "Διαφωνώ· ποιος θα πληρώσει; Η ΕΕ;",
    "he": "אני מתנגד: זה עולה 300 ₪, נכון?",
    "sr-Cyrl": "Не слажем се.",
}


def allows(grammar: str, text: str) -> bool:
    rules = dict(line.split(" ::= ", 1) for line in grammar.strip().splitlines())
    pattern = rules.pop("root")
    for name, rule in rules.items():
        with_words = re.sub(r'"((?:[^"\\]|\\.)*)"', lambda word: re.escape(re.sub(r"\\(.)", r"\1", word[1])), rule)
        pattern = pattern.replace(name, f"(?:{_without_spaces(with_words)})")
    return re.fullmatch(_without_spaces(pattern), text) is not None


def _without_spaces(rule: str) -> str:
    """Spaces between the parts of a rule mean nothing; those within a class are characters."""
    return re.sub(r"(\[[^\]]*\])|(\\.)| ", lambda part: part[1] or part[2] or "", rule)


@pytest.mark.parametrize("language", SAID)
def test_what_people_write_in_a_language_is_allowed(language: str):
    grammar = grammar_for(language)
    assert grammar
    if language == "ja":
        assert not allows(grammar, SAID["ja"])  # ＣＯ２: wide letters are of the Latin script
        assert allows(grammar, SAID["ja"].replace("ＣＯ２", "CO2"))
    else:
        assert allows(grammar, SAID[language])


@pytest.mark.parametrize(
    "text",
    [
        "I disagree.",
        "私は I disagree と言います",
        "AI, GDP, EU.",
        "THE SEA IS WIDE",
        "Я против",
        "저는",
        "<|im_end|>はい",
        "[はい]",
        "# はい\n* いいえ",
        "はい！！！！！！！！！！！",
        "1 2 3 4 5 6 7 8 9",
        "\nはい",
        "",
        "……",
    ],
)
def test_what_is_not_japanese_is_not(text: str):
    grammar = grammar_for("ja-JP")
    assert grammar
    assert not allows(grammar, text)


def test_names_of_another_script_may_be_said():
    names = ("Ada", 'O"Neill \\ Co', "バイデン", "Grace Hopper")
    grammar = grammar_for("ja", names)
    assert grammar
    assert "バイデン" not in grammar
    assert allows(grammar, 'Grace Hopperさん、O"Neill \\ Coは違います。Adaも！')
    assert not allows(grammar, "Ada Grace Hopper")
    assert not allows(grammar, "Alan")


def test_korean_without_chinese_characters_and_chinese_without_korean_ones():
    korean, chinese = grammar_for("ko"), grammar_for("zh")
    assert korean
    assert chinese
    assert not allows(korean, "我反对。")
    assert not allows(chinese, "저는")
    assert not allows(chinese, "私は")


@pytest.mark.parametrize("language", ["en", "fr-CA", "vi", "tr", "sr", "zh-Latn", "tlh", None])
def test_for_latin_scripts_and_unknown_languages_there_is_none(language: str | None):
    assert grammar_for(language) is None


def test_every_language_of_another_script_has_one():
    for language, scripts in SCRIPTS.items():
        assert bool(grammar_for(language)) == ("Latin" not in scripts), language
