"""What of a long debate still fits into the model's context.

Always kept: the rules (with the motion), the opening, and each debater's first turn, shortened where they would
take more than half of the room. Of the rest the newest turns are kept whole, if one alone is not too long, and
the oldest left out. The cut moves in steps: when the transcript outgrows its room, it is cut to half, and then
grows again; so the shared prefix stays the same for many turns, and so does a model server's cache of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from rostra_orchestrator.prompt import MODERATOR, Line
from rostra_orchestrator.text import shortened

# The template's own tokens around each message, and the tokenizer's differences where texts are joined.
MARGIN_TOKENS = 96
_KEPT_AFTER_A_CUT = 0.5
_KEPT_ALWAYS = 0.5
# Fewer tokens of a line tell nothing.
_SHORTEST = 12


class TooLong(Exception):
    """The context has no room for what must be in every prompt."""


def fitted(lines: Sequence[Line], sizes: Sequence[int], room: int) -> list[Line | None]:
    """The lines that fit into `room` tokens, in order; None stands where lines were left out.

    `sizes` holds the tokens of each line. Depends on nothing but its arguments: the cut that an earlier turn
    made is found again by walking through the turns as they came.

    Raises:
        TooLong: what is always kept does not fit, however short.
    """
    if not lines:
        return []
    kept = _always_kept(lines)
    lines, sizes = _shortened(lines, sizes, kept, room)
    start = _cut(sizes, kept, room - sum(sizes[i] for i in kept))
    shown = [i for i in range(len(lines)) if i in kept or i >= start]
    if sum(sizes[i] for i in shown) > room:
        raise TooLong
    return _with_gap(lines, shown)


def _always_kept(lines: Sequence[Line]) -> set[int]:
    first: dict[str, int] = {}
    for i, line in enumerate(lines):
        first.setdefault(line.speaker, i)
    return set(first.values()) | {i for i, line in enumerate(lines) if line.speaker == MODERATOR}


def _shortened(lines: Sequence[Line], sizes: Sequence[int], kept: set[int], room: int) -> tuple[list[Line], list[int]]:
    """No line longer than it may be: one that is always kept than its share, any other than what is left."""
    share = room
    if sum(sizes[i] for i in kept) > room * _KEPT_ALWAYS:
        share = max(_SHORTEST, int(room * _KEPT_ALWAYS / len(kept)))
    left = max(_SHORTEST, room - sum(min(sizes[i], share) for i in kept))
    pairs = [_within(line, sizes[i], share if i in kept else left) for i, line in enumerate(lines)]
    return [line for line, _ in pairs], [size for _, size in pairs]


def _within(line: Line, size: int, limit: int) -> tuple[Line, int]:
    """The line in about `limit` tokens, taken to be as many as its characters say."""
    if size <= limit:
        return line, size
    return Line(line.speaker, shortened(line.text, max(1, len(line.text) * limit // size))), limit


def _cut(sizes: Sequence[int], kept: set[int], room: int) -> int:
    """The first line, besides those always kept, that is shown."""
    free = [0 if i in kept else size for i, size in enumerate(sizes)]
    until = [0, *accumulate(free)]  # tokens before each line
    start = 0
    for end in range(1, len(sizes) + 1):
        if until[end] - until[start] <= room:
            continue
        target = room * _KEPT_AFTER_A_CUT
        while start < end - 1 and until[end] - until[start] > target:
            start += 1
    return start


def _with_gap(lines: Sequence[Line], shown: Sequence[int]) -> list[Line | None]:
    result: list[Line | None] = []
    before = -1
    for i in shown:
        if i != before + 1:
            result.append(None)
        result.append(lines[i])
        before = i
    return result
