"""What is no speech of its speaker is found; quotations, addresses and common words are let be."""

from __future__ import annotations

import pytest

from rostra.measures.speech import addresses_itself, is_cut_off, is_empty, leaks, over_limit, speaks_for


@pytest.mark.parametrize(
    "text",
    ["", " \n", "…", "「」", '""', "...", "😀👍", "**", "<|im_end|>", "</s>\n", "<|im_start|>assistant", "[/INST]"],
)
def test_signs_and_rests_of_templates_say_nothing(text: str):
    assert is_empty(text)


@pytest.mark.parametrize("text", ["No.", "はい", "42", "نعم", "否。", "「いいえ」"])
def test_a_word_is_enough_to_say_something(text: str):
    assert not is_empty(text)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Tabs are one byte.", "en"),
        ("Are they? “Yes!”", "en"),
        ("Tabs win! 😀", "en"),
        ("**Tabs win.**", "en"),
        ("死刑は廃止すべきです。", "ja"),
        ("彼は「反対だ。」", "ja"),
        ("本当に……", "ja"),
        ("هل هذا صحيح؟", "ar"),
        ("费用太高了！", "zh"),
        ("यह सही है।", "hi"),
        ("Das kostet zu viel (siehe oben).", "de"),
        ("ผมไม่เห็นด้วย", "th"),
        ("ผมไม่เห็นด้วย", None),
    ],
)
def test_a_whole_sentence_is_not_cut_off(text: str, language: str | None):
    assert not is_cut_off(text, "stop", language)


@pytest.mark.parametrize(
    ("text", "reason", "language"),
    [
        ("Tabs are one byte, and", "length", "en"),
        ("Tabs are one byte, and", "stop", "en"),
        ("So I say that…", "length", "en"),
        ("Das kostet z", "stop", "de"),
        ("死刑は廃止すべきで", "length", "ja"),
        ("因为费用太", "stop", "zh"),
        ("ผมไม่เห็น", "length", "th"),
    ],
)
def test_a_sentence_without_its_end_is_cut_off(text: str, reason: str, language: str):
    assert is_cut_off(text, reason, language)


def test_the_limit_is_in_characters_that_readers_count():
    assert over_limit("👨‍👩‍👧" * 12, 10) == 2
    assert over_limit("が" * 10, 10) == 0


@pytest.mark.parametrize(
    "text",
    [
        "Grace: Spaces line up.",
        "Tabs win. Grace: Spaces line up.",
        "Tabs win.\nGrace: Spaces line up.",
        "Tabs win.\n\n**Grace:** Spaces line up.",
        "**Grace**: Spaces line up.",
        "**Grace** (for spaces): “Spaces line up.”",
        "Grace：Spaces line up.",
        "“Tabs win.” Grace: I say no.",
        "[Grace] Spaces line up.",
        "Grace says: Spaces line up.",
        "Grace\nSpaces line up.",
        "- Grace: Spaces line up.",
    ],
)
def test_another_voice_is_heard(text: str):
    assert speaks_for(text, ["Ada", "Grace"]) == "Grace"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("賛成です。トランプ：反対です。", "トランプ"),
        ("トランプ氏：反対です。", "トランプ"),
        ("【トランプ】反対です。", "トランプ"),
        ("トランプは言う：反対です。", "トランプ"),
        ("否定側：その案には反対です。", "否定側"),
        ("我支持。\n反方：我反对。", "反方"),
        ("أنا أؤيد. ليلى: أنا أعارض.", "ليلى"),
        ("찬성합니다.\n반대측: 반대합니다.", "반대측"),
        ("Das stimmt. Contra: Nein, es stimmt nicht.", "Contra"),
        ("Tabs win. O’Brien: Spaces line up.", "O'Brien"),
        ("Tabs win. O'Brien: Spaces line up.", "O’Brien"),
        ("Tabs win.\nＡｄａ: Spaces line up.", "Ada"),
        ("Tabs win.\nAda\u3000Lovelace: Spaces line up.", "Ada  Lovelace"),
    ],
)
def test_another_voice_is_heard_in_any_script(text: str, name: str):
    assert speaks_for(text, [name]) == name


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Grace, your claim has one flaw: it is false.", ["Grace"]),
        ("Grace says: “Spaces line up.” They do not.", ["Grace"]),
        ("As Grace said: spaces line up.", ["Grace"]),
        ("There is one hope: that it ends.", ["Hope"]),
        ("Hope: that is what we need.", ["Hope"]),
        ("We will: all of us.", ["Will"]),
        ("Plan A: It is cheap.", ["A"]),
        ("It is disgrace: Nobody lines up.", ["grace"]),
        ("Ada: Tabs win.", ["Grace"]),
        ("トランプさん、あなたの主張には問題があります：費用です。", ["トランプ"]),
        ("トランプタワー：高い建物です。", ["トランプ大統領"]),
        ("The affirmative: what a word. I agree.", ["Affirmative"]),
        ("One reason: Tabs.", []),
        ("One reason: Tabs.", [""]),
    ],
)
def test_names_that_are_spoken_to_or_are_common_words_are_no_voices(text: str, names: list[str]):
    assert speaks_for(text, names) is None


