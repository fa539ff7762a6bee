"""Who sits where."""

from __future__ import annotations

import pytest

from builders import A_FORMAT, a_debate
from rostra.format import Format
from rostra.seating import Unseated, seated

CLASH = Format.model_validate(A_FORMAT)


def test_as_many_debaters_as_seats_sit_in_their_order():
    teams, seats = seated(CLASH, [None] * 4)
    assert teams == ["tabs", "tabs", "spaces", "spaces"]
    assert seats == {"T1": 0, "T2": 1, "S1": 2, "S2": 3}


def test_as_many_debaters_as_teams_are_a_whole_team_each():
    teams, seats = seated(CLASH, [None, None])
    assert teams == ["tabs", "spaces"]
    assert seats == {"T1": 0, "T2": 0, "S1": 1, "S2": 1}


def test_debaters_who_name_their_teams_sit_there_in_the_order_in_which_they_came():
    _, seats = seated(CLASH, ["spaces", "tabs", "spaces"])
    assert seats == {"T1": 1, "T2": 1, "S1": 0, "S2": 2}


@pytest.mark.parametrize(
    ("teams", "place", "detail"),
    [
        ([None] * 3, None, "4 seats in 2 teams"),
        (["tabs", "tabs"], None, "nobody is in the team `spaces`"),
        (["tabs", "spaces", "spaces", "spaces"], 3, "the team `spaces` has 2 seats"),
        (["tabs", None], 1, "must name its team, one of tabs, spaces"),
        (["tabs", "vim"], 1, "must name its team"),
    ],
)
def test_debaters_who_do_not_fit_are_told_why(teams: list[str | None], place: int | None, detail: str):
    with pytest.raises(Unseated) as caught:
        seated(CLASH, teams)
    assert caught.value.place == place
    assert detail in caught.value.detail


def test_in_a_free_format_debaters_may_be_teams_and_nobody_sits():
    free = Format.model_validate({"title": "Free", "phases": [{"name": "debate", "order": "round_robin"}]})
    assert seated(free, ["red", None]) == (["red", ""], {})


def test_a_team_has_a_stance_for_those_of_it_who_have_none():
    debate = a_debate(
        format=A_FORMAT, language="de", debaters=[{"name": "Ada"}, {"name": "Grace", "stance": "für Leerzeichen"}]
    )
    assert [(d.team, d.stance) for d in debate.debaters] == [("tabs", "für den Antrag"), ("spaces", "für Leerzeichen")]


def test_a_debate_without_debaters_has_one_on_every_seat():
    debate = a_debate(format=A_FORMAT, debaters=None)
    assert [d.name for d in debate.debaters] == ["Affirmative 1", "Affirmative 2", "Negative 1", "Negative 2"]
    titled = A_FORMAT | {"teams": [A_FORMAT["teams"][0] | {"titles": ["Captain", "Second"]}, A_FORMAT["teams"][1]]}
    assert [d.name for d in a_debate(format=titled, debaters=None).debaters][:2] == ["Captain", "Second"]
