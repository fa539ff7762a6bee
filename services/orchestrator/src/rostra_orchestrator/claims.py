"""What was claimed so far: of each turn its most telling sentence, in short. Pure, and the same in every language.

A claim is a sentence as it was said: nothing is put into anybody's mouth, and no model is asked for a summary. Of a
turn's sentences that is taken which has most that was new when it was said; questions, thanks and mere agreement are
none. A claim that says again what another one says is left out.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate, chain

import regex

from rostra.format import MODERATOR
from rostra.measures.repetition import Said, grams, is_substantial
from rostra.measures.segments import sentences
from rostra.measures.stance import agrees
from rostra_orchestrator.slots import Line

# The share of a claim's 5-grams that another one may have: the same point in other words has about a third.
_REPEATS = 0.5
# Columns of a fixed-width font, in which an ideograph takes two: about as much is said in as many in any script.
_LONGEST = 80
_SHORTEST_CLAUSE = 30
# A shorter sentence is worth less by as much: "Cars are bad." is all new, and says little.
_FULL_WORTH = 40
# Between two claims: a mark and a space.
_BETWEEN = 2

_QUESTION = regex.compile(r"[?？؟\u037e՞፧]|か[。．.」』）)]*$")
_CLAUSE_END = regex.compile(r"[,;:،؛](?=\s)|[、，；：—–…]")
_CHARACTER = regex.compile(r"\X")
_CLOSING = " \t.。．!！।॥…,;:、，；：-–—"


@dataclass(frozen=True, slots=True)
class Claim(Line):
    """What a debater holds, in their own words. `line` is the index of the line that it was said in, `fresh` the share
    of it that nobody had said before."""

    line: int
    fresh: float


def made(lines: Sequence[Line], language: str | None = None) -> list[Claim]:
    """The claims made in `lines`, one of a turn at the most, in order; no two say the same.

    A line's claim hangs on the lines before it alone, so a debate's lines are each read once, however often it is
    asked for.
    """
    course = _course(language, tuple(lines[:2]))
    if not course.begins(lines):
        course.forget()
    course.hear(lines)
    return [claim for claim in course.claims if claim.line < len(lines)]


@dataclass(slots=True)
class _Course:
    """What was read of a debate so far."""

    language: str | None
    lines: list[Line] = field(default_factory=list[Line])
    claims: list[Claim] = field(default_factory=list[Claim])
    said: set[str] = field(default_factory=set[str])  # its 5-grams
    claimed: Said = field(default_factory=Said)

    def begins(self, lines: Sequence[Line]) -> bool:
        """Whether the one goes on as the other does, as far as both go."""
        return all(mine == theirs for mine, theirs in zip(self.lines, lines, strict=False))

    def forget(self) -> None:
        self.lines, self.claims, self.said, self.claimed = [], [], set(), Said()

    def hear(self, lines: Sequence[Line]) -> None:
        for line in lines[len(self.lines) :]:
            if line.speaker != MODERATOR and (claim := self._telling(line)):
                self.claimed.add(claim.text)
                self.claims.append(claim)
            self.said |= grams(line.text)
            self.lines.append(line)

    def _telling(self, line: Line) -> Claim | None:
        """The most telling of a turn's sentences, unless all that could be one was claimed before."""
        told = [s for s in sentences(line.text, self.language) if not _QUESTION.search(s)]
        clauses = map(_in_short, told)
        found = [Claim(line.speaker, clause, len(self.lines), self._fresh(clause)) for clause in clauses]
        best = sorted(zip(found, told, strict=True), key=lambda pair: -_worth(pair[0]))
        return next((claim for claim, sentence in best if self._holds(claim, sentence)), None)

    def _fresh(self, clause: str) -> float:
        mine = grams(clause)
        return len(mine - self.said) / len(mine) if mine else 0.0

    def _holds(self, claim: Claim, sentence: str) -> bool:
        """Whether it says something, and something else than the claims before it."""
        says = is_substantial(sentence) and not agrees(sentence, self.language)
        return says and self.claimed.closest(claim.text).share < _REPEATS


@lru_cache(maxsize=8)
def _course(language: str | None, beginning: tuple[Line, ...]) -> _Course:
    return _Course(language)


def _worth(claim: Claim) -> float:
    return claim.fresh * min(1.0, _columns(claim.text) / _FULL_WORTH)


def _in_short(sentence: str) -> str:
    """The sentence up to its last clause that has room, or else its last word; marked where it was cut."""
    sentence = " ".join(sentence.split()).rstrip(_CLOSING)
    if _columns(sentence) <= _LONGEST:
        return sentence
    head = _head(sentence, _LONGEST - 1)
    ends = [
        match.start() for match in _CLAUSE_END.finditer(head) if _columns(head[: match.start()]) >= _SHORTEST_CLAUSE
    ]
    end = ends[-1] if ends else sentence[: len(head) + 1].rfind(" ")
    return head[: end if end > 0 else len(head)].rstrip(_CLOSING) + "…"


def _head(text: str, columns: int) -> str:
    """As much of `text` as has room, in whole characters as readers count them."""
    if text.isascii():
        return text[:columns]
    found = _CHARACTER.findall(text[: 4 * columns])
    used = accumulate(map(_columns, found))
    return "".join(character for character, until in zip(found, used, strict=True) if until <= columns)


def _columns(text: str) -> int:
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else unicodedata.category(c) != "Mn" for c in text)


def chosen(claims: Sequence[Claim], characters: int, label: Callable[[str], int]) -> list[Claim]:
    """The claims that have room in so many characters, in order; `label` tells how many a speaker's name takes.

    Whoever has least of the room gets the next claim in, so that all sides have their share of it: by turns their
    newest, which the debate is about, and their rarest, which nobody would come back to if it were lost.
    """
    waiting = {speaker: _ranked([c for c in claims if c.speaker == speaker]) for speaker in _speakers(claims)}
    spent = dict.fromkeys(waiting, 0)
    kept: list[Claim] = []
    while any(waiting.values()):
        speaker = min(filter(waiting.get, waiting), key=lambda each: spent[each])
        claim = waiting[speaker].pop(0)
        spent[speaker] += len(claim.text) + _BETWEEN + (0 if spent[speaker] else label(speaker))
        if sum(spent.values()) > characters:
            break
        kept.append(claim)
    return sorted(kept, key=lambda claim: claim.line)


def _speakers(claims: Sequence[Claim]) -> list[str]:
    return list(dict.fromkeys(claim.speaker for claim in claims))


def _ranked(claims: Sequence[Claim]) -> list[Claim]:
    newest = sorted(claims, key=lambda claim: -claim.line)
    rarest = sorted(claims, key=lambda claim: (-claim.fresh, -claim.line))
    return list(dict.fromkeys(chain.from_iterable(zip(newest, rarest, strict=True))))
