"""A debate begun in the page: a motion is enough, and everything else can be said."""

from __future__ import annotations

import json
from typing import Any

from playwright.sync_api import Page, Route, expect

from rostra.formats import library
from stage import Stage


def sent(page: Page) -> dict[str, Any]:
    """What the page says that it will send."""
    text = page.locator(".preview pre").first.text_content() or ""
    return json.loads(text.partition("\n\n")[2])


def opened(page: Page) -> None:
    page.goto("/#/new")
    page.get_by_label("Motion").wait_for()


def test_a_motion_is_enough(stage: Stage, page: Page):
    opened(page)
    page.get_by_label("Motion").fill("Tea beats coffee")
    page.get_by_role("button", name="Begin the debate").click()
    expect(page.get_by_role("heading", name="Tea beats coffee")).to_be_visible()
    expect(page.locator(".standing .status")).to_have_text("Completed")
    expect(page.locator(".turn")).to_have_count(6)


def test_all_that_is_filled_in_is_sent(stage: Stage, page: Page):
    opened(page)
    page.get_by_label("Motion").fill("Tea beats coffee")
    page.get_by_label("Rounds").fill("1")
    page.locator("form").get_by_label("Language").fill("en-GB")
    page.get_by_role("button", name="Add a debater").click()
    second = page.get_by_role("group", name="Debater 2")
    second.get_by_label("Name").fill("Grace")
    second.get_by_text("Sampling").click()
    second.get_by_label("temperature", exact=True).fill("0.5")
    page.locator("summary", has_text="Judges").click()
    page.get_by_label("A panel gives a verdict").check()
    page.get_by_label("How many judges").fill("3")
    page.get_by_label("Each reads twice").uncheck()
    page.locator("summary", has_text="Audience").click()
    page.get_by_label("The debaters decide by").select_option("borda")
    page.locator("summary", has_text="Limits").click()
    page.get_by_label("Metadata").fill("experiment: tea\nrun: 3\nversion: 1.10")
    assert sent(page) == {
        "motion": "Tea beats coffee",
        "rounds": 1,
        "language": "en-GB",
        "debaters": [
            {"name": "Ada", "stance": "for the motion"},
            {"name": "Grace", "stance": "against the motion", "sampling": {"temperature": 0.5}},
        ],
        "judge": {"panel": 3, "swap": False},
        "decision": {"protocol": "borda"},
        "metadata": {"experiment": "tea", "run": 3, "version": "1.10"},
    }
    page.get_by_role("button", name="Begin the debate").click()
    expect(page.get_by_role("heading", name="Tea beats coffee")).to_be_visible()
    debate = stage.look(page.url.rpartition("/")[2])
    assert [each["name"] for each in debate["debaters"]] == ["Ada", "Grace"]
    assert debate["metadata"] == {"experiment": "tea", "run": 3, "version": "1.10"}


def test_what_is_wrong_is_told_at_its_field(page: Page):
    opened(page)
    page.get_by_label("Motion").fill("Tea beats coffee")
    page.get_by_role("button", name="Add a debater").click()
    page.get_by_role("group", name="Debater 2").get_by_label("Name").fill("ada")
    page.get_by_label("Rounds").fill("many")
    page.locator("summary", has_text="Limits").click()
    page.get_by_label("Most seconds").fill("0")
    page.locator("summary", has_text="Limits").click()
    page.get_by_role("button", name="Begin the debate").click()
    expect(page.get_by_label("Most seconds")).to_be_visible()
    for label in ("Most seconds", "Rounds"):
        field = page.get_by_label(label)
        expect(field).to_have_attribute("aria-invalid", "true")
        wrong = (field.get_attribute("aria-describedby") or "").split()[-1]
        expect(page.locator(f"#{wrong}")).not_to_be_empty()
    expect(page.get_by_role("alert")).to_contain_text("cannot be held as described")


def test_a_draft_survives_a_reload_and_ends_with_its_debate(page: Page):
    opened(page)
    page.get_by_label("Motion").fill("Tea beats coffee")
    page.get_by_label("Rounds").fill("1")
    page.reload()
    expect(page.get_by_label("Motion")).to_have_value("Tea beats coffee")
    expect(page.get_by_label("Rounds")).to_have_value("1")
    page.get_by_role("button", name="Begin the debate").click()
    expect(page.locator("h1.motion")).to_be_visible()
    page.get_by_role("link", name="New debate").click()
    expect(page.get_by_label("Motion")).to_have_value("")


def test_every_format_shows_its_picture(page: Page):
    opened(page)
    page.get_by_text("Its slots as a picture").click()
    for name in library():
        page.get_by_label("Format").select_option(name)
        picture = page.get_by_role("img", name=library()[name].title, exact=True)
        expect(picture).to_be_visible()
        assert picture.evaluate("async each => { await each.decode(); return each.naturalWidth }") > 100


