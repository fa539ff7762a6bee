"""The format library, held against the rules that each format has from those who debate by it.

The tables are written from the rules, by hand: `name | who | minutes | what is special`. Who: `A` speaks, `N × A` asks
and answers, `P1 / C1` ask each other, `moderator ? A, N` asks all, `(N)` makes notes.
"""

from __future__ import annotations

from typing import Any

import pytest

from builders import a_debate, a_turn
from conformance import departures
from rostra.agenda import agenda
from rostra.format import MODERATOR, Format, Phase, Speech
from rostra.formats import checking, library
from rostra.models import Debate, DebateRequest, debate_from
from rostra.transcript import Course, as_json

FREE = ["auto", "consultancy", "council", "manual", "random", "round_robin"]

TABLES = {
    "lincoln_douglas": """
        AC            | A     | 6
        CX of AC      | N × A | 3
        N prepares NC | (N)   | 2
        NC            | N     | 7 | answers AC
        CX of NC      | A × N | 3
        A prepares 1AR| (A)   | 2 | nothing new
        1AR           | A     | 4 | nothing new, answers NC
        N prepares NR | (N)   | 2 | nothing new
        NR            | N     | 6 | nothing new, answers 1AR
        A prepares 2AR| (A)   | 2 | nothing new
        2AR           | A     | 3 | nothing new, answers NR
    """,
    "policy": """
        1AC                      | 1A      | 8
        CX of 1AC                | 2N × 1A | 3
        Negative prepares 1NC    | (1N)    | 1
        1NC                      | 1N      | 8 | answers 1AC
        CX of 1NC                | 1A × 1N | 3
        Affirmative prepares 2AC | (2A)    | 2
        2AC                      | 2A      | 8 | answers 1NC
        CX of 2AC                | 1N × 2A | 3
        Negative prepares 2NC    | (2N)    | 2
        2NC                      | 2N      | 8 | answers 2AC
        CX of 2NC                | 2A × 2N | 3
        1NR                      | 1N      | 5 | nothing new, answers 2AC
        Affirmative prepares 1AR | (1A)    | 2 | nothing new
        1AR                      | 1A      | 5 | nothing new, answers 2NC & 1NR
        Negative prepares 2NR    | (2N)    | 2 | nothing new
        2NR                      | 2N      | 5 | nothing new, answers 1AR
        Affirmative prepares 2AR | (2A)    | 1 | nothing new
        2AR                      | 2A      | 5 | nothing new, answers 2NR
    """,
    "karl_popper": """
        A1 constructive | A1      | 6
        N3 × A1         | N3 × A1 | 3
        N1 prepares     | (N1)    | 2
        N1 constructive | N1      | 6 | answers A1 constructive
        A3 × N1         | A3 × N1 | 3
        A2 prepares     | (A2)    | 4 | nothing new
        A2 rebuttal     | A2      | 5 | nothing new, answers N1 constructive
        N1 × A2         | N1 × A2 | 3 | nothing new
        N2 prepares     | (N2)    | 3 | nothing new
        N2 rebuttal     | N2      | 5 | nothing new, answers A2 rebuttal
        A1 × N2         | A1 × N2 | 3 | nothing new
        A3 prepares     | (A3)    | 4 | nothing new
        A3 rebuttal     | A3      | 5 | nothing new, answers N2 rebuttal
        N3 prepares     | (N3)    | 3 | nothing new
        N3 rebuttal     | N3      | 5 | nothing new, answers A3 rebuttal
    """,
    "british_parliamentary": """
        PM  | PM  | 7 | points 1 to 6
        LO  | LO  | 7 | points 1 to 6, answers PM
        DPM | DPM | 7 | points 1 to 6, answers LO
        DLO | DLO | 7 | points 1 to 6, answers DPM
        MG  | MG  | 7 | points 1 to 6, answers DLO
        MO  | MO  | 7 | points 1 to 6, answers MG
        GW  | GW  | 7 | nothing new, points 1 to 6, answers MO
        OW  | OW  | 7 | nothing new, points 1 to 6, answers GW
    """,
    "world_schools": """
        First proposition  | P1 | 8 | points 1 to 7
        First opposition   | O1 | 8 | points 1 to 7, answers First proposition
        Second proposition | P2 | 8 | points 1 to 7, answers First opposition
        Second opposition  | O2 | 8 | points 1 to 7, answers Second proposition
        Third proposition  | P3 | 8 | nothing new, points 1 to 7, answers Second opposition
        Third opposition   | O3 | 8 | nothing new, points 1 to 7, answers Third proposition
        Opposition reply   | O1 | 4 | nothing new
        Proposition reply  | P1 | 4 | nothing new
    """,
    "us_parliamentary": """
        PMC | PM | 7 | points 1 to 6
        LOC | LO | 8 | points 1 to 7, answers PMC
        MGC | MG | 8 | points 1 to 7, answers LOC
        MOC | MO | 8 | points 1 to 7, answers MGC
        LOR | LO | 4 | nothing new, answers MGC
        PMR | PM | 5 | nothing new, answers MOC & LOR
    """,
    "public_forum": """
        Pro constructive             | P1                | 4
        Con constructive             | C1                | 4
        First crossfire              | P1 / C1           | 3
        Pro prepares its rebuttal    | (P2)              | 1
        Pro rebuttal                 | P2                | 4 | answers Con constructive
        Con prepares its rebuttal    | (C2)              | 1
        Con rebuttal                 | C2                | 4 | answers Pro constructive & Pro rebuttal
        Second crossfire             | P2 / C2           | 3
        Pro prepares its summary     | (P1)              | 1
        Pro summary                  | P1                | 3 | answers Con rebuttal
        Con prepares its summary     | (C1)              | 1
        Con summary                  | C1                | 3 | answers Pro summary
        Grand crossfire              | P1 / C1 / P2 / C2 | 3
        Pro prepares its final focus | (P2)              | 1 | nothing new
        Pro final focus              | P2                | 2 | nothing new
        Con prepares its final focus | (C2)              | 1 | nothing new
        Con final focus              | C2                | 2 | nothing new
    """,
    "nade": """
        肯定立論         | 肯定側立論             | 6
        否定質疑の準備   | (否定側質疑)           | 1
        否定質疑         | 否定側質疑 × 肯定側立論 | 3
        否定立論の準備   | (否定側立論)           | 1
        否定立論         | 否定側立論             | 6
        肯定質疑の準備   | (肯定側質疑)           | 1
        肯定質疑         | 肯定側質疑 × 否定側立論 | 3
        否定第1反駁の準備 | (否定側第1反駁)        | 1 | nothing new
        否定第1反駁      | 否定側第1反駁          | 4 | nothing new, answers 肯定立論
        肯定第1反駁の準備 | (肯定側第1反駁)        | 2 | nothing new
        肯定第1反駁      | 肯定側第1反駁          | 4 | nothing new, answers 否定立論 & 否定第1反駁
        否定第2反駁の準備 | (否定側第2反駁)        | 2 | nothing new
        否定第2反駁      | 否定側第2反駁          | 4 | nothing new, answers 肯定第1反駁
        肯定第2反駁の準備 | (肯定側第2反駁)        | 2 | nothing new
        肯定第2反駁      | 肯定側第2反駁          | 4 | nothing new, answers 否定第2反駁
    """,
    "nade_middle_school": """
        肯定立論         | 肯定側立論             | 4
        否定質疑の準備   | (否定側質疑)           | 1
        否定質疑         | 否定側質疑 × 肯定側立論 | 2
        否定立論の準備   | (否定側立論)           | 1
        否定立論         | 否定側立論             | 4
        肯定質疑の準備   | (肯定側質疑)           | 1
        肯定質疑         | 肯定側質疑 × 否定側立論 | 2
        否定第1反駁の準備 | (否定側第1反駁)        | 1 | nothing new
        否定第1反駁      | 否定側第1反駁          | 3 | nothing new, answers 肯定立論
        肯定第1反駁の準備 | (肯定側第1反駁)        | 2 | nothing new
        肯定第1反駁      | 肯定側第1反駁          | 3 | nothing new, answers 否定立論 & 否定第1反駁
        否定第2反駁の準備 | (否定側第2反駁)        | 2 | nothing new
        否定第2反駁      | 否定側第2反駁          | 3 | nothing new, answers 肯定第1反駁
        肯定第2反駁の準備 | (肯定側第2反駁)        | 2 | nothing new
        肯定第2反駁      | 肯定側第2反駁          | 3 | nothing new, answers 否定第2反駁
    """,
    "oxford": """
        Opening F1            | F1                          | 6
        Opening A1            | A1                          | 6
        Opening F2            | F2                          | 6 | answers Opening A1
        Opening A2            | A2                          | 6 | answers Opening F1 & Opening F2
        Moderator's questions | moderator ? F1, A1, F2, A2  | 10
        Audience's questions  | audience ? A1, F1, A2, F2   | 10
        Closing F1            | F1                          | 2
        Closing A1            | A1                          | 2
        Closing F2            | F2                          | 2
        Closing A2            | A2                          | 2
    """,
}

