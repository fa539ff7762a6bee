"""One step after the other: who begins, what is computed, which tokens are chosen, what is told."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from rostra_llm.engine.answer import Answer
from rostra_llm.engine.scheduler import Admitted, Copy, Cut, Drop, Load, Move, Row, Save, Scheduler, Skip, Slot
from rostra_llm.native import context as native
from rostra_llm.native.model import Model
from rostra_llm.native.samplers import Ungrammatical
from rostra_llm.work import Cancel, Failed, Meters, Piece, Step, Work


class Loop:
    """Carries out what the scheduler decides. `step` is called as long as there is work."""

    def __init__(self, model: Model, context: native.Context, scheduler: Scheduler) -> None:
        self._model = model
        self._context = context
        self._scheduler = scheduler
        self._shelf: dict[int, Any] = {}
        self._answers: dict[int, Answer] = {}  # by slot
        self._meters = Meters()

    @property
    def idle(self) -> bool:
        return self._scheduler.idle

    def take(self, messages: Iterable[Work | Cancel]) -> None:
        """What came in since the last step."""
        for message in messages:
            if isinstance(message, Work):
                self._scheduler.submit(message)
            else:
                self._scheduler.cancel(message.id, time.monotonic())
        self._forget_cancelled()

    def _forget_cancelled(self) -> None:
        for slot in self._scheduler.slots:
            if slot.index in self._answers and slot.work is None:
                self._answers.pop(slot.index).close()

    def step(self) -> Step:
        """Computes one batch."""
        began = time.perf_counter()
        native_before = self._native_seconds
        failures = [
            failure for admitted in self._scheduler.admit(time.monotonic()) if (failure := self._begin(admitted))
        ]
        rows = self._scheduler.batch()
        if rows:
            self._compute(rows)
        pieces = [piece for row in rows if row.chooses and (piece := self._choose(row.slot))]
        native_spent = self._native_seconds - native_before
        self._meters.python_seconds += time.perf_counter() - began - native_spent
        return Step(pieces, failures, self._current())

    @property
    def _native_seconds(self) -> float:
        return self._meters.decode_seconds + self._meters.sample_seconds + self._meters.move_seconds

    def _current(self) -> Meters:
        scheduler = self._scheduler
        return replace(
            self._meters,
            waiting=len(scheduler.waiting),
            running=len(scheduler.running()),
            kept_prefixes=len(scheduler.entries),
            kept_tokens=scheduler.kept_tokens,
        )

    # ── a request begins ────────────────────────────────────────────────────────────────────────────────

    def _begin(self, admitted: Admitted) -> Failed | None:
        slot = admitted.slot
        assert slot.work
        began = time.perf_counter()
        for move in admitted.moves:
            if not self._moved(move):
                self._scheduler.lost(slot)
        self._meters.move_seconds += time.perf_counter() - began
        self._meters.reused_tokens += slot.reused
        try:
            answer = Answer(slot.work, self._model, self._context, slot.reused, time.monotonic())
        except Ungrammatical as error:
            failure = Failed(slot.work.id, str(error))
            self._scheduler.end(slot, time.monotonic())
            return failure
        self._answers[slot.index] = answer
        return None

    def _moved(self, move: Move) -> bool:
        """False if the sequence could not be kept, and is empty now."""
        match move:
            case Save(slot, entry, end):
                self._context.cut(slot, end)
                self._shelf[entry] = self._context.saved(slot)
            case Drop(entry):
                del self._shelf[entry]
            case Load(entry, slot):
                return self._context.load(slot, self._shelf[entry])
            case Copy(source, slot):
                return self._context.load(slot, self._context.saved(source))
            case Skip(slot, begin, end):
                return self._context.cut(slot, begin, end)
            case Cut(slot, end):
                return self._context.cut(slot, end)
        return True

    # ── a batch ─────────────────────────────────────────────────────────────────────────────────────────

    def _compute(self, rows: list[Row]) -> None:
        batch = [native.Row(row.slot.index, row.position, row.tokens, row.chooses) for row in rows]
        began = time.perf_counter()
        self._context.compute(batch)
        self._meters.decode_seconds += time.perf_counter() - began
        self._meters.batches += 1
        self._meters.prompt_tokens += sum(len(row.tokens) for row in rows if row.slot.chosen is None)
        self._scheduler.computed(rows)

    def _choose(self, slot: Slot) -> Piece | None:
        answer = self._answers[slot.index]
        began = time.perf_counter()
        token = answer.choose(self._context.output(slot.index))
        self._meters.sample_seconds += time.perf_counter() - began
        self._meters.generated_tokens += 1
        now = time.monotonic()
        piece = answer.written(token, now)
        if piece and piece.reason:
            self._scheduler.end(slot, now)
            self._answers.pop(slot.index).close()
        else:
            slot.chosen = token
        return piece
