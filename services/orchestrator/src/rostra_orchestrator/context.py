"""What of a long debate still fits into the model's context.

Always kept: the rules (with the motion), the opening, and each debater's first turn, shortened where together they
would take more than half of the room. Of the rest the newest turns are kept whole, if one alone is not too long, and
the oldest left out; a record of the claims made in them stands in their place. The cut moves in steps: when the
transcript outgrows its room, it is cut to half, and then grows again; so the shared prefix, the record in it, stays the
same for many turns, and so does a model server's cache of it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

from rostra.format import MODERATOR
from rostra.models import Debate
from rostra_orchestrator import claims, prompt
from rostra_orchestrator.slots import Line
from rostra_orchestrator.text import shortened

# The template's own tokens around each message, and the tokenizer's differences where texts are joined.
MARGIN_TOKENS = 96
_KEPT_AFTER_A_CUT = 0.5
_KEPT_ALWAYS = 0.5
# What the record of claims may take: of the room for the transcript, and of what the first turns leave of it. With a
# third of that, six debaters saw 3.5 newest turns rather than 5.7, for 6 claims of 190.
_RECORD = 0.2
_RECORD_OF_REST = 0.25
# Fewer tokens of a line tell nothing.
_SHORTEST = 12
# What is tried where a record of so many characters has more tokens than it may.
_SHARES = (1.0, 0.8, 0.6, 0.4)

Count = Callable[[str], Awaitable[int]]


class TooLong(Exception):
    """The context has no room for what must be in every prompt."""


@dataclass(frozen=True, slots=True)
class Fit:
    """What is shown: lines of the `beginning`, `record` tokens for those left out after them, and the `newest` lines.
    No line may have more tokens than its one of the `limits`."""

    beginning: Sequence[int]
    left_out: Sequence[int]
    newest: Sequence[int]
    limits: Sequence[int]
    record: int


async def shown(debate: Debate, lines: Sequence[Line], room: int, count: Count) -> list[str]:
    """The prompt's lines, in `room` tokens as `count` counts them, a line's end included.

    Raises:
        TooLong: what is always kept does not fit, however short.
    """
    whole = prompt.said(debate, lines)
    sizes = [await count(said) + 1 for said in whole]
    fit = fitted(lines, sizes, await label_sizes(debate, count), room)
    gap = [await _record(debate, lines, sizes, fit, count)] if fit.left_out else []
    for i in (*fit.beginning, *fit.newest):
        if sizes[i] > fit.limits[i]:
            whole[i] = await _within(debate, lines[i], sizes[i], fit.limits[i], count)
    return [*(whole[i] for i in fit.beginning), *gap, *(whole[i] for i in fit.newest)]


async def label_sizes(debate: Debate, count: Count) -> dict[str, int]:
    """The tokens of an empty line of each speaker's."""
    helpers = [MODERATOR] if debate.opening or debate.has_helpers else []
    speakers = [*helpers, *(d.id for d in debate.debaters)]
    return {s: await count(prompt.said(debate, [Line(s, "")])[0]) + 1 for s in speakers}


def least_room(labels: Mapping[str, int]) -> int:
    """The tokens in which a debate can be held, however long it gets: a few words of each speaker's first line and of
    the newest ones, and a quarter of those for what stands in place of the others."""
    least = [label + _SHORTEST for label in labels.values()]
    return sum(least) + 3 * max(least)


# ── what is shown ───────────────────────────────────────────────────────────────────────────────────────


