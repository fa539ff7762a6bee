"""Everybody can use it: by keyboard, by ear, in the dark, on a phone."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from builders import a_request
from judges import is_question, reading, says
from scripted import Answer, Hangs, Says
from stage import Stage

JUDGED = {"judge": {"panel": 1}, "audience": {"size": 2}, "baselines": True, "decision": {"protocol": "majority"}}
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(scope="module")
def held(whole: Stage) -> tuple[str, str]:
    """Two debates that were held; the first one was judged, too."""

    def script(body: dict[str, Any]) -> Answer:
        if is_question(body, "winner"):
            return says(reading("A", ["Tabs are a matter"]))
        for field in ("vote", "answer"):
            if is_question(body, field):
                return says({field: "for", "reason": "So it is."})
        return Says("Tabs are a matter of taste, and taste is a matter of time.")

    whole.model.script = script
    return whole.held(a_request(rounds=1, guard="off", **JUDGED))["id"], whole.held(a_request(rounds=1))["id"]


@pytest.fixture
def views(held: tuple[str, str], stage: Stage) -> dict[str, str]:
    """Every view there is, by its address; one of a debate that is held at the moment."""
    ended, other = held
    stage.model.answers[:] = [Says(""), Says("A first turn."), Hangs("And the second one is being spoken")]
    live = stage.begin(a_request(rounds=2))["id"]
    waiting = stage.begin(
        a_request(debaters=[{"name": "Ada", "human": True}, {"name": "Grace"}], moderator={"human": True})
    )
    return {
        "list": "/#/",
        "new": "/#/new",
        "live": f"/#/debates/{live}",
        "waiting": f"/#/debates/{waiting['id']}",
        "transcript": f"/#/debates/{ended}",
        "outcome": f"/#/debates/{ended}/outcome",
        "figures": f"/#/debates/{ended}/figures",
        "facts": f"/#/debates/{ended}/facts",
        "repeat": f"/#/debates/{ended}/repeat",
        "choosing": "/#/compare",
        "compare": f"/#/compare/{ended}/{other}",
        "nowhere": "/#/nowhere",
    }


def shown(page: Page, address: str) -> None:
    page.goto(address)
    expect(page.locator("main")).not_to_contain_text("Loading …")
    expect(page.locator("h1")).to_be_visible()
    for details in page.locator("details:not(.menu) > summary").all()[:12]:
        if details.is_visible():
            details.click()


def test_axe_finds_nothing(stage: Stage, page: Page, views: dict[str, str]):
    """In light colours all of its rules are asked, in dark ones those of colours."""
    found: dict[str, list[str]] = {}
    for name, address in views.items():
        page.emulate_media(color_scheme="light", reduced_motion="reduce")
        shown(page, address)
        found[name] = violations(page, WCAG)
        page.emulate_media(color_scheme="dark", reduced_motion="reduce")
        found[name] += violations(page, ["color-contrast"])
    assert found == {name: [] for name in views}


def violations(page: Page, rules: list[str]) -> list[str]:
    results = Axe().run(page, options={"runOnly": rules}).response["violations"]
    return [f"{each['id']}: {each['nodes'][0]['html'][:160]}" for each in results]


def test_a_phone_needs_no_scrolling_sideways(stage: Stage, page: Page, views: dict[str, str]):
    page.set_viewport_size({"width": 360, "height": 700})
    for name, address in views.items():
        shown(page, address)
        wide = page.evaluate(
            """() => document.documentElement.scrollWidth <= 360 ? [] : [...document.querySelectorAll("main *")]
                .filter(each => each.getBoundingClientRect().right > 360).map(each => each.outerHTML.slice(0, 200))"""
        )
        assert wide == [], name


def test_who_wants_no_motion_gets_none(page: Page, views: dict[str, str]):
    page.emulate_media(reduced_motion="reduce")
    page.goto(views["live"])
    expect(page.locator(".turn.speaking")).to_be_visible()
    assert page.evaluate("document.getAnimations().length") == 0


def test_the_keyboard_reaches_everything_and_shows_where_it_is(page: Page, views: dict[str, str]):
    page.goto(views["transcript"])
    expect(page.locator("#turn-1")).to_be_visible()
    page.keyboard.press("Tab")
    reached: list[str] = []
    while page.evaluate("document.activeElement !== document.body"):
        focused = page.evaluate(
            """() => {
                const each = document.activeElement;
                const { outlineStyle, outlineWidth } = getComputedStyle(each);
                return [each.textContent.trim() || each.id, outlineStyle !== "none" && parseFloat(outlineWidth) > 0];
            }"""
        )
        assert focused[1], focused
        reached.append(focused[0])
        page.keyboard.press("Tab")
    assert reached[0] == "Skip to the content"
    for name in ("Debates", "New debate", "Repeat", "Compare", "Export", "Delete", "Transcript", "Outcome", "1"):
        assert name in reached


def test_the_skip_link_leads_past_the_frame(page: Page, views: dict[str, str]):
    page.goto(views["transcript"])
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    assert page.url.endswith(views["transcript"])


@pytest.mark.parametrize(
    ("system", "chosen", "dark"), [("light", "dark", True), ("dark", "light", False), ("dark", "auto", True)]
)
def test_colours_follow_the_system_until_somebody_chooses(
    browser: Browser, stage: Stage, system: str, chosen: str, dark: bool
):
    context = browser.new_context(base_url=stage.url, color_scheme=system, locale="en-GB")
    page = context.new_page()
    page.goto("/")
    page.locator("#theme").select_option(chosen)
    page.reload()
    paper = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert (paper == "rgb(20, 23, 27)") is dark
    context.close()
