"""Text that only shows itself: what models and people write is data, wherever it is read. Pure.

Some characters act instead of being shown: they drive a terminal, turn the text around them, hide words from readers
but not from models, or end a line where none ends. A reading for people is without them; JSON keeps them, spelt out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

# Embeddings, overrides and isolates (Unicode Standard Annex 9). Marks (U+200E, U+200F, U+061C) turn nothing but their
# neighbours, and Arabic and Hebrew are written with them.
BIDI_CONTROLS = "\u202a-\u202e\u2066-\u2069"

_ENDS_OF_LINES = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_HALVES = re.compile("[\ud800-\udfff]")
# Tags are letters that nobody sees; only in flags, behind U+1F3F4, do they mean anything.
_FLAG_OR_TAGS = re.compile("(\U0001f3f4[\U000e0020-\U000e007e]{1,8}\U000e007f)|[\U000e0000-\U000e007f]")
_ACTING = re.compile(f"[\x00-\x08\x0e-\x1f\x7f-\x9f{BIDI_CONTROLS}\ufff9-\ufffb]")
_ACTING_IN_JSON = re.compile(f"[\x7f-\x9f\u2028\u2029{BIDI_CONTROLS}\ud800-\udfff\U000e0000-\U000e007f]")


def plain(text: str) -> str:
    """`text` as it can be shown: line breaks and tabs stay, what acts is gone."""
    text = _ACTING.sub("", whole(_ENDS_OF_LINES.sub("\n", text)))
    return _FLAG_OR_TAGS.sub(lambda found: found[1] or "", text)


def on_one_line(text: str) -> str:
    """The same on one line, with single spaces between the words."""
    return " ".join(plain(text).split())


def whole(text: str) -> str:
    """`text` with U+FFFD for each half of a surrogate pair: JSON can spell one, UTF-8 has no bytes for it."""
    return _HALVES.sub("\ufffd", text)


def json_line(data: Mapping[str, Any]) -> str:
    """`data` as JSON on one line, whoever splits it: JSON spells out line feeds by itself, but neither what else
    Unicode takes for a line's end nor what drives a terminal."""
    return spelt_out(json.dumps(data, ensure_ascii=False))


def spelt_out(written: str) -> str:
    """The JSON `written`, with what acts as `\\u…`: the same to who reads it as JSON."""
    return _ACTING_IN_JSON.sub(lambda found: json.dumps(found[0])[1:-1], written)
