"""Who is generated for when, and what need not be read again: the decisions, without a model."""

from __future__ import annotations

import random
from collections.abc import Sequence
from zlib import crc32

import pytest

from rostra_llm.engine.prefixes import common
from rostra_llm.engine.scheduler import WORTH_WAITING, Admitted, Copy, Cut, Drop, Load, Row, Save, Scheduler, Skip
from rostra_llm.work import Work


class Machine:
    """Does with lists what an engine does with the KV cache, and checks that it is what the scheduler believes."""

    def __init__(self, scheduler: Scheduler) -> None:
        self.scheduler = scheduler
        self.now = 0.0
        self.cells: dict[int, dict[int, int]] = {slot.index: {} for slot in scheduler.slots}  # by position
        self.shelf: dict[int, dict[int, int]] = {}
        self.evaluated = 0
        self.saves = 0
        self.ids = 0
        self.reach = 1 << 30

    def ask(self, tokens: Sequence[int], *, most: int = 3, key: str | None = None, reuse: bool = True) -> int:
        self.ids += 1
        self.scheduler.submit(Work(self.ids, list(tokens), most=most, key=key, reuse=reuse))
        return self.ids

    def step(self) -> list[Row]:
        self.now += 0.01
        for admitted in self.scheduler.admit(self.now):
            self.begin(admitted)
        rows = self.scheduler.batch()
        for row in rows:
            assert row.position == max(self.cells[row.slot.index], default=-1) + 1
            self.cells[row.slot.index].update(enumerate(row.tokens, row.position))
        self.evaluated += sum(len(row.tokens) for row in rows if row.slot.chosen is None)
        self.scheduler.computed(rows)
        for row in rows:
            if row.chooses:
                self.choose(row)
        return rows

    def begin(self, admitted: Admitted) -> None:
        for move in admitted.moves:
            match move:
                case Save(slot, entry, end):
                    self.saves += 1
                    self.shelf[entry] = {place: t for place, t in self.cells[slot].items() if place < end}
                case Drop(entry):
                    del self.shelf[entry]
                case Load(entry, slot):
                    self.cells[slot] = dict(self.shelf[entry])
                case Copy(source, slot):
                    self.cells[slot] = dict(self.cells[source])
                case Skip(slot, begin, end):
                    assert begin < end
                    self.cells[slot] = {p: t for p, t in self.cells[slot].items() if not begin <= p < end}
                case Cut(slot, end):
                    self.cells[slot] = {place: t for place, t in self.cells[slot].items() if place < end}
        assert admitted.slot.work
        assert self.held(admitted.slot.index) == admitted.slot.work.tokens[: admitted.slot.reused]

    def choose(self, row: Row) -> None:
        work = row.slot.work
        assert work
        held = self.held(row.slot.index)
        assert max(self.cells[row.slot.index]) < self.reach
        assert held[: len(work.tokens)] == work.tokens
        if len(held) + 1 - len(work.tokens) >= work.most:
            self.scheduler.end(row.slot, self.now)
        else:
            row.slot.chosen = 7_000_000 + len(held)

    def held(self, slot: int) -> list[int]:
        """The sequence's tokens in the order of their positions."""
        return [token for _, token in sorted(self.cells[slot].items())]

    def run(self) -> None:
        for _ in range(10_000):
            if self.scheduler.idle:
                return
            self.step()
        pytest.fail("some requests never end")

    def read(self, tokens: Sequence[int], **options: object) -> int:
        """Serves one request; how many tokens of it were evaluated."""
        before = self.evaluated
        self.ask(tokens, **options)  # pyright: ignore[reportArgumentType]  as `ask` takes them
        self.run()
        return self.evaluated - before


def a_machine(
    slots: int = 4, chunk: int = 64, shelf: int = 10_000, *, exact: bool = False, run: int = 0, reach: int = 1 << 30
) -> Machine:
    machine = Machine(Scheduler(slots, chunk, shelf, exact=exact, run=run, reach=reach))
    machine.reach = reach
    return machine


