"""All debates: found, narrowed, kept up to date."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from builders import a_debate, a_request, a_turn
from scripted import Says
from stage import Stage


def test_what_changes_shows_by_itself(stage: Stage, page: Page):
    stage.model.script = lambda _: Says("One word after the other, slowly.", pause=0.2)
    page.goto("/")
    debate = stage.begin(a_request("News arrive", rounds=1, guard="off"))
    row = page.locator(f'.row[data-id="{debate["id"]}"]')
    expect(row).to_be_visible()
    expect(row.locator(".status")).to_have_text("Completed")
    expect(row).to_contain_text("2 of 2 turns")


def test_it_is_narrowed_by_words_status_and_metadata(stage: Stage, page: Page):
    held = stage.held(a_request("Needles in haystacks", rounds=1, metadata={"experiment": "hay"}))
    stage.held(a_request("Something else", rounds=1))
    row = page.locator(f'.row[data-id="{held["id"]}"]')
    page.goto("/")
    page.get_by_label("Search").fill("needle ada")
    expect(page.locator(".row")).to_have_count(1)
    expect(row).to_be_visible()
    page.reload()
    expect(page.get_by_label("Search")).to_have_value("needle ada")
    expect(page.locator(".row")).to_have_count(1)
    page.get_by_label("Search").fill("")
    page.get_by_label("Metadata").fill("experiment:hay")
    page.get_by_label("Metadata").press("Enter")
    expect(page.locator(".row")).to_have_count(1)
    page.get_by_label("Status").select_option("failed")
    expect(page.get_by_text("No debate matches.")).to_be_visible()
    page.go_back()
    expect(row).to_be_visible()


def test_older_ones_are_a_page_away(stage: Stage, page: Page):
    for number in range(45):
        stage.written(a_debate(f"Many {number}", rounds=1), [a_turn(1, "d1"), a_turn(2, "d2")])
    page.goto("/")
    expect(page.locator(".row")).to_have_count(20)
    page.get_by_role("button", name="Show older ones").click()
    expect(page.locator(".row")).to_have_count(40)
    ids = page.locator(".row").evaluate_all("rows => rows.map(row => row.dataset.id)")
    assert ids == sorted(set(ids), reverse=True)


def test_two_that_are_chosen_are_compared(stage: Stage, page: Page):
    for number in (1, 2):
        stage.held(a_request(f"Choose me {number}", rounds=1))
    page.goto("/")
    for number in (1, 2):
        page.get_by_label(re.compile(f"Choose me {number}")).check()
    page.get_by_role("link", name="Compare the two that you chose").click()
    expect(page.locator(".pair .turn")).to_have_count(4)


def test_older_ones_that_cannot_be_had_are_told_of_until_they_come(stage: Stage, page: Page):
    for n in range(21):
        stage.written(a_debate(f"Older ones {n}"), [])
    page.goto("/")
    further = page.get_by_role("button", name="Show older ones")
    expect(further).to_be_visible()
    page.route("**/v1/debates?*after=*", lambda route: route.abort())
    further.click()
    told = page.locator(".below").get_by_text("The server cannot be reached.")
    expect(told).to_be_visible()
    with page.expect_response("**/v1/debates?limit=*"):  # what is shown is looked at again
        pass
    expect(told).to_be_visible()
    expect(further).to_be_focused()
    page.unroute("**/v1/debates?*after=*")
    further.click()
    expect(told).to_have_count(0)
