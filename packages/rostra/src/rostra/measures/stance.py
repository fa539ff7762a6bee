"""Whether a turn stands for something: only agrees, or gives its own side up.

Phrases tell the plain cases, and err towards silence. For the others there is a probe: a question to a model, answered
by one of two words, whose probabilities say where the turn leans.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import regex

from rostra.measures.repetition import is_substantial
from rostra.measures.segments import has_words, own_words, primary, sentences
from rostra.measures.wording import Wording, languages, pattern, wording, wording_for


def agrees(text: str, language: str | None = None) -> bool:
    """Whether it is nothing but agreement, thanks and politeness: each sentence of any length is one of them, and
    none brings a but or a reason."""
    words = wording_for(language, text)
    told = [sentence for sentence in _told(text, language) if has_words(sentence)]
    if words is None or not told:
        return False
    kind = (*words.agreement, *words.assent, *words.thanks, *words.concession)
    if any(is_substantial(sentence) and not _find(kind, sentence) for sentence in told):
        return False
    polite = any(_find(kind, sentence) for sentence in told)
    return polite and not any(_find((*words.but, *words.reason), sentence) for sentence in told)


def gives_up(
    text: str, language: str | None = None, stance: str = "", motion: str = "", opposing: Sequence[str] = ()
) -> str | None:
    """The words with which a turn leaves its own side; None where it keeps it.

    It takes the other side ("I am against the motion", said for it), says that it was convinced, or agrees with the
    other side without taking that back by a but. "I agree that costs matter" alone concedes a point, not the side.
    `opposing` are the stances of the others: agreeing is allowed where one of them shares this stance.
    """
    words = wording_for(language, text)
    if words is None:
        return None
    told = _told(text, language)
    if found := _other_side(words, told, stance, motion, opposing):
        return found
    has_ally = bool(stance) and any(_plain(other) == _plain(stance) for other in opposing)
    phrases = words.concession if has_ally else (*words.concession, *words.agreement)
    return _not_taken_back(words, told, phrases)


def _plain(text: str) -> str:
    composed = unicodedata.normalize("NFKC", text).replace("’", "'").lower()
    return " ".join(composed.split())


def _told(text: str, language: str | None) -> list[str]:
    """The sentences in one case, without what they quote."""
    return [_plain(sentence) for sentence in sentences(own_words(text), language)]


def _find(phrases: Sequence[str], sentence: str) -> regex.Match[str] | None:
    return pattern(phrases).search(sentence)


def _not_taken_back(words: Wording, told: Sequence[str], phrases: Sequence[str]) -> str | None:
    for at, sentence in enumerate(told):
        found = None if sentence.endswith(("?", "؟")) else _find(phrases, sentence)
        if found is None or _find(words.although, sentence[: found.start()]):
            continue
        behind = " ".join([sentence[found.end() :], *told[at + 1 :]])
        if not _find(words.but, behind):
            return found.group().strip()
    return None


_ARTICLE = regex.compile(r"^(?:the|this|den|die|das|la|le|el|l')\s+")


class _Side(NamedTuple):
    """What a stance is for (1) or against (-1); 0 where its words do not tell."""

    sign: int
    about: str  # a pattern

    @property
    def other(self) -> _Side:
        return _Side(-self.sign, self.about)


def _side(words: Wording, stance: str, motion: str) -> _Side:
    plain = _plain(stance)
    sign = -1 if _find(words.against, plain) else 1 if _find(words.for_, plain) else 0
    about = pattern((*words.against, *words.for_)).sub(" ", plain)
    about = _ARTICLE.sub("", about.strip(" .,。、"))
    whole = _plain(motion).rstrip(" .!。")
    if not about or about == whole or regex.fullmatch(words.motion, about):
        return _Side(sign, f"(?:{words.motion}{'|' + regex.escape(whole) if whole else ''})")
    return _Side(sign, regex.escape(about))


def _other_side(words: Wording, told: Sequence[str], stance: str, motion: str, opposing: Sequence[str]) -> str | None:
    own = _side(words, stance, motion)
    if not own.sign:
        return None
    theirs = (_side(words, other, motion) for other in opposing)
    foreign = {own.other, *(side for side in theirs if side.sign and side != own)}
    declared = (found for side in foreign for found in _declared(words, told, side))
    return next(declared, None)


def _declared(words: Wording, told: Sequence[str], side: _Side) -> Iterator[str]:
    phrases = words.favours if side.sign > 0 else words.opposes
    filled = tuple(phrase.replace("{x}", side.about) for phrase in phrases)
    for sentence in told:
        if not sentence.endswith(("?", "؟")) and (found := _find(filled, sentence)):
            yield found.group().strip()


# ── The probe ───────────────────────────────────────────────────────────────────────────────────────────


def probe(motion: str, turn: str, language: str | None = None) -> str:
    """A question whose answer is one of two words; `leaning` reads the answer's first token."""
    return _asked(language).probe.strip("\n").format(motion=" ".join(motion.split()), turn=" ".join(turn.split()))


def leaning(top_logprobs: Mapping[str, float], language: str | None = None) -> float | None:
    """The probability that the turn is for the motion, among the two answers; None where the tokens hold neither.

    `top_logprobs` are the likeliest first tokens of the answer with their natural logarithms. A token counts for the
    answer that it begins, or that it begins with (Zhao et al. 2021, "Calibrate Before Use", normalise likewise).
    """
    favour, against = (_mass(top_logprobs, each, other) for each, other in _both_ways(_asked(language).answers))
    return favour / (favour + against) if favour + against else None


def _asked(language: str | None) -> Wording:
    tag = primary(language)
    return wording(tag if tag in languages() else "en")


def _both_ways(answers: tuple[str, str]) -> tuple[tuple[str, str], tuple[str, str]]:
    return answers, (answers[1], answers[0])


def _mass(top_logprobs: Mapping[str, float], answer: str, other: str) -> float:
    tokens = ((token.strip(" ▁Ġ\n\"'*「").lower(), logprob) for token, logprob in top_logprobs.items())
    return sum(math.exp(logprob) for token, logprob in tokens if _begins(token, answer) and not _begins(token, other))


def _begins(token: str, answer: str) -> bool:
    return bool(token) and (answer.startswith(token) or token.startswith(answer))