def words(name: str, count: int) -> list[int]:
    """As many tokens, which no other name has."""
    return [crc32(name.encode()) * 1000 + n for n in range(count)]


def test_a_prompt_that_grew_is_read_from_where_it_grew() -> None:
    machine = a_machine()
    assert machine.read(words("debate", 200)) == 200
    assert machine.read(words("debate", 260)) == 60


def test_a_prompt_that_was_read_before_costs_its_last_token() -> None:
    machine = a_machine()
    machine.read(words("debate", 200))
    assert machine.read(words("debate", 200)) == 1


def test_a_prefix_that_ends_within_what_was_read_is_used() -> None:
    machine = a_machine()
    machine.read(words("shared", 100) + words("cue of one", 20))
    assert machine.read(words("shared", 100) + words("cue of another", 20)) == 20


def test_a_small_match_does_not_destroy_what_another_conversation_needs() -> None:
    machine = a_machine(slots=1)
    machine.read(words("template", 10) + words("persona of Ada", 200))
    machine.read(words("template", 10) + words("persona of Bob", 200))
    assert machine.saves == 1
    assert machine.read(words("template", 10) + words("persona of Ada", 230)) == 30
    assert machine.read(words("template", 10) + words("persona of Bob", 230)) == 30


def test_more_conversations_than_slots_keep_their_prefixes() -> None:
    machine = a_machine(slots=2)
    for debate in range(8):
        assert machine.read(words(f"debate {debate}", 200)) == 200
    for debate in range(8):
        assert machine.read(words(f"debate {debate}", 240)) == 40


def test_the_shelf_keeps_to_its_size_and_forgets_the_oldest() -> None:
    machine = a_machine(slots=1, shelf=500)
    for debate in range(6):
        machine.read(words(f"debate {debate}", 200))
        assert sum(map(len, machine.shelf.values())) <= 500
        assert machine.scheduler.kept_tokens == sum(map(len, machine.shelf.values()))
    assert machine.read(words("debate 4", 200)) == 1
    assert machine.read(words("debate 0", 200)) == 200


def test_a_running_debate_is_kept_before_a_passing_chat() -> None:
    machine = a_machine(slots=1, shelf=500)
    machine.read(words("debate", 200), key="debate")
    for chat in range(5):
        machine.read(words(f"chat {chat}", 200))
    assert machine.read(words("debate", 210), key="debate") == 10


def test_a_key_does_not_hold_memory_for_ever() -> None:
    machine = a_machine(slots=1, shelf=300)
    machine.read(words("debate", 200), key="debate")
    machine.read(words("chat", 200))
    machine.now += 3600
    machine.read(words("another chat", 200))
    machine.read(words("a third chat", 200))
    assert machine.read(words("debate", 200), key="debate") == 200


def test_without_a_shelf_the_slots_are_all_that_is_kept() -> None:
    machine = a_machine(slots=1, shelf=0)
    machine.read(words("one", 100))
    machine.read(words("two", 100))
    assert not machine.shelf
    assert machine.read(words("one", 100)) == 100


def test_a_request_may_ask_for_nothing_to_be_reused() -> None:
    machine = a_machine()
    machine.read(words("debate", 100))
    assert machine.read(words("debate", 100), reuse=False) == 100


def test_requests_that_come_together_read_a_common_beginning_once() -> None:
    machine = a_machine(slots=4)
    for judge in range(3):
        machine.ask(words("transcript", 1000) + words(f"judge {judge}", 10))
    machine.run()
    assert machine.evaluated <= 1000 + 3 * 10 + 2 * WORTH_WAITING  # for the last few it is not worth waiting


def test_a_beginning_is_copied_from_a_request_that_still_generates() -> None:
    machine = a_machine()
    machine.ask(words("shared", 200), most=100)
    for _ in range(10):
        machine.step()
    machine.ask(words("shared", 200) + words("more", 20))
    machine.run()
    assert machine.evaluated == 220


