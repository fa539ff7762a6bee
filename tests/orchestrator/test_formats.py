"""A debate in a format with teams, exchanges, points and notes, from its claim to its end."""

from __future__ import annotations

from typing import Any

import pytest

from builders import A_FORMAT, a_debate, a_turn, claimed
from conformance import departures
from judges import asked, is_question, says
from playing import course, play_out, played
from rostra.agenda import Slot, agenda, is_scripted
from rostra.events import PointDecided
from rostra.formats import library
from rostra.markdown import as_markdown
from rostra.models import Debate, Status
from rostra.outcomes import decision
from rostra.store import Store
from rostra.transcript import as_json
from rostra_orchestrator.settings import Settings
from scripted import Says, ScriptedModel

# The slot in which the point is offered.
POINT = 3


def asked_about_points(request: dict[str, Any]) -> bool:
    return "Answer with yes or no only." in request["messages"][-1]["content"]


def answering(model: ScriptedModel, taken: str) -> None:
    """The model takes or declines points, and speaks in numbered words otherwise."""
    spoken = iter(range(1, 100))
    model.script = lambda request: Says(taken if asked_about_points(request) else f"Words {next(spoken)}.")


async def test_a_format_is_played_slot_by_slot(store: Store, settings: Settings, model: ScriptedModel):
    answering(model, "Yes.")
    debate = a_debate(format=A_FORMAT, language="en", guard="off")
    await played(store, settings, await claimed(store, debate))
    ended = await course(store, debate)
    assert ended.status is Status.COMPLETED
    assert [(t.seq, t.debater) for t in ended.turns] == [(s.seq, s.debater) for s in agenda(debate)]
    assert ended.turns[0].text == "Next: The cases."
    assert (ended.turns[0].attempts, ended.turns[0].finish_reason, ended.turns[0].model) == (0, "scripted", "")


async def test_a_point_that_is_taken_is_spoken_and_answered(store: Store, settings: Settings, model: ScriptedModel):
    answering(model, "Yes.")
    ended = await play_out(store, settings, format=A_FORMAT, language="en", guard="off")
    (decided,) = ended.points
    assert (decided.seq, decided.debater, decided.taken, decided.chosen_by) == (POINT, "d1", True, "model")
    assert ended.turns[POINT - 1].text == "Words 2."
    cues = [r["messages"][-1]["content"] for r in model.requests if not asked_about_points(r)]
    assert "breaks in on Ada's speech with one short question" in cues[1]
    assert "Ada answers Grace's question first. Ada goes on with the same speech" in cues[2]


async def test_a_point_that_is_declined_is_not_heard(store: Store, settings: Settings, model: ScriptedModel):
    answering(model, "No.")
    ended = await play_out(store, settings, format=A_FORMAT, language="en", guard="off")
    assert ended.points[0].taken is False
    assert ended.turns[POINT - 1].text == "(offers a point, which is declined)"
    assert [t.seq for t in ended.turns] == list(range(1, 13))
    assert not any("breaks in on" in r["messages"][-1]["content"] for r in model.requests)


async def test_where_the_model_says_neither_the_seed_decides(store: Store, settings: Settings, model: ScriptedModel):
    answering(model, "Perhaps.")
    decided = [(await play_out(store, settings, format=A_FORMAT, seed=seed)).points[0] for seed in (1, 1, 2, 3, 4, 5)]
    assert {point.chosen_by for point in decided} == {"fallback"}
    assert decided[0].taken == decided[1].taken
    assert {point.taken for point in decided} == {True, False}


async def test_notes_reach_the_own_side_and_nobody_else(store: Store, settings: Settings, model: ScriptedModel):
    answering(model, "No.")
    ended = await play_out(store, settings, format=A_FORMAT, language="en", guard="off")
    notes = next(t.text for t in ended.turns if t.seq == 9)
    reading = [r["messages"][-1]["content"] for r in model.requests if notes in r["messages"][-1]["content"]]
    assert len(reading) == 2
    assert all("Now Grace speaks" in asked for asked in reading)


async def test_whoever_takes_over_knows_that_a_point_was_taken(store: Store, settings: Settings, model: ScriptedModel):
    """As after a process that died between the decision and the point itself."""
    answering(model, "No.")
    debate = a_debate(format=A_FORMAT, language="en", guard="off")
    claim = await claimed(store, debate)
    for seq, speaker in ((1, "moderator"), (2, "d1")):
        await store.append(claim, a_turn(seq, speaker, phase="cases"))
    await store.append(claim, PointDecided(seq=POINT, debater="d1", taken=True, chosen_by="model"))
    await played(store, settings, claim)
    ended = await course(store, debate)
    assert [t.seq for t in ended.turns] == list(range(1, 13))
    assert ended.turns[POINT - 1].text == "Words 1."
    assert [point.taken for point in ended.points] == [True]
    assert not any(asked_about_points(request) for request in model.requests)


async def test_a_moderator_with_a_model_finds_the_questions(store: Store, settings: Settings, model: ScriptedModel):
    asked = {"name": "Q", "kind": "question", "questioner": "moderator", "speakers": ["T1", "S1"], "minutes": 2}
    moderated = A_FORMAT | {"phases": [{"name": "questions", "slots": [asked]}]}
    scripted = await play_out(store, settings, format=moderated, language="en", guard="off")
    assert scripted.turns[0].finish_reason == "scripted"
    assert scripted.turns[0].text.endswith("?")
    own = await play_out(store, settings, format=moderated, language="en", guard="off", moderator={"model": "default"})
    assert own.turns[0].model == "default"
    assert [t.debater for t in own.turns] == ["moderator", "d1", "d2"]


