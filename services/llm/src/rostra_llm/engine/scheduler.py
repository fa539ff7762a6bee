"""What goes into the next batch, and which prefix a request begins with. Pure: `engine.loop` does what it decides.

A *slot* is a sequence of the KV cache, which generates for one request at a time and afterwards keeps what it read.
llama.cpp computes slots that are neighbours together, so the busy ones are kept at the front. What a slot held before
it serves another conversation is saved to the *shelf*, in ordinary memory, and loaded from there when that
conversation goes on."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from rostra_llm.engine.prefixes import Match, Prefixes, common
from rostra_llm.work import Work

# Fewer tokens are read again sooner than they are saved and loaded.
WORTH_KEEPING = 32
# A request waits for another that reads the same beginning, if that spares it so many tokens.
WORTH_WAITING = 64
# Seconds for which a slot counts as busy after an answer: a debate's next turn follows at once.
RECENT = 2.0
# Seconds after its last use for which a prefix with a key is kept before those without.
PINNED = 600.0


@dataclass(frozen=True, slots=True)
class Save:
    """What the slot holds before the position `end` is put on the shelf."""

    slot: int
    entry: int
    end: int


@dataclass(frozen=True, slots=True)
class Drop:
    """The shelf forgets the entry."""

    entry: int


@dataclass(frozen=True, slots=True)
class Load:
    """The slot holds what stands on the shelf, instead of what it held."""

    entry: int
    slot: int


@dataclass(frozen=True, slots=True)
class Copy:
    """The slot holds what another holds, instead of what it held."""

    source: int
    slot: int


@dataclass(frozen=True, slots=True)
class Cut:
    """The slot keeps what stands before the position `end`."""

    slot: int
    end: int


@dataclass(frozen=True, slots=True)
class Skip:
    """What stands in the slot from the position `begin` to before `end` goes; what comes behind keeps its place."""

    slot: int
    begin: int
    end: int


Move = Save | Drop | Load | Copy | Cut | Skip


@dataclass(eq=False, slots=True)
class Slot:
    """`held` is what its sequence holds, and `places` at which positions; the first `prompt` of them were somebody's
    prompt; `chosen` comes next."""

    index: int
    held: list[int] = field(default_factory=list[int])
    places: list[int] = field(default_factory=list[int])
    prompt: int = 0
    key: str | None = None
    used: float = float("-inf")
    work: Work | None = None
    reused: int = 0
    chosen: int | None = None

    @property
    def end(self) -> int:
        """The position behind all that is held."""
        return self.places[-1] + 1 if self.places else 0

    @property
    def unread(self) -> int:
        """How many tokens of the prompt are not read yet."""
        return max(0, len(self.work.tokens) - len(self.held)) if self.work else 0


@dataclass(frozen=True, slots=True)
class Entry:
    """A prefix on the shelf."""

    places: list[int]
    prompt: int
    key: str | None
    used: float

    @property
    def tokens(self) -> int:
        return len(self.places)


@dataclass(frozen=True, slots=True)
class Admitted:
    """A request that begins in a slot, once the moves are made."""

    slot: Slot
    moves: list[Move]


@dataclass(frozen=True, slots=True)
class Row:
    """Tokens of one slot for the next batch; `chooses` if a token follows them."""

    slot: Slot
    tokens: list[int]
    chooses: bool

    @property
    def position(self) -> int:
        return self.slot.end


class Scheduler:
    """`slots` requests at once; `chunk` is how many tokens of prompts one batch reads, `shelf` how many tokens it
    keeps.

    In `exact` mode a batch holds one request only, and each of its chunks begins where it always begins: what is
    computed for a request then depends on nothing but the request.

    Runs of `run` tokens and more that come behind the common prefix in both the new prompt and what was held are
    reused, too: a turn, once the cue that it was spoken behind is gone. They keep their positions, so that a gap
    stands before them; no position reaches `reach`. 0 reuses none."""

    def __init__(
        self, slots: int, chunk: int, shelf: int, *, exact: bool = False, run: int = 0, reach: int = 1 << 30
    ) -> None:
        self.slots = [Slot(index) for index in range(1 if exact else slots)]
        self.waiting: OrderedDict[int, Work] = OrderedDict()
        self.entries: dict[int, Entry] = {}
        self._prefixes = Prefixes()
        self._chunk = chunk
        self._shelf = shelf
        self._exact = exact
        self._run = 0 if exact else run
        self._reach = reach
        self._next_entry = slots

    # ── what comes in ───────────────────────────────────────────────────────────────────────────────────

    def submit(self, work: Work) -> None:
        self.waiting[work.id] = work

    def cancel(self, id: int, now: float) -> None:
        """Forgets the request, wherever it stands; one that is unknown has ended already."""
        self.waiting.pop(id, None)
        for slot in self.running():
            if slot.work and slot.work.id == id:
                self.end(slot, now)

    def running(self) -> list[Slot]:
        return [slot for slot in self.slots if slot.work]

    @property
    def idle(self) -> bool:
        return not self.waiting and not self.running()

    # ── who begins ──────────────────────────────────────────────────────────────────────────────────────

    def admit(self, now: float) -> list[Admitted]:
        """Requests that begin now, the first come first; one that could share what another is reading waits."""
        admitted: list[Admitted] = []
        if not self.waiting or all(slot.work for slot in self.slots):
            return admitted
        self._note_what_is_read()
        for work in list(self.waiting.values()):
            if all(slot.work for slot in self.slots):
                break
            match = self._match(work)
            if self._is_being_read(work, match.tokens):
                continue
            del self.waiting[work.id]
            admitted.append(self._begin(work, match, now))
        return admitted

    def _match(self, work: Work) -> Match:
        """The longest prefix in memory, but for the last token: that one is read to choose the next."""
        match = self._prefixes.match(work.tokens[:-1]) if work.reuse else Match(0, frozenset())
        return match._replace(tokens=match.tokens // self._chunk * self._chunk) if self._exact else match

    def _note_what_is_read(self) -> None:
        for slot in self.running():
            self._prefixes.hold(slot.index, slot.held)

    def _is_being_read(self, work: Work, known: int) -> bool:
        return work.reuse and any(
            slot.work and slot.unread and common(slot.work.tokens, work.tokens) >= known + WORTH_WAITING
            for slot in self.slots
        )

    def _begin(self, work: Work, match: Match, now: float) -> Admitted:
        slot, moves = self._placed(match, now)
        moves += self._kept(slot, self._runs(slot, work, match.tokens))
        known = len(slot.held)
        slot.work, slot.key, slot.used = work, work.key, now
        slot.prompt, slot.reused, slot.chosen = len(work.tokens), known, None
        self._prefixes.hold(slot.index, slot.held)
        return Admitted(slot, moves)

    def _placed(self, match: Match, now: float) -> tuple[Slot, list[Move]]:
        """The slot to generate in, and how the prefix gets there. What the slot holds beyond it may be lost then."""
        free = [slot for slot in self.slots if not slot.work]
        busy = sum(1 for slot in self.slots if slot.work or now - slot.used < RECENT)
        for slot in free:
            if slot.index in match.sequences and slot.index <= busy and _is_mostly(match, slot.prompt):
                return slot, []
        slot = free[0]
        moves = self._saved(slot, match, now)
        if slot.index in match.sequences or not match.tokens:
            return slot, moves
        return slot, moves + self._fetched(slot, match)

    def _fetched(self, slot: Slot, match: Match) -> list[Move]:
        """Copied from another slot, else loaded from the shelf; what it goes on from does not stay there, too."""
        sources = [other for other in self.slots if other.index in match.sequences]
        if sources:
            slot.held, slot.places = list(sources[0].held), list(sources[0].places)
            return [Copy(sources[0].index, slot.index)]
        number = min(match.sequences, key=lambda number: self.entries[number].tokens)
        slot.held, slot.places = self._prefixes.tokens(number), list(self.entries[number].places)
        moves: list[Move] = [Load(number, slot.index)]
        if _is_mostly(match, self.entries[number].prompt):
            moves.append(self._drop(number))
        return moves

    def _runs(self, slot: Slot, work: Work, known: int) -> list[range]:
        """The parts of what the slot holds that the prompt begins with, put one behind the other."""
        prefix = range(known)
        for runs in ([prefix, *self._later_runs(slot, work, known)], [prefix]):
            end = slot.places[runs[-1].stop - 1] + 1 if known else 0
            if end + len(work.tokens) - sum(map(len, runs)) + work.most <= self._reach:
                return runs
        return [range(0)]

    def _later_runs(self, slot: Slot, work: Work, known: int) -> Iterator[range]:
        """Behind the prefix. The last token of the prompt is not among them: it is read to choose the next."""
        at, to, last = known, known, len(work.tokens) - 1
        while self._run and work.reuse and known and at < len(slot.held) and to < last:
            length = common(slot.held[at:], work.tokens[:last], to) if slot.held[at] == work.tokens[to] else 0
            if length >= self._run:
                yield range(at, at + length)
                to += length
            at += length if length >= self._run else 1

    @staticmethod
    def _kept(slot: Slot, runs: list[range]) -> list[Move]:
        """Of what the slot holds, these parts only."""
        moves: list[Move] = [
            Skip(slot.index, slot.places[before.stop], slot.places[after.start])
            for before, after in pairwise(runs)
            if before.stop < after.start
        ]
        end = runs[-1].stop
        moves.append(Cut(slot.index, slot.places[end] if end < len(slot.places) else slot.end))
        slot.held = [slot.held[n] for run in runs for n in run]
        slot.places = [slot.places[n] for run in runs for n in run]
        return moves

    # ── the shelf ───────────────────────────────────────────────────────────────────────────────────────

    def _saved(self, slot: Slot, match: Match, now: float) -> list[Move]:
        """Puts what the slot holds on the shelf, if it is worth it and there is room beside the match."""
        size = len(slot.held)
        if size < WORTH_KEEPING or self._prefixes.held_by_others(slot.index):
            return []
        given_up = self._given_up(slot, match, now)
        if given_up is None:
            return []
        moves = [self._drop(number) for number in given_up]
        number, self._next_entry = self._next_entry, self._next_entry + 1
        self.entries[number] = Entry(list(slot.places), slot.prompt, slot.key, slot.used)
        self._prefixes.hold(number, slot.held)
        return [*moves, Save(slot.index, number, slot.end)]

    def _given_up(self, slot: Slot, match: Match, now: float) -> list[int] | None:
        """The entries to drop for what the slot holds: those it covers, then the least worth; None: there is no
        room."""
        given_up = sorted(self._prefixes.covered_by(slot.index) & self.entries.keys())
        others = sorted(self.entries.keys() - match.sequences - set(given_up), key=self._worth(now))
        kept = self.kept_tokens - sum(self.entries[number].tokens for number in given_up)
        while kept + len(slot.held) > self._shelf:
            if not others:
                return None
            given_up.append(others.pop(0))
            kept -= self.entries[given_up[-1]].tokens
        return given_up

    def _worth(self, now: float) -> Callable[[int], tuple[bool, float]]:
        def worth(number: int) -> tuple[bool, float]:
            entry = self.entries[number]
            return entry.key is not None and now - entry.used < PINNED, entry.used

        return worth

    def _drop(self, number: int) -> Move:
        del self.entries[number]
        self._prefixes.forget(number)
        return Drop(number)

    @property
    def kept_tokens(self) -> int:
        return sum(entry.tokens for entry in self.entries.values())

    # ── what is computed next ───────────────────────────────────────────────────────────────────────────

    def batch(self) -> list[Row]:
        """Rows in the slots' order: of each answer its latest token, of prompts a chunk in all."""
        shares = self._shares([slot for slot in self.slots if slot.unread])
        rows: list[Row] = []
        for slot in self.running():
            assert slot.work
            if slot.chosen is not None:
                rows.append(Row(slot, [slot.chosen], chooses=True))
            elif share := shares.get(slot.index):
                tokens = slot.work.tokens[len(slot.held) : len(slot.held) + share]
                rows.append(Row(slot, tokens, chooses=share == slot.unread))
        return rows

    def _shares(self, reading: list[Slot]) -> dict[int, int]:
        """Short prompts come first, so that they don't wait for a long one, which is given a quarter all the same."""
        if not reading:
            return {}
        oldest = min(reading, key=lambda slot: slot.used)
        shares = {oldest.index: min(oldest.unread, max(1, self._chunk // 4))}
        left = self._chunk - shares[oldest.index]
        for slot in sorted(reading, key=lambda slot: slot.unread):
            more = min(slot.unread - shares.get(slot.index, 0), left)
            if more:
                shares[slot.index] = shares.get(slot.index, 0) + more
                left -= more
        return shares

    def computed(self, rows: Iterable[Row]) -> None:
        """The rows' tokens are held now."""
        for row in rows:
            row.slot.places += range(row.slot.end, row.slot.end + len(row.tokens))
            row.slot.held += row.tokens

    def end(self, slot: Slot, now: float) -> None:
        """The slot's request is done; what it read and wrote is kept for the next."""
        if self._exact:  # only what was read in whole chunks can be had again in the same shape
            whole = min(slot.prompt, len(slot.held)) // self._chunk * self._chunk
            del slot.held[whole:], slot.places[whole:]
        slot.prompt = min(slot.prompt, len(slot.held))
        slot.work, slot.chosen, slot.used = None, None, now
        self._prefixes.hold(slot.index, slot.held)

    def lost(self, slot: Slot) -> None:
        """The slot's sequence could not be kept: its request begins anew."""
        slot.held, slot.places, slot.reused = [], [], 0
        self._prefixes.hold(slot.index, [])


def _is_mostly(match: Match, prompt: int) -> bool:
    """Whether the match is the greater part of a prompt, so that hardly anything is lost with the rest."""
    return 2 * match.tokens >= prompt
