"""What becomes of a model's raw words: the label taken off, the length kept. Pure.

Characters are those that readers count (grapheme clusters), sentences those of the debate's language.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache

import regex

from rostra.fields import primary
from rostra.measures.segments import graphemes, sentences

_MARKUP = r"[*_\"“「\s]*"
# Ends of sentences in all scripts, with the quotes and brackets that close behind them.
_ENDS = regex.compile(r"[\p{Sentence_Terminal}…][\p{Pe}\p{Pf}\"'*_\s]*$")
_CHARACTER = regex.compile(r"\X")


def without_label(text: str, names: Sequence[str]) -> str:
    """`text` without the speaker's name before it, which models like to repeat from the transcript."""
    return _label(tuple(names), begins=True).sub("", text.lstrip(), count=1)


def until_another_speaks(text: str, others: Sequence[str]) -> str:
    """`text` up to the line on which the model goes on as somebody else."""
    found = _label(tuple(others), begins=False).search(text)
    return text[: found.start()] if found else text


@lru_cache(maxsize=64)
def _label(names: tuple[str, ...], *, begins: bool) -> regex.Pattern[str]:
    """A label at the text's beginning, with the markup behind it, or else on any line."""
    alternatives = "|".join(regex.escape(name) for name in names)
    label = rf"^{_MARKUP}(?:{alternatives}){_MARKUP}[:：]"
    return regex.compile(label + _MARKUP) if begins else regex.compile(label, flags=regex.MULTILINE)


def length(text: str) -> int:
    """Characters as a reader counts them."""
    return graphemes(text)


def shortened(text: str, characters: int, language: str | None = None) -> str:
    """`text` in at most so many characters: cut behind a sentence if one ends in there, else behind a word."""
    text = unicodedata.normalize("NFC", text).strip()
    if length(text) <= characters:
        return text
    return within(text, characters, language) or _behind_a_word(text, characters)


def within(text: str, characters: int, language: str | None = None) -> str:
    """The whole sentences at the beginning of `text` that have room in so many characters; perhaps none."""
    kept = ""
    for end in _sentence_ends(text, language):
        if length(text[:end].rstrip()) > characters:
            break
        kept = text[:end].rstrip()
    return kept


def whole_sentences(text: str, language: str | None = None) -> str:
    """`text` up to the end of its last whole sentence; empty where no sentence ends."""
    return within(text, len(text), language)


def without(text: str, dropped: Sequence[str], language: str | None = None) -> str:
    """`text` without these of its sentences."""
    kept = (sentence for sentence in sentences(text, language) if sentence not in dropped)
    return _between(language).join(kept)


def _sentence_ends(text: str, language: str | None) -> list[int]:
    """Where its sentences end; the last one only if it does."""
    ends: list[int] = []
    at = 0
    for sentence in sentences(text, language):
        at = text.index(sentence, at) + len(sentence)
        if _ENDS.search(sentence):
            ends.append(at)
    return ends


def _behind_a_word(text: str, characters: int) -> str:
    head = "".join(_CHARACTER.findall(text)[: characters - 1])
    at_word = regex.match(r"(.+)\s\S*$", head, flags=regex.DOTALL)
    return (at_word.group(1) if at_word and len(at_word.group(1)) > len(head) // 2 else head).rstrip() + "…"


def _between(language: str | None) -> str:
    return "" if primary(language) in {"ja", "zh"} else " "
