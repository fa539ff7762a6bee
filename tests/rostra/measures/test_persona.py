"""A persona is recognised by its words, in any script."""

from __future__ import annotations

import pytest

from rostra.measures.persona import kept, markers
from rostra.measures.terms import coverage, terms


def test_markers_are_the_words_that_carry_a_persona():
    found = markers("You are a terse systems programmer who must always argue for tabs.", "for tabs")
    assert found == {"terse", "syste", "progr", "tabs"}


def test_markers_of_japanese_are_pairs_of_kanji_and_katakana():
    assert markers("あなたはアメリカの農家です。") == {"アメ", "メリ", "リカ", "農家"}


@pytest.mark.parametrize(
    ("persona", "true", "false"),
    [
        (
            "A nurse on night shifts who speaks of patients.",
            "As a nurse I see patients every night; long shifts kill.",
            "Taxes on capital are too low, and rents are too high.",
        ),
        (
            "夜勤の看護師。患者の話をする。",
            "看護師として、夜勤のたびに患者を見ています。",
            "資本への課税は低すぎます。",
        ),
        ("夜班护士，常谈病人。", "我是护士，夜班里每天见到病人。", "资本税太低，房租太高。"),
        ("ممرضة تعمل ليلا وتتحدث عن المرضى", "أنا ممرضة، وأرى المرضى كل ليلة.", "الضرائب منخفضة والإيجارات مرتفعة."),
        (
            "Krankenschwester in der Nachtschicht",
            "Ich sehe es in jeder Nachtschicht: Krankenschwestern fehlen.",
            "Die Mieten sind zu hoch.",
        ),
    ],
)
def test_who_speaks_as_its_persona_keeps_more_of_it(persona: str, true: str, false: str):
    known_by = markers(persona)
    assert kept(known_by, [true]) >= 0.4
    assert kept(known_by, [false]) == 0.0


def test_a_persona_is_kept_over_all_turns_together():
    known_by = markers("nurse patients")
    assert kept(known_by, ["A nurse speaks.", "Patients listen."]) == 1.0
    assert kept(known_by, []) == 0.0
    assert kept(markers(""), ["Anything."]) == 1.0


def test_a_turn_is_about_the_motion_by_the_words_they_share():
    motion = terms("Homework should be banned in primary schools")
    assert coverage(motion, ["A school without homework? Ban it in primary schools, and they call it banned."]) == 1.0
    assert coverage(motion, ["Tabs beat spaces."]) == 0.0
    assert coverage(terms("死刑は廃止すべきか"), ["死刑の廃止に賛成です。"]) == 1.0
    assert coverage(terms("يجب إلغاء الواجبات المنزلية"), ["الواجبات المنزلية مفيدة"]) == pytest.approx(2 / 3)
