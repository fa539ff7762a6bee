"""What the guard finds in an attempt, and what it mends."""

from __future__ import annotations

from typing import Any

import pytest

from builders import a_debate
from rostra.models import Debate
from rostra_orchestrator.guard import UNSPEAKABLE, Guard, Judged, reasons

TABS = "Tabs let every reader choose the width that suits their eyes, and that is a matter of courtesy."
SIZE = "A file with tabs is smaller, which counted on the machines that I grew up with."


def guard_of(*said: str, **fields: Any) -> Guard:
    guard = Guard(a_debate(**({"guard": "strict"} | fields)))
    for n, text in enumerate(said):
        guard.hear(text, f"d{1 + n % 2}")
    return guard


def judged(guard: Guard, raw: str, **options: Any) -> Judged:
    return guard.judged(raw, guard.debate.debaters[0], **options)


def found(guard: Guard, raw: str, **options: Any) -> tuple[str, ...]:
    return reasons(judged(guard, raw, **options).faults)


def test_a_new_argument_on_ones_own_side_has_no_fault():
    assert judged(guard_of(TABS), SIZE) == Judged(SIZE, (), shortened=False)


def test_a_turn_that_was_said_before_is_a_repetition():
    assert found(guard_of(TABS), TABS) == ("repeats",)
    assert found(guard_of(TABS, SIZE), TABS.replace("courtesy", "respect")) == ("repeats",)


def test_a_lenient_guard_lets_half_an_echo_pass():
    half = "Tabs let every reader choose the width that suits their eyes; spaces force one width upon the whole team."
    assert found(guard_of(TABS, guard="strict"), half) == ("repeats",)
    assert found(guard_of(TABS, guard="lenient"), half) == ()


def test_few_words_repeat_only_when_they_are_the_same():
    guard = guard_of("Point 1.")
    assert found(guard, "Point 2.") == ()
    assert found(guard, "Point 1.") == ("repeats",)


def test_sentences_that_were_said_before_are_dropped_where_enough_is_left():
    mended = judged(guard_of(TABS), f"{TABS} {SIZE}")
    assert mended == Judged(SIZE, (), shortened=True)


def test_a_turn_that_says_the_same_thing_over_and_over_loops():
    assert found(guard_of(), "Tabs are simply better. " * 4) == ("loops",)


@pytest.mark.parametrize(
    "raw", [f"Ada: {SIZE}", f"{SIZE}\nGrace: No, spaces.", f"{SIZE}<|im_end|>", f"{SIZE}\n**Grace**: No."]
)
def test_labels_other_voices_and_template_tokens_are_cut_away(raw: str):
    assert judged(guard_of(), raw).text == SIZE
    assert found(guard_of(), raw) == ()


@pytest.mark.parametrize(
    "behind",
    [
        "At most 500 characters.",
        "At most 320 characters. At most 875 characters.",
        "Round 2 of 4. At most 30 characters. Debators: - Grace",
        "\n\nThe debaters:\n- Ada, for tabs",
    ],
)
def test_what_goes_on_as_the_prompt_does_is_cut_away(behind: str):
    assert judged(guard_of(language="en"), f"{SIZE} {behind}").text == SIZE
    assert "leaks" in found(guard_of(language="en"), behind)
    assert judged(guard_of(language="en", guard={"leaks": "off"}), f"{SIZE} {behind}").text != SIZE


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("ja", "討論者：\n- さくら（賛否）\n- 健太（反）\n\n討論者は自分自身を語ります。"),
        ("ja", "論題：論理に疑問を言えるべきである 討論者：論題：議論の場を深め"),
        ("zh", "辩手：\n- 王芳（反对）\n- 李雷（支持）"),
        ("en", "The motion: Remote work should be the normal\nThe debaters:\n- 移动工作"),
    ],
)
def test_a_turn_that_begins_as_the_prompt_does_is_spoken_only_if_no_other_is_better(language: str, text: str):
    begun = judged(guard_of(language=language), text)
    assert "leaks" in reasons(begun.faults)
    assert begun.text == text
    assert 3.0 < begun.weight < UNSPEAKABLE


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "We won round 2 of 4. A line has at most 80 characters, and the debaters: they like that."),
        ("fr", "Une ligne doit avoir 80 caractères au plus. Je le dis depuis trente ans."),
        ("ja", "私は500字以内で話します。それは礼儀です。"),
    ],
)
def test_figures_of_an_argument_stay(language: str, text: str):
    assert judged(guard_of(language=language), text).text == text


def test_what_must_never_be_spoken_outweighs_everything():
    empty = judged(guard_of(), "Grace: Spaces are best.")
    assert reasons(empty.faults) == ("empty",)
    assert empty.weight >= UNSPEAKABLE


def test_an_answer_that_ran_into_its_limit_ends_with_its_last_whole_sentence():
    assert judged(guard_of(), f"{SIZE} And another", unfinished=True).text == SIZE
    assert found(guard_of(), "And another thing is that", unfinished=True) == ("cut_off",)


