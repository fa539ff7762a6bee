"""What is wrong with a format, and where."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from builders import A_FORMAT
from rostra.format import Format
from rostra.formats import library
from rostra.formats.checking import faults

CASES = ("phases", 0, "slots")


def changed(*place: Any, to: Any) -> Format:
    """The format with one thing changed; the place is where the change goes."""
    document: Any = deepcopy(A_FORMAT)
    inside = document
    for step in place[:-1]:
        inside = inside[step]
    inside[place[-1]] = to
    return Format.model_validate(document, extra="forbid")


def found(debate_format: Format) -> dict[tuple[str | int, ...], str]:
    return {fault.place: fault.detail for fault in faults(debate_format)}


def test_the_formats_of_the_library_have_no_faults():
    assert {name: faults(each) for name, each in library().items() if faults(each)} == {}
    assert faults(Format.model_validate(A_FORMAT)) == []


@pytest.mark.parametrize(
    ("place", "value", "where", "detail"),
    [
        ((*CASES, 0, "speaker"), "T9", None, "the slot `T case` names `T9`, which is not one of T1, T2, S1, S2"),
        ((*CASES, 1, "questioner"), "T2", None, "in the slot `T questioned` `T2` examines its own side"),
        (
            (*CASES, 1, "questioner"),
            None,
            None,
            "the slot `T questioned` is a cross_examination and needs a `questioner`",
        ),
        ((*CASES, 0, "questioner"), "S1", None, "means nothing in the slot `T case`"),
        (
            (*CASES, 0, "responds_to"),
            ["S case"],
            (*CASES, 0, "responds_to", 0),
            "responds to `S case`, which comes after it",
        ),
        ((*CASES, 0, "responds_to"), ["Coda"], (*CASES, 0, "responds_to", 0), "responds to `Coda`, which is no slot"),
        ((*CASES, 3, "name"), "T case", None, "there is a slot `T case` already"),
        (
            (*CASES, 0, "points"),
            {"most": 1, "after": 4, "until": 6},
            None,
            "the slot `T case` has 4 minutes, and no time for",
        ),
        (("phases", 1, "name"), "cases", None, "there is a phase `cases` already"),
        (("phases", 1, "order"), "random", None, "the phase `rebuttals` has slots"),
        (("phases", 1, "slots"), [], ("phases", 1), "has neither `slots` nor an `order`"),
        (("teams", 1, "name"), "tabs", None, "there is a team `tabs` already"),
        (("teams", 1, "seats"), ["T1", "S2"], ("teams", 1, "seats", 0), "there is a seat `T1` already"),
        (("teams", 1, "titles"), ["Only"], None, "1 titles for 2 seats"),
    ],
)
def test_each_fault_is_told_where_it_is(place: Any, value: Any, where: Any, detail: str):
    told = found(changed(*place, to=value))
    assert detail in told[where or place]


def test_slots_that_respond_to_each_other_are_shown_as_the_circle_that_they_are():
    document: Any = deepcopy(A_FORMAT)
    document["phases"][0]["slots"][0]["responds_to"] = ["S rebuttal"]
    told = found(Format.model_validate(document))
    assert told[(*CASES, 0, "responds_to", 0)] == (
        "slots respond to each other in a circle: T case → S rebuttal → T case"
    )


def test_nobody_crossfires_with_a_partner():
    fire = {"name": "F", "kind": "crossfire", "speakers": ["T1", "S1", "S2"], "minutes": 3}
    told = found(changed("phases", 1, "slots", 0, to=fire))
    assert told[("phases", 1, "slots", 0, "speakers", 1)] == "in the slot `F` `S1` asks `S2`, who is on its own side"


def test_slots_need_teams():
    document: Any = deepcopy(A_FORMAT) | {"teams": []}
    told = found(Format.model_validate(document))
    assert (
        told[(*CASES, 0, "speaker")]
        == "the slot `T case` names `T1`, which is not there, since the format has no teams"
    )
