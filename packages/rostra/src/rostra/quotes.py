"""Whether a quote stands in what was said. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import regex

from rostra.measures.segments import clusters, is_spaced

# Fewer characters prove nothing: "the" stands everywhere. Scripts without spaces say more in each.
SHORTEST = 12
SHORTEST_UNSPACED = 6

_QUOTE_MARKS = regex.compile(r"[\p{Quotation_Mark}`´]")
_UNSPACED = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}ー、。，！？：；]"
_NEEDLESS_SPACE = regex.compile(rf"(?<={_UNSPACED}) | (?={_UNSPACED})")
_UNSEEN = regex.compile(r"\p{Cf}")
# How models mark that more was said, before or behind.
_ENDS = " .…,;:!?。、，！？"


@dataclass(frozen=True, slots=True)
class Found:
    """A turn in which a quote stands."""

    seq: int
    speaker: str


@dataclass(frozen=True, slots=True)
class Said:
    """What a quote may be of."""

    seq: int
    speaker: str
    text: str


def found(quote: str, turns: Sequence[Said]) -> Found | str:
    """The first turn that `quote` stands in word for word, or in a few words why it proves nothing.

    Compared in compatibility form (NFKC), without case, quotation marks and what nobody sees; each stretch of white
    space is one space. A quote shorter than `SHORTEST` counts where it is a whole turn.
    """
    wanted = folded(quote).strip(_ENDS)
    if not wanted:
        return "empty"
    if len(clusters(wanted)) < (SHORTEST if is_spaced(wanted) else SHORTEST_UNSPACED):
        whole = next((turn for turn in turns if folded(turn.text).strip(_ENDS) == wanted), None)
        return Found(whole.seq, whole.speaker) if whole else "too short"
    place = next((turn for turn in turns if wanted in folded(turn.text)), None)
    return Found(place.seq, place.speaker) if place else "not in the transcript"


def folded(text: str) -> str:
    """`text` as quotes are compared."""
    plain = _UNSEEN.sub("", unicodedata.normalize("NFKC", text)).casefold()
    return _NEEDLESS_SPACE.sub("", " ".join(_QUOTE_MARKS.sub("", plain).split()))
