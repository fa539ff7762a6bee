"""Whether a debater stays who it is: the words that make a persona recognisable, and how many of them it uses."""

from __future__ import annotations

from collections.abc import Iterable

from rostra.measures.terms import coverage, terms


def markers(persona: str, stance: str = "") -> frozenset[str]:
    """The content terms of a persona and its stance."""
    return terms(persona) | terms(stance)


def kept(markers: frozenset[str], texts: Iterable[str]) -> float:
    """The share of the markers that come up in a debater's turns, from 0 to 1; 1 for a debater without a persona.

    Persona coverage (Song et al. 2019, "Exploiting Persona Information for Diverse Generation of Conversational
    Responses"), unweighted. To compare with, not to judge by: a terse programmer need not say "terse".
    """
    return coverage(markers, texts)
