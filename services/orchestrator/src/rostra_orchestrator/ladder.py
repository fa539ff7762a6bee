"""How a turn is asked for again: what the next attempt is made with, and when there have been enough. Pure.

    first     as the debate says; strictly guarded against repetition, with a penalty on what was said before
    second    other words at that place, the reason told, the penalty stronger
    third     a question of the moderator's besides, which leads to another side of the motion
    after     another question each time, and a little more chance

A fault that is tolerated, or that the budget has no attempt left for, stays in the turn and is marked.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rostra.agenda import Slot
from rostra.models import Debate, Debater
from rostra.rules import Sampling, Strictness
from rostra_orchestrator import prompt, scripts
from rostra_orchestrator.guard import UNSPEAKABLE, Fault, Judged

# Attempts at a turn before a fault of a check as strict is spoken nevertheless.
ATTEMPTS: Mapping[Strictness, int] = {"off": 1, "lenient": 2, "strict": 4}
# Tokens that failed attempts may cost, as a share of what the turns cost; the first ones have credit for so many turns.
BUDGET: Mapping[Strictness, float] = {"off": 0.0, "lenient": 0.4, "strict": 0.85}
_CREDIT_TURNS = 2.0
# Faults that were cut away are worth one more attempt, no more.
_ONCE = frozenset({"too_long", "cut_off", "self_address"})

# Token sequences that stand in the context are made less likely the longer they are (DRY).
_AGAINST_REPEATING: Sequence[Mapping[str, Any]] = (
    {"dry_multiplier": 0.8, "dry_base": 1.75, "dry_allowed_length": 3, "dry_penalty_last_n": -1},
    {"dry_multiplier": 1.2, "dry_base": 1.75, "dry_allowed_length": 2, "dry_penalty_last_n": -1},
)
# Where a server has no DRY.
_PENALTIES: Sequence[Mapping[str, Any]] = ({}, {"frequency_penalty": 0.3, "presence_penalty": 0.3})
# Turns in a row that go in circles, at the least, before a debate is ended.
_ENDURED: Mapping[Strictness, int] = {"off": 1000, "lenient": 6, "strict": 3}
_WARMER = 0.15
_WARMEST = 1.3
# Reasons why a debate stands still.
CIRCLING = frozenset({"repeats", "loops", "agrees"})


@dataclass(frozen=True, slots=True)
class Remedy:
    """What an attempt is made with besides what the debate says: sampling options, and sentences in its cue."""

    names: tuple[str, ...] = ()
    sampling: Mapping[str, Any] = field(default_factory=dict[str, Any])
    notes: tuple[str, ...] = ()


def remedy(
    debate: Debate,
    slot: Slot,
    debater: Debater,
    rung: int,
    reasons: Sequence[str],
    able: Collection[str],
    given: Sampling,
) -> Remedy:
    """For the attempt on this rung, 0 the lowest, after attempts failed for these reasons, at a server that can do so
    much.

    What people set themselves stays as they set it.
    """
    made = [*_sampling(debate, rung, reasons, able, given), *_notes(debate, slot, debater, rung, reasons)]
    options = {name: value for step in made for name, value in step.sampling.items()}
    return Remedy(
        tuple(name for step in made for name in step.names),
        options,
        tuple(note for step in made for note in step.notes),
    )


def _sampling(
    debate: Debate, rung: int, reasons: Sequence[str], able: Collection[str], given: Sampling
) -> list[Remedy]:
    own = given.given()
    steps: list[Remedy] = []
    if debate.strictness("repetition") == "strict" or CIRCLING & set(reasons):
        steps += _penalised(rung, able, own)
    if rung >= 2 and "temperature" not in own:
        steps.append(Remedy(("warmer",), {"temperature": min(_WARMEST, 0.8 + _WARMER * (rung - 1))}))
    if "language" in reasons and "grammar" in able and "grammar" not in own and debate.language:
        grammar = scripts.grammar_for(debate.language, tuple(d.name for d in debate.debaters))
        steps += [Remedy(("script",), {"grammar": grammar})] if grammar else []
    return steps


def _penalised(rung: int, able: Collection[str], own: Mapping[str, Any]) -> list[Remedy]:
    options = (_AGAINST_REPEATING if "dry_multiplier" in able else _PENALTIES)[min(rung, 1)]
    free = {name: value for name, value in options.items() if name not in own and name in able}
    return [Remedy(("penalties",), free)] if free else []


def _notes(debate: Debate, slot: Slot, debater: Debater, rung: int, reasons: Sequence[str]) -> list[Remedy]:
    told: Mapping[str, Callable[[], str]] = {
        "gives_up": lambda: prompt.keep_side(debate, debater),
        "agrees": lambda: prompt.keep_side(debate, debater),
        "language": lambda: prompt.in_language(debate),
        "too_long": lambda: prompt.in_short(debate, slot),
        "speaks_for": lambda: prompt.only_yourself(debate, debater),
        "self_address": lambda: prompt.only_yourself(debate, debater),
    }
    names = dict.fromkeys(reason for reason in reasons if reason in told)
    steps = [Remedy((f"told_{name}",), notes=(told[name](),)) for name in names]
    if rung and CIRCLING & set(reasons):
        steps.append(Remedy(("question",), notes=(prompt.question(debate, slot, debater, rung),)))
    return steps


# ── enough ──────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class Budget:
    """What the debate's attempts have cost so far, in tokens."""

    turns: int = 0
    on_turns: int = 0
    on_failures: int = 0

    def allows(self, strictness: Strictness, next_attempt: int) -> bool:
        """Whether another attempt, of about so many tokens, may be made for a fault of a check as strict as that."""
        share = BUDGET[strictness]
        credit = _CREDIT_TURNS * next_attempt if share else 0.0
        return self.on_failures + next_attempt <= share * self.on_turns + credit


def asks_again(faults: Sequence[Fault], strictness: Callable[[Fault], Strictness], number: int) -> list[Fault]:
    """Which of these faults of attempt `number`, counted from 1, are worth another one."""
    return [fault for fault in faults if number < _most(fault, strictness(fault))]


def _most(fault: Fault, strictness: Strictness) -> int:
    if fault.reason == "empty":
        return ATTEMPTS["strict"]
    return min(2, ATTEMPTS[strictness]) if fault.reason in _ONCE else ATTEMPTS[strictness]


def least_bad(tried: Sequence[Judged]) -> Judged | None:
    """The attempt to speak where none is good: none that is empty, speaks for another or shows its prompt."""
    possible = [judged for judged in tried if not any(fault.weight >= UNSPEAKABLE for fault in judged.faults)]
    return min(possible, key=lambda judged: judged.weight, default=None)


def circling(faults: Sequence[Collection[str]], debaters: int, strictness: Strictness) -> int:
    """How many turns in a row, the last ones, only went in circles; 0 where it is not enough of them to end a debate
    that is guarded so against repetition.

    `faults` are those of all turns so far, in order.
    """
    in_a_row = 0
    for found in reversed(faults):
        if not CIRCLING & set(found):
            break
        in_a_row += 1
    return in_a_row if in_a_row >= max(_ENDURED[strictness], debaters) else 0
