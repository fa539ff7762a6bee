"""What stands in a model's JSON, read leniently. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import permutations
from typing import Any, cast

from rostra.plain import whole

# More letters have too many orders to be named one by one.
_MOST_ORDERED = 4
# Characters of a text at most: llama.cpp reads no grammar that repeats something more than 200 times.
LONGEST_TEXT = 180


def object_schema(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of an object with just these properties, in this order."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def text_schema(longest: int = LONGEST_TEXT) -> dict[str, Any]:
    """The schema of a text, which small models would else go on with up to the last token."""
    return {"type": "string", "maxLength": longest}


def texts_schema(most: int) -> dict[str, Any]:
    """The schema of one text or several."""
    return {"type": "array", "items": text_schema(), "minItems": 1, "maxItems": most}


def order_schema(letters: Sequence[str]) -> dict[str, Any]:
    """The schema of all letters in an order, as in `B > A > C`: each order where they are few."""
    if len(letters) > _MOST_ORDERED:
        return {"type": "string"}
    return {"type": "string", "enum": [" > ".join(order) for order in permutations(letters)]}


def members(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


def items(value: object) -> list[object]:
    """The items of a list; what is none counts as one of one item."""
    return cast("list[object]", value) if isinstance(value, list) else [] if value is None else [value]


def text_of(value: object) -> str:
    """A text or a number as text on one line; nothing for what is neither."""
    return whole(" ".join(str(value).split())) if isinstance(value, str | int | float) else ""


def texts_of(value: object, most: int) -> str:
    """A text, or the texts of a list one behind the other; of each at most twice of what was asked for."""
    return " ".join(filter(None, map(text_of, items(value))))[: 2 * most * LONGEST_TEXT]


def letters_in(text: str, letters: Sequence[str]) -> list[str]:
    """Those of the letters that stand alone in `text`, in their order: `Side B`, `b`, `A > B`."""
    return re.findall(rf"(?<![A-Za-z])[{''.join(letters)}](?![A-Za-z])", text.upper())
