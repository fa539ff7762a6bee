"""GET /v1/debates/{id}/transcript: in the form that was asked for, and no other."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from httpx2 import AsyncClient

from builders import A_FORMAT, a_request, a_turn
from rostra.events import ReadingGiven, VerdictGiven
from rostra.models import Status
from rostra.rules import JudgeRules
from rostra.store import Claim, Store
from rostra.verdicts import Quote, Reading, verdict
from rostra.views import TranscriptView
from rostra_api.transcripts import preferred

JSON, MARKDOWN, HTML, LINES = "application/json", "text/markdown", "text/html", "application/x-ndjson"
SHEET = "text/csv"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


async def test_it_is_not_complete_while_the_debate_runs(client: AsyncClient, store: Store, claim: Claim):
    path = f"/v1/debates/{claim.debate.id}/transcript"
    await store.append(claim, a_turn(1, text="Tabs are honest."))
    running = (await client.get(path)).json()
    assert (running["complete"], [turn["debater"] for turn in running["turns"]]) == (False, ["Ada"])
    await store.finish(claim, Status.COMPLETED)
    assert (await client.get(path)).json()["complete"] is True


async def test_it_is_what_the_contract_says(client: AsyncClient, store: Store, claim: Claim):
    await store.append(claim, a_turn(1))
    content = (await client.get(f"/v1/debates/{claim.debate.id}/transcript.json")).json()
    told = TranscriptView.model_validate(content).model_dump(mode="json")
    assert told.keys() == content.keys()
    assert told["turns"][0].keys() == content["turns"][0].keys()
    assert told["settings"].keys() == content["settings"].keys()
    assert told["settings"]["phases"] == content["settings"]["phases"]


@pytest.mark.parametrize(
    "fields",
    [
        {"format": A_FORMAT, "phases": {"cases": {"sampling": {"top_k": 3}}}, "language": "en"},
        {"format": "oxford", "debaters": None, "judge": {"panel": 3}, "metadata": {"run": 1}},
        {"rounds": 7, "audience": {"size": 2}, "opening": "Begin.", "limits": {"tokens": 9000}},
    ],
    ids=["inline", "oxford", "round_robin"],
)
async def test_its_settings_are_enough_to_hold_the_debate_again(client: AsyncClient, fields: dict[str, Any]):
    asked = {name: value for name, value in a_request(**fields).items() if value is not None}
    first = (await client.post("/v1/debates", json=asked)).json()
    settings = (await client.get(first["links"]["transcript"])).json()["settings"]
    again = await client.post("/v1/debates", json=settings["request"])
    assert again.status_code == 202, again.text
    same = (await client.get(again.json()["links"]["transcript"])).json()["settings"]
    assert same == settings


async def test_markdown_to_read(client: AsyncClient, store: Store, claim: Claim):
    await store.append(claim, a_turn(1, text="<script>alert(1)</script>"))
    path = f"/v1/debates/{claim.debate.id}/transcript"
    named = await client.get(f"{path}.md")
    asked = await client.get(path, headers={"Accept": "text/markdown, */*;q=0.1"})
    assert named.text == asked.text
    assert named.headers["Content-Type"] == "text/markdown; charset=utf-8"
    assert named.text.startswith("# Tabs beat spaces")
    assert "<script>" not in named.text


async def test_a_page_to_read(client: AsyncClient, store: Store, claim: Claim):
    await store.append(claim, a_turn(1, text="<script>alert(1)</script>"))
    path = f"/v1/debates/{claim.debate.id}/transcript"
    named = await client.get(f"{path}.html")
    assert named.text == (await client.get(path, headers={"Accept": BROWSER})).text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in named.text


async def test_a_verdict_stands_in_every_form(client: AsyncClient, store: Store, claim: Claim):
    forged = "<script>alert(2)</script>"
    quotes = (Quote(text="Tabs are honest.", seq=1, side="d1"), Quote(text=forged, rejected="not in the transcript"))
    reading = Reading(judge=1, reading=1, letters={"A": "d1", "B": "d2"}, ranking=("d1", "d2"), quotes=quotes)
    await store.append(claim, a_turn(1, text="Tabs are honest."))
    await store.append(claim, ReadingGiven.model_validate(reading.model_dump()))
    found = verdict(JudgeRules(swap=False), ("d1", "d2"), [reading], "d1")
    await store.append(claim, VerdictGiven(verdict=found))
    path = f"/v1/debates/{claim.debate.id}/transcript"
    told = (await client.get(f"{path}.json")).json()["verdict"]
    assert (told["outcome"], told["winner"], told["readings"][0]["ranking"]) == ("winner", "Ada", ["Ada", "Grace"])
    TranscriptView.model_validate((await client.get(f"{path}.json")).json())
    assert "- Ada wins, by 100% of the judges." in (await client.get(f"{path}.md")).text
    page = (await client.get(f"{path}.html")).text
    assert "<li>Ada wins, by 100% of the judges.</li>" in page
    assert "“&lt;script&gt;alert(2)&lt;/script&gt;” (rejected: not in the transcript)" in page
    lines = [json.loads(line) for line in (await client.get(f"{path}.ndjson")).text.splitlines()]
    assert [line["type"] for line in lines[-2:]] == ["reading_given", "verdict_given"]
    assert lines[-2]["letters"] == {"A": "Ada", "B": "Grace"}
    assert lines[-1]["verdict"]["winner"] == "Ada"
    assert "d1" not in json.dumps(lines[-2:])


async def test_all_that_happened_a_line_an_event(client: AsyncClient, store: Store, claim: Claim):
    await store.append(claim, a_turn(1, text="Tabs,\u2028 they say\n"))
    path = f"/v1/debates/{claim.debate.id}/transcript"
    named = await client.get(f"{path}.ndjson")
    assert named.text == (await client.get(path, headers={"Accept": LINES})).text
    assert named.headers["Content-Type"] == LINES
    told = [json.loads(line) for line in named.text.splitlines()]
    assert [(one["id"], one["type"]) for one in told] == [
        ("0-1", "debate_created"),
        ("0-2", "debate_claimed"),
        ("1-0", "turn_taken"),
    ]
    assert (told[2]["debater"], told[2]["text"]) == ("Ada", "Tabs,\u2028 they say\n")
    assert told[1].keys() == {"id", "type", "v", "at", "fence", "rostra"}


async def test_the_first_line_says_which_debate_it_is(client: AsyncClient, claim: Claim):
    path = f"/v1/debates/{claim.debate.id}/transcript"
    first = json.loads((await client.get(f"{path}.ndjson")).text.splitlines()[0])
    transcript = (await client.get(f"{path}.json")).json()
    head = {name: transcript[name] for name in ("id", "motion", "debaters", "settings", "turns_planned")}
    assert (first["type"], first["debate"]) == ("debate_created", head)
    assert first["debate"]["motion"] == "Tabs beat spaces"


async def test_a_row_a_turn(client: AsyncClient, store: Store, claim: Claim):
    await store.append(claim, a_turn(1, text="=1+1"))
    path = f"/v1/debates/{claim.debate.id}/transcript"
    named = await client.get(f"{path}.csv")
    assert named.text == (await client.get(path, headers={"Accept": SHEET})).text
    assert named.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert [row["text"] for row in csv.DictReader(io.StringIO(named.text, newline=""))] == ["'=1+1"]


async def test_a_debate_links_to_every_form(client: AsyncClient, claim: Claim):
    exports = (await client.get(f"/v1/debates/{claim.debate.id}")).json()["links"]["exports"]
    assert list(exports) == ["json", "md", "html", "ndjson", "csv"]
    assert [(await client.get(path)).status_code for path in exports.values()] == [200] * 5


@pytest.mark.parametrize("ending", ["json", "md", "html", "ndjson", "csv"])
async def test_a_saved_file_is_named_after_its_debate(client: AsyncClient, claim: Claim, ending: str):
    saved = await client.get(f"/v1/debates/{claim.debate.id}/transcript.{ending}")
    assert saved.headers["Content-Disposition"] == f'inline; filename="debate-{claim.debate.id}.{ending}"'


async def test_one_who_knows_it_is_not_sent_it_again(client: AsyncClient, store: Store, claim: Claim):
    path = f"/v1/debates/{claim.debate.id}/transcript"
    first = await client.get(path)
    assert first.headers["Vary"] == "Accept"
    known = {"If-None-Match": first.headers["ETag"]}
    assert (await client.get(path, headers=known)).status_code == 304
    for form in (".md", ".html", ".ndjson", ".csv"):
        other = await client.get(path + form, headers=known)
        assert other.status_code == 200
        assert (await client.get(path + form, headers={"If-None-Match": other.headers["ETag"]})).status_code == 304
    await store.append(claim, a_turn(1))
    assert (await client.get(path, headers=known)).status_code == 200


async def test_another_form_is_not_to_be_had(client: AsyncClient, claim: Claim):
    answer = await client.get(f"/v1/debates/{claim.debate.id}/transcript", headers={"Accept": "application/pdf"})
    assert (answer.status_code, answer.json()["status"]) == (406, 406)


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("*/*", JSON),
        ("", None),
        ("text/markdown", MARKDOWN),
        ("text/*", MARKDOWN),
        ("APPLICATION/JSON;charset=utf-8", JSON),
        ("text/markdown;q=0.2, application/json;q=0.8", JSON),
        ("application/json;q=0, */*", MARKDOWN),
        ("application/*;q=0.5, text/markdown;q=0.6", MARKDOWN),
        ("text/html, */*;q=0.1", HTML),
        (BROWSER, HTML),
        ("text/plain", None),
        ("application/x-ndjson", LINES),
        ("text/csv", SHEET),
        ("application/json;q=0", None),
        ("application/json;q=x", None),
    ],
)
def test_what_is_wanted_most(accept: str, form: str | None):
    assert preferred(accept, (JSON, MARKDOWN, HTML, LINES, SHEET)) == form
