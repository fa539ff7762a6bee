"""What to POST for the same debate again stands in every form to read."""

from __future__ import annotations

import json
import re
from html import unescape

from builders import a_debate
from rostra.again import as_written
from rostra.forking import request_of
from rostra.markdown import as_markdown
from rostra.transcript import fold
from rostra_api.page import page


def test_the_page_and_markdown_hold_it():
    hostile = "```\n</pre><script>alert(1)</script>\u2028`````\n\u202e"
    debate = a_debate("Tabs beat spaces", opening=hostile.replace("\u202e", ""), language="en")
    in_page = re.search(r"<pre[^>]*>(.*?)</pre>", page(debate, fold([])), re.DOTALL)
    in_markdown = re.search(r"^(`{3,})json\n(.*?)\n\1$", as_markdown(debate, fold([])), re.DOTALL | re.MULTILINE)
    assert in_page
    assert in_markdown
    assert unescape(in_page[1]) == in_markdown[2] == as_written(debate)
    assert json.loads(in_markdown[2]) == request_of(debate)
