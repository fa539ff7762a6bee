"""The request that is written down begins the same debate again."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any

import pytest

from builders import A_FORMAT, EVERY_OPTION, a_debate
from rostra.again import as_written, request_of
from rostra.formats import library
from rostra.markdown import as_markdown
from rostra.models import Debate, DebateRequest, debate_from
from rostra.transcript import fold
from rostra_api.page import page

FREE = [name for name, each in library().items() if each.is_free and name != "manual"]


def again(request: Any, debate: Debate) -> Debate:
    wanted = DebateRequest.model_validate_json(json.dumps(request))
    debate_format = library()[wanted.format] if isinstance(wanted.format, str) else wanted.format
    return debate_from(wanted, debate_format, debate_id=debate.id, now=debate.created_at)


@pytest.mark.parametrize(
    "debate",
    [
        a_debate(),
        a_debate(language="ja", opening="始めます。", rounds=7, metadata={"n": 1, "ok": True}, baselines=True),
        a_debate(format="manual", speakers=["Grace", "Ada", "Ada"]),
        a_debate(format=A_FORMAT, debaters=None),
        a_debate(debaters=[{"name": "Ada", "sampling": EVERY_OPTION}, {"name": "李", "model": "large"}]),
        a_debate(guard={"length": "off"}, judge={"panel": [{"persona": "A teacher."}], "swap": False}),
        a_debate(phases={"debate": {"sampling": {"temperature": 0.2}}}, limits={"seconds": 9}, turn={"max_tokens": 90}),
        a_debate(audience={"size": 3}, decision={"protocol": "borda"}, moderator={"model": "large"}),
        *[a_debate(format=name) for name in FREE],
        *[a_debate(format=name, debaters=None) for name in library() if name not in {*FREE, "manual"}],
    ],
    ids=lambda debate: debate.format.name,
)
def test_the_same_debate_comes_of_it(debate: Debate):
    assert again(request_of(debate), debate) == debate


def test_what_is_so_anyway_is_not_said():
    assert request_of(a_debate(rounds=3)).keys() == {"motion", "format", "debaters", "seed"}
    assert request_of(a_debate(rounds=4))["rounds"] == 4


def test_the_page_and_markdown_hold_it():
    hostile = "```\n</pre><script>alert(1)</script>\u2028`````\n\u202e"
    debate = a_debate("Tabs beat spaces", opening=hostile.replace("\u202e", ""), language="en")
    in_page = re.search(r"<pre[^>]*>(.*?)</pre>", page(debate, fold([])), re.DOTALL)
    in_markdown = re.search(r"^(`{3,})json\n(.*?)\n\1$", as_markdown(debate, fold([])), re.DOTALL | re.MULTILINE)
    assert in_page
    assert in_markdown
    assert unescape(in_page[1]) == in_markdown[2] == as_written(debate)
    assert again(json.loads(in_markdown[2]), debate) == debate
