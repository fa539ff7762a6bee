"""What becomes of a model's raw words: the label taken off, the length kept. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

# Ends of sentences in the scripts people debate in, with closing quotes and brackets behind them.
_SENTENCE_END = re.compile(r"(?:[.!?…](?=[\s\"'”’»)\]]|$)|[。！？．؟۔।॥])[\"'”’»」』）)\]]*")
_MARKUP = r"[*_\"“「\s]*"


def without_label(text: str, names: Sequence[str]) -> str:
    """`text` without the speaker's name before it, which models like to repeat from the transcript."""
    alternatives = "|".join(re.escape(name) for name in names)
    return re.sub(rf"^{_MARKUP}(?:{alternatives}){_MARKUP}[:：]{_MARKUP}", "", text.lstrip(), count=1)


def until_another_speaks(text: str, others: Sequence[str]) -> str:
    """`text` up to the line on which the model goes on as somebody else."""
    alternatives = "|".join(re.escape(name) for name in others)
    found = re.search(rf"^{_MARKUP}(?:{alternatives}){_MARKUP}[:：]", text, flags=re.MULTILINE)
    return text[: found.start()] if found else text


def length(text: str) -> int:
    """Characters after composition (NFC), so that an accent written apart does not count twice."""
    return len(unicodedata.normalize("NFC", text))


def shortened(text: str, characters: int) -> str:
    """`text` in at most `characters`: cut behind a sentence if one ends in there, else behind a word."""
    text = unicodedata.normalize("NFC", text).strip()
    if len(text) <= characters:
        return text
    if whole := whole_sentences(text[:characters], following=text[characters]):
        return whole
    head = text[: characters - 1]
    at_word = re.match(r"(.+)\s\S*$", head, flags=re.DOTALL)
    return (at_word.group(1) if at_word and len(at_word.group(1)) > len(head) // 2 else head).rstrip() + "…"


def whole_sentences(text: str, *, following: str = " ") -> str:
    """`text` up to the end of its last whole sentence; empty where no sentence ends.

    `following` is the character behind `text`, where it was cut: "3" and ".5" is not the end of a sentence.
    """
    ends = [m.end() for m in _SENTENCE_END.finditer(text + following) if m.end() <= len(text)]
    return text[: ends[-1]].rstrip() if ends else ""
