"""Whether a turn stands for something: only agrees, or gives its own side up.

Phrases tell the plain cases, and err towards silence. For the others there is a probe: a question to a model, answered
by one of two words, whose probabilities say where the turn leans.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import regex

from rostra.fields import primary
from rostra.measures.language import detected
from rostra.measures.repetition import is_substantial
from rostra.measures.segments import has_words, own_words, sentences
from rostra.measures.wording import Wording, any_of, languages, pattern, wording


def agrees(text: str, language: str | None = None) -> bool:
    """Whether it is nothing but agreement, thanks and politeness: each sentence of any length is one of them, and
    none brings a but or a reason."""
    read_as = _read_as(language, text)
    told = [sentence for sentence in _told(text, language) if has_words(sentence)]
    if read_as is None or not told:
        return False
    words = wording(read_as)
    kind = (*words.agreement, *words.assent, *words.thanks, *words.concession)
    if any(not _find(kind, sentence) and is_substantial(sentence) for sentence in told):
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
    read_as = _read_as(language, text)
    if read_as is None:
        return None
    words, told = wording(read_as), _told(text, language)
    if found := _declared(told, _declarations(read_as, stance, motion, tuple(opposing))):
        return found
    has_ally = bool(stance) and any(_plain(other) == _plain(stance) for other in opposing)
    phrases = words.concession if has_ally else (*words.concession, *words.agreement)
    return _not_taken_back(words, told, phrases)


def _plain(text: str) -> str:
    composed = unicodedata.normalize("NFKC", text).replace("’", "'").lower()
    return " ".join(composed.split())


@lru_cache(maxsize=64)  # two checks read the same attempt
def _told(text: str, language: str | None) -> tuple[str, ...]:
    """The sentences in one case, without what they quote."""
    return tuple(_plain(sentence) for sentence in sentences(own_words(text), language))


def _read_as(language: str | None, text: str) -> str | None:
    """The language with whose phrases `text` is to be read; None where it has none.

    `language` is a BCP 47 tag; without one it is found out.
    """
    guess = None if language else detected(text)
    tag = primary(language) or (guess.language if guess else None)
    return tag if tag in languages() else None


def _find(phrases: Sequence[str], sentence: str) -> regex.Match[str] | None:
    """The first of the phrases there. Each is looked for by itself, in half the time of an alternation of them: most
    have a word that cannot be missing, for which regex looks first."""
    found = (match for each in phrases if (match := pattern(each).search(sentence)))
    return min(found, key=lambda match: match.start(), default=None)


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
    about = regex.sub(any_of((*words.against, *words.for_)), " ", plain)
    about = _ARTICLE.sub("", about.strip(" .,。、"))
    whole = _plain(motion).rstrip(" .!。")
    if not about or about == whole or regex.fullmatch(words.motion, about):
        return _Side(sign, f"(?:{words.motion}{'|' + regex.escape(whole) if whole else ''})")
    return _Side(sign, regex.escape(about))


@lru_cache(maxsize=64)  # they are a debate's
def _declarations(language: str, stance: str, motion: str, opposing: tuple[str, ...]) -> tuple[str, ...]:
    """The phrases that declare for another side than `stance`; none where its own words do not tell it."""
    words = wording(language)
    own = _side(words, stance, motion)
    if not own.sign:
        return ()
    theirs = (_side(words, other, motion) for other in opposing)
    foreign = dict.fromkeys((own.other, *(side for side in theirs if side.sign and side != own)))
    return tuple(phrase for side in foreign for phrase in _phrases_for(words, side))


def _phrases_for(words: Wording, side: _Side) -> Iterator[str]:
    phrases = words.favours if side.sign > 0 else words.opposes
    return (phrase.replace("{x}", side.about) for phrase in phrases)


def _declared(told: Sequence[str], phrases: Sequence[str]) -> str | None:
    found = (_find(phrases, sentence) for sentence in told if not sentence.endswith(("?", "؟")))
    return next((match.group().strip() for match in found if match), None)


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
