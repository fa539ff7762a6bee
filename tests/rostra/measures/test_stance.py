"""Who gives its side up is heard; who concedes a point and goes on is not."""

from __future__ import annotations

import math

import pytest

from rostra.measures.stance import agrees, gives_up, leaning, probe
from rostra.measures.wording import languages, wording

NOTHING_BUT_AGREEMENT = {
    "en": [
        "I completely agree with you.",
        "Thank you for your thoughtful answer. I agree. It was a pleasure debating with you!",
        "Great point, Grace. I couldn't agree more.",
    ],
    "ja": [
        "ありがとうございます。",
        "おっしゃる通りです。私も同意します。",
        "素晴らしいご指摘をありがとうございます。全く同感です。",
    ],
    "zh": ["我完全同意你的观点。谢谢！", "感谢您的精彩发言。"],
    "ko": ["감사합니다. 저도 전적으로 동의합니다."],
    "de": ["Danke für Ihren Beitrag. Ich stimme Ihnen voll und ganz zu.", "Da haben Sie recht."],
    "fr": ["Merci pour votre réponse. Je suis tout à fait d'accord avec vous."],
    "es": ["Gracias por su respuesta. Estoy totalmente de acuerdo con usted."],
    "ar": ["شكرا لك على ردك. أتفق معك تماما."],
}
MORE_THAN_AGREEMENT = {
    "en": [
        "Thank you, but tabs are still one byte.",
        "Good point. Tabs are one byte, and disks are full of them.",
        "I agree, because tabs are one byte and easy to type.",
        "I disagree.",
    ],
    "ja": [
        "ありがとうございます。しかし、費用が高すぎます。",
        "ご指摘はもっともですが、冤罪の問題が残ります。",
        "死刑は廃止すべきです。冤罪は取り返しがつきません。",
        "私は死刑廃止に賛成です。",
    ],
    "zh": ["谢谢，但是费用太高了。", "四天工作制让员工更健康。"],
    "ko": ["감사합니다. 하지만 비용이 너무 높습니다."],
    "de": ["Danke, aber das kostet zu viel.", "Ein Tempolimit rettet Leben.", "Niemand hat recht, der das sagt."],
    "fr": ["Merci, mais c'est trop cher."],
    "es": ["Gracias, pero es demasiado caro."],
    "ar": ["شكرا لك، لكن التكلفة مرتفعة جدا."],
}
GIVES_UP = {
    "en": [
        "I agree with you.",
        "You are right. Spaces line up in every editor.",
        "You have convinced me: spaces are better.",
        "I was wrong about tabs.",
        "I have changed my mind.",
        "I completely agree with your point. Spaces make code readable.",
        "But I must agree with you. Spaces it is.",
        "I think you are right.",
        "I must admit that you have persuaded me.",
        "I agree with the previous speaker.",
    ],
    "ja": [
        "おっしゃる通りです。死刑は必要です。",
        "あなたの意見に全面的に賛成です。",
        "私の考えが間違っていました。",
        "考えを改めます。死刑は必要です。",
        "私の負けです。",
    ],
    "zh": ["我完全同意你的观点。", "你说得对，费用确实太高。", "你说服了我。", "我承认我错了。"],
    "ko": ["전적으로 동의합니다.", "제 생각이 틀렸습니다.", "당신의 의견에 동의합니다."],
    "de": [
        "Sie haben recht.",
        "Ich stimme Ihnen zu. Das kostet zu viel.",
        "Sie haben mich überzeugt.",
        "Ich habe mich geirrt.",
    ],
    "fr": ["Vous avez raison.", "Je suis d'accord avec vous.", "Vous m'avez convaincu.", "J'avais tort."],
    "es": ["Tiene razón.", "Estoy de acuerdo con usted.", "Me ha convencido.", "Estaba equivocado."],
    "ar": ["أتفق معك تماما.", "أنت محق.", "لقد أقنعتني.", "كنت مخطئا."],
}
KEEPS_ITS_SIDE = {
    "en": [
        "I agree that costs matter, but tabs are cheaper.",
        "I agree with you on costs. However, tabs are cheaper.",
        "You are right that files grow. Still, tabs are smaller.",
        "I do not agree with you.",
        "If you are right, why do diffs grow?",
        "Although I agree with you, diffs matter more.",
        "You say that you are right.",
        "Do you think I was wrong?",
        "I would agree with you if disks were free.",
        "You said “I agree with Ada”, and then you changed the subject to commas and semicolons.",
        "I concede that some editors are bad. Yet tabs are one byte.",
        "Thank you, but no.",
        "I agree that homework harms sleep.",
        "I can agree with your premise, not your conclusion.",
        "You claim you have convinced me. You have not.",
        "It is wrong to say that I have changed my mind.",
        "You win the prize for rhetoric. Tabs win the debate.",
        "I refuse to concede.",
        "You are right to worry about alignment; tabs solve it.",
    ],
    "ja": [
        "費用が高いという点には同意しますが、冤罪は防げません。",
        "おっしゃる通りですが、冤罪の問題が残ります。",
        "あなたの意見に賛成できません。",
        "あなたは正しいですか？",
        "あなたの主張に同意する人は少ないでしょう。",
        "考えを改めるべきなのはあなたです。",
        "同意できません。死刑は廃止すべきです。",
        "あなたは「考えを改めます」と言いましたが、まだ何も変わっていないように見えます。",
    ],
    "zh": [
        "我不同意你的观点。",
        "我同意费用很高，但是员工更健康。",
        "你说得对吗？",
        "你说得对，但是员工更健康。",
        "如果你说得对，为什么没有证据？",
    ],
    "ko": [
        "당신의 의견에 동의하지 않습니다.",
        "동의합니다만, 비용이 문제입니다.",
        "비용이 높다는 점은 동의합니다. 하지만 직원들이 더 건강합니다.",
    ],
    "de": [
        "Ich stimme Ihnen nicht zu.",
        "Sie haben recht, dass es kostet, aber es rettet Leben.",
        "Wenn Sie recht haben, wo ist der Beweis?",
        "Sie haben nicht recht.",
    ],
    "fr": [
        "Je ne suis pas d'accord avec vous.",
        "Vous avez raison sur le coût, mais pas sur le reste.",
        "Vous n'avez pas raison.",
    ],
    "es": ["No estoy de acuerdo con usted.", "Usted no tiene razón.", "Tiene razón en el costo, pero no en lo demás."],
    "ar": ["لا أتفق معك.", "أتفق معك، لكن النوم أهم.", "أنت لست محقا."],
}


