"""The figures of a debate, turn by turn and as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from statistics import fmean
from typing import Literal

from pydantic import Field

from rostra.agenda import agenda
from rostra.events import SCRIPTED, SKIPPED, TurnTaken
from rostra.fields import Stored
from rostra.lengths import longest
from rostra.measures import language, speech, stance
from rostra.measures.persona import kept, markers
from rostra.measures.repetition import REPEATS, Said, compression_ratio, distinct, first_collapse, loops, seq_rep
from rostra.measures.segments import graphemes, words
from rostra.measures.terms import coverage, terms
from rostra.models import Debate, Debater

Flag = Literal[
    "empty",  # nothing is said
    "cut_off",  # breaks off within a sentence
    "over_limit",  # of characters
    "wrong_language",
    "repeating",  # half of it stands in one earlier turn, its speaker's or another's
    "looping",  # repeats itself
    "speaking_for_others",
    "addressing_itself",
    "leaking",  # shows the template or a persona's text
    "agreeing",  # and nothing else
    "giving_up",  # its own side
]


class TurnMeasures(Stored):
    """What can be said of one turn by its words and those before it."""

    seq: int
    characters: int = Field(description="As readers count them: grapheme clusters.")
    words: int = Field(description="In scripts without spaces, characters.")
    flags: tuple[Flag, ...] = Field(description="What is wrong with it.")
    details: tuple[str, ...] = Field(description="The words that led to a flag, where there are some.")
    language: str | None = Field(description="The language that it is probably in; null where that cannot be told.")
    containment: float = Field(description="The share of its character 5-grams that one earlier turn has.")
    closest: int | None = Field(description="`seq` of that turn; null where no turn has any of it.")
    fresh: float = Field(description="The share of its character 5-grams that no earlier turn has.")
    repeated_sentences: int = Field(description="How many of its sentences an earlier turn has almost word for word.")
    relevance: float = Field(description="The share of the motion's content words that it has.")
    seq_rep_4: float = Field(description="The share of its word 4-grams that it had before.")
    distinct_1: float = Field(description="Different words over words.")
    distinct_2: float = Field(description="Different pairs of words over pairs.")
    compression_ratio: float = Field(description="Bytes over compressed bytes.")


class Shares(Stored):
    """The share of turns with each flag, from 0 to 1."""

    empty: float
    cut_off: float
    over_limit: float
    wrong_language: float
    repeating: float
    looping: float
    speaking_for_others: float
    addressing_itself: float
    leaking: float
    agreeing: float
    giving_up: float


class Means(Stored):
    """The turns' means."""

    characters: float
    containment: float
    fresh: float
    relevance: float
    seq_rep_4: float
    distinct_1: float
    distinct_2: float
    compression_ratio: float


class PersonaMeasures(Stored):
    """How much of a debater's persona and stance its turns mention."""

    debater: str  # the name
    kept: float = Field(description="The share of the content words of persona and stance that its turns have.")


class DebateMeasures(Stored):
    """The figures of a debate."""

    turns: tuple[TurnMeasures, ...]
    shares: Shares
    means: Means
    first_collapse: int | None = Field(
        description="`seq` of the first of three turns in a row that have half of their 5-grams in one earlier turn."
    )
    compression_ratio: float = Field(description="Bytes over compressed bytes of all turns together.")
    personas: tuple[PersonaMeasures, ...]


def measure(debate: Debate, turns: Sequence[TurnTaken]) -> DebateMeasures:
    """The figures of what debaters said so far; with no turns, shares and means are 0. What a moderator or the audience
    said, what was said by a script, and turns that were skipped are not measured.

    Formulas and sources stand with the functions that are called here; a turn costs about 3 ms.
    """
    debaters = {debater.id for debater in debate.debaters}
    turns = [turn for turn in turns if turn.debater in debaters and turn.finish_reason not in {SCRIPTED, SKIPPED}]
    measured = tuple(_all_measured(debate, turns))
    collapse = first_collapse([turn.containment for turn in measured])
    return DebateMeasures(
        turns=measured,
        shares=Shares(**{flag: _mean(float(flag in turn.flags) for turn in measured) for flag in Shares.model_fields}),
        means=Means(**{name: _mean(getattr(turn, name) for turn in measured) for name in Means.model_fields}),
        first_collapse=None if collapse is None else measured[collapse].seq,
        compression_ratio=compression_ratio("\n".join(turn.text for turn in turns)),
        personas=tuple(_personas(debate, turns)),
    )