def test_a_format_wants_its_teams_and_seats(page: Page):
    opened(page)
    page.get_by_label("Format").select_option("oxford")
    page.get_by_role("button", name="Add a debater").click()
    team = page.get_by_role("group", name="Debater 1").get_by_label("Team")
    assert team.locator("option").all_inner_texts()[0] == "as seats are left"
    assert team.locator("option").count() == 3
    expect(page.get_by_label("Rounds")).to_have_count(0)


def test_a_format_of_ones_own_can_be_sent(page: Page):
    opened(page)
    own = {"title": "Two words", "phases": [{"name": "only", "order": "round_robin", "rounds": 1}]}
    page.get_by_label("Motion").fill("Tea beats coffee")
    page.get_by_label("Format").select_option("A format of its own")
    page.locator(".picture textarea").fill(json.dumps(own))
    assert sent(page)["format"] == own
    page.get_by_role("button", name="Begin the debate").click()
    expect(page.locator(".standing .status")).to_have_text("Completed")


def test_a_format_of_ones_own_can_be_typed(page: Page):
    """The field stays while its text is no format yet, which nobody is asked for, and is there after a reload."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    opened(page)
    page.get_by_label("Format").select_option("A format of its own")
    before = len(asked)
    field = page.locator(".picture textarea")
    field.fill("")
    field.press_sequentially('{"title": "Two", "phases": [{"name": "o')
    expect(field).to_be_focused()
    page.reload()
    expect(field).to_have_value('{"title": "Two", "phases": [{"name": "o')
    field.press("End")
    field.press_sequentially('nly", "order": "round_robin"}]}')
    expect(field).to_have_value('{"title": "Two", "phases": [{"name": "only", "order": "round_robin"}]}')
    expect(page.get_by_label("Rounds")).to_be_visible()
    assert sent(page)["format"] == {"title": "Two", "phases": [{"name": "only", "order": "round_robin"}]}
    assert [url for url in asked[before:] if "/v1/formats/" in url] == []


def test_what_was_sent_and_not_answered_is_sent_again_as_the_same(stage: Stage, page: Page):
    """Also after a reload, so that it begins one debate."""
    opened(page)
    page.get_by_label("Motion").fill("Answers get lost")
    names: list[str | None] = []

    def lose(route: Route) -> None:
        names.append(route.request.headers.get("idempotency-key"))
        if len(names) == 1:
            route.abort()
        else:
            route.continue_()

    page.route("**/v1/debates", lambda route: lose(route) if route.request.method == "POST" else route.continue_())
    page.get_by_role("button", name="Begin the debate").click()
    expect(page.get_by_text("The server cannot be reached.")).to_be_visible()
    page.reload()
    page.get_by_role("button", name="Begin the debate").click()
    expect(page.locator(".standing .status")).to_have_text("Completed")
    assert names[0]
    assert names[0] == names[1]


def test_every_option_of_the_api_is_in_reach(page: Page):
    """By its own field, by one for its whole, or among the others."""
    opened(page)
    model = page.evaluate("fetch('/v1/models').then(answer => answer.json())")["data"][0]
    for summary in page.locator("details.more > summary").all():
        summary.click()
    for label in ("A panel gives a verdict", "An audience votes", "Someone moderates"):
        page.get_by_label(label).check()
    page.get_by_label("The debaters decide by").select_option("consensus")
    page.get_by_role("button", name="Add a debater").click()
    page.get_by_role("group", name="Debater 1").get_by_text("Sampling").click()
    page.get_by_label("Format").select_option("manual")
    expect(page.get_by_label("Speakers, in order")).to_be_visible()
    fields = page.evaluate("[...document.querySelectorAll('.field')].length")
    assert fields > 40
    labels = page.locator(".field label").all_text_contents()
    assert set(model["sampling"]) <= set(labels)
    page.get_by_label("each check by itself").check()
    expect(page.get_by_label("Speaking for others")).to_be_visible()


def test_the_same_request_begins_one_debate(stage: Stage, page: Page):
    opened(page)
    page.get_by_label("Motion").fill("Only once")
    names: list[str | None] = []
    # The first answer is lost on its way.
    page.route(
        "**/v1/debates",
        lambda route: (names.append(route.request.headers.get("idempotency-key")), route.abort()),
        times=1,
    )
    page.get_by_role("button", name="Begin the debate").click()
    expect(page.get_by_role("alert")).to_contain_text("cannot be reached")
    with page.expect_request("**/v1/debates") as again:
        page.get_by_role("button", name="Begin the debate").click()
    assert names == [again.value.headers["idempotency-key"]]
    expect(page.get_by_role("heading", name="Only once")).to_be_visible()