@pytest.mark.parametrize(
    ("language", "fragment", "whole"),
    [
        ("en", "Space travel is a wasteful endeavor", "Space travel is a wasteful endeavor. It feeds nobody"),
        ("de", "Auf Autobahnen", "Auf Autobahnen sterben zu viele Menschen."),
        ("ja", "う・カンバッグ", "死刑は取り返しがつきません。"),
        ("ar", "شكل أن نسبت إنهجرة", "الواجبات تضر بنوم الأطفال."),
    ],
)
def test_a_turn_that_breaks_off_within_its_first_sentence_is_strictly_no_good_one(
    language: str, fragment: str, whole: str
):
    assert found(guard_of(guard="strict", language=language), fragment) == ("cut_off",)
    assert found(guard_of(guard="lenient", language=language), fragment) == ()
    assert found(guard_of(guard="strict", language=language), whole) == ()


def test_thai_marks_no_end_of_a_sentence():
    assert found(guard_of(guard="strict", language="th"), "ผมไม่เห็นด้วยกับข้อเสนอนี้") == ()


def test_a_turn_over_its_limit_is_cut_at_a_sentences_end_and_at_first_asked_for_again():
    guard = guard_of(turn={"max_characters": 90})
    cut = judged(guard, f"{SIZE} {TABS}")
    assert (cut.text, cut.shortened, reasons(cut.faults)) == (SIZE, True, ("too_long",))
    lenient = guard_of(turn={"max_characters": 90}, guard="lenient")
    assert found(lenient, f"{SIZE} {TABS}") == ()


def test_the_limit_is_kept_whatever_the_guard_says():
    text = judged(guard_of(turn={"max_characters": 30}, guard="off"), TABS).text
    assert text == "Tabs let every reader choose…"


def test_another_language_is_a_fault_where_the_debate_has_one():
    german = "Leerzeichen sehen in jedem Editor gleich aus, und genau darum geht es hier."
    assert found(guard_of(language="en"), german) == ("language",)
    assert found(guard_of(language="de"), german) == ()
    assert found(guard_of(), german) == ()


def test_giving_up_ones_side_is_a_fault_and_granting_a_point_is_not():
    assert found(guard_of(), "I completely agree with you, spaces are better than tabs.") == ("gives_up",)
    assert found(guard_of(), f"I agree that spaces look tidy, but {SIZE}") == ()


def test_the_instructions_are_not_spoken():
    said = "These lines are speech, not instructions. Tabs are better because they are."
    assert found(guard_of(), said) == ("leaks",)


@pytest.mark.parametrize("check", ["repetition", "stance", "language"])
def test_each_check_can_be_turned_off_by_itself(check: str):
    wrong = {
        "repetition": (TABS, TABS),
        "stance": ("", "I completely agree with you, spaces are better than tabs."),
        "language": ("", "Leerzeichen sehen in jedem Editor gleich aus, und genau darum geht es hier."),
    }
    said, raw = wrong[check]
    assert found(guard_of(said, guard={check: "strict"}, language="en"), raw)
    assert found(guard_of(said, guard={check: "off"}, language="en"), raw) == ()


# ── while it is spoken ──────────────────────────────────────────────────────────────────────────────────


def hopeless(guard: Guard, raw: str) -> str | None:
    fault = guard.hopeless(raw, guard.debate.debaters[0])
    return fault.reason if fault else None


def test_an_attempt_that_only_repeats_is_given_up_before_its_end():
    assert hopeless(guard_of(f"{TABS} {SIZE}"), f"{TABS} A file with ta") == "repeats"
    assert hopeless(guard_of(SIZE), f"{TABS} A file with ta") is None


def test_a_beginning_is_not_judged_before_it_can_tell():
    assert hopeless(guard_of(TABS), TABS[:60]) is None


def test_an_attempt_in_another_language_is_given_up_before_its_end():
    german = (
        "Leerzeichen sehen in jedem Editor gleich aus, und genau darum geht es hier in dieser Debatte doch schon lange"
    )
    assert hopeless(guard_of(language="en"), german) == "language"


def test_a_guard_that_is_off_gives_nothing_up():
    guard = Guard(a_debate(guard="off"))
    guard.hear(TABS)
    assert hopeless(guard, f"{TABS} {TABS}") is None


def _japanese() -> Debate:
    debaters = [{"name": "肯定側", "stance": "論題に賛成"}, {"name": "否定側", "stance": "論題に反対"}]
    return a_debate("原発は続けるべきだ", language="ja", guard="strict", debaters=debaters, turn={"max_characters": 40})


def test_japanese_turns_are_guarded_alike():
    guard = Guard(_japanese())
    said = "原発は安定した電力を供給できるため、産業を支える基盤になります。"
    guard.hear(said, "d1")
    assert found(guard, said) == ("repeats",)
    assert found(guard, "否定側：事故の危険があります。") == ("empty",)
    assert found(guard, "Nuclear power is stable and cheap.") == ("language",)
    fresh = "電気料金が下がれば、家計にも中小企業にも余裕が生まれます。"
    assert judged(guard, fresh + said) == Judged(fresh, (), shortened=True)
