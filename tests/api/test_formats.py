"""Formats: what there is, as data, in words and as a picture; and what is wrong with one that people send."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema_rs
import pytest
from httpx2 import ASGITransport, AsyncClient

from rostra.format import Format
from rostra.formats import library
from rostra.formats.drawing import STYLE, drawn
from rostra.formats.timeline import picture
from rostra_api.app import create_app
from rostra_api.catalogue import PICTURE_POLICY
from rostra_api.settings import Settings

SVG = "{http://www.w3.org/2000/svg}"


class TestWhatThereIs:
    async def test_all_formats_are_listed_in_short_and_each_is_there_whole(self, client: AsyncClient):
        listed = (await client.get("/v1/formats")).json()["data"]
        assert [each["name"] for each in listed] == list(library())
        for each in listed:
            whole = (await client.get(each["links"]["self"])).json()
            assert all(whole[field] == each[field] for field in ("title", "summary", "turns", "minutes", "tokens"))
            assert (await client.get(each["links"]["picture"])).status_code == 200
            assert (await client.get(each["links"]["json_schema"])).status_code == 200

    async def test_the_list_says_how_large_a_debate_is(self, client: AsyncClient):
        listed = {each["name"]: each for each in (await client.get("/v1/formats")).json()["data"]}
        policy = listed["policy"]
        assert (policy["seats"], policy["minutes"]) == (4, 74)
        # 8 speeches, 6 times notes, 4 cross-examinations of 3 questions and answers each
        assert policy["turns"] == 8 + 6 + 4 * 3 * 2
        assert policy["teams"][0] == {
            "name": "affirmative",
            "title": "Affirmative",
            "side": "for",
            "seats": ["1A", "2A"],
        }
        assert (listed["round_robin"]["seats"], listed["round_robin"]["minutes"], listed["round_robin"]["turns"]) == (
            0,
            None,
            6,
        )
        assert (listed["manual"]["turns"], listed["manual"]["tokens"]) == (None, None)

    @pytest.mark.parametrize("name", library())
    async def test_what_is_read_of_a_format_can_be_sent_as_one(self, client: AsyncClient, name: str):
        whole = (await client.get(f"/v1/formats/{name}")).json()
        own = {field: whole[field] for field in Format.model_fields}
        assert Format.model_validate_json(json.dumps(own), extra="forbid") == library()[name]
        speakers = {"speakers": ["Affirmative"]} if name == "manual" else {}
        answer = await client.post("/v1/debates", json={"motion": "Tabs beat spaces", "format": own, **speakers})
        assert answer.status_code == 202
        assert whole["turns"] in (answer.json()["turns_planned"], None)

    async def test_a_format_that_is_none_is_not_found(self, client: AsyncClient):
        for name in ("..%2Fshouting", "shouting", "shouting.svg", ".svg", "checking.py"):
            answer = await client.get(f"/v1/formats/{name}")
            assert (answer.status_code, answer.json()["status"]) == (404, 404)


# The format that docs/formats.md shows.
DUEL = re.findall("```toml\n(.*?)```", (Path(__file__).parents[2] / "docs/formats.md").read_text("utf-8"), re.DOTALL)[0]


async def test_a_file_of_ones_own_is_a_format_like_the_others(settings: Settings, tmp_path: Path):
    (tmp_path / "duel.toml").write_text(DUEL, encoding="utf-8")
    app = create_app(settings.model_copy(update={"formats_dir": tmp_path}))
    transport = ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        AsyncClient(transport=transport, base_url="http://127.0.0.1") as client,
    ):
        listed = [each["name"] for each in (await client.get("/v1/formats")).json()["data"]]
        assert listed == sorted([*library(), "duel"])
        assert (await client.get("/v1/formats/duel.svg")).status_code == 200
        answer = await client.post("/v1/debates", json={"motion": "Tabs beat spaces", "format": "duel"})
        assert (answer.status_code, answer.json()["format"], answer.json()["turns_planned"]) == (202, "duel", 8)


# ── pictures ────────────────────────────────────────────────────────────────────────────────────────────


class TestThePicture:
    async def test_in_words_it_has_a_line_for_each_slot_with_who_and_how_long(self, client: AsyncClient):
        shown = (await client.get("/v1/formats/lincoln_douglas")).json()["picture"]
        assert shown.splitlines()[:4] == [
            "Constructives",
            "  AC              A            6  ██████",
            "  CX of AC        N asks A     3  ▒▒▒",
            "  N prepares NC   N, notes     2  ░░",
        ]
        assert "Rebuttals, nothing new" in shown

    async def test_it_is_had_by_its_name_or_by_accept(self, client: AsyncClient):
        named = await client.get("/v1/formats/policy.svg")
        accepted = await client.get("/v1/formats/policy", headers={"Accept": "image/svg+xml"})
        assert named.headers["Content-Type"].startswith("image/svg+xml")
        assert named.content == accepted.content
        browsers = "image/avif,image/webp,image/svg+xml,image/*;q=0.8"
        assert (await client.get("/v1/formats/policy", headers={"Accept": browsers})).content == named.content
        assert (await client.get("/v1/formats/policy", headers={"Accept": "text/plain"})).status_code == 406

    async def test_it_does_nothing_but_style_itself(self, client: AsyncClient):
        headers = (await client.get("/v1/formats/policy.svg")).headers
        assert headers.get_list("Content-Security-Policy") == [PICTURE_POLICY]
        assert "default-src 'none'" in PICTURE_POLICY
        assert "sandbox" in PICTURE_POLICY
        assert headers["X-Content-Type-Options"] == "nosniff"

    @pytest.mark.parametrize("name", library())
    def test_it_is_told_to_who_cannot_see_it(self, name: str):
        root = ElementTree.fromstring(drawn(library()[name]))
        assert root.get("role") == "img"
        told = {element.get("id"): element.text for element in root.iter() if element.get("id")}
        assert str(root.get("aria-labelledby")).split() == list(told)
        assert told["title"] == library()[name].title
        slots = [speech.name for phase in library()[name].phases for speech in phase.slots]
        rows = [str(group.findtext(f"{SVG}title")) for group in root.iter(f"{SVG}g")]
        assert [row.partition(": ")[0] for row in rows if slots] == slots

    def test_a_bar_is_as_long_as_its_minutes_and_has_the_colour_of_its_side(self):
        root = ElementTree.fromstring(drawn(library()["us_parliamentary"]))
        bars = [group.findall(f"{SVG}rect")[0] for group in root.iter(f"{SVG}g")]
        lengths = [float(str(bar.get("width"))) for bar in bars]
        assert [length / lengths[0] * 7 for length in lengths] == pytest.approx([7, 8, 8, 8, 4, 5], abs=0.01)
        assert [bar.get("class") for bar in bars] == ["for", "against", "for", "against", "against", "for"]

    def test_its_style_is_the_one_that_the_policy_allows(self):
        root = ElementTree.fromstring(drawn(library()["policy"]))
        assert root.findtext(f"{SVG}style") == STYLE
        assert not re.search("[<>&]", STYLE)  # which would be escaped, and then be another

    def test_titles_stay_titles(self):
        bad = "</title><script>alert(1)</script>&amp;\ufffe"
        one = {"name": bad[:40], "speaker": "A", "minutes": 60}
        teams = [{"name": "a", "seats": ["A"]}, {"name": "b", "seats": ["B"]}]
        own = Format.model_validate(
            {
                "title": "<b>Ours</b>\ufffe",
                "summary": bad,
                "teams": teams,
                "phases": [{"name": "p", "slots": [one]}],
            }
        )
        root = ElementTree.fromstring(drawn(own))
        assert {element.tag.removeprefix(SVG) for element in root.iter()} == {
            "svg",
            "title",
            "desc",
            "style",
            "rect",
            "text",
            "g",
        }
        assert root.findtext(f"{SVG}title") == "<b>Ours</b>"
        assert "█" * 60 in picture(own)


# ── the schema ──────────────────────────────────────────────────────────────────────────────────────────


async def the_schema(client: AsyncClient) -> dict[str, Any]:
    answer = await client.get("/v1/schemas/format")
    assert answer.headers["Content-Type"] == "application/schema+json"
    return answer.json()


async def test_every_format_fits_the_published_schema(client: AsyncClient):
    validator = jsonschema_rs.validator_for(await the_schema(client))
    for found in library().values():
        validator.validate(found.model_dump(mode="json"))


async def test_the_schema_says_of_every_field_what_it_is(client: AsyncClient):
    schema = await the_schema(client)
    for part in (schema, *(part for part in schema["$defs"].values() if "properties" in part)):
        silent = [name for name, field in part["properties"].items() if not field.get("description")]
        assert (part["title"], silent) in (("Phase", ["title"]), (part["title"], []))


async def test_what_the_api_refuses_by_field_the_schema_refuses_too(client: AsyncClient):
    validator = jsonschema_rs.validator_for(await the_schema(client))
    assert validator.is_valid(a_format())
    for wrong in ({"minutes": -1}, {"minute": 3}, {"speaker": 1}, {"kind": "shout"}):
        assert not validator.is_valid(a_format(**wrong))


# ── formats that people send ────────────────────────────────────────────────────────────────────────────

TEAMS = [
    {"name": "pro", "side": "for", "seats": ["P1", "P2"]},
    {"name": "con", "side": "against", "seats": ["C1", "C2"]},
]
OPENING = {"name": "Opening", "speaker": "P1", "minutes": 4}


def a_format(*, teams: Any = TEAMS, second: Any = None, **changed: Any) -> dict[str, Any]:
    """Two speeches; the second with what is `changed`, or `second` instead."""
    reply = second or {"name": "Reply", "speaker": "C1", "minutes": 4, **changed}
    return {"title": "Ours", "teams": teams, "phases": [{"name": "speeches", "slots": [OPENING, reply]}]}


def an_exchange(kind: str, **who: Any) -> dict[str, Any]:
    return {"name": "Exchange", "kind": kind, "minutes": 3, **who}


def repeated(slots: int) -> dict[str, Any]:
    speeches = [{"name": f"Speech {n}", "speaker": "P1", "minutes": 1} for n in range(slots)]
    return {"title": "Ours", "teams": TEAMS, "phases": [{"name": "speeches", "slots": speeches}]}


SECOND = "/format/phases/0/slots/1"

# What is sent, where it is wrong, and words that the answer has.
BAD = {
    "a seat that is not there": (a_format(speaker="P3"), f"{SECOND}/speaker", ["`Reply`", "`P3`", "P1, P2, C1, C2"]),
    "negative minutes": (a_format(minutes=-3), f"{SECOND}/minutes", ["greater than 0", "`Reply`"]),
    "no minutes": (a_format(second={"name": "Reply", "speaker": "C1"}), f"{SECOND}/minutes", ["required", "`Reply`"]),
    "minutes in words": (a_format(minutes="four"), f"{SECOND}/minutes", ["valid number", "`Reply`"]),
    "a typo": (a_format(repsonds_to=["Opening"]), f"{SECOND}/repsonds_to", ["not a field", "`Reply`"]),
    "an unknown kind": (a_format(kind="shout"), f"{SECOND}/kind", ["'speech'", "`Reply`"]),
    "a circle": (
        {
            "title": "Ours",
            "teams": TEAMS,
            "phases": [
                {"name": "one", "slots": [{**OPENING, "responds_to": ["Reply"]}]},
                {
                    "name": "two",
                    "slots": [{"name": "Reply", "speaker": "C1", "minutes": 4, "responds_to": ["Opening"]}],
                },
            ],
        },
        "/format/phases/0/slots/0/responds_to/0",
        ["circle", "Opening → Reply → Opening"],
    ),
    "an answer to itself": (a_format(responds_to=["Reply"]), f"{SECOND}/responds_to/0", ["circle", "Reply → Reply"]),
    "an answer to nothing": (a_format(responds_to=["Closing"]), f"{SECOND}/responds_to/0", ["`Reply`", "`Closing`"]),
    "an examiner of one's own side": (
        a_format(second=an_exchange("cross_examination", questioner="P2", speaker="P1")),
        f"{SECOND}/questioner",
        ["`Exchange`", "`P2`", "own side"],
    ),
    "a crossfire within one team": (
        a_format(second=an_exchange("crossfire", speakers=["C1", "C2"])),
        f"{SECOND}/speakers/0",
        ["`Exchange`", "`C1`", "`C2`", "own side"],
    ),
    "a debater as the moderator": (
        a_format(second=an_exchange("question", questioner="C1", speakers=["P1"])),
        f"{SECOND}/questioner",
        ["`Exchange`", "moderator, audience"],
    ),
    "nobody who asks": (
        a_format(second=an_exchange("cross_examination", speaker="P1")),
        f"{SECOND}/questioner",
        ["`Exchange`", "needs a `questioner`"],
    ),
    "points where there is no time": (
        a_format(points={"after": 5}),
        f"{SECOND}/points",
        ["`Reply`", "no time for points"],
    ),
    "two slots of one name": (a_format(name="Opening"), f"{SECOND}/name", ["`Opening`", "already"]),
    "two seats of one name": (
        a_format(teams=[TEAMS[0], {**TEAMS[1], "seats": ["C1", "P1"]}]),
        "/format/teams/1/seats/1",
        ["`P1`", "already"],
    ),
    "two teams of one name": (
        a_format(teams=[TEAMS[0], {**TEAMS[1], "name": "pro"}]),
        "/format/teams/1/name",
        ["`pro`"],
    ),
    "one team": (a_format(teams=TEAMS[:1], speaker="P2"), "/format/teams", ["nobody to debate with"]),
    "no teams": (a_format(teams=[]), f"{SECOND}/speaker", ["`Reply`", "`C1`", "no teams"]),
    "too many slots": (repeated(65), "/format/phases/0/slots", ["at most 64"]),
    "a phase without anything": (
        {"title": "Ours", "phases": [{"name": "silence"}]},
        "/format/phases/0",
        ["`silence`", "neither `slots` nor an `order`"],
    ),
    "no phases": ({"title": "Ours", "phases": []}, "/format/phases", ["at least 1"]),
    "nothing": ({}, "/format/phases", ["required"]),
    "slots in no list": (
        {"title": "Ours", "phases": [{"name": "p", "slots": {}}]},
        "/format/phases/0/slots",
        ["a list"],
    ),
    "a list": ([], "/format", ["string", "object"]),
    "a number": (7, "/format", ["string", "object"]),
}


@pytest.mark.parametrize("case", BAD)
async def test_what_is_wrong_with_a_format_is_told_with_its_place(client: AsyncClient, case: str):
    sent, pointer, words = BAD[case]
    answer = await client.post("/v1/debates", json={"motion": "Tabs beat spaces", "format": sent})
    assert answer.status_code == 422
    details = {fault["pointer"]: fault["detail"] for fault in answer.json()["errors"]}
    assert pointer in details, details
    assert [word for word in words if word not in details[pointer]] == [], details[pointer]


async def test_a_format_that_is_right_is_held(client: AsyncClient):
    answer = await client.post("/v1/debates", json={"motion": "Tabs beat spaces", "format": a_format()})
    assert (answer.status_code, answer.json()["turns_planned"]) == (202, 2)


@pytest.mark.parametrize("name", ["x" * 41, "", 7, None, "two\nlines"])
async def test_a_name_that_cannot_be_shown_is_not_repeated(client: AsyncClient, name: object):
    sent = a_format(name=name, minutes=-1)
    answer = await client.post("/v1/debates", json={"motion": "Tabs beat spaces", "format": sent})
    details = {fault["pointer"]: fault["detail"] for fault in answer.json()["errors"]}
    assert details[f"{SECOND}/minutes"] == "Input should be greater than 0"


# ── who sits where ──────────────────────────────────────────────────────────────────────────────────────

FOUR = [{"name": name} for name in ("Ada", "Grace", "Edsger", "Barbara")]


@pytest.mark.parametrize(
    ("debaters", "pointer", "words"),
    [
        (FOUR[:3], "/debaters", ["4 seats in 2 teams"]),
        ([{**FOUR[0], "team": "pro"}, {**FOUR[1], "team": "pro"}], "/debaters", ["nobody is in the team `con`"]),
        ([{**FOUR[0], "team": "pro"}, {**FOUR[1], "team": "cno"}], "/debaters/1/team", ["one of pro, con"]),
        ([{**FOUR[0], "team": "pro"}, FOUR[1]], "/debaters/1/team", ["one of pro, con"]),
        (
            [*({**each, "team": "pro"} for each in FOUR[:3]), {**FOUR[3], "team": "con"}],
            "/debaters/2/team",
            ["`pro` has 2 seats"],
        ),
    ],
)
async def test_debaters_who_do_not_fit_are_told_so(
    client: AsyncClient, debaters: list[Any], pointer: str, words: list[str]
):
    body = {"motion": "Tabs beat spaces", "format": a_format(), "debaters": debaters}
    answer = await client.post("/v1/debates", json=body)
    assert answer.status_code == 422
    details = {fault["pointer"]: fault["detail"] for fault in answer.json()["errors"]}
    assert list(details) == [pointer]
    assert [word for word in words if word not in details[pointer]] == []


@pytest.mark.parametrize("debaters", [FOUR, FOUR[:2], [{**FOUR[0], "team": "con"}, {**FOUR[1], "team": "pro"}]])
async def test_debaters_who_fit_debate(client: AsyncClient, debaters: list[Any]):
    body = {"motion": "Tabs beat spaces", "format": a_format(), "debaters": debaters}
    assert (await client.post("/v1/debates", json=body)).status_code == 202


async def test_more_seats_than_a_debate_has_debaters_are_to_be_shared_out(client: AsyncClient):
    teams = [{"name": f"team{n}", "seats": [f"{n}.{k}" for k in range(8)]} for n in range(3)]
    body = {
        "motion": "Tabs beat spaces",
        "format": a_format(teams=teams, second={**OPENING, "name": "Reply", "speaker": "1.0"}),
    }
    body["format"]["phases"][0]["slots"][0] = {**OPENING, "speaker": "0.0"}
    answer = await client.post("/v1/debates", json=body)
    (fault,) = answer.json()["errors"]
    assert fault["pointer"] == "/debaters"
    assert "24 seats" in fault["detail"]
    answer = await client.post("/v1/debates", json={**body, "debaters": FOUR[:3]})
    assert answer.status_code == 202


@pytest.mark.parametrize(
    ("changed", "pointer", "detail"),
    [
        ({"title": "x" * 41}, "/format/teams/0/title", "must have at most 40 characters"),
        ({"title": "P\u200bro"}, "/format/teams/0/title", "must not contain invisible characters"),
        ({"titles": ["Spea\u200bker", "Other"]}, "/format/teams/0/titles/0", "must not contain invisible characters"),
        ({"titles": ["One"]}, "/format/teams/0/titles", "has 1 titles for 2 seats"),
        ({"seats": ["P1", "P\u200b1"]}, "/format/teams/0/seats/1", "must not contain invisible characters"),
        ({"seats": []}, "/format/teams/0/seats", "must have at least 1 items"),
    ],
)
async def test_titles_that_no_debater_could_be_named_by_are_refused(
    client: AsyncClient, changed: dict[str, Any], pointer: str, detail: str
):
    sent = a_format(teams=[{**TEAMS[0], **changed}, TEAMS[1]])
    answer = await client.post("/v1/debates", json={"motion": "Tabs beat spaces", "format": sent})
    assert answer.status_code == 422
    assert {"pointer": pointer, "detail": detail} in answer.json()["errors"]


@pytest.mark.parametrize(
    ("teams", "names"),
    [
        (
            [{**TEAMS[0], "titles": ["Speaker", "speaker"]}, TEAMS[1]],
            ["Speaker", "speaker 2", "Negative 1", "Negative 2"],
        ),
        (
            [{**TEAMS[0], "titles": ["Moderator", "Audience"]}, TEAMS[1]],
            ["Moderator 2", "Audience 2", "Negative 1", "Negative 2"],
        ),
        (
            [{**TEAMS[0], "title": "House"}, {**TEAMS[1], "title": "House"}],
            ["House 1", "House 2", "House 1 2", "House 2 2"],
        ),
    ],
)
async def test_debaters_that_nobody_named_have_names_that_differ(
    client: AsyncClient, teams: list[Any], names: list[str]
):
    body = {"motion": "Tabs beat spaces", "format": a_format(teams=teams)}
    debaters = (await client.post("/v1/debates", json=body)).json()["debaters"]
    assert [debater["name"] for debater in debaters] == names


async def test_debaters_that_nobody_named_argue_for_the_side_of_their_team(client: AsyncClient):
    teams = [{**TEAMS[1], "seats": ["C1"]}, {**TEAMS[0], "seats": ["P1"]}]
    body = {"motion": "Tabs beat spaces", "format": a_format(teams=teams)}
    debaters = (await client.post("/v1/debates", json=body)).json()["debaters"]
    assert [(each["name"], each["stance"]) for each in debaters] == [
        ("Negative", "against the motion"),
        ("Affirmative", "for the motion"),
    ]


async def test_the_rounds_of_slots_are_the_formats(client: AsyncClient):
    answer = await client.post("/v1/debates", json={"motion": "Tabs beat spaces", "format": "policy", "rounds": 2})
    assert answer.json()["errors"] == [
        {"pointer": "/rounds", "detail": "is fixed by the format `policy`: leave it out"}
    ]
