"""What a text is about: its content words, and how many of them another text has. Works without spaces."""

from __future__ import annotations

from collections.abc import Iterable

import regex

from rostra.measures.segments import normal
from rostra.measures.wording import function_words

_UNSPACED_RUN = regex.compile(r"[\p{Han}\p{Katakana}ー]+|[\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]+")
_HIRAGANA = regex.compile(r"\p{Hiragana}+")
_ARABIC_ARTICLE = regex.compile(r"^(?:[وفبك]?ال|لل)(?=\p{Arabic}{3})")
_STEM = 5


def terms(text: str) -> frozenset[str]:
    """The content terms: stems of the words that are no function words; where scripts put no spaces, pairs of
    characters (Nie, Gao, Zhang and Zhou 2000, "On the use of words and n-grams for Chinese information retrieval"),
    in Japanese of kanji and katakana alone, since hiragana is mostly grammar.

    A stem is a word's first five characters (McNamee, Nicholas and Mayfield 2009, "Addressing morphological variation
    in alphabetic languages", compare such truncation with grammar).
    """
    plain = normal(text)
    runs = _UNSPACED_RUN.findall(plain)
    spaced = _HIRAGANA.sub(" ", _UNSPACED_RUN.sub(" ", plain)).split()
    found = {_stem(word) for word in spaced if word not in function_words() and len(word) > 1}
    pairs = {run[i : i + 2] for run in runs for i in range(max(1, len(run) - 1))}
    return frozenset(found | (pairs - function_words()))


def _stem(word: str) -> str:
    return _ARABIC_ARTICLE.sub("", word)[:_STEM]


def coverage(wanted: frozenset[str], texts: Iterable[str]) -> float:
    """The share of the wanted terms that the texts have ("covered query term ratio" in Qin and Liu 2013, "Introducing
    LETOR 4.0 Datasets"); 1 where nothing is wanted."""
    had = frozenset[str]().union(*(terms(text) for text in texts))
    return len(wanted & had) / len(wanted) if wanted else 1.0