# Minutes that each side speaks, asks in cross-examination, and prepares.
SHARES = {
    "lincoln_douglas": {"for": (13, 3, 4), "against": (13, 3, 4)},
    "policy": {"for": (26, 6, 5), "against": (26, 6, 5)},
    "karl_popper": {"for": (16, 6, 8), "against": (16, 6, 8)},
    "british_parliamentary": {"for": (28, 0, 0), "against": (28, 0, 0)},
    "world_schools": {"for": (28, 0, 0), "against": (28, 0, 0)},
    "us_parliamentary": {"for": (20, 0, 0), "against": (20, 0, 0)},
    "public_forum": {"for": (13, 0, 3), "against": (13, 0, 3)},
    "nade": {"for": (14, 3, 5), "against": (14, 3, 5)},
    "nade_middle_school": {"for": (10, 2, 5), "against": (10, 2, 5)},
    "oxford": {"for": (16, 0, 0), "against": (16, 0, 0)},
}


def played_by_default(name: str, **fields: Any) -> Debate:
    speakers = ["Affirmative"] if name == "manual" else None
    request = DebateRequest.model_validate(
        {"motion": "Tabs beat spaces", "language": "en", "speakers": speakers, "seed": 40, **fields}
    )
    return debate_from(request, library()[name])