@pytest.mark.parametrize(
    "text",
    [
        "Tabs.<|im_end|>",
        "Tabs.<|im_end",
        "Tabs. im_end|>",
        "Tabs.<|eot_id|><|start_header_id|>user",
        "Tabs. [/INST] More",
        "Tabs. [INST",
        "<<SYS>> You are",
        "Tabs.</s>",
        "Tabs.<end_of_turn>",
        "Tabs.<start_of_turn>model",
        "Tabs.<｜end▁of▁sentence｜>",
        "Tabs.<|end|><|user|>",
        "<think>I should",
        "Tabs.\n### Response: Yes",
        "Tabs.\nassistant\nSpaces.",
        "Tabs.\nUser: and now?",
        "Tabs. endoftext|>",
        "Tabs. end▁of▁sentence",
        "ASSISTANT: Tabs.",
        "  user",
    ],
)
def test_tokens_of_templates_leak_whole_or_broken(text: str):
    found = leaks(text)
    assert found is not None
    assert found in text


def test_a_role_leaks_where_it_stands_on_its_own_line():
    text = "My assistant agrees.\nassistant\nSpaces."
    found = leaks(text)
    assert found is not None
    assert text[: text.index(found)] == "My assistant agrees."


@pytest.mark.parametrize(
    "text",
    [
        "Tabs < spaces, and spaces > tabs.",
        "f <| g and x |> f are pipes.",
        "Write [INSTALL] or |x| or <b>bold</b>.",
        "My assistant asks: user or system?",
        "The end of a turn; the start of a sentence.",
        "I think, therefore I am. #1 ###",
        "死刑は廃止すべきです。【理由】",
    ],
)
def test_signs_of_other_trades_are_no_tokens(text: str):
    assert leaks(text) is None


RULES = (
    "Each debater speaks in character and keeps to their own side.",
    "This is a debate.",
    "前の発言を繰り返しません。",
)


def test_a_long_piece_of_the_instructions_leaks():
    found = leaks("As asked, each debater speaks in character, and keeps to their own house.", RULES)
    assert found == "each debater speaks in character and keeps to their own "
    assert leaks("では、前の発言を繰り返しません。", ("討論について説明せず、相手に向かって話します。",)) is None
    assert (
        leaks(
            "承知しました。討論について説明せず、相手に向かって短く話します。討論について説明せず、相手に向かって話します。",
            ("討論について説明せず、相手に向かって話します。",),
        )
        is not None
    )


@pytest.mark.parametrize("before", range(25))
@pytest.mark.parametrize(
    "piece", [RULES[0][10:40], "討論の仕組みについては決して説明せず、相手に向かって短く話すようにします。"]
)
def test_a_piece_of_the_instructions_leaks_wherever_it_stands(piece: str, before: int):
    rules = (*RULES, "討論の仕組みについては決して説明せず、相手に向かって短く話すようにします。")
    assert leaks("a" * before + piece + "b", rules) is not None
    assert leaks("a" * before + piece[:10] + "b" + piece[10:], RULES) is None


def test_common_words_of_the_instructions_may_be_said():
    assert leaks("This is a debate. I keep to my own side, and each debater should.", RULES) is None
    assert leaks("Tabs win.", RULES) is None


@pytest.mark.parametrize(
    "text",
    [
        "Ada, I think you forget alignment.",
        "Well, Ada, that is wrong.",
        "You are wrong, Ada.",
        "That is wrong. Ada, please listen.",
        "As Ada said, tabs are small.",
        "I agree with Ada: tabs are small.",
        "Ada's point is a good one.",
        "Thank you, Ada! I will answer.",
        "Ada is right about tabs.",
    ],
)
def test_who_speaks_to_itself_is_heard(text: str):
    assert addresses_itself(text, "Ada")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("バイデンさん、あなたは間違っています。", "バイデン"),
        ("その通りです。バイデンさんの意見に賛成です。", "バイデン"),
        ("正如小明所说，费用太高。", "小明"),
        ("Wie Ada schon sagte, das kostet zu viel.", "Ada"),
        ("كما قالت ليلى، التكلفة مرتفعة.", "ليلى"),
        ("바이든 님의 의견에 반대합니다.", "바이든"),
        ("Comme Ada l'a dit, c'est trop cher.", "Ada"),
    ],
)
def test_who_speaks_to_itself_is_heard_in_other_languages(text: str, name: str):
    assert addresses_itself(text, name)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("I, Ada, say that tabs win.", "Ada"),
        ("I am Ada, and tabs win.", "Ada"),
        ("My name is Ada.", "Ada"),
        ("You said “Ada, you are wrong” and gave no reason for it whatever.", "Ada"),
        ("Grace, you are wrong.", "Ada"),
        ("Canada, too, uses tabs.", "Ada"),
        ("We will, I think, win.", "Will"),
        ("私、バイデンは反対です。", "バイデン"),
        ("トランプさん、あなたは間違っています。", "バイデン"),
        ("Tabs win.", ""),
    ],
)
def test_naming_oneself_is_not_speaking_to_oneself(text: str, name: str):
    assert not addresses_itself(text, name)


@pytest.mark.parametrize("loop", ['"', "| ", "<|", "“", " \n", "* ", ". ", "Ada ", "!", "(", "名"])
def test_no_degenerate_turn_holds_a_check_up(loop: str):
    text = (loop * 8192)[:20_000]
    for check in (is_empty, is_cut_off, leaks):
        check(text)
    speaks_for(text, ["Ada", "名"])
    addresses_itself(text, "Ada")
