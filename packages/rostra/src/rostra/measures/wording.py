"""The phrases by which debaters agree, thank, give in and take sides: one file a language in phrases/."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from functools import cache, lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable

import regex

from rostra.models import Stored


class Wording(Stored):
    """A language's phrases: regular expressions, for text in lower case.

    `{x}` stands for what somebody is for or against, `{name}` for a debater.
    """

    agreement: tuple[str, ...]  # with the other side as a whole
    assent: tuple[str, ...]  # to a point: "I agree that …"
    thanks: tuple[str, ...]  # and other politeness
    concession: tuple[str, ...]
    but: tuple[str, ...]  # takes back what stands before it
    although: tuple[str, ...]  # takes back what stands behind it in the sentence
    reason: tuple[str, ...]
    favours: tuple[str, ...]
    opposes: tuple[str, ...]
    motion: str  # what the motion is called
    for_: tuple[str, ...]  # in a stance
    against: tuple[str, ...]
    of_itself: tuple[str, ...]  # how debaters speak of one another
    first_person: tuple[str, ...]  # before one's own name
    function_words: str
    probe: str
    answers: tuple[str, str]  # for, against


@cache
def wording(language: str) -> Wording:
    """The phrases of a language in `languages()`."""
    data = tomllib.loads((_folder() / f"{language}.toml").read_text(encoding="utf-8"))
    return Wording.model_validate(data)


@cache
def languages() -> tuple[str, ...]:
    """The languages that have phrases."""
    return tuple(sorted(e.name.removesuffix(".toml") for e in _folder().iterdir() if e.name.endswith(".toml")))


@lru_cache(maxsize=2048)  # some hold a debate's own words
def pattern(phrase: str) -> regex.Pattern[str]:
    return regex.compile(phrase)


def any_of(phrases: Sequence[str]) -> str:
    return "|".join(f"(?:{phrase})" for phrase in phrases) or r"(?!)"


@cache
def function_words() -> frozenset[str]:
    """Words of all languages that say nothing of a subject."""
    return frozenset[str]().union(*map(_function_words, languages()))


@cache
def telltale_words(language: str) -> frozenset[str]:
    """The function words of a language that no other has which is known here: not `la`, which is French and Spanish.
    None of a language that has no file."""
    if language not in languages():
        return frozenset()
    return _function_words(language).difference(*(_function_words(each) for each in languages() if each != language))


def _function_words(language: str) -> frozenset[str]:
    return frozenset(wording(language).function_words.split())


def _folder() -> Traversable:
    return files("rostra.measures") / "phrases"
