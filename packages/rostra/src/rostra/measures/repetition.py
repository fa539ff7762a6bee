"""How much a text repeats: itself, and what was said before it."""

from __future__ import annotations

import math
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

from rostra.measures.segments import is_spaced, normal, own_words, sentences, unquoted, words, written_words

# A turn that has half of its 5-grams in one earlier turn repeats it; a sentence, with four fifths.
REPEATS = 0.5
REPEATED_SENTENCE = 0.8
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Likeness:
    """Which earlier turn contains most of a text: its index, the share of the text, and whether it was the same
    speaker's. `index` is None where no turn has any of it."""

    index: int | None = None
    share: float = 0.0
    own: bool = False


@lru_cache(maxsize=128)
def grams(text: str, n: int = 5) -> frozenset[str]:
    """The character n-grams of `normal(text)`; of a text shorter than that, the text itself.

    Characters rather than words, so that they work in scripts without spaces (McNamee and Mayfield 2004,
    "Character N-Gram Tokenization for European Language Text Retrieval").
    """
    plain = normal(text)
    if len(plain) <= n:
        return frozenset({plain} - {""})
    return frozenset({plain[i : i + n] for i in range(len(plain) - n + 1)})  # a third faster than from a generator


def containment(new: str | frozenset[str], old: str | frozenset[str]) -> float:
    """The share of `new` that is in `old`: |new ∩ old| / |new|, of n-grams (Broder 1997, "On the resemblance and
    containment of documents"). Unlike a resemblance it does not fall when a long turn swallows a short one."""
    mine, theirs = _as_grams(new), _as_grams(old)
    return len(mine & theirs) / len(mine) if mine else 0.0


def _as_grams(text: str | frozenset[str]) -> frozenset[str]:
    return grams(text) if isinstance(text, str) else text


class Said:
    """What was said so far, to be asked how much of a text is in it.

    Each gram knows the turns that have it, so that a text costs its own grams and their places, not all turns
    (an inverted index; Zobel and Moffat 2006). A turn with just the grams of an earlier one takes no more room.
    """

    def __init__(self) -> None:
        self._speakers: list[str] = []
        self._turns_with: dict[str, list[int]] = {}
        self._grams_of: dict[int, frozenset[str]] = {}
        self._known: set[frozenset[str]] = set()

    def __len__(self) -> int:
        return len(self._speakers)

    def add(self, text: str, speaker: str = "") -> None:
        """The next turn, which gets the next index, from 0."""
        index, mine = len(self._speakers), grams(text)
        self._speakers.append(speaker)
        if mine in self._known:
            return
        self._known.add(mine)
        self._grams_of[index] = mine
        for gram in mine:
            self._turns_with.setdefault(gram, []).append(index)

    def closest(self, text: str, speaker: str = "", at_least: float = 0.0) -> Likeness:
        """The earlier turn that contains most of `text`; of equals, the first. None that has a smaller share of it
        than `at_least`: the greater that is, the less there is to count."""
        mine = grams(text)
        found = min(self._counted(mine, at_least), key=lambda each: (-each[1], each[0]), default=None)
        if found is None:
            return Likeness()
        index, most = found
        return Likeness(index, most / len(mine), bool(speaker) and self._speakers[index] == speaker)

    def _counted(self, mine: frozenset[str], at_least: float) -> Iterator[tuple[int, int]]:
        """The turns that have the share `at_least` of these grams, each with how many it has.

        No turn has, where all together have not; that settles most of what is new. Then the half of `enough` grams that
        come most often are counted only in turns that have the other half: three quarters of all places are those of
        grams like " the " (prefix filtering; Chaudhuri, Ganti and Kaushik 2006).
        """
        enough = math.ceil(at_least * len(mine) - _ROUNDING)
        if len(mine) - len(mine.difference(self._turns_with)) < enough:
            return
        places = sorted(filter(None, map(self._turns_with.get, mine)), key=len)
        often = enough // 2
        seldom = Counter(chain.from_iterable(places[: len(places) - often]))
        for index, count in seldom.items():
            if count >= enough - often:
                whole = len(mine & self._grams_of[index]) if often else count
                if whole >= enough:
                    yield index, whole

    def repeated_sentences(self, text: str, language: str | None = None) -> list[str]:
        """The sentences of `text` that an earlier turn has almost word for word, as `sentences` cuts them.

        Quotations, and sentences too short to be anybody's (`I disagree.`), are passed over.
        """
        quotes = own_words(text) != text
        own = ((each, unquoted(each) if quotes else each) for each in sentences(text, language))
        return [each for each, words_ in own if self._has(grams(words_)) and is_substantial(words_)]

    def _has(self, mine: frozenset[str]) -> bool:
        """Whether one turn has a sentence's grams."""
        return any(self._counted(mine, REPEATED_SENTENCE))

    def fresh(self, text: str) -> float:
        """The share of the text's grams that no earlier turn has; 1 for an empty text."""
        mine = grams(text)
        return len(mine.difference(self._turns_with)) / len(mine) if mine else 1.0


def is_substantial(sentence: str) -> bool:
    """Whether it is long enough for a repetition to mean something: 4 words, or 8 characters without spaces."""
    length = len(written_words(sentence))
    return length >= 8 or (length >= 4 and is_spaced(sentence))


def seq_rep(words: Sequence[str], n: int = 4) -> float:
    """The share of a text's word n-grams that it had before: 1 - unique / all (Welleck et al. 2019, "Neural Text
    Generation with Unlikelihood Training": seq-rep-n). 0 where there is no n-gram."""
    found = _ngrams(words, n)
    return 1 - len(set(found)) / len(found) if found else 0.0


def distinct(words: Sequence[str], n: int = 1) -> float:
    """The share of different word n-grams (Li et al. 2016, "A Diversity-Promoting Objective Function for Neural
    Conversation Models": distinct-n), here of all n-grams, so that 1 means that none comes twice."""
    found = _ngrams(words, n)
    return len(set(found)) / len(found) if found else 1.0


def _ngrams(words: Sequence[str], n: int) -> list[tuple[str, ...]]:
    return list(zip(*(words[i:] for i in range(n)), strict=False))


def compression_ratio(text: str) -> float:
    """Bytes over compressed bytes (Shaib et al. 2024, "Standardizing the Measurement of Text Diversity"), here
    by zlib; the more a text repeats, the higher. Of texts of the same length and script only: long texts and
    scripts of three bytes a character compress better by themselves. 1 for an empty text."""
    data = text.encode(errors="replace")
    return len(data) / len(zlib.compress(data, 9)) if data else 1.0


def loops(text: str) -> bool:
    """Whether a turn goes round in circles in itself: a sentence comes three times, or two fifths of its word
    4-grams came before (ordinary prose has well under a tenth; Welleck et al. 2019)."""
    told = words(text)
    again = Counter(normal(sentence) for sentence in sentences(text))
    again.pop("", None)
    return (len(told) >= _ENOUGH_TO_LOOP and seq_rep(told) >= _LOOPS) or max(again.values(), default=0) >= 3


_ENOUGH_TO_LOOP = 10  # words
_LOOPS = 0.4


def first_collapse(shares: Sequence[float], share: float = REPEATS, turns: int = 3) -> int | None:
    """The index of the first of `turns` turns in a row that each repeat `share` or more of one earlier turn.

    `shares` are the turns' greatest containments. One turn that repeats is an echo; three in a row are no debate.
    """
    run = 0
    for index, each in enumerate(shares):
        run = run + 1 if each >= share else 0
        if run == turns:
            return index - turns + 1
    return None
