"""Who speaks when."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from builders import A_FORMAT, a_debate
from rostra.agenda import agenda, fallback_speaker, turns_planned
from rostra.formats import library
from rostra.models import Debate

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


# ── fixed phases ────────────────────────────────────────────────────────────────────────────────────────


def clash(**fields: object) -> Debate:
    return a_debate(format=A_FORMAT, **fields)


def test_a_format_is_spoken_slot_by_slot_with_its_exchanges_and_points_written_out():
    point = next(slot.debater for slot in agenda(clash()) if slot.kind == "point")
    assert point == "d2"
    assert [(s.name or s.phase, s.kind, s.debater, s.to) for s in agenda(clash())] == [
        ("cases", "announcement", "moderator", None),
        ("T case", "speech", "d1", None),
        ("T case", "point", "d2", "d1"),
        ("T case", "speech", "d1", "d2"),
        ("T questioned", "question", "d2", "d1"),
        ("T questioned", "answer", "d1", "d2"),
        ("T questioned", "question", "d2", "d1"),
        ("T questioned", "answer", "d1", "d2"),
        ("S notes", "notes", "d2", None),
        ("S case", "speech", "d2", None),
        ("T rebuttal", "speech", "d1", None),
        ("S rebuttal", "speech", "d2", None),
    ]


def test_the_turns_of_a_slot_have_its_minutes_together():
    minutes = Counter[str]()
    for slot in agenda(clash()):
        if slot.kind != "point":  # within the speech, as people count it
            minutes[slot.name] += slot.minutes or 0
    assert {name: round(each, 6) for name, each in minutes.items() if name} == {
        "T case": 4,
        "T questioned": 2,
        "S notes": 1,
        "S case": 4,
        "T rebuttal": 2,
        "S rebuttal": 2,
    }


def test_a_question_of_the_moderators_is_answered_by_everyone_who_is_named():
    asked = {"name": "Q", "kind": "question", "questioner": "moderator", "speakers": ["T1", "S1"], "minutes": 2}
    phases = [{"name": "questions", "rounds": 2, "slots": [asked]}]
    spoken = [(s.round, s.kind, s.debater, s.to) for s in agenda(a_debate(format=A_FORMAT | {"phases": phases}))]
    once = [("question", "moderator", None), ("answer", "d1", "moderator"), ("answer", "d2", "moderator")]
    assert spoken == [(round_, *turn) for round_ in (1, 2) for turn in once]


def test_in_a_crossfire_the_speakers_ask_each_other_in_turn():
    fire = {"name": "F", "kind": "crossfire", "speakers": ["T1", "S1"], "minutes": 3}
    spoken = agenda(a_debate(format=A_FORMAT | {"phases": [{"name": "fire", "slots": [fire]}]}))
    assert [s.kind for s in spoken] == ["question", "answer"] * 3
    assert [s.debater for s in spoken] == ["d1", "d2", "d2", "d1", "d1", "d2"]


def test_who_offers_a_point_is_drawn_by_the_seed_and_on_the_other_side():
    four = [{"name": n, "team": t} for n, t in [("A", "tabs"), ("B", "tabs"), ("C", "spaces"), ("D", "spaces")]]
    offered = {
        next(s.debater for s in agenda(clash(debaters=four, seed=seed)) if s.kind == "point") for seed in range(30)
    }
    assert offered == {"d3", "d4"}


def test_the_number_of_turns_of_a_fixed_format_is_that_of_its_slots():
    assert turns_planned(clash()) == len(agenda(clash())) == 12
