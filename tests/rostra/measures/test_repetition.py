"""What was said before is recognised, in any script; what merely shares words is not."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

import pytest

from rostra.measures.repetition import (
    Likeness,
    Said,
    compression_ratio,
    containment,
    distinct,
    first_collapse,
    grams,
    loops,
    seq_rep,
)
from rostra.measures.segments import words

TABS = "Tabs are one byte, and every reader sets their own width. Files shrink, and diffs stay small."
PAIRS = {
    "en": (TABS, "Well: tabs are one byte, and every reader sets their own width. Files shrink, diffs stay small!"),
    "ja": (
        "死刑には犯罪を抑止する効果があるという証拠はなく、冤罪の場合には取り返しがつきません。",
        "死刑には犯罪を抑止する効果があるという証拠はなく、冤罪であれば取り返しがつきません！",
    ),
    "zh": ("四天工作制可以提高效率，减少通勤，员工也更健康。", "四天工作制可以提高效率、减少通勤；员工会更健康。"),
    "ar": (
        "الواجبات المنزلية تضر بنوم الأطفال ولا تحسن نتائجهم في المدرسة.",
        "نعم، الواجبات المنزلية تضر بنوم الأطفال ولا تحسن نتائجهم.",
    ),
    "de": (
        "Ein Tempolimit senkt die Zahl der Unfälle und spart jedes Jahr Millionen Tonnen CO2.",
        "Ein Tempolimit senkt die Zahl der Unfälle und spart Millionen Tonnen CO2, jedes Jahr.",
    ),
}


def test_grams_are_of_what_is_compared():
    assert grams("Tabs!") == {"tabs"}
    assert grams("Tabs win") == {"tabs ", "abs w", "bs wi", "s win"}
    assert grams("賛成します") == {"賛成します"}
    assert grams("…") == frozenset()


def test_containment_is_the_share_of_the_new_text():
    assert containment("tabs win", "tabs win and more") == 1.0
    assert containment("tabs win and more", "tabs win") == pytest.approx(4 / 13)
    assert containment("", "tabs") == 0.0


@pytest.mark.parametrize("language", list(PAIRS))
def test_a_turn_that_comes_again_slightly_changed_is_recognised(language: str):
    earlier, again = PAIRS[language]
    said = Said()
    said.add("First of all, good evening.", "d2")
    said.add(earlier, "d1")
    closest = said.closest(again, "d1")
    assert (closest.index, closest.own) == (1, True)
    assert closest.share >= 0.5
    assert said.fresh(again) <= 0.5


@pytest.mark.parametrize(
    ("earlier", "new"),
    [
        (TABS, "You forget alignment. Tabs beat spaces in size alone; in tables and comments they fall apart at once."),
        (
            TABS,
            "“Tabs are one byte”, you say. My disk has a trillion bytes, so I would rather have code that lines up.",
        ),
        (
            "死刑は廃止すべきです。国家が人の命を奪うことは許されません。",
            "死刑は廃止すべきではありません。遺族の感情と社会の秩序を考えるべきです。",
        ),
        (
            "ينبغي إلغاء الواجبات المنزلية لأنها تضر بالنوم.",
            "لا ينبغي إلغاء الواجبات المنزلية، فهي تعلم الطفل الانضباط والاعتماد على النفس.",
        ),
        ("我们应该实行四天工作制，因为员工更健康。", "四天工作制会让医院和商店缺人，谁来照顾病人呢？"),
    ],
)
def test_an_answer_to_a_turn_is_no_repetition_of_it(earlier: str, new: str):
    said = Said()
    said.add(earlier)
    assert said.closest(new).share < 0.5
    assert said.repeated_sentences(new) == []


def test_nothing_was_said_before_the_first_turn():
    said = Said()
    assert said.closest(TABS).index is None
    assert said.closest(TABS).share == 0.0
    assert said.fresh(TABS) == 1.0
    assert said.repeated_sentences(TABS, "en") == []


def test_an_empty_text_repeats_nothing():
    said = Said()
    said.add("")
    said.add(TABS)
    assert said.closest("…").index is None
    assert said.fresh("") == 1.0
    assert len(said) == 2


@pytest.mark.parametrize("least", [0.1, 0.3, 0.5, 0.7, 0.85, 1.0])
def test_asking_for_no_less_than_a_share_finds_the_same_turn_or_none(least: float):
    said = _heard(40)
    texts = [_prose(10_000 + seed) for seed in range(20)] + [_prose(3)[: 20 * n] + _prose(n) for n in range(20)]
    for text in [*texts, _prose(7), "", "win"]:
        closest = said.closest(text, "d1")
        assert said.closest(text, "d1", at_least=least) == (closest if closest.share >= least else Likeness())


def test_turns_said_twice_keep_their_places():
    said = Said()
    for text, speaker in [(TABS, "d1"), (TABS, "d2"), ("Spaces line up in every editor.", "d2")]:
        said.add(text, speaker)
    assert said.closest(TABS, "d2") == said.closest(TABS)
    assert said.closest("Spaces line up in every editor!").index == 2


def test_a_sentence_that_was_said_is_found_in_a_new_turn():
    said = Said()
    said.add(TABS)
    again = "Every reader sets their own width, and tabs are one byte."
    assert said.repeated_sentences(f"Let me be new. {again} Spaces cost money.", "en") == [again]


def test_japanese_sentences_that_were_said_are_found():
    said = Said()
    said.add("冤罪の場合には取り返しがつきません。国家は命を奪えません。")
    assert said.repeated_sentences("遺族の苦しみも大切です。冤罪の場合には取り返しがつきません。", "ja") == [
        "冤罪の場合には取り返しがつきません。"
    ]


def test_short_sentences_and_quotations_are_nobodys():
    said = Said()
    said.add("I disagree. Tabs are one byte, and every reader sets their own width.")
    quoted = "“Tabs are one byte, and every reader sets their own width.”"
    quoting = f"I disagree. {quoted} Alignment needs more than that, my friend: columns that stay."
    assert said.repeated_sentences(quoting, "en") == []


def test_sentences_are_returned_as_the_text_has_them():
    said = Said()
    said.add(TABS)
    text = f"You quote “nothing of it”. {TABS} “I see”, she said."
    assert all(sentence in text for sentence in said.repeated_sentences(text, "en"))


def test_the_figures_are_those_of_the_papers():
    assert seq_rep(["a", "b", "c", "d"] * 3) == pytest.approx(1 - 4 / 9)
    assert seq_rep(["a"]) == 0.0
    assert distinct(["a", "a", "b", "b"], 1) == 0.5
    assert distinct(["a", "a", "a", "b"], 2) == pytest.approx(2 / 3)
    assert distinct([], 1) == 1.0
    assert compression_ratio("tabs " * 100) > 5 > compression_ratio(TABS)
    assert compression_ratio("") == 1.0


@pytest.mark.parametrize(
    "text",
    [
        "The same. The same. The same.",
        "We should ban homework because it harms sleep. " * 3,
        "はい、そうです。" * 4,
        "的的的的的的的的的的的的",
        "I think that I think that I think that I think that I think that",
    ],
)
def test_a_turn_that_goes_round_in_circles_loops(text: str):
    assert loops(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "No. No!",
        TABS,
        "I have a dream that code lines up. I have a dream that diffs are small. I have a dream that all is well.",
        *(text for pair in PAIRS.values() for text in pair),
        "私は反対です。なぜなら費用が高いからです。誰が払うのですか。私たちが払うのです。",
    ],
)
def test_ordinary_prose_does_not_loop(text: str):
    assert not loops(text)


def test_seq_rep_of_prose_is_small():
    assert seq_rep(words(TABS)) == 0.0


def test_three_repeating_turns_in_a_row_are_a_collapse():
    assert first_collapse([0.1, 0.6, 0.6, 0.1, 0.5, 0.7, 0.9, 0.9]) == 4
    assert first_collapse([0.9, 0.9]) is None
    assert first_collapse([]) is None


def test_what_a_check_costs_grows_at_most_in_line_with_the_turns():
    few, many = _seconds(_heard(50)), _seconds(_heard(800))
    assert many < 16 * 3 * few  # 16 times the turns; the rest is for a busy machine


def _heard(turns: int) -> Said:
    said = Said()
    for seed in range(turns):
        said.add(_prose(seed), f"d{seed % 2}")
    return said


def _seconds(said: Said) -> float:
    checks: list[Callable[[str], object]] = [said.closest, said.fresh, said.repeated_sentences]
    started = time.process_time()
    for seed in range(20):
        for check in checks:
            check(_prose(10_000 + seed))
    return time.process_time() - started


def _prose(seed: int) -> str:
    """About 400 characters."""
    vocabulary = (TABS + " ".join(new for _, new in PAIRS.values())).split()
    return " ".join(random.Random(seed).choices(vocabulary, k=65)) + "."