def test_a_short_prompt_does_not_wait_for_a_long_one() -> None:
    machine = a_machine(chunk=64)
    machine.ask(words("long", 3000))
    for _ in range(3):
        machine.step()
    short = machine.ask(words("short", 30), most=1)
    chunks = 0
    while short in machine.scheduler.waiting or any(s.work and s.work.id == short for s in machine.scheduler.slots):
        machine.step()
        chunks += 1
    assert chunks == 1


def test_a_long_prompt_is_read_although_short_ones_keep_coming() -> None:
    machine = a_machine(slots=4, chunk=64)
    machine.ask(words("long", 640), most=1)
    for turn in range(60):
        machine.ask(words(f"short {turn}", 60), most=1)
        machine.step()
    assert not any(slot.work and slot.work.id == 1 for slot in machine.scheduler.slots)


def test_answers_go_on_while_prompts_are_read_and_no_batch_reads_more_than_a_chunk() -> None:
    machine = a_machine(slots=4, chunk=64)
    machine.ask(words("speaker", 10), most=50)
    machine.step()
    machine.ask(words("long", 1000))
    machine.ask(words("longer", 2000))
    for _ in range(20):
        rows = machine.step()
        assert sum(len(row.tokens) for row in rows if len(row.tokens) > 1) <= 64
        assert any(row.slot.index == 0 and row.chooses for row in rows)


def test_a_lone_request_stays_at_the_front_where_neighbours_are_computed_together() -> None:
    machine = a_machine(slots=8)
    for debate in range(4):
        machine.ask(words(f"debate {debate}", 100))
    machine.run()
    for turn in range(3):
        for debate in range(4):
            for persona in "AB":
                machine.ask(words(f"debate {debate}", 20) + words(f"{debate}{persona}", 100 + 10 * turn))
            machine.run()
    assert max(slot.index for slot in machine.scheduler.slots if slot.held) <= 4


def test_a_request_that_nobody_waits_for_frees_its_slot_at_once() -> None:
    machine = a_machine(slots=1)
    first = machine.ask(words("one", 100), most=10_000)
    machine.step()
    second = machine.ask(words("two", 10), most=1)
    third = machine.ask(words("three", 10), most=1)
    machine.scheduler.cancel(third, machine.now)
    machine.scheduler.cancel(first, machine.now)
    machine.step()
    assert second not in machine.scheduler.waiting
    assert machine.scheduler.idle
    machine.scheduler.cancel(first, machine.now)  # it is unknown now, which is no error


def test_what_a_cancelled_request_had_read_is_not_lost() -> None:
    machine = a_machine(chunk=64)
    asked = machine.ask(words("debate", 200))
    for _ in range(2):
        machine.step()
    machine.scheduler.cancel(asked, machine.now)
    assert machine.read(words("debate", 200)) == 200 - 128


def test_a_sequence_that_could_not_be_kept_is_read_anew() -> None:
    scheduler = Scheduler(1, 64, 1000)
    machine = Machine(scheduler)
    machine.read(words("debate", 100))
    machine.ask(words("debate", 120))
    (admitted,) = scheduler.admit(1.0)
    scheduler.lost(admitted.slot)
    machine.cells[0] = {}
    machine.run()
    assert machine.evaluated == 100 + 120


def test_a_turn_that_was_spoken_behind_a_cue_is_not_read_again_once_the_cue_is_gone() -> None:
    machine = a_machine(run=8)
    machine.read(words("rules", 100) + words("cue", 20) + words("answer", 30))
    assert machine.read(words("rules", 100) + words("answer", 30) + words("another cue", 20)) == 20


