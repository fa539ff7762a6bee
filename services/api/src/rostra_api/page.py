"""The transcript as a page: one file that reads and prints well, loads nothing and runs nothing.

What people and models wrote is escaped by the template engine, wherever it stands, and is without the characters that
act instead of being shown. Should some markup get through in spite of it, the page's policy lets it do nothing.
"""

from __future__ import annotations

import base64
import hashlib
import re
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from rostra import outcomes
from rostra.models import Debate
from rostra.plain import on_one_line, plain
from rostra.transcript import Course, facts, rounds
from rostra_api.headers import policy

_STYLE = files("rostra_api").joinpath("pages", "transcript.css").read_text(encoding="utf-8")
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_STYLE_ALLOWED = f"style-src 'sha256-{_STYLE_HASH}'"

POLICY = policy(_STYLE_ALLOWED, "sandbox")
# What of it a page that was saved can say for itself.
_OWN_POLICY = f"default-src 'none'; {_STYLE_ALLOWED}; base-uri 'none'; form-action 'none'"

# Languages and scripts that are written from right to left (Unicode CLDR 48, script metadata).
_LEFTWARDS = re.compile("ar|arz|ckb|dv|fa|glk|he|iw|ks|mzn|nqo|pnb|ps|sd|syr|ug|ur|yi")
_LEFTWARD_SCRIPTS = re.compile("adlm|arab|hebr|nkoo|rohg|syrc|thaa")


def page(debate: Debate, course: Course) -> str:
    return _TEMPLATE.render(
        language=debate.language or "en",
        direction=direction(debate.language),
        policy=_OWN_POLICY,
        style=Markup(_STYLE),
        title=on_one_line(debate.motion),
        debate=debate,
        rounds=[
            (title, [(words.seq, words.speaker, paragraphs(words.text)) for words in said])
            for title, said in rounds(debate, course)
        ],
        outcomes=list(outcomes.sections(debate, course.outcomes)),
        facts=facts(debate, course),
    )


def direction(language: str | None) -> str:
    """Where a text in `language` goes. Each text finds its own way; this is where the page begins."""
    primary, *subtags = (language or "").lower().split("-")
    script = next((subtag for subtag in subtags if len(subtag) == 4), None)
    leftwards = _LEFTWARD_SCRIPTS.fullmatch(script) if script else _LEFTWARDS.fullmatch(primary)
    return "rtl" if leftwards else "ltr"


def paragraphs(text: str) -> list[str]:
    return [part for part in plain(text).split("\n\n") if part.strip()]


def _shown(value: Any) -> Any:
    return plain(value) if isinstance(value, str) and not isinstance(value, Markup) else value


_TEMPLATE = Environment(
    loader=PackageLoader("rostra_api", "pages"),
    autoescape=True,
    undefined=StrictUndefined,
    finalize=_shown,
    trim_blocks=True,
    lstrip_blocks=True,
).get_template("transcript.html")