async def test_the_transcript_tells_the_slots(store: Store, settings: Settings, model: ScriptedModel):
    answering(model, "No.")
    debate = a_debate(format=A_FORMAT, language="en", guard="off")
    await played(store, settings, await claimed(store, debate))
    ended = await course(store, debate)
    told = as_json(debate, ended)
    question = told["turns"][4]
    assert [question[key] for key in ("debater", "kind", "slot", "to")] == ["Grace", "question", "T questioned", "Ada"]
    assert [turn["heard_by"] for turn in told["turns"] if turn["kind"] == "notes"] == ["spaces"]
    assert told["settings"]["seats"] == {"T1": "Ada", "T2": "Ada", "S1": "Grace", "S2": "Grace"}
    markdown = as_markdown(debate, ended)
    assert "## The cases" in markdown
    assert "**Grace (T questioned, question):**" in markdown


# ── the library ─────────────────────────────────────────────────────────────────────────────────────────


def is_hidden(debate: Debate, earlier: Slot, slot: Slot) -> bool:
    """Whether who speaks in `slot` may not know what was said in the earlier one."""
    if earlier.team:
        return earlier.team != debate.speaker(slot.debater or "").team
    same_round = (earlier.phase, earlier.round) == (slot.phase, slot.round)
    return slot.simultaneous and same_round and earlier.debater != slot.debater


@pytest.mark.parametrize("name", [name for name in library() if name not in ("auto", "manual")])
async def test_every_format_is_held_as_it_is_written(store: Store, settings: Settings, model: ScriptedModel, name: str):
    answering(model, "Yes.")
    debate = a_debate(format=name, debaters=None, language="en", guard="off")
    await played(store, settings, await claimed(store, debate))
    ended = await course(store, debate)
    assert ended.status is Status.COMPLETED
    assert departures(as_json(debate, ended)) == []
    requests = [r for r in model.requests if not asked_about_points(r) and not is_question(r, "vote")]
    spoken = [slot for slot in agenda(debate) if not is_scripted(debate, slot)]
    assert len(requests) == len(spoken)
    kept_from = 0
    for slot, request in zip(spoken, requests, strict=True):
        read = asked(request)
        earlier = zip(agenda(debate)[: slot.seq - 1], ended.turns, strict=False)
        hidden = [turn.text for before, turn in earlier if is_hidden(debate, before, slot)]
        assert [words for words in hidden if words in read] == []
        kept_from += len(hidden)
    assert (kept_from > 0) == any(slot.team or slot.simultaneous for slot in agenda(debate))


async def test_slots_are_spoken_to_the_end_also_in_circles(store: Store, settings: Settings, model: ScriptedModel):
    model.script = lambda _: Says("Tabs are one byte, and that is all there is to say about them.")
    ended = await play_out(store, settings, format=A_FORMAT, language="en", guard="strict")
    assert ended.status is Status.COMPLETED
    assert sum("repeats" in turn.faults for turn in ended.turns) >= 6


# ── rounds until all agree ──────────────────────────────────────────────────────────────────────────────

COUNCIL: dict[str, Any] = {
    "title": "A council",
    "decision": "consensus",
    "phases": [
        {"name": "answers", "order": "round_robin", "simultaneous": True, "task": "answer"},
        {
            "name": "revisions",
            "order": "round_robin",
            "rounds": 3,
            "simultaneous": True,
            "anonymous": True,
            "until_agreed": True,
            "task": "revision",
        },
    ],
}


def agreeing_in(model: ScriptedModel, round_: int) -> None:
    """Each debater votes for their own answer until this round, and then both for Ada's."""
    spoken, votes = iter(range(1, 100)), iter(range(100))

    def script(request: dict[str, Any]) -> Says:
        if not is_question(request, "vote"):
            who = "Tabs" if "Now Ada speaks" in asked(request) else "Spaces"
            return Says(f"{who} {next(spoken)}.")
        vote = next(votes)
        wanted = "Spaces" if vote % 2 and vote // 2 + 1 < round_ else "Tabs"
        answer = next(line for line in asked(request).splitlines() if line.startswith("Answer ") and wanted in line)
        return says({"reason": "It is better.", "vote": answer.removeprefix("Answer ")[0]})

    model.script = script


@pytest.mark.parametrize(("agreed_in", "turns"), [(1, 4), (2, 6), (9, 8)])
async def test_rounds_go_on_until_all_agree_or_there_were_enough(
    store: Store, settings: Settings, model: ScriptedModel, agreed_in: int, turns: int
):
    agreeing_in(model, agreed_in)
    debate = a_debate(format=COUNCIL, language="en", guard="off")
    await played(store, settings, await claimed(store, debate))
    ended = await course(store, debate)
    assert ended.status is Status.COMPLETED
    assert [t.seq for t in ended.turns] == list(range(1, turns + 1))
    made = decision(debate, ended.outcomes)
    assert made
    assert (made.winner, made.round) == ("d1" if agreed_in < 9 else None, min(agreed_in, 3))
