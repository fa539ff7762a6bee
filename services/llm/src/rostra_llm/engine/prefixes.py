"""Which sequence begins with which tokens: a radix tree over all that is in memory. Pure.

A node is a run of tokens, a sequence is a path from the root. Sequences that begin alike share the runs of their
beginning. A prefix may end within a run; the run is split where two sequences part.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple


class Match(NamedTuple):
    """The longest prefix that is in memory: how many tokens, and all sequences that hold it."""

    tokens: int
    sequences: frozenset[int]


NO_MATCH = Match(0, frozenset())


@dataclass(eq=False, slots=True)
class _Run:
    """Tokens one after the other; all of `sequences` go through the whole of it."""

    tokens: list[int]
    parent: _Run | None
    children: dict[int, _Run] = field(default_factory=dict[int, "_Run"])  # by their first token
    sequences: set[int] = field(default_factory=set[int])


class Prefixes:
    """What the sequences hold."""

    def __init__(self) -> None:
        self._root = _Run([], None)
        self._ends: dict[int, _Run] = {}

    def __contains__(self, sequence: int) -> bool:
        return sequence in self._ends

    def tokens(self, sequence: int) -> list[int]:
        """What the sequence holds, from its first token."""
        return [token for run in reversed(list(self._path(sequence))) for token in run.tokens]

    def match(self, tokens: Sequence[int]) -> Match:
        """The longest prefix of `tokens` that some sequence holds; it may end within what that sequence holds."""
        run, done = self._root, 0
        while done < len(tokens) and (child := run.children.get(tokens[done])):
            length = common(child.tokens, tokens, done)
            run, done = child, done + length
            if length < len(child.tokens):
                break
        return Match(done, frozenset(run.sequences)) if done else NO_MATCH

    def hold(self, sequence: int, tokens: Sequence[int]) -> None:
        """The sequence holds these and no others from now on."""
        if sequence in self._ends:
            self.forget(sequence)
        run, done = self._root, 0
        while done < len(tokens):
            child = run.children.get(tokens[done])
            if child is None:
                child = _Run(list(tokens[done:]), run, sequences={sequence})
                run.children[tokens[done]] = child
                run = child
                break
            length = common(child.tokens, tokens, done)
            run = child if length == len(child.tokens) else self._split(child, length)
            run.sequences.add(sequence)
            done += length
        self._ends[sequence] = run

    def forget(self, sequence: int) -> None:
        """The sequence holds nothing any more; runs that are only its own go with it."""
        for run in list(self._path(sequence)):
            run.sequences.discard(sequence)
            if not run.sequences:
                assert run.parent
                del run.parent.children[run.tokens[0]]
        del self._ends[sequence]

    def held_by_others(self, sequence: int) -> bool:
        """Whether another sequence begins with all that this one holds."""
        end = self._ends[sequence]
        return end is self._root or end.sequences != {sequence}

    def covered_by(self, sequence: int) -> set[int]:
        """The other sequences that hold only what this one begins with."""
        path = set(map(id, self._path(sequence)))
        return {other for other, end in self._ends.items() if other != sequence and id(end) in path}

    @staticmethod
    def _split(run: _Run, at: int) -> _Run:
        """Makes two of a run; the first is new, so that who ends in the run ends in its second part."""
        parent = run.parent
        assert parent
        first = _Run(run.tokens[:at], parent, {run.tokens[at]: run}, set(run.sequences))
        parent.children[first.tokens[0]] = first
        run.tokens, run.parent = run.tokens[at:], first
        return first

    def _path(self, sequence: int) -> Iterator[_Run]:
        """The sequence's runs, the last one first."""
        run = self._ends[sequence]
        while run.parent:
            yield run
            run = run.parent


def common(run: Sequence[int], tokens: Sequence[int], start: int = 0) -> int:
    """How many tokens of the run stand in `tokens` from `start` on."""
    length = min(len(run), len(tokens) - start)
    if run[:length] == tokens[start : start + length]:
        return length
    return next(n for n in range(length) if run[n] != tokens[start + n])