# ── the library ─────────────────────────────────────────────────────────────────────────────────────────


def test_every_format_is_free_or_has_its_table():
    assert sorted([*FREE, *TABLES]) == list(library())
    assert SHARES.keys() == TABLES.keys()


@pytest.mark.parametrize("name", library())
def test_every_format_says_what_it_is_and_can_be_played(name: str):
    found = library()[name]
    assert found.name == name
    assert found.title
    assert found.summary.endswith((".", "。"))
    assert checking.faults(found) == []
    assert agenda(played_by_default(name))


@pytest.mark.parametrize("name", TABLES)
def test_every_format_with_teams_says_where_its_rules_stand_and_who_is_called_what(name: str):
    found = library()[name]
    assert found.source
    assert [phase.name for phase in found.phases if not phase.title] == []
    assert [team.name for team in found.teams if not team.title or len(team.titles) not in (0, len(team.seats))] == []


# ── the rules ───────────────────────────────────────────────────────────────────────────────────────────


def who(speech: Speech) -> str:
    match speech.kind:
        case "cross_examination":
            return f"{speech.questioner} × {speech.speaker}"
        case "crossfire":
            return " / ".join(speech.speakers)
        case "question":
            return f"{speech.questioner} ? {', '.join(speech.speakers)}"
        case "preparation":
            return f"({speech.speaker})"
        case _:
            return str(speech.speaker)


def row(phase: Phase, speech: Speech) -> tuple[str, ...]:
    special: list[str] = []
    if not (phase.new_arguments and speech.new_arguments):
        special.append("nothing new")
    if speech.points:
        special.append(f"points {speech.points.after:g} to {speech.points.until:g}")
    if speech.responds_to:
        special.append(f"answers {' & '.join(speech.responds_to)}")
    return (speech.name, who(speech), f"{speech.minutes:g}", ", ".join(special))


def rows(table: str) -> list[tuple[str, ...]]:
    lines = [[cell.strip() for cell in line.split("|")] for line in table.strip().splitlines()]
    return [(*cells, "")[:4] for cells in lines]


@pytest.mark.parametrize("name", TABLES)
def test_its_slots_are_those_of_its_rules(name: str):
    found = library()[name]
    assert [row(phase, speech) for phase in found.phases for speech in phase.slots] == rows(TABLES[name])


def share(debate_format: Format, side: str) -> tuple[float, float, float]:
    seats = {seat for team, seat in debate_format.seats() if team.side == side}
    slots = [speech for phase in debate_format.phases for speech in phase.slots]
    return (
        sum(s.minutes for s in slots if s.kind == "speech" and s.speaker in seats),
        sum(s.minutes for s in slots if s.kind == "cross_examination" and s.questioner in seats),
        sum(s.minutes for s in slots if s.kind == "preparation" and s.speaker in seats),
    )


