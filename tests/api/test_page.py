"""The transcript as a page."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest

from builders import a_debate, a_turn
from rostra.events import AttemptFailed, DebateClaimed, DebateEnded, Usage, VerdictGiven
from rostra.models import Status
from rostra.rules import JudgeRules
from rostra.transcript import fold
from rostra.verdicts import Quote, Reading, verdict
from rostra_api.page import POLICY, direction, page


def test_it_reads_like_a_transcript():
    debate = a_debate(opening="Begin.", rounds=1)
    shown = page(debate, fold([a_turn(1, "d1", text="One.\n\nTwo,\nthree."), DebateEnded(status=Status.COMPLETED)]))
    assert "<title>Tabs beat spaces</title>" in shown
    assert '<h1 dir="auto">Tabs beat spaces</h1>' in shown
    assert '<li><strong class="d1"><bdi>Ada</bdi></strong>: <bdi>for tabs</bdi></li>' in shown
    assert '<blockquote dir="auto">Begin.</blockquote>' in shown
    assert '<h2 lang="en" dir="ltr">Debate, round 1</h2>' in shown
    number = '<a class="number" href="#turn-1" aria-label="turn 1"></a>'
    assert f'<h3><bdi class="d1">Ada</bdi>{number}</h3>\n<p dir="auto">One.</p>' in shown
    assert '<p dir="auto">One.</p>\n<p dir="auto">Two,\nthree.</p>' in shown
    assert "<dt>Status</dt>\n<dd><bdi>completed</bdi></dd>" in shown


@pytest.mark.parametrize(
    ("language", "way"),
    [
        ("ar", "rtl"),
        ("he-IL", "rtl"),
        ("az-Arab", "rtl"),
        ("ks-Deva", "ltr"),
        ("en", "ltr"),
        ("arn", "ltr"),
    ],
)
def test_a_page_goes_the_way_of_its_language(language: str, way: str):
    assert f'<html lang="{language}" dir="{way}">' in page(a_debate(language=language), fold([]))


def test_a_page_of_no_certain_language_goes_to_the_right():
    assert direction(None) == "ltr"


def test_each_text_finds_its_own_way():
    names = [{"name": "سارة", "stance": "مع"}, {"name": "Grace"}]
    shown = page(a_debate("الشاي أفضل من القهوة", language="ar", debaters=names), fold([a_turn(1, text="Tea, then.")]))
    assert '<h1 dir="auto">الشاي أفضل من القهوة</h1>' in shown
    assert '<h3><bdi class="d1">سارة</bdi>' in shown
    assert '<p dir="auto">Tea, then.</p>' in shown


def test_what_is_said_of_a_debate_goes_from_left_to_right():
    quotes = (Quote(text="Point 1.", seq=1, side="d1"),)
    reading = Reading(judge=1, reading=1, letters={"A": "d1", "B": "d2"}, ranking=("d1", "d2"), quotes=quotes)
    found = VerdictGiven(verdict=verdict(JudgeRules(swap=False), ("d1", "d2"), [reading], "d1"))
    shown = page(a_debate(language="ar", debaters=[{"name": "سارة"}, {"name": "يوسف"}]), fold([a_turn(1), found]))
    assert '<ul lang="en" dir="ltr">\n<li>سارة wins, by 100% of the judges.</li>' in shown


def test_failed_attempts_are_folded_beside_their_turn():
    failed = AttemptFailed(
        seq=1, attempt=1, debater="d1", reason="repetition", detail="said before", text="Tabs.\nTabs."
    )
    shown = page(a_debate(), fold([failed, a_turn(1, faults=["length"], shortened=True)]))
    assert '<p class="marks" lang="en" dir="ltr">length, shortened</p>' in shown
    assert "<summary>1 failed attempt</summary>" in shown
    assert '<li><bdi>repetition: said before</bdi><blockquote dir="auto">Tabs.\nTabs.</blockquote></li>' in shown


def test_attempts_at_a_turn_that_never_came_are_told():
    failed = [AttemptFailed(seq=1, attempt=n, debater="d1", reason="broken", detail="cut off") for n in (1, 2)]
    shown = page(a_debate(), fold([*failed, DebateEnded(status=Status.FAILED)]))
    assert "What did not become a turn" in shown
    assert "<summary>2 failed attempts</summary>" in shown


def test_the_settings_and_what_spoke_are_told():
    debate = a_debate(language="en", judge={"panel": 3}, phases={"debate": {"sampling": {"temperature": 0.4}}})
    turns = [a_turn(1, fingerprint="sha256:abc"), a_turn(2, "d2", fingerprint="sha256:abc")]
    shown = page(debate, fold([DebateClaimed(fence=1, process="w", rostra="9.8.7"), *turns]))
    for label, value in [
        ("Sampling in Debate", "temperature 0.4"),
        ("Persona", "A terse systems programmer."),
        ("Seed", "40"),
        ("Rostra", "9.8.7"),
        ("Model default", "sha256:abc (2 turns)"),
    ]:
        assert f"<dt>{label}</dt>\n<dd><bdi>{value}</bdi></dd>" in shown
    assert "panel 3, swap yes" in shown


def test_figures_are_drawn_and_stand_in_a_table():
    said = ["Tabs are one byte.", "Spaces are sure and the same everywhere."]
    turns = [
        a_turn(n, f"d{n}", text, usage=Usage(prompt_tokens=50, completion_tokens=n)) for n, text in enumerate(said, 1)
    ]
    running = page(a_debate(), fold(turns))
    ended = page(a_debate(), fold([*turns, DebateEnded(status=Status.COMPLETED)]))
    assert (running.count("<svg"), ended.count("<svg")) == (2, 3)
    assert ended.count('role="img"') == ended.count("<desc") == 3
    assert "2 turns, 29 on average; least 18 in turn 1, most 40 in turn 2." in ended
    row = '<tr><th scope="row">1</th><td><bdi>Ada</bdi></td><td>18</td><td>50</td><td>1</td><td>1</td><td>0.00</td>'
    assert row in ended
    ids = re.findall(r'\bid="([^"]*)"', ended)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]*)"', ended)) <= set(ids)


def test_nothing_is_drawn_of_a_debate_without_turns():
    assert "<svg" not in page(a_debate(), fold([]))


def test_no_style_stands_outside_of_the_style_sheet():
    shown = page(a_debate(), fold([a_turn(1), DebateEnded(status=Status.COMPLETED)]))
    assert " style=" not in shown


def test_the_policy_lets_the_page_have_its_style_and_nothing_else():
    shown = page(a_debate(), fold([]))
    style = re.search("<style>(.*?)</style>", shown, re.DOTALL)
    assert style
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert (
        f"default-src 'none'; style-src 'sha256-{digest}'; sandbox; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ) == POLICY
    assert f"default-src &#39;none&#39;; style-src &#39;sha256-{digest}&#39;" in shown


def test_markup_in_any_text_is_text():
    hostile = "</title></style><script>alert(1)</script>\"'"
    debaters = [{"name": "<b>Ada", "stance": hostile}, {"name": "Grace"}]
    course = fold([a_turn(1, text=hostile), DebateEnded(status=Status.FAILED, reason=hostile)])
    shown = page(a_debate(hostile, opening=hostile, debaters=debaters), course)
    assert "<script" not in shown
    assert "<b>" not in shown
    assert (shown.count("</title>"), shown.count("<svg"), shown.count("</style>")) == (4, 3, 1)