def test_several_runs_are_reused_and_short_ones_are_read_again() -> None:
    machine = a_machine(run=8)
    machine.read(words("a", 50) + words("x", 5) + words("b", 10) + words("y", 5) + words("c", 6) + words("d", 20))
    assert machine.read(words("a", 50) + words("b", 10) + words("d", 20) + words("e", 7)) == 7
    machine.read(words("f", 50) + words("x", 5) + words("short", 6))
    assert machine.read(words("f", 50) + words("short", 6) + words("e", 7)) == 13


def test_without_being_asked_to_only_prefixes_are_reused() -> None:
    machine = a_machine()
    machine.read(words("rules", 100) + words("cue", 20) + words("answer", 30))
    assert machine.read(words("rules", 100) + words("answer", 30) + words("another cue", 20)) == 50


def test_positions_do_not_grow_beyond_what_the_model_was_trained_for() -> None:
    machine = a_machine(run=8, reach=300)
    text = words("rules", 100)
    evaluated: list[int] = []
    for turn in range(12):
        answer = words(f"answer {turn}", 10)
        evaluated.append(machine.read(text + words(f"cue {turn}", 20) + answer, most=2))
        text += answer
    assert 20 + 10 in evaluated  # only the cue and what stands in the place of an answer here
    assert max(evaluated[1:]) > 100  # once all was read anew, without gaps


class TestExactly:
    """What is computed for a request depends on the request alone."""

    def shapes(self, machine: Machine, tokens: Sequence[int]) -> list[tuple[int, int]]:
        """Position and size of every row until the request ends, those that were spared left out."""
        machine.ask(tokens)
        shapes: list[tuple[int, int]] = []
        while not machine.scheduler.idle:
            rows = machine.step()
            assert len(rows) == 1
            shapes.append((len(machine.cells[0]) - len(rows[0].tokens), len(rows[0].tokens)))
        return shapes

    def test_batches_hold_one_request_and_begin_where_they_always_do(self) -> None:
        alone = self.shapes(a_machine(exact=True), words("debate", 300))
        machine = a_machine(exact=True)
        for before in (words("debate", 150), words("other", 90), words("debate", 290), words("debate", 300)):
            machine.read(before)
            after = self.shapes(machine, words("debate", 300))
            assert after == alone[-len(after) :]
            assert len(after) < len(alone)

    def test_nothing_that_was_generated_is_reused(self) -> None:
        machine = a_machine(exact=True)
        machine.read(words("debate", 130), most=100)
        assert len(machine.scheduler.slots[0].held) == 128


@pytest.mark.parametrize("seed", range(40))
def test_whatever_comes_the_machine_holds_what_the_scheduler_believes(seed: int) -> None:
    chance = random.Random(seed)
    machine = a_machine(
        slots=chance.randint(1, 5),
        chunk=chance.choice([16, 64]),
        shelf=chance.choice([0, 100, 700, 5000]),
        exact=chance.random() < 0.2,
        run=chance.choice([0, 0, 3, 20]),
        reach=chance.choice([500, 1 << 30]),
    )
    texts = [words(f"debate {n}", 400) for n in range(6)]
    asked: list[int] = []
    for _ in range(150):
        if chance.random() < 0.4:
            text = chance.choice(texts)[: chance.randint(1, 400)] + words("cue", chance.randint(0, 3))
            asked.append(machine.ask(text, most=chance.randint(1, 20), key=chance.choice([None, "a", "b"])))
        if asked and chance.random() < 0.1:
            machine.scheduler.cancel(chance.choice(asked), machine.now)
        machine.now += chance.choice([0.0, 0.0, 1.0, 700.0])
        machine.step()
        for slot in machine.scheduler.slots:
            if slot.work:
                assert machine.held(slot.index) == slot.held
            else:
                assert machine.held(slot.index)[: len(slot.held)] == slot.held
        assert machine.scheduler.kept_tokens <= 5000
        assert machine.shelf.keys() == machine.scheduler.entries.keys()
    machine.run()


def test_common_counts_from_where_it_is_told() -> None:
    assert common([3, 4, 5], [1, 2, 3, 4, 9], 2) == 2
