"""What the next attempt is made with, and when there have been enough."""

from __future__ import annotations

from typing import Any

import pytest

from builders import a_debate
from rostra.agenda import agenda
from rostra.endpoints import SUPPORTED
from rostra.rules import Sampling, Strictness
from rostra_orchestrator.guard import UNSPEAKABLE, Fault, Judged
from rostra_orchestrator.ladder import Budget, Remedy, asks_again, circling, least_bad, remedy

EVERYTHING = SUPPORTED["rostra"]
REPEATS = Fault("repetition", "repeats", "", 3.5)
EMPTY = Fault("length", "empty", "", UNSPEAKABLE)


def remedy_for(rung: int, *reasons: str, able: Any = EVERYTHING, sampling: Any = None, **fields: Any) -> Remedy:
    debate = a_debate(**fields)
    given = Sampling.model_validate(sampling or {})
    return remedy(debate, agenda(debate)[0], debate.debaters[0], rung, reasons, able, given)


def test_the_first_attempt_is_as_the_debate_says():
    assert remedy_for(0, guard="lenient") == Remedy()
    assert remedy_for(0, guard="off") == Remedy()


def test_a_strict_guard_prevents_repetition_from_the_first_attempt_on():
    assert remedy_for(0, guard="strict").sampling["dry_multiplier"] == 0.8
    assert remedy_for(0, guard="strict", able=SUPPORTED["openai"]).sampling == {}


def test_a_repetition_is_met_with_a_penalty_and_then_with_a_question():
    second = remedy_for(1, "repeats", guard="lenient")
    assert second.names == ("penalties", "question")
    third = remedy_for(2, "repeats", guard="lenient")
    assert third.names == ("penalties", "warmer", "question")
    assert third.notes != second.notes
    assert remedy_for(1, "repeats", able=SUPPORTED["openai"]).sampling == {
        "frequency_penalty": 0.3,
        "presence_penalty": 0.3,
    }


def test_what_people_set_stays_as_they_set_it():
    own = {"temperature": 0.1, "dry_multiplier": 0.2}
    sampling = remedy_for(3, "repeats", guard="strict", sampling=own).sampling
    assert "temperature" not in sampling
    assert "dry_multiplier" not in sampling


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("gives_up", "Ada keeps to their own side (for tabs)"),
        ("language", "Speak English only."),
        ("too_long", "at most 80 characters"),
        ("self_address", "Speak for Ada alone"),
    ],
)
def test_the_next_attempt_is_told_what_was_wrong(reason: str, told: str):
    notes = remedy_for(1, reason, language="en", turn={"max_characters": 80}).notes
    assert any(told in note for note in notes)


def test_a_debate_that_drifts_into_another_script_gets_a_grammar_of_its_own():
    assert "grammar" in remedy_for(1, "language", language="ja").sampling
    assert "grammar" not in remedy_for(1, "language", language="ja", sampling={"grammar": "root ::= [a-z]+"}).sampling
    assert "grammar" not in remedy_for(1, "language", language="ja", able=SUPPORTED["openai"]).sampling
    assert "grammar" not in remedy_for(1, "language", language="en").sampling


@pytest.mark.parametrize(("strictness", "attempts"), [("off", 1), ("lenient", 2), ("strict", 4)])
def test_a_stricter_check_is_worth_more_attempts(strictness: Strictness, attempts: int):
    asked = [bool(asks_again([REPEATS], lambda _: strictness, number)) for number in range(1, 6)]
    assert asked.count(True) == attempts - 1


def test_what_was_cut_away_is_worth_one_more_attempt():
    long = Fault("length", "too_long", "")
    assert asks_again([long], lambda _: "strict", 1)
    assert not asks_again([long], lambda _: "strict", 2)


def test_failed_attempts_cost_no_more_than_a_share_of_the_turns():
    budget = Budget(turns=10, on_turns=5000)
    assert budget.allows("strict", 500)
    budget.on_failures = 5000
    assert not budget.allows("strict", 500)
    assert Budget().allows("strict", 0)
    assert not Budget(on_turns=5000).allows("off", 500)


def test_the_least_bad_attempt_is_the_one_with_the_lightest_faults():
    worse, better = Judged("a", (REPEATS, REPEATS), shortened=False), Judged("b", (REPEATS,), shortened=False)
    assert least_bad([worse, better]) is better
    assert least_bad([Judged("", (EMPTY,), shortened=False)]) is None


def test_debaters_go_round_in_circles_when_turn_after_turn_repeats():
    again: list[tuple[str, ...]] = [(), ("repeats",), ("loops",)]
    assert circling(again, debaters=2, strictness="strict") == 0
    assert circling([*again, ("agrees", "cut_off")], debaters=2, strictness="strict") == 3
    assert circling([*again, ("agrees",)], debaters=4, strictness="strict") == 0
    assert circling([*again, ("agrees",)], debaters=2, strictness="lenient") == 0
    assert circling([("repeats",)] * 6, debaters=2, strictness="lenient") == 6
    assert circling([*again, ("cut_off",)], debaters=2, strictness="strict") == 0
