"""The transcript as a page."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest

from builders import a_debate, a_turn
from rostra.events import DebateEnded
from rostra.models import Status
from rostra.transcript import fold
from rostra_api.page import POLICY, direction, page


def test_it_reads_like_a_transcript():
    debate = a_debate(opening="Begin.", rounds=1)
    shown = page(debate, fold([a_turn(1, "d1", text="One.\n\nTwo,\nthree."), DebateEnded(status=Status.COMPLETED)]))
    assert "<title>Tabs beat spaces</title>" in shown
    assert '<h1 dir="auto">Tabs beat spaces</h1>' in shown
    assert "<li><strong><bdi>Ada</bdi></strong>: <bdi>for tabs</bdi></li>" in shown
    assert '<blockquote dir="auto">Begin.</blockquote>' in shown
    assert '<h2 lang="en" dir="ltr">Debate, round 1</h2>' in shown
    assert '<h3><bdi>Ada</bdi></h3>\n<p dir="auto">One.</p>\n<p dir="auto">Two,\nthree.</p>' in shown
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
    assert "<h3><bdi>سارة</bdi></h3>" in shown
    assert '<p dir="auto">Tea, then.</p>' in shown


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
    assert shown.count("</title>") == shown.count("</style>") == 1
