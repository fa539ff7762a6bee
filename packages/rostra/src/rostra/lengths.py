"""How long a slot's turn may be: what people say in its minutes, in characters and tokens."""

from __future__ import annotations

import math
from typing import NamedTuple

from rostra.agenda import Slot, agenda, turns_planned
from rostra.fields import primary
from rostra.models import Debate

UNTIMED_TOKENS = 300
MAX_TOKENS = 8192
_LEAST_CHARACTERS = 60
# Characters that stand for a word, its space included, in speech of the same length: 350 characters of Japanese and 260
# of Chinese are read out in the minute in which 150 words of English are (NHK's announcers speak 300 to 350).
_CHARACTERS = {"ja": 2.3, "zh": 1.7, "ko": 2.2, "th": 5.0, "de": 6.8, "fi": 8.0}
_CHARACTERS_OF_A_WORD = 6.0
# Tokens a character at the most, with tokenizers that were not made for the language.
_TOKENS = {"ja": 1.3, "zh": 1.5, "ko": 1.3, "th": 1.3}
_TOKENS_OF_A_CHARACTER = 0.4
_LEAST_TOKENS = 48


class Length(NamedTuple):
    """The most that a turn may have; `characters` None: as many as its tokens make."""

    characters: int | None
    tokens: int


def longest(debate: Debate, slot: Slot) -> Length:
    """Of the turn in this slot."""
    characters = _characters(debate, slot.minutes)
    if slot.minutes is None or characters is None:
        return Length(characters, debate.turn.max_tokens or UNTIMED_TOKENS)
    enough = math.ceil(characters * _TOKENS.get(_language(debate), _TOKENS_OF_A_CHARACTER)) + _LEAST_TOKENS
    return Length(characters, min(enough, debate.turn.max_tokens or MAX_TOKENS))


def tokens_of_all(debate: Debate) -> int:
    """What all turns of the debate come to at most, without writing out what is only repeated."""
    if any(phase.minutes or phase.slots for phase in debate.format.phases):
        return sum(longest(debate, slot).tokens for slot in agenda(debate))
    return turns_planned(debate) * (debate.turn.max_tokens or UNTIMED_TOKENS)


def _characters(debate: Debate, minutes: float | None) -> int | None:
    most = debate.turn.max_characters
    if minutes is None:
        return most
    if most is None:
        a_word = _CHARACTERS.get(_language(debate), _CHARACTERS_OF_A_WORD)
        return max(_LEAST_CHARACTERS, round(minutes * debate.turn.words_per_minute * a_word))
    return min(most, max(_LEAST_CHARACTERS, round(most * minutes / _longest_minutes(debate))))


def _language(debate: Debate) -> str:
    return primary(debate.language) or "en"


def _longest_minutes(debate: Debate) -> float:
    """Of a speech; of any slot where the format has no speeches. An exchange has its minutes for many turns."""
    slots = [speech for phase in debate.format.phases for speech in phase.slots]
    speeches = [speech.minutes for speech in slots if speech.kind == "speech"]
    free = [phase.minutes for phase in debate.format.phases if phase.minutes]
    return max([*speeches, *free] or [speech.minutes for speech in slots])