def fitted(lines: Sequence[Line], sizes: Sequence[int], labels: Mapping[str, int], room: int) -> Fit:
    """What of the lines fits into `room` tokens. `sizes` holds the tokens of each line, `labels` those of its label.

    Depends on nothing but its arguments: the cut that an earlier turn made is found again by walking through the
    turns as they came.

    Raises:
        TooLong: what is always kept does not fit, however short.
    """
    label = [labels.get(line.speaker, 0) for line in lines]
    kept = _longest_kept(sizes, label, _always_kept(lines), room)
    left = room - sum(min(sizes[i], most) for i, most in kept.items())
    free = [0 if i in kept else size for i, size in enumerate(sizes)]
    if sum(free) <= left:
        return Fit([], [], range(len(lines)), [kept.get(i, size) for i, size in enumerate(sizes)], 0)
    record = int(min(room * _RECORD, left * _RECORD_OF_REST))
    limits = [kept.get(i, max(label[i] + _SHORTEST, (left - record) // 2)) for i in range(len(lines))]
    limited = [min(size, most) for size, most in zip(free, limits, strict=True)]
    start = _cut(free, limited, left, left - record)
    if sum(limited[start:]) > left - record:
        raise TooLong
    left_out = [i for i in range(start) if i not in kept]
    return Fit([i for i in range(start) if i in kept], left_out, range(start, len(lines)), limits, record)


def _always_kept(lines: Sequence[Line]) -> list[int]:
    """The first line of each speaker."""
    first: dict[str, int] = {}
    for i, line in enumerate(lines):
        first.setdefault(line.speaker, i)
    return list(first.values())


def _longest_kept(sizes: Sequence[int], label: Sequence[int], kept: Sequence[int], room: int) -> dict[int, int]:
    """The most tokens that each line which is always kept may have."""
    level = _level([sizes[i] - label[i] for i in kept], int(room * _KEPT_ALWAYS) - sum(label[i] for i in kept))
    return {i: label[i] + level for i in kept}


def _level(sizes: Sequence[int], total: int) -> int:
    """The most that each may have for all of them to have `total`: only the longest are shortened."""
    left = total
    for shorter, size in enumerate(sorted(sizes)):
        if size * (len(sizes) - shorter) > left:
            return max(_SHORTEST, left // (len(sizes) - shorter))
        left -= size
    return max(sizes, default=0)


def _cut(whole: Sequence[int], limited: Sequence[int], room: int, capacity: int) -> int:
    """The first line, besides those always kept, that is shown.

    The first cut is made where the whole lines outgrow the `room` that there is without a record; after it lines are
    as long as they may be beside one, and have `capacity` tokens.
    """
    first = next(end for end, tokens in enumerate(accumulate(whole), 1) if tokens > room)
    until = [0, *accumulate(limited)]  # tokens before each line
    start = 0
    for end in range(first, len(limited) + 1):
        if end > first and until[end] - until[start] <= capacity:
            continue
        while start < end - 1 and until[end] - until[start] > capacity * _KEPT_AFTER_A_CUT:
            start += 1
    return start


# ── in as many tokens as it may have ────────────────────────────────────────────────────────────────────


async def _within(debate: Debate, line: Line, size: int, limit: int, count: Count) -> str:
    """The prompt's line in at most `limit` of its `size` tokens; where it was cut, a mark says so.

    How many characters that are is found by trying: as many as its share of the tokens says, then fewer.
    """
    characters, said = len(line.text), ""
    while size > limit:
        characters = characters * limit // size
        if not characters:
            raise TooLong
        (said,) = prompt.said(debate, [Line(line.speaker, _marked(line.text, characters, debate.language))])
        size = await count(said) + 1
    return said


@lru_cache(maxsize=256)  # the same lines are asked for turn after turn
def _marked(text: str, characters: int, language: str | None) -> str:
    """Shortened; a debater who answers it must see that there was more of it."""
    short = shortened(text, characters, language)
    return short if short.endswith("…") else f"{short} …"


async def _record(debate: Debate, lines: Sequence[Line], sizes: Sequence[int], fit: Fit, count: Count) -> str:
    """The line that stands for those left out: the claims made in them.

    It hangs on them and on what stands before them alone, so that it stays as it is until the cut moves.
    """
    left_out = set(fit.left_out)
    found = [c for c in claims.made(lines[: max(left_out) + 1], debate.language) if c.line in left_out]
    characters = fit.record * sum(len(lines[i].text) for i in left_out) // sum(sizes[i] for i in left_out)
    for share in _SHARES:
        chosen = claims.chosen(found, int(characters * share), lambda speaker: len(prompt.label(debate, speaker)) + 2)
        record = prompt.record(debate, chosen)
        if chosen and await count(record) < fit.record:
            return record
    return prompt.left_out(debate)