@pytest.mark.parametrize("name", SHARES)
def test_each_side_has_its_share_of_the_time(name: str):
    assert {side: share(library()[name], side) for side in ("for", "against")} == SHARES[name]


@pytest.mark.parametrize("name", ["karl_popper", "british_parliamentary", "nade", "nade_middle_school"])
def test_everyone_makes_one_speech_where_the_rules_say_so(name: str):
    found = library()[name]
    speakers = [s.speaker for phase in found.phases for s in phase.slots if s.kind == "speech"]
    silent = {seat for _, seat in found.seats() if seat.endswith("質疑")}  # they ask, and make no speech
    assert sorted(str(speaker) for speaker in speakers) == sorted({seat for _, seat in found.seats()} - silent)


def test_in_british_parliamentary_the_two_houses_of_a_bench_stand_together():
    found = library()["british_parliamentary"]
    assert [(team.name, team.side, len(team.seats)) for team in found.teams] == [
        ("opening_government", "for", 2),
        ("opening_opposition", "against", 2),
        ("closing_government", "for", 2),
        ("closing_opposition", "against", 2),
    ]
    debate = played_by_default("british_parliamentary")
    sides = {team.name: team.side for team in found.teams}
    for slot in agenda(debate):
        if slot.kind == "point":
            assert slot.debater
            assert slot.to
            assert sides[debate.debater(slot.debater).team] != sides[debate.debater(slot.to).team]


def test_members_extend_and_whips_sum_up():
    tasks = {slot.name: slot.task for slot in agenda(played_by_default("british_parliamentary"))}
    assert (tasks["MG"], tasks["MO"], tasks["GW"], tasks["OW"]) == ("extension", "extension", "summary", "summary")


def test_a_reply_is_given_by_the_first_or_second_speaker():
    replies = library()["world_schools"].phases[-1].slots
    assert {speech.speaker for speech in replies} <= {"P1", "P2", "O1", "O2"}


def test_in_oxford_an_audience_votes_and_the_moderator_announces_every_phase():
    found = library()["oxford"]
    assert found.audience > 0
    announced = [slot for slot in agenda(played_by_default("oxford")) if slot.kind == "announcement"]
    assert [(slot.phase, slot.debater) for slot in announced] == [(phase.name, MODERATOR) for phase in found.phases]


def test_in_a_council_everyone_answers_alone_then_revises_without_knowing_whose_answer_is_whose():
    slots = agenda(played_by_default("council"))
    assert [(s.debater, s.task, s.simultaneous, s.anonymous) for s in slots] == [
        ("d1", "answer", True, False),
        ("d2", "answer", True, False),
        ("d1", "revision", True, True),
        ("d2", "revision", True, True),
    ]
    assert library()["council"].decision == "majority"


def test_in_a_consultancy_all_write_at_the_same_time_for_several_rounds():
    slots = agenda(played_by_default("consultancy"))
    assert [(s.debater, s.round, s.simultaneous) for s in slots] == [
        (debater, round_, True) for round_ in (1, 2, 3) for debater in ("d1", "d2")
    ]


# ── as it is played ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", TABLES)
def test_the_seats_speak_in_the_order_of_the_rules(name: str):
    debate = played_by_default(name)
    sitting = {debater: seat for seat, debater in debate.seats.items()}
    slots = {slot.name: slot for slot in reversed(agenda(debate)) if slot.name}
    for slot_name, who_, _, _ in rows(TABLES[name]):
        first = who_.strip("()").split(" ")[0]
        assert sitting.get(str(slots[slot_name].debater), slots[slot_name].debater) == first


@pytest.mark.parametrize("name", TABLES)
def test_notes_are_for_ones_own_team_and_all_else_for_everyone(name: str):
    debate = played_by_default(name)
    for slot in agenda(debate):
        own = debate.debater(str(slot.debater)).team if slot.kind == "notes" else ""
        assert slot.team == own


@pytest.mark.parametrize("name", TABLES)
def test_no_minute_is_lost_when_a_slot_is_played_in_turns(name: str):
    debate = played_by_default(name)
    for slot_name, _, minutes, _ in rows(TABLES[name]):
        turns = [slot for slot in agenda(debate) if slot.name == slot_name and slot.kind != "point"]
        assert sum(slot.minutes or 0 for slot in turns) == pytest.approx(float(minutes))


