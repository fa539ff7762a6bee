"""What came of a debate, as people read it: outcome, figures, facts, exports, and two debates side by side."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from builders import a_debate, a_request, a_turn
from judges import SENSE, is_question, reading, says, side_that_says
from rostra.events import AttemptFailed
from rostra.models import Status
from scripted import Answer, Says
from stage import Stage

AGAINST = ("Spaces look the same in every editor.", "Nobody ever aligned a table with tabs.", "Most code has them.")


def judged() -> Any:
    """A debate with sense on one side, a panel that finds it, voters who change their minds, and two answers."""
    turns = iter([turn for pair in zip(SENSE, AGAINST, strict=True) for turn in pair])
    votes = 0

    def script(body: dict[str, Any]) -> Answer:
        nonlocal votes
        if is_question(body, "winner"):
            return says(reading(side_that_says(body, SENSE[0]), [SENSE[0], "Words that nobody said."]))
        if is_question(body, "vote"):
            votes += 1
            return says({"vote": "undecided" if votes <= 3 else "for", "reason": "Tabs suit every eye."})
        if is_question(body, "answer"):
            return says({"answer": "for", "reasons": "Tabs are shorter."})
        return Says(next(turns, "Nothing more to say."))

    return script


@pytest.fixture
def held(stage: Stage) -> dict[str, Any]:
    stage.model.script = judged()
    return stage.held(a_request(rounds=3, guard="off", judge={"panel": 1}, audience={"size": 3}, baselines=True))


def test_the_outcome_is_told_with_its_evidence(stage: Stage, page: Page, held: dict[str, Any]):
    page.goto(f"/#/debates/{held['id']}")
    expect(page.get_by_role("complementary", name="Outcome")).to_contain_text("Ada wins by 100% of the judges")
    page.get_by_role("link", name="All about the outcome").click()
    verdict = page.get_by_role("region", name="Verdict")
    expect(verdict.locator(".found")).to_have_text("Ada wins by 100% of the judges")
    expect(verdict.get_by_role("table", name="Scores")).to_contain_text("Content")
    quotes = verdict.locator("details[open] .quotes li")
    expect(quotes.nth(0)).to_contain_text(SENSE[0])
    expect(quotes.nth(1)).to_contain_text("rejected")
    expect(page.get_by_role("region", name="Audience")).to_contain_text("The side for the motion gained more")
    expect(page.get_by_role("region", name="Without a debate")).to_be_visible()
    quotes.nth(0).get_by_role("link", name="turn 1").click()
    expect(page.locator("#turn-1")).to_be_in_viewport()


def test_no_verdict_is_told_with_its_reason(stage: Stage, page: Page):
    def script(body: dict[str, Any]) -> Answer:
        return says(reading("A", ["Nobody said this."])) if is_question(body, "winner") else Says("Point of order.")

    stage.model.script = script
    debate = stage.held(a_request(rounds=1, guard="off", judge={"panel": 1}))
    page.goto(f"/#/debates/{debate['id']}/outcome")
    expect(page.locator(".found")).to_contain_text("No verdict: no judge of 1 voted")


def test_figures_are_drawn_and_stand_in_a_table(page: Page, held: dict[str, Any]):
    page.goto(f"/#/debates/{held['id']}/figures")
    drawings = page.locator(".chart svg")
    expect(drawings).to_have_count(3)
    for drawing in drawings.all():
        assert drawing.locator("rect").count() == 6
        assert "6 turns" in (drawing.get_attribute("aria-label") or "")
    page.locator("summary", has_text="The same as a table").click()
    first = page.get_by_role("row").filter(has_text="Ada").first
    expect(first).to_contain_text(str(len(SENSE[0])))


def test_facts_say_what_it_was_held_with(page: Page, held: dict[str, Any]):
    page.goto(f"/#/debates/{held['id']}/facts")
    facts = page.locator(".facts")
    expect(facts).to_contain_text("6 of 6 turns")
    expect(facts).to_contain_text(held["id"])
    expect(facts.locator("div", has_text="Seed")).to_contain_text("40")


def test_it_can_be_taken_home(stage: Stage, page: Page, held: dict[str, Any], tmp_path: Path):
    page.goto(f"/#/debates/{held['id']}")
    page.locator("summary", has_text="Export").click()
    forms = {"Markdown": "md", "Page": "html", "Everything": "json", "All events": "ndjson", "Table of turns": "csv"}
    for name, form in forms.items():
        with page.expect_download() as download:
            page.get_by_role("button", name=name).click()
        assert download.value.suggested_filename == f"debate-{held['id']}.{form}"
        download.value.save_as(tmp_path / form)
        answer = page.request.get(f"{stage.url}/v1/debates/{held['id']}/transcript.{form}")
        assert (tmp_path / form).read_bytes() == answer.body()


def test_each_part_has_an_address_and_the_way_back(page: Page, held: dict[str, Any]):
    page.goto("/")
    page.get_by_role("link", name="Tabs beat spaces").first.click()
    for part in ("Outcome", "Figures", "Facts"):
        page.get_by_role("navigation", name="Parts of this debate").get_by_role("link", name=part).click()
        expect(page).to_have_url(f"{page.url.partition('#')[0]}#/debates/{held['id']}/{part.lower()}")
    page.reload()
    expect(page.locator(".facts")).to_be_visible()
    page.go_back()
    expect(page.locator(".chart").first).to_be_visible()


def test_a_debate_is_repeated_with_something_changed(stage: Stage, page: Page):
    held = stage.held(a_request(rounds=2, turn={"max_characters": 200}))
    page.goto(f"/#/debates/{held['id']}")
    page.get_by_role("link", name="Repeat").click()
    expect(page.get_by_label("Motion")).to_have_value("Tabs beat spaces")
    page.get_by_label("Rounds").fill("1")
    page.get_by_role("button", name="Begin the debate").click()
    expect(page.locator(".standing .status")).to_have_text("Completed")
    again = stage.look(page.url.rpartition("/")[2])
    assert (again["turns_planned"], again["seed"], again["debaters"]) == (2, held["seed"], held["debaters"])


def test_a_debate_is_deleted_when_its_reader_means_it(page: Page, stage: Stage):
    debate = stage.held(a_request("To be forgotten", rounds=1))
    page.goto(f"/#/debates/{debate['id']}")
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("heading", name="Debates")).to_be_visible()
    assert page.request.get(f"{stage.url}/v1/debates/{debate['id']}").status == 404


def test_two_debates_stand_side_by_side(stage: Stage, page: Page):
    one = stage.held(a_request(rounds=1, seed=1))
    other = stage.held(a_request(rounds=2, seed=2))
    page.goto(f"/#/compare/{one['id']}/{other['id']}")
    differing = page.locator(".differing tr")
    expect(differing.locator("th")).to_have_text(["phases", "seed"])
    expect(differing.nth(1).locator("td")).to_have_text(["1", "2"])
    expect(page.locator(".pair .turn")).to_have_count(6)
    expect(page.get_by_role("row").filter(has_text="Repetition")).to_be_visible()


def test_what_only_one_of_two_debates_has_differs_by_its_parts(stage: Stage, page: Page):
    one = stage.held(a_request(rounds=1, seed=1, audience={"size": 1}))
    other = stage.held(a_request(rounds=1, seed=1))
    page.goto(f"/#/compare/{one['id']}/{other['id']}")
    differing = page.locator(".differing tr th")
    expect(differing).to_have_text(["audience.size", "audience.personas", "audience.model"])


def test_what_differs_makes_a_merge_patch(stage: Stage, page: Page):
    page.goto("/")
    script = (page.locator("script[type=module]").get_attribute("src") or "").replace("app.js", "request.js")
    cases = [
        [{"a": 1, "b": {"c": 1}}, {"a": 1, "b": {"c": 2, "d": 3}}],
        [{"a": 1}, {}],
        [{"a": [1, 2]}, {"a": [1]}],
        [{"a": 1}, {"a": 1}],
    ]
    patches = page.evaluate(
        "async ([script, cases]) => { const { mergePatch } = await import(script);"
        " return JSON.parse(cases).map(([a, b]) => mergePatch(a, b) ?? 'nothing'); }",
        [script, json.dumps(cases)],
    )
    assert patches == [{"b": {"c": 2, "d": 3}}, {"a": None}, {"a": [1]}, "nothing"]


def test_what_was_refused_last_stands_below_what_was_said(stage: Stage, page: Page):
    """Where a debate failed in an attempt, it has no turn to stand under."""
    refused = AttemptFailed(seq=3, attempt=1, debater="d1", reason="repeats", text="Point 1.")
    page.goto(f"/#/debates/{stage.written(a_debate(), [a_turn(1), a_turn(2, 'd2'), refused], Status.FAILED)}")
    expect(page.locator(".column > .turn")).to_have_count(3)
    order = page.locator(".column > .turn").evaluate_all("all => all.map(each => each.id)")
    assert order == ["turn-1", "turn-2", ""]


def test_a_long_debate_has_its_opening_and_numbers_its_rounds(stage: Stage, page: Page):
    debate = a_debate(rounds=80, opening="Welcome to the longest debate.")
    turns = [a_turn(seq, f"d{2 - seq % 2}", round=(seq + 1) // 2) for seq in range(1, 161)]
    page.goto(f"/#/debates/{stage.written(debate, turns)}")
    expect(page.get_by_text("Welcome to the longest debate.")).to_be_visible()
    expect(page.locator(".column h2").first).to_have_text("Debate, round 1")
