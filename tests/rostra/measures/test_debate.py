"""The figures of a debate say where it held together and where it fell apart."""

from __future__ import annotations

from typing import Any

import pytest

from builders import a_debate, a_turn
from rostra.measures import DebateMeasures, measure

SOUND: dict[str, tuple[str, list[str], list[str]]] = {
    "en": (
        "Homework should be banned in primary schools",
        ["for the motion", "against the motion"],
        [
            "Homework takes the evening from children of seven, and no study shows that it helps them. Let them play!",
            "You say that no study helps your case, but practice does: reading at home for ten minutes makes readers.",
            "Reading is no homework. I agree that books matter; forms and worksheets do not. Who has ever loved one?",
            "“Who has ever loved one?” Nobody loves brushing teeth either, Ada. Habits are made at home, not at noon.",
        ],
    ),
    "ja": (
        "死刑は廃止すべきである",
        ["論題に賛成", "論題に反対"],
        [
            "冤罪は必ず起こります。一度執行すれば取り返しがつかない以上、国家に命を奪う権限を与えてはなりません。",
            "冤罪の危険は認めますが、それは捜査の問題です。遺族は、犯人が生き続けることに毎日苦しんでいます。",
            "では、執行で遺族の苦しみは消えるのでしょうか。EUの研究では、回復を助けるのは支援制度だと分かっています。",
            "支援制度は大切です。しかし、社会が最も重い罪に最も重い罰を示さなければ、法への信頼は失われます。",
        ],
    ),
    "zh": (
        "应该实行四天工作制",
        ["支持辩题", "反对辩题"],
        [
            "冰岛的试验表明，员工更健康，产量没有下降。少一天通勤，也少一天污染。",
            "冰岛只有几十万人，而且试验多在机关里进行。医院和商店缺人时，谁来照顾病人？",
            "医院可以轮班，今天也是这样做的。问题是我们为什么还要坐在办公室里假装忙碌？",
            "假装忙碌是管理的毛病，换成四天只会让人更累。小企业付不起多雇人的钱。",
        ],
    ),
    "ar": (
        "يجب إلغاء الواجبات المنزلية",
        ["مع الاقتراح", "ضد الاقتراح"],
        [
            "الطفل الذي يدرس ست ساعات يحتاج إلى اللعب والنوم، ولا دليل على أن الواجبات تحسن نتائجه.",
            "الدليل في التجربة: عشر دقائق من القراءة في البيت تصنع قارئا، والواجب يعلم الانضباط.",
            "القراءة متعة وليست واجبا. كم من أسرة تتشاجر كل مساء بسبب ورقة لا يقرؤها أحد؟",
            "الشجار سببه كثرة الواجبات لا وجودها. فلنخفف منها، ولنحتفظ بما يفيد.",
        ],
    ),
    "de": (
        "Auf Autobahnen soll ein Tempolimit gelten",
        ["für den Antrag", "gegen den Antrag"],
        [
            "Tempo 130 rettet jedes Jahr 140 Menschen, z. B. auf der A 3, und spart Millionen Tonnen CO2.",
            "Die meisten Toten gibt es auf Landstraßen, nicht auf Autobahnen. Fangen Sie dort an, Frau Kollegin.",
            "Das eine tun und das andere nicht lassen! Kein anderes Land in Europa leistet sich diese Ausnahme.",
            "Andere Länder haben auch Maut und schlechtere Straßen. Freie Fahrt hat unsere Autos besser gemacht.",
        ],
    ),
}


def _held(language: str, motion: str, stances: list[str], texts: list[str], **fields: Any) -> DebateMeasures:
    debaters = [{"name": name, "stance": stance} for name, stance in zip(("Ada", "Grace"), stances, strict=True)]
    debate = a_debate(motion=motion, language=language, debaters=debaters, **fields)
    turns = [a_turn(seq, f"d{2 - seq % 2}", text=text) for seq, text in enumerate(texts, 1)]
    return measure(debate, turns)


@pytest.mark.parametrize("language", list(SOUND))
def test_a_sound_debate_has_nothing_wrong_with_it(language: str):
    measures = _held(language, *SOUND[language])
    assert [turn.flags for turn in measures.turns] == [()] * 4
    assert set(measures.shares.model_dump().values()) == {0.0}
    assert measures.first_collapse is None
    assert {turn.language for turn in measures.turns} == {language}
    assert measures.means.fresh > 0.7
    assert measures.means.seq_rep_4 < 0.1


def test_a_debate_that_falls_apart_is_seen_to():
    tabs = "Tabs are one byte, and every reader sets their own width."
    texts = [
        tabs,
        "Spaces line up in every editor. Grace: Do they? Ada: Yes.",
        "…",
        "I completely agree with you. Thank you!",
        tabs,
        tabs,
        tabs,
        "Das ist nicht wahr, Frau Kollegin, und Sie wissen es.",
        "Tabs.<|im_end|>",
        "Well, tabs are cheaper than",
    ]
    measures = _held("en", "Tabs beat spaces", ["for tabs", "for spaces"], texts, turn={"max_characters": 57})
    flags = [set(turn.flags) for turn in measures.turns]
    assert flags == [
        set(),
        {"speaking_for_others"},
        {"empty"},
        {"agreeing", "giving_up"},
        {"repeating"},
        {"repeating"},
        {"repeating"},
        {"wrong_language"},
        {"cut_off", "leaking"},
        {"cut_off"},
    ]
    assert measures.shares.repeating == 0.3
    assert measures.first_collapse == 5
    assert measures.turns[4].closest == 1
    assert measures.turns[3].details == ("i completely agree with you",)


def test_the_limit_counts_where_there_is_one():
    long = "Tabs are one byte, and every reader sets their own width."
    assert _held("en", "Tabs", ["", ""], [long], turn={"max_characters": 20}).shares.over_limit == 1.0
    assert _held("en", "Tabs", ["", ""], [long]).shares.over_limit == 0.0


def test_no_turns_make_no_figures():
    measures = measure(a_debate(), [])
    assert measures.turns == ()
    assert measures.means.fresh == 0.0
    assert measures.personas == ()


def test_personas_go_by_the_names_that_people_gave():
    measures = measure(a_debate(), [a_turn(1, "d1", text="We programmers of systems love tabs.")])
    assert [(each.debater, each.kept) for each in measures.personas] == [("Ada", 0.75)]


def test_the_same_turns_have_the_same_figures():
    assert _held("ja", *SOUND["ja"]) == _held("ja", *SOUND["ja"])


@pytest.mark.parametrize(
    "text", ["Half an emoji \ud83d is left. It happens.", "\x00", "\ufeff", "\u202eabc", "a\u0301" * 2000]
)
def test_any_text_can_be_measured(text: str):
    assert len(_held("en", "Tabs", ["", ""], [text, text]).turns) == 2