def _mean(figures: Iterable[float]) -> float:
    return round(fmean(told), 4) if (told := list(figures)) else 0.0


def _all_measured(debate: Debate, turns: Sequence[TurnTaken]) -> Iterator[TurnMeasures]:
    said, subject, slots = Said(), terms(debate.motion), agenda(debate)
    for at, turn in enumerate(turns):
        slot = slots[turn.seq - 1] if turn.seq <= len(slots) else None
        most = longest(debate, slot).characters if slot else debate.turn.max_characters
        yield _measured(debate, turn, said, subject, turns[:at], most)
        said.add(turn.text, turn.debater)


def _measured(
    debate: Debate,
    turn: TurnTaken,
    said: Said,
    subject: frozenset[str],
    before: Sequence[TurnTaken],
    most: int | None,
) -> TurnMeasures:
    text, told = turn.text, words(turn.text)
    closest, guess = said.closest(text, turn.debater), language.detected(text, debate.language)
    found = dict(_found(debate, turn, closest.share, most))
    return TurnMeasures(
        seq=turn.seq,
        characters=graphemes(text),
        words=len(told),
        flags=tuple(found),
        details=tuple(detail for detail in found.values() if detail),
        language=guess.language if guess else None,
        containment=round(closest.share, 4),
        closest=None if closest.index is None else before[closest.index].seq,
        fresh=round(said.fresh(text), 4),
        repeated_sentences=len(said.repeated_sentences(text, debate.language)),
        relevance=round(coverage(subject, [text]), 4),
        seq_rep_4=round(seq_rep(told), 4),
        distinct_1=round(distinct(told, 1), 4),
        distinct_2=round(distinct(told, 2), 4),
        compression_ratio=round(compression_ratio(text), 4),
    )


def _found(debate: Debate, turn: TurnTaken, containment: float, most: int | None) -> Iterator[tuple[Flag, str]]:
    """What is wrong with a turn, each with the words that show it. An empty turn has nothing else wrong."""
    if speech.is_empty(turn.text):
        yield "empty", ""
        return
    yield from _form(debate, turn, most)
    yield from _repetition(turn, containment)
    yield from _voice(debate, turn)
    yield from _standing(debate, turn)


def _form(debate: Debate, turn: TurnTaken, most: int | None) -> Iterator[tuple[Flag, str]]:
    if speech.is_cut_off(turn.text, turn.finish_reason, debate.language) or _was_cut(turn):
        yield "cut_off", ""
    if most is not None and speech.over_limit(turn.text, most):
        yield "over_limit", ""
    if debate.language and not language.speaks(turn.text, debate.language):
        yield "wrong_language", ""


def _was_cut(turn: TurnTaken) -> bool:
    """Rostra shortened it within a sentence."""
    return turn.shortened and turn.text.endswith("…")


def _repetition(turn: TurnTaken, containment: float) -> Iterator[tuple[Flag, str]]:
    if containment >= REPEATS:
        yield "repeating", ""
    if loops(turn.text):
        yield "looping", ""


def _voice(debate: Debate, turn: TurnTaken) -> Iterator[tuple[Flag, str]]:
    debater = debate.debater(turn.debater)
    if name := speech.speaks_for(turn.text, [other.name for other in _others(debate, debater)]):
        yield "speaking_for_others", name
    if speech.addresses_itself(turn.text, debater.name):
        yield "addressing_itself", debater.name
    if shown := speech.leaks(turn.text, [each.persona for each in debate.debaters if each.persona]):
        yield "leaking", shown


def _standing(debate: Debate, turn: TurnTaken) -> Iterator[tuple[Flag, str]]:
    debater = debate.debater(turn.debater)
    opposing = [other.stance for other in _others(debate, debater) if other.stance]
    if stance.agrees(turn.text, debate.language):
        yield "agreeing", ""
    if given := stance.gives_up(turn.text, debate.language, debater.stance, debate.motion, opposing):
        yield "giving_up", given


def _others(debate: Debate, debater: Debater) -> list[Debater]:
    """Those who do not stand with the debater."""
    return [
        other for other in debate.debaters if other.id != debater.id and not (other.team and other.team == debater.team)
    ]


def _personas(debate: Debate, turns: Sequence[TurnTaken]) -> Iterator[PersonaMeasures]:
    for debater in debate.debaters:
        known_by = markers(debater.persona, debater.stance)
        spoken = [turn.text for turn in turns if turn.debater == debater.id]
        if known_by and spoken:
            yield PersonaMeasures(debater=debater.name, kept=round(kept(known_by, spoken), 4))
