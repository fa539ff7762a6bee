"""People who take part: they speak, moderate, and go on from a turn with something changed."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Page, expect

from builders import a_request
from scripted import Answer, Says
from stage import Stage

PERSON = [{"name": "Ada", "stance": "for tabs", "human": True}, {"name": "Grace", "stance": "for spaces"}]


def test_a_person_speaks_when_it_is_their_turn(stage: Stage, page: Page):
    debate = stage.begin(a_request(rounds=2, debaters=PERSON, turn={"max_characters": 80}))
    page.goto(f"/#/debates/{debate['id']}")
    words = page.get_by_label("Your turn, as Ada")
    expect(page.locator(".standing .status")).to_have_text("Waits for a person")
    expect(page.get_by_role("timer")).to_have_text(re.compile(r"\d+:\d\d left"))
    words.fill("Tabs are one byte. 👩‍🚀")
    expect(page.locator("#your-count")).to_have_text("20 of 80 characters")
    page.reload()
    expect(words).to_have_value("Tabs are one byte. 👩‍🚀")
    page.get_by_role("button", name="Speak").click()
    expect(page.locator("#turn-1 .words")).to_have_text("Tabs are one byte. 👩‍🚀")
    expect(page.locator("#turn-1 .marks")).to_have_text("written by a person")
    expect(page.locator("#turn-2 .name")).to_have_text("Grace")
    expect(words).to_have_value("")
    words.fill("Spaces are many.")
    page.get_by_role("button", name="Speak").click()
    expect(page.locator(".standing .status")).to_have_text("Completed")
    expect(page.locator(".turn")).to_have_count(4)
    expect(page.locator(".taking form")).to_have_count(0)


def test_words_that_cannot_be_spoken_stay_and_say_why(stage: Stage, page: Page):
    debate = stage.begin(a_request(rounds=1, debaters=PERSON, turn={"max_characters": 10}))
    page.goto(f"/#/debates/{debate['id']}")
    words = page.get_by_label("Your turn, as Ada")
    words.fill("Far more than ten characters")
    page.get_by_role("button", name="Speak").click()
    expect(page.get_by_role("alert")).to_contain_text("These words cannot be spoken.")
    expect(words).to_have_value("Far more than ten characters")


def test_a_person_moderates(stage: Stage, page: Page):
    def script(body: dict[str, Any]) -> Answer:
        return Says("A turn of some words, one after the other.", pause=0.1)

    stage.model.script = script
    debate = stage.begin(a_request(rounds=4, guard="off", moderator={"human": True}))
    page.goto(f"/#/debates/{debate['id']}")
    page.get_by_label("Put a question as the moderator").fill("Who pays for it?")
    page.locator("#question-to").select_option("Grace")
    page.get_by_role("button", name="Ask").click()
    expect(page.get_by_text("It is put before the next turn.")).to_be_visible()
    put = page.locator(".turn.middle", has_text="Who pays for it?")
    expect(put).to_have_count(1)
    expect(put).to_contain_text("→ Grace")
    expect(page.locator(".standing .status")).to_have_text("Completed")
    page.reload()
    expect(put).to_have_count(1)


def test_a_debate_goes_on_from_a_turn_with_something_changed(stage: Stage, page: Page):
    held = stage.held(a_request(rounds=2))
    page.goto(f"/#/debates/{held['id']}")
    expect(page.locator(".turn")).to_have_count(4)
    before = page.locator(".turn .words").all_inner_texts()
    page.locator("#turn-2").get_by_title("Continue from here with a change").click()
    expect(page.get_by_role("heading", name="Continue after turn 2")).to_be_visible()
    page.locator("summary", has_text="Opening and length").click()
    page.get_by_label("Most characters a turn").fill("5")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_label("Most characters a turn")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Most characters a turn").fill("120")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("link", name="continued from turn 2 of another debate")).to_be_visible()
    expect(page.locator(".standing .status")).to_have_text("Completed")
    expect(page.locator(".turn")).to_have_count(4)
    after = page.locator(".turn .words").all_inner_texts()
    assert after[:2] == before[:2]
    assert after[2:] != before[2:]


def test_a_person_is_waited_for_without_the_form_going_away(stage: Stage, page: Page):
    """What happens meanwhile, as a lost line, leaves what was typed."""
    debaters = [PERSON[1], PERSON[0]]
    stage.model.answers[:] = [Says("The first turn.")]
    debate = stage.begin(a_request(rounds=2, debaters=debaters))
    page.goto(f"/#/debates/{debate['id']}")
    words = page.get_by_label("Your turn, as Ada")
    words.fill("Half a")
    page.context.set_offline(True)
    expect(page.locator(".line")).not_to_be_empty()
    page.context.set_offline(False)
    expect(page.locator(".line")).to_be_empty()
    expect(words).to_have_value("Half a")
