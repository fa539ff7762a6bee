"""Who speaks when."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from builders import a_debate
from rostra.agenda import agenda, fallback_speaker, turns_planned
from rostra.formats import library

FOUR = [{"name": name} for name in ("Ada", "Grace", "Edsger", "Barbara")]


def speakers(**fields: object) -> list[str | None]:
    return [slot.debater for slot in agenda(a_debate(**fields))]


def test_in_round_robin_the_debaters_speak_in_the_order_given():
    assert speakers(rounds=2) == ["d1", "d2", "d1", "d2"]


def test_slots_are_numbered_from_one_and_know_their_round():
    slots = agenda(a_debate(rounds=2))
    assert [(s.seq, s.round, s.phase) for s in slots] == [
        (1, 1, "debate"),
        (2, 1, "debate"),
        (3, 2, "debate"),
        (4, 2, "debate"),
    ]


def test_in_random_order_everyone_speaks_once_a_round_and_nobody_twice_in_a_row():
    for seed in range(50):
        order = speakers(format="random", debaters=FOUR, rounds=5, seed=seed)
        rounds = [order[i : i + 4] for i in range(0, 20, 4)]
        assert all(sorted(r) == ["d1", "d2", "d3", "d4"] for r in rounds)
        assert all(a != b for a, b in pairwise(order))


def test_a_random_order_is_fixed_by_its_seed():
    orders = {seed: tuple(speakers(format="random", debaters=FOUR, seed=seed)) for seed in range(20)}
    assert orders[7] == tuple(speakers(format="random", debaters=FOUR, seed=7))
    assert len(set(orders.values())) > 15


def test_a_manual_order_is_spoken_as_listed_and_repeated_for_each_round():
    listed = ["Grace", "Grace", "Ada"]
    assert speakers(format="manual", speakers=listed, rounds=2) == ["d2", "d2", "d1"] * 2
    assert speakers(format="manual", speakers=listed) == ["d2", "d2", "d1"]


def test_an_auto_order_leaves_the_speakers_open():
    assert speakers(format="auto", rounds=2) == [None] * 4


def test_the_number_of_turns_is_known_without_writing_the_agenda_out():
    for name in library():
        debate = a_debate(format=name, debaters=None, speakers=["Affirmative"] if name == "manual" else None)
        assert turns_planned(debate) == len(agenda(debate))


def test_when_the_model_names_nobody_who_spoke_least_speaks_and_never_the_last_speaker():
    debate = a_debate(debaters=FOUR)
    assert fallback_speaker(debate, []) == "d1"
    assert fallback_speaker(debate, ["d1"]) == "d2"
    spoken: list[str] = []
    for _ in range(40):
        spoken.append(fallback_speaker(debate, spoken))
    assert all(a != b for a, b in pairwise(spoken))
    assert set(Counter(spoken).values()) == {10}