def _each(turns: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [(language, text) for language, texts in turns.items() for text in texts]


@pytest.mark.parametrize(("language", "text"), _each(NOTHING_BUT_AGREEMENT))
def test_politeness_alone_is_nothing_but_agreement(language: str, text: str):
    assert agrees(text, language)


@pytest.mark.parametrize(("language", "text"), _each(MORE_THAN_AGREEMENT))
def test_politeness_before_an_argument_is_fine(language: str, text: str):
    assert not agrees(text, language)


@pytest.mark.parametrize(("language", "text"), _each(GIVES_UP))
def test_agreeing_with_the_other_side_gives_up_ones_own(language: str, text: str):
    assert gives_up(text, language)


@pytest.mark.parametrize(("language", "text"), _each(KEEPS_ITS_SIDE))
def test_conceding_a_point_keeps_ones_side(language: str, text: str):
    assert gives_up(text, language) is None


MOTION = "School uniforms should be compulsory"
DECLARED = [
    ("en", "for the motion", "against the motion", "I am against the motion, and always was."),
    ("en", "against the motion", "for the motion", "I support this motion."),
    ("en", "for the motion", "against the motion", "As a parent I oppose the motion."),
    ("en", "for tabs", "for spaces", "I am for spaces, like all of us."),
    ("en", "in favour of tabs", "in favour of spaces", "We strongly support spaces."),
    ("ja", "論題に賛成", "論題に反対", "私はこの論題に反対です。"),
    ("ja", "民主党支持", "共和党支持", "私は共和党を支持します。"),
    ("zh", "支持动议", "反对动议", "我反对这个动议。"),
    ("ko", "논제에 찬성", "논제에 반대", "저는 이 논제에 반대합니다."),
    ("de", "für den Antrag", "gegen den Antrag", "Ich bin gegen den Antrag."),
    ("de", "für den Antrag", "gegen den Antrag", "Ich lehne diesen Antrag ab."),
    ("fr", "pour la motion", "contre la motion", "Je suis contre la motion."),
    ("es", "a favor de la moción", "en contra de la moción", "Estoy en contra de la moción."),
    ("ar", "مع الاقتراح", "ضد الاقتراح", "أنا أعارض هذا الاقتراح."),
]


@pytest.mark.parametrize(("language", "stance", "other", "text"), DECLARED)
def test_declaring_for_the_other_side_gives_up_ones_own(language: str, stance: str, other: str, text: str):
    assert gives_up(text, language, stance, MOTION, [other])


@pytest.mark.parametrize(("language", "stance", "other", "text"), DECLARED)
def test_the_same_words_from_the_other_side_are_its_own(language: str, stance: str, other: str, text: str):
    assert gives_up(text, language, other, MOTION, [stance]) is None


@pytest.mark.parametrize(
    ("stance", "text"),
    [
        ("for the motion", "I am against smoking."),
        ("for the motion", "I am not against the motion."),
        ("for the motion", "You say that I am against the motion."),
        ("for the motion", "I oppose the idea that children should choose."),
        ("for the motion", "I reject the proposal that children should choose."),
        ("for the motion", "Am I against the motion?"),
        ("for the motion", "I am for the motion."),
        ("against the motion", "I am against the motion."),
        ("", "I am against the motion."),
        ("a poet", "I am against the motion."),
    ],
)
def test_ones_own_side_may_be_declared(stance: str, text: str):
    assert gives_up(text, "en", stance, MOTION, ["for the motion", "against the motion"][: 1 + (stance == "")]) is None


def test_allies_may_agree():
    assert gives_up("I agree with you.", "en", "for tabs", "Tabs beat spaces", ["for tabs", "for spaces"]) is None


def test_without_a_language_it_is_found_out():
    assert gives_up("あなたの意見に全面的に賛成です。")
    assert gives_up("You have convinced me, and I thank you for it.")


def test_a_language_without_phrases_is_left_alone():
    assert gives_up("Olen samaa mieltä kanssasi.", "fi") is None
    assert not agrees("Kiitos!", "fi")


def test_the_words_are_returned():
    assert gives_up("Well. You are absolutely right.", "en") == "you are absolutely right"


@pytest.mark.parametrize("language", [*languages(), "fi", None])
def test_the_probe_asks_with_the_motion_and_the_turn(language: str | None):
    asked = probe("Tabs beat {spaces}", "Tabs are\none byte.", language)
    assert "Tabs beat {spaces}" in asked
    assert "Tabs are one byte." in asked


def test_the_answers_probabilities_are_the_leaning():
    logprobs = {" for": math.log(0.6), "For": math.log(0.1), " against": math.log(0.1), " maybe": math.log(0.2)}
    assert leaning(logprobs) == pytest.approx(0.875)
    assert leaning({"yes": -0.1}) is None
    assert leaning({}) is None
    assert leaning({"賛": math.log(0.5), "反": math.log(0.5)}, "ja") == pytest.approx(0.5)


@pytest.mark.parametrize("language", languages())
def test_the_two_answers_begin_differently(language: str):
    favour, against = wording(language).answers
    assert favour[0] != against[0]
