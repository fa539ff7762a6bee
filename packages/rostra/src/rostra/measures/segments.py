"""A text in its parts: graphemes, words and sentences, in any script."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import cast

import regex
import sentencex  # pyright: ignore[reportMissingTypeStubs]

from rostra.fields import primary

# Scripts that put no spaces between words (UAX 14 and 29 leave them to dictionaries). ー and 〆 are of no script.
_UNSPACED = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}ー〆]"
_GRAPHEME = regex.compile(r"\X")
_UNSPACED_WORD = regex.compile(_UNSPACED)
_SPACED = rf"[[\p{{L}}\p{{M}}\p{{N}}\u200c\u200d]--{_UNSPACED}]"
_WORD = regex.compile(rf"{_UNSPACED}\p{{M}}*|\p{{N}}+(?:[.,]\p{{N}}+)*|{_SPACED}+(?:['’]{_SPACED}+)*", flags=regex.V1)
# What joins, directs or colours the characters around it, and the apostrophe inside a word.
_UNSEEN = regex.compile(r"[\p{Cf}\uFE00-\uFE0F\u20E3\U000E0100-\U000E01EF]|(?<=\p{L})['’](?=\p{L})")
_NO_WORD = regex.compile(r"[^\p{L}\p{M}\p{N}]+")
_NEEDLESS_SPACE = regex.compile(rf"(?<={_UNSPACED}\p{{M}}*) (?={_UNSPACED})")
_QUOTED = regex.compile(r"“[^“”]*”|„[^„“”]*[“”]|«[^«»]*»|»[^«»]*«|「[^「」]*」|『[^『』]*』|\"[^\"\n]*\"")

# Several checks ask the same of an attempt and of its sentences.
_remembered = lru_cache(maxsize=256)

# Its compiled module has no types of its own.
_segment = cast("Callable[[str, str], list[str]]", sentencex.segment)  # pyright: ignore[reportUnknownMemberType, reportAttributeAccessIssue]


def graphemes(text: str) -> int:
    """How many characters a reader counts: extended grapheme clusters (UAX 29) of the composed form (NFC)."""
    if text.isascii():
        return len(text) - text.count("\r\n")  # the only cluster of two (GB3)
    return len(clusters(text))


def clusters(text: str) -> list[str]:
    """The characters that a reader counts, in order."""
    return cast("list[str]", _GRAPHEME.findall(unicodedata.normalize("NFC", text)))


def words(text: str) -> list[str]:
    """The words, casefolded; where a script puts no spaces between words, each grapheme is one."""
    return [word.casefold() for word in written_words(text)]


@_remembered
def written_words(text: str) -> tuple[str, ...]:
    """The words as `words` cuts them, in the case in which they were written."""
    composed = unicodedata.normalize("NFKC", text).replace("’", "'")
    return tuple(cast("list[str]", _WORD.findall(composed)))


def has_words(text: str) -> bool:
    """Whether there is a letter or a digit in it."""
    return any(unicodedata.category(c)[0] in "LN" for c in text)


def is_spaced(text: str) -> bool:
    """Whether most of it is in scripts that put spaces between words."""
    found = written_words(text)
    return sum(_UNSPACED_WORD.match(word) is None for word in found) * 2 >= len(found)


def sentences(text: str, language: str | None = None) -> list[str]:
    """The sentences, stripped of space and of markup around them; a line's end ends one, too.

    `language` is a BCP 47 tag; it tells which abbreviations have a full stop.
    """
    return list(_sentences(text, primary(language) or "en"))


@_remembered
def _sentences(text: str, language: str) -> tuple[str, ...]:
    found = (part.strip(" \t\u3000*_#>") for line in text.splitlines() for part in _parts(line, language))
    return tuple(sentence for sentence in found if sentence)


def _parts(line: str, language: str) -> list[str]:
    try:
        return _segment(language, line)
    except UnicodeEncodeError:  # half a character, as a broken stream leaves it
        return [line]


@lru_cache(maxsize=512)  # the same sentences and instructions are compared again and again
def normal(text: str) -> str:
    """`text` as it is compared: compatibility form (NFKC), casefolded, without punctuation, markup and emoji."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    spoken = _NO_WORD.sub(" ", _UNSEEN.sub("", folded)).strip()
    return spoken if spoken.isascii() else _NEEDLESS_SPACE.sub("", spoken)


def unquoted(text: str) -> str:
    """`text` without what stands in quotation marks."""
    return _QUOTED.sub(" ", text)


def own_words(text: str) -> str:
    """`text` without what it quotes; all of it where most stands in quotation marks, as models like to set them
    around a whole turn."""
    rest = unquoted(text)
    return rest if rest == text or 2 * len(normal(rest)) >= len(normal(text)) else text
