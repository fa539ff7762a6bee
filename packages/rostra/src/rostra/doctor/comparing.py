"""When two texts of a model are the same one, or begin as one."""

from __future__ import annotations

# A text that is begun by chance as another one is seldom the same for so many characters.
_CHARACTERS = 8


def alike(one: str, other: str) -> bool:
    """Whether they are the same for at least their first half: a server that computes several answers at once rounds
    differently, and after some words that may tip the scales."""
    if one == other:
        return True
    same = _common(one, other)
    return same >= _CHARACTERS and same * 2 >= min(len(one), len(other))


def _common(one: str, other: str) -> int:
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def repetitive(text: str) -> bool:
    """Whether a word comes three times: what a penalty would change."""
    words = text.lower().replace(",", " ").split()
    return any(words.count(word) >= 3 for word in words)