def a_transcript(debate: Debate) -> dict[str, Any]:
    """Of the debate, held as it should be."""
    turns = [a_turn(slot.seq, slot.debater or "d1", phase=slot.phase, round=slot.round) for slot in agenda(debate)]
    return as_json(debate, Course(turns=tuple(turns)))


class TestConformance:
    """What tells of a played debate whether it kept to its format."""

    @pytest.mark.parametrize("name", [name for name in library() if name != "manual"])
    def test_a_debate_that_kept_to_its_format_is_told_to(self, name: str):
        assert departures(a_transcript(played_by_default(name))) == []

    def test_a_debate_of_fewer_debaters_than_seats_did_too(self):
        debaters = [{"name": "Ada", "team": "negative"}, {"name": "Grace", "team": "affirmative"}]
        held = a_transcript(played_by_default("policy", debaters=debaters))
        assert departures(held) == []
        assert held["turns"][0]["debater"] == "Grace"

    def test_who_speaks_out_of_turn_is_found(self):
        held = a_transcript(played_by_default("lincoln_douglas"))
        held["turns"][0]["debater"] = "Negative"
        assert departures(held) == ["turn 1: Negative speaks instead of Affirmative"]

    def test_a_turn_that_is_missing_is_found(self):
        held = a_transcript(played_by_default("lincoln_douglas"))
        del held["turns"][-1]
        assert departures(held) == ["20 turns were spoken in 21 slots"]

    def test_a_turn_in_the_wrong_phase_is_found(self):
        held = a_transcript(played_by_default("lincoln_douglas"))
        held["turns"][-1]["phase"] = "constructive"
        assert departures(held) == ["turn 21: its phase is constructive, not rebuttal"]

    def test_who_speaks_too_long_is_found(self):
        held = a_transcript(played_by_default("lincoln_douglas"))
        held["turns"][0]["text"] = "x" * 5401  # six minutes of 150 words of six characters, and one more
        assert departures(held) == ["turn 1: 5401 characters, of 5400"]

    def test_who_read_the_other_teams_notes_is_found(self):
        held = a_transcript(played_by_default("lincoln_douglas"))
        notes, other = held["turns"][7], held["turns"][-1]
        notes["text"] = "They will say that spaces line up in every editor; concede it, then ask what it costs."
        held["turns"][8]["text"] = notes["text"]  # one's own
        assert departures(held) == []
        held["turns"][8]["text"] = "Nothing of it."
        other["text"] = f"As they noted: {notes['text']}"
        assert departures(held) == ["turn 21: Affirmative says what stands in the notes of another team, 8"]

    def test_who_heard_a_turn_of_the_same_simultaneous_round_is_found(self):
        held = a_transcript(played_by_default("consultancy"))
        held["turns"][0]["text"] = "Tabs let every reader choose how wide an indentation is for their own eyes."
        held["turns"][2]["text"] = held["turns"][3]["text"] = held["turns"][0]["text"]  # said before, and heard
        assert departures(held) == []
        held["turns"][1]["text"] = held["turns"][0]["text"]
        assert departures(held) == ["turn 2: Negative says what stands in a turn of the same round, 1"]

    def test_a_format_that_is_not_the_librarys_is_told_by_itself(self):
        own = library()["lincoln_douglas"].model_copy(update={"name": "inline"})
        held = a_transcript(debate_from(DebateRequest(motion="Tabs beat spaces", seed=40), own))
        assert departures(held) == []

    def test_one_that_only_has_the_name_of_the_librarys_is_found(self):
        held = a_transcript(played_by_default("lincoln_douglas"))
        held["settings"]["phases"][1]["new_arguments"] = True
        assert departures(held) == ["what was played is not `lincoln_douglas` as it is in the library"]

    def test_who_sits_on_anothers_seat_is_found(self):
        held = a_transcript(played_by_default("lincoln_douglas"))
        held["settings"]["seats"] = {"A": "Negative", "N": "Affirmative"}
        assert departures(held) == [
            "on the seat A sits Negative, not Affirmative",
            "on the seat N sits Affirmative, not Negative",
        ]

    def test_notes_that_all_hear_are_found(self):
        held = a_transcript(played_by_default("lincoln_douglas"))
        held["turns"][7]["heard_by"] = None
        assert departures(held) == ["turn 8: its heard_by is None, not negative"]


def test_a_debate_of_the_builders_is_told_as_well():
    assert departures(a_transcript(a_debate(rounds=2))) == []
