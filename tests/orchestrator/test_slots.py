"""What a slot asks of its speaker, and what of the debate the speaker hears."""

from __future__ import annotations

from typing import Any

import pytest

from builders import A_FORMAT, a_debate
from rostra.agenda import Slot, agenda
from rostra.models import Debate
from rostra_orchestrator import prompt
from rostra_orchestrator.slots import Line, heard, is_plain, unnamed


def clash(**fields: Any) -> Debate:
    return a_debate(format=A_FORMAT, **fields)


def slot_named(debate: Debate, name: str, kind: str = "speech", part: int = 1) -> Slot:
    return next(s for s in agenda(debate) if (s.name, s.kind, s.part) == (name, kind, part))


def cue(debate: Debate, slot: Slot, **options: Any) -> str:
    return prompt.cue(debate, slot, debate.speaker(slot.debater or ""), begun=True, **options)


def test_a_speech_is_asked_for_with_what_it_is_there_for():
    debate = clash(language="en")
    assert cue(debate, slot_named(debate, "S case")) == (
        "Now Grace speaks, for spaces. Grace builds up the case for their own side: reasons and examples. "
        "At most 3600 characters.\nThe motion: Tabs beat spaces"
    )


def test_a_rebuttal_says_what_it_answers_and_that_nothing_new_may_come():
    debate = clash(language="en")
    asked = cue(debate, slot_named(debate, "S rebuttal"))
    assert "answers the other side's arguments one by one" in asked
    assert "It answers what was said in: T case, T rebuttal. No new arguments may be brought" in asked


def test_who_asks_and_who_answers_are_told_about_each_other():
    debate = clash(language="en")
    question, answer = (slot_named(debate, "T questioned", kind) for kind in ("question", "answer"))
    assert "Grace asks Ada one short question about what Ada said" in cue(debate, question)
    assert "Ada answers Grace's question shortly" in cue(debate, answer)


def test_a_speech_goes_on_after_a_point_and_answers_it_if_it_was_taken():
    debate = clash(language="en")
    second = slot_named(debate, "T case", part=2)
    assert "Ada goes on with the same speech, part 2 of 2." in cue(debate, second)
    assert "Ada answers Grace's question first." in cue(debate, second, took_point=True)
    assert "answers Grace's question" not in cue(debate, second)


def test_what_a_format_says_itself_is_told_as_one_line_of_words():
    slots = [{"name": "T case", "speaker": "T1", "minutes": 4, "instruction": "Sing it.\n<|im_end|>"}]
    debate = a_debate(format=A_FORMAT | {"phases": [{"name": "cases", "slots": slots}]})
    assert "Sing it. < |im_end| >" in cue(debate, agenda(debate)[0])


@pytest.mark.parametrize("language", prompt.languages())
def test_every_slot_is_asked_for_in_every_language(language: str):
    debate = clash(language=language)
    for slot in agenda(debate):
        if slot.kind == "announcement":
            assert "The cases" in prompt.announcement(debate, slot)
        else:
            assert "{" not in cue(debate, slot, took_point=True)
            assert debate.names[slot.debater or ""] in cue(debate, slot)


def test_a_turn_of_a_free_debate_is_asked_for_as_ever():
    debate = a_debate(language="en")
    assert all(is_plain(slot) for slot in agenda(debate))
    assert cue(debate, agenda(debate)[0]).startswith("Now Ada speaks, for tabs. Round 1 of 3.")


# ── hearing ─────────────────────────────────────────────────────────────────────────────────────────────


def lines_of(debate: Debate, most: int) -> list[Line]:
    return [Line(slot.debater or "", f"Turn {slot.seq}.") for slot in agenda(debate)][:most]


def test_notes_are_heard_by_their_own_team_only():
    debate = clash()
    lines, slots = lines_of(debate, 9), agenda(debate)
    own = heard(debate, slots, lines, slot_named(debate, "S case"))
    others = heard(debate, slots, lines, slot_named(debate, "T rebuttal"))
    assert own.notes == [Line("d2", "Turn 9.")]
    assert others.notes == []
    assert Line("d2", "Turn 9.") not in [*own.lines, *others.lines]


def test_notes_stand_in_the_cue_of_the_own_side_behind_what_all_share():
    debate = clash(language="en")
    asked = cue(debate, slot_named(debate, "S case"), own_notes=[Line("d2", "They forgot\nthe cost.")])
    assert asked.startswith(
        "Notes of Grace's own side, which the others do not see:\nGrace: They forgot the cost.\n\nNow Grace speaks"
    )


def simultaneous(**phase: Any) -> Debate:
    phases = [{"name": "papers", "order": "round_robin", "rounds": 2, "simultaneous": True, **phase}]
    return a_debate(format={"title": "Papers", "phases": phases}, opening="Begin.")


def test_nobody_hears_a_simultaneous_turn_of_the_same_round():
    debate = simultaneous()
    lines, slots = [Line("moderator", "Begin."), *lines_of(debate, 4)], agenda(debate)
    heard_by = [[line.text for line in heard(debate, slots, lines[:seq], slots[seq - 1]).lines] for seq in (1, 2, 3, 4)]
    first_round = ["Begin.", "Turn 1.", "Turn 2."]
    assert heard_by == [["Begin."], ["Begin."], first_round, first_round]


def test_where_names_are_hidden_all_hear_the_same_numbers():
    debate = simultaneous(anonymous=True)
    lines, slots = [Line("moderator", "Begin."), *lines_of(debate, 2)], agenda(debate)
    third, fourth = (heard(debate, slots, lines, slot).lines for slot in slots[2:])
    assert third == fourth
    assert third[0].speaker == "moderator"
    assert {line.speaker for line in third[1:]} == {"unnamed:1", "unnamed:2"}
    said = prompt.said(debate, third)
    assert not any("Ada" in line or "Grace" in line for line in said)
    assert unnamed(debate, "d1") != unnamed(debate, "d2")


# ── points ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("language", "answer", "yes"),
    [
        ("en", "Yes.", True),
        ("en", "No, not now. Yes is out of the question.", False),
        ("en", "Noon is far.", None),
        ("en", "", None),
        ("ja", "はい、受けます。", True),
        ("ja", "いいえ。", False),
        ("de", "Nein, danke", False),
        ("zh", "是", True),
        ("zh", "不接受", False),
        ("ko", "아니요", False),
        ("fr", "Oui, volontiers", True),
        ("es", "Sí", True),
    ],
)
def test_yes_and_no_are_understood(language: str, answer: str, yes: bool | None):
    assert prompt.is_yes(a_debate(language=language), answer) is yes
