"""What a fork is made of: the request that a debate came from, a merge patch, and turns that still stand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from builders import A_FORMAT, EVERY_OPTION, a_debate, a_request, a_turn
from rostra.agenda import agenda
from rostra.events import (
    AttemptFailed,
    DebateClaimed,
    DebateCreated,
    DebatePaused,
    DebateResumed,
    Event,
    NewerEvent,
    PointDecided,
    QuestionFailed,
    QuestionPut,
    Recorded,
    SpeakerChosen,
    TurnAwaited,
    TurnGiven,
    TurnTaken,
    Usage,
    VoteCast,
)
from rostra.forking import Difference, carried, changed, difference, request_of
from rostra.formats import library
from rostra.models import Debate, DebateRequest, ForkedFrom, debate_from
from rostra.transcript import fold

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(path for path in (ROOT / "examples").rglob("*.json"))


def begun(request: dict[str, Any], **kept: Any) -> Debate:
    """As the API begins it, but for the language, which is not looked for."""
    asked = DebateRequest.model_validate_json(json.dumps(request), extra="forbid")
    debate_format = library()[asked.format] if isinstance(asked.format, str) else asked.format
    return debate_from(asked, debate_format, **kept)


def again(debate: Debate) -> Debate:
    return begun(request_of(debate), debate_id=debate.id, now=debate.created_at)


class TestTheRequest:
    @pytest.mark.parametrize("name", library())
    def test_of_every_format_it_makes_the_same_debate(self, name: str):
        speakers = {"speakers": ["Pro", "Contra", "Pro"]} if name == "manual" else {}
        debate = begun({"motion": "Tabs", "language": "de", "format": name, **speakers})
        assert again(debate) == debate
        assert request_of(debate)["format"] == name

    @pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
    def test_of_every_example_it_makes_the_same_debate(self, path: Path):
        debate = begun(json.loads(path.read_text(encoding="utf-8")))
        assert again(debate) == debate

    @pytest.mark.parametrize(
        "fields",
        [
            {"rounds": 7},
            {"format": "council", "rounds": 2},
            {"format": "manual", "speakers": ["Ada", "grace", "Ada"], "rounds": 2},
            {"format": A_FORMAT, "debaters": None},
            {"format": {**A_FORMAT, "name": "oxford"}, "debaters": None},
            {"format": {"title": "Talk", "phases": [{"name": "talk", "order": "random", "rounds": 2}]}, "rounds": 5},
            {"debaters": [{"name": name, "team": team} for name, team in zip("ABC", "xyx", strict=True)]},
            {"debaters": [{"name": "Ada", "sampling": EVERY_OPTION, "model": "plain"}, {"name": "Grace"}]},
            {"phases": {"debate": {"sampling": EVERY_OPTION}}, "turn": {"max_tokens": 77, "words_per_minute": 90}},
            {"guard": "strict"},
            {"guard": {"leaks": "off"}},
            {"judge": {}},
            {"judge": {"panel": [{"persona": "A judge."}, {"model": "plain"}], "rubric": {"wit": 2}, "swap": False}},
            {"judge": {"panel": 3, "rubric": "per_clash", "names_hidden": False}},
            {"audience": {"size": 7, "personas": ["a baker"]}, "decision": {"protocol": "borda"}, "baselines": True},
            {"moderator": {"model": "plain"}, "opening": "Begin.", "limits": {"seconds": 9, "tokens": 99}},
            {"metadata": {"run": 7, "cold": True, "heat": 0.5, "who": "ada"}},
        ],
        ids=str,
    )
    def test_of_whatever_was_asked_it_makes_the_same_debate(self, fields: dict[str, Any]):
        debate = begun({name: value for name, value in a_request(**fields).items() if value is not None})
        assert again(debate) == debate

    def test_nothing_that_can_be_asked_for_is_forgotten(self):
        everything = a_request(
            language="en",
            format="manual",
            rounds=2,
            speakers=["Ada", "Grace"],
            opening="Begin.",
            turn={"max_tokens": 90},
            phases={"debate": {"sampling": {"top_k": 3}}},
            guard="strict",
            judge={"panel": 3},
            moderator={"model": "plain"},
            humans={"seconds": 60},
            audience={"size": 2},
            decision={"protocol": "majority"},
            baselines=True,
            limits={"tokens": 9000},
            metadata={"run": 1},
        )
        assert everything.keys() == DebateRequest.model_fields.keys() - {"webhook"}
        assert request_of(begun(everything)) == everything

    def test_it_says_no_more_than_it_must(self):
        request = request_of(begun({"motion": "Tabs", "seed": 1}))
        assert request == {"motion": "Tabs", "format": "round_robin", "seed": 1}

    def test_what_only_the_format_wanted_goes_with_the_format(self):
        oxford = begun({"motion": "Tabs", "format": "oxford"})
        assert oxford.audience is not None
        assert "audience" not in request_of(oxford)

    def test_a_format_that_the_library_has_otherwise_by_now_is_told_whole(self):
        debate = a_debate()
        older = debate.format.model_copy(update={"title": "As it was"})
        debate = debate.model_copy(update={"format": older})
        assert request_of(debate)["format"]["title"] == "As it was"
        assert again(debate) == debate

    def test_a_format_of_ones_own_goes_by_its_name_where_there_is_one(self):
        own = library()["council"].model_copy(update={"name": "ours"})
        debate = debate_from(DebateRequest.model_validate(a_request(rounds=5)), own)
        request = request_of(debate, {"ours": own})
        assert (request["format"], request["rounds"]) == ("ours", 5)
        assert request_of(debate)["format"]["name"] == "ours"

    def test_that_it_is_a_fork_is_not_asked_for(self):
        fork = a_debate().model_copy(update={"forked_from": ForkedFrom(id="0" * 28, after_turn=2)})
        assert "forked_from" not in request_of(fork)


# RFC 7396, appendix A.
@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]),
        ({"a": "foo"}, None, None),
        ({"a": "foo"}, "bar", "bar"),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_changes_are_made_as_the_standard_shows(target: Any, patch: Any, result: Any):
    before = json.dumps(target)
    assert changed(target, patch) == result
    assert json.dumps(target) == before


def recorded(*events: tuple[str, Event]) -> list[Recorded]:
    return [Recorded(id=place, event=event) for place, event in events]


def a_vote(voter: str, moment: str = "before", **fields: Any) -> VoteCast:
    return VoteCast.model_validate({"voter": voter, "moment": moment, "ballot": ("for",), **fields})


SPENT = Usage(prompt_tokens=10, completion_tokens=1)
AGAIN = AttemptFailed(seq=2, attempt=1, debater="d2", reason="empty", usage=SPENT)
LATER = AttemptFailed(seq=3, attempt=1, debater="d1", reason="empty", usage=SPENT)
CHOSEN = SpeakerChosen(seq=2, debater="d2", chosen_by="model", usage=SPENT)
TAKEN = PointDecided(seq=2, debater="d1", taken=True, chosen_by="model", usage=SPENT)
MISSED = QuestionFailed(question="before 1, voter 2", ask=1, reason="unreadable", usage=SPENT)
BEFORE = a_vote("1", usage=SPENT)
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
PUT = QuestionPut(seq=1, text="Who pays for it?")
AGAIN_DECIDED = a_vote("d2", "decision", round=2)
DECIDED = a_vote("d1", "decision", round=1, usage=SPENT)
TURNS = [a_turn(seq, f"d{2 - seq % 2}", usage=SPENT) for seq in range(1, 4)]
EVENTS = recorded(
    ("0-1", DebateCreated()),
    ("0-2", DebateClaimed(fence=1, process="p")),
    ("0-3", MISSED),
    ("0-4", BEFORE),
    ("1-0", TURNS[0]),
    ("1-1", DebatePaused()),
    ("1-2", DebateResumed()),
    ("1-3", NewerEvent(type="only_a_newer_release_knows")),
    ("1-4", DECIDED),
    ("1-8", PUT),
    ("1-9", TurnAwaited(seq=2, debater="d2", until=NOON)),
    ("1-10", TurnGiven(seq=2, debater="d2", text="Spaces.")),
    ("1-5", CHOSEN),
    ("1-6", TAKEN),
    ("1-7", AGAIN),
    ("2-0", TURNS[1]),
    ("2-1", LATER),
    ("2-10", AGAIN_DECIDED),
    ("3-0", TURNS[2]),
    ("3-1", a_vote("1", "after")),
)


def kept(after_turn: int, fork: Debate | None = None) -> Sequence[Event]:
    debate = a_debate(audience={"size": 2})
    return carried(EVENTS, after_turn, debate, fork or debate)


class TestWhatAForkBeginsWith:
    def test_turns_with_all_that_made_them_what_they_are(self):
        assert kept(2) == [MISSED, BEFORE, TURNS[0], DECIDED, PUT, CHOSEN, TAKEN, AGAIN, TURNS[1]]

    def test_what_belongs_to_the_next_turn_is_left(self):
        assert LATER not in kept(2)
        assert kept(3)[-4:] == [TURNS[1], LATER, AGAIN_DECIDED, TURNS[2]]

    def test_nothing_where_no_turn_is_kept(self):
        assert kept(0) == []

    @pytest.mark.parametrize("change", [{"motion": "Spaces"}, {"audience": {"size": 3}}, {"language": "de"}])
    def test_votes_of_another_audience_or_on_something_else_are_left(self, change: dict[str, Any]):
        fork = a_debate(**{"audience": {"size": 2}, **change})
        assert kept(2, fork) == [TURNS[0], DECIDED, PUT, CHOSEN, TAKEN, AGAIN, TURNS[1]]

    def test_what_it_cost_was_spent_in_the_other_debate(self):
        origin = ForkedFrom(id="0" * 28, after_turn=2)
        course = fold([DebateCreated(forked_from=origin), *kept(2)])
        assert (len(course.turns), course.tokens) == (2, 0)
        claimed = [DebateClaimed(fence=1, process="q", at=datetime(2026, 1, 1, tzinfo=UTC)), TURNS[2]]
        course = fold([DebateCreated(forked_from=origin), *kept(2), *claimed])
        assert (len(course.turns), course.usage) == (3, SPENT)


def turns(debate: Debate, number: int, speaker: str = "d1") -> list[TurnTaken]:
    slots = agenda(debate)[:number]
    return [a_turn(slot.seq, slot.debater or speaker, phase=slot.phase, round=slot.round) for slot in slots]


def differs(before: dict[str, Any], after: dict[str, Any], number: int, speaker: str = "d1") -> Difference | None:
    original = a_debate(**before)
    return difference(original, a_debate(**{**before, **after}), turns(original, number, speaker))


THREE = [{"name": name} for name in ("Ada", "Grace", "Linus")]
AUTO = {"format": "auto", "debaters": THREE, "rounds": 2}


class TestWhetherTurnsStillStand:
    @pytest.mark.parametrize(
        "change",
        [
            {"debaters": [{"name": "Ada Byron", "persona": "A poet."}, {"name": "Grace", "model": "plain"}]},
            {"seed": 41},
            {"rounds": 9},
            {"rounds": 2},
            {"guard": "off", "judge": {}, "limits": {"tokens": 9}, "turn": {"max_tokens": 9}},
            {"motion": "Spaces beat tabs", "language": "en"},
        ],
        ids=str,
    )
    def test_whoever_they_are_called_and_however_they_speak_on(self, change: dict[str, Any]):
        assert differs({"rounds": 3}, change, 4) is None

    def test_one_debater_more_takes_another_place(self):
        assert differs({"rounds": 2}, {"debaters": THREE}, 2) is None
        assert differs({"rounds": 2}, {"debaters": THREE}, 3) == Difference(3, "round")

    def test_another_seed_draws_another_order(self):
        before = {"format": "random", "debaters": THREE, "rounds": 3}
        assert differs(before, {"seed": 43}, 0) is None
        found = differs(before, {"seed": 43}, 9)
        assert found is not None
        assert found.field == "debater"

    def test_a_shorter_debate_has_no_room(self):
        assert differs({"rounds": 3}, {"rounds": 1}, 3) == Difference(3, "")

    def test_another_format_has_other_slots(self):
        assert differs({"format": "oxford"}, {"format": "lincoln_douglas"}, 2) == Difference(1, "phase")

    def test_who_was_chosen_must_be_there(self):
        two = {"debaters": THREE[:2], "rounds": 3}
        assert differs(AUTO, two, 2, "d2") is None
        assert differs(AUTO, two, 1, "d3") == Difference(1, "debater")

    def test_a_point_more_comes_between(self):
        cases = A_FORMAT["phases"][0]
        case = {**cases["slots"][0], "points": {"most": 2, "after": 1, "until": 3}}
        more = {**A_FORMAT, "phases": [{**cases, "slots": [case, *cases["slots"][1:]]}, A_FORMAT["phases"][1]]}
        before = {"format": A_FORMAT, "debaters": THREE[:2]}
        assert differs(before, {"format": more}, 4) is None
        assert differs(before, {"format": more}, 5) == Difference(5, "slot")
