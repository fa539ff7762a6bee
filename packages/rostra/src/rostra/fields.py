"""What a field may hold, in requests and at rest: names, prose, numbers, language tags; and the two kinds of models."""

from __future__ import annotations

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictFloat, StrictStr
from pydantic_core import PydanticCustomError

from rostra.plain import plain

# Characters that reorder or hide text around them: a name or motion that holds one is not what it looks like.
_BIDI_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def _is_control(character: str) -> bool:
    return unicodedata.category(character) in {"Cc", "Cs"} or character in _BIDI_CONTROLS


def plain_text(text: str) -> str:
    """Prose: line breaks and tabs are fine, other control characters are not."""
    if any(_is_control(c) and c not in "\n\t" for c in text.replace("\r\n", "\n")):
        raise PydanticCustomError("control_character", "must not contain control characters")
    return text.replace("\r\n", "\n").strip()


def one_line(text: str) -> str:
    """A name or label: one line, in Unicode's compatibility form (NFKC, Unicode Standard Annex 15)."""
    folded = unicodedata.normalize("NFKC", text).strip()
    if any(_is_control(c) or c in "\u2028\u2029" for c in folded):
        raise PydanticCustomError("control_character", "must be one line without control characters")
    return folded


# They shape emoji, flags and some scripts.
JOINERS = frozenset("\u200c\u200d")
_TAGS = frozenset(map(chr, range(0xE0020, 0xE0080)))


def seen(text: str) -> str:
    """Two names that differ only in what is not seen look the same; and what is not seen is read by models."""
    hidden = any(unicodedata.category(c) == "Cf" and c not in JOINERS | _TAGS for c in text)
    if hidden or plain(text) != text:  # tags that make no flag
        raise PydanticCustomError("hidden_character", "must not contain invisible characters")
    return text


def not_empty(text: str) -> str:
    if not any(unicodedata.category(c)[0] not in "ZC" for c in text):
        raise PydanticCustomError("blank", "must not be empty")
    return text


def primary(language: str | None) -> str | None:
    """The language of a BCP 47 tag, without script and region: `zh` of `zh-Hant-TW`."""
    return language.split("-")[0].lower() if language else None


Name = Annotated[
    StrictStr,
    AfterValidator(one_line),
    AfterValidator(seen),
    AfterValidator(not_empty),
    Field(min_length=1, max_length=64),
]
Slug = Annotated[StrictStr, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")]
# As model servers call models: `qwen3-8b`, `llama3:8b`, `Qwen/Qwen3-8B`.
ModelName = Annotated[StrictStr, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:/@-]{0,127}$")]
Motion = Annotated[
    StrictStr, Field(min_length=1, max_length=2000), AfterValidator(plain_text), AfterValidator(not_empty)
]
Prose = Annotated[StrictStr, Field(max_length=4000), AfterValidator(plain_text)]
Line = Annotated[StrictStr, Field(max_length=200), AfterValidator(one_line)]
# Strict: JSON has no whole-number type of its own, but `true` is no number and "1" is a string.
Number = Annotated[StrictFloat, Field(allow_inf_nan=False)]


class Request(BaseModel):
    """Something people send: unknown fields are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Stored(BaseModel):
    """Something Rostra wrote: fields that a later release added are passed over."""

    model_config = ConfigDict(extra="ignore", frozen=True)
