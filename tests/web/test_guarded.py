"""Nothing that models or people wrote changes the page; keys are asked for, kept, and thrown away."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from builders import a_debate, a_request, a_turn
from rostra.keys import Key, Scope, make
from rostra.plain import plain, whole
from rostra.store import connect
from rostra.store.keys import Keys
from scripted import ScriptedModel, counting
from stage import Stage, staged

CORPUS = Path(__file__).parents[1] / "corpus/attacks.jsonl"
ATTACKS: list[str] = [whole(json.loads(line)).strip() for line in CORPUS.read_text(encoding="utf-8").splitlines()]
# All that may stand in a turn.
MADE_OF = {"article", "header", "strong", "span", "a", "div", "p", "ul", "li", "bdi"}

# A format's course is drawn by the page itself.
DRAWN = ".picture img[src^='data:image/svg+xml;base64,']:not([onerror])"


def test_every_attack_is_words(stage: Stage, page: Page):
    debate = a_debate(rounds=500)
    turns = [a_turn(seq, f"d{2 - seq % 2}", text=text) for seq, text in enumerate(ATTACKS, 1)]
    page.goto(f"/#/debates/{stage.written(debate, turns)}")
    expect(page.locator(".turn")).to_have_count(len(ATTACKS))
    assert page.title() == "Tabs beat spaces · Rostra"
    found = page.locator(".turn").evaluate_all(
        "turns => turns.map(turn => [turn, ...turn.querySelectorAll('*')].map(each => each.localName))"
    )
    assert {name for turn in found for name in turn} <= MADE_OF
    attributes = page.locator(".turn *").evaluate_all("all => all.flatMap(each => each.getAttributeNames())")
    assert set(attributes) <= {"class", "dir", "lang", "href", "title"}
    shown = page.locator(".turn .words").evaluate_all("all => all.map(each => each.textContent)")
    assert ["".join(text.split()) for text in shown] == ["".join(plain(text).split()) for text in ATTACKS]


def test_attacks_in_every_other_text_are_words(stage: Stage, page: Page):
    hostile = "<img src=x onerror=document.title='owned'></title><script>document.title='owned'</script>"
    debaters = [{"name": "<b>Ada</b>", "stance": hostile[:100], "persona": hostile}, {"name": "javascript:1"}]
    debate = stage.held(a_request(hostile, debaters=debaters, rounds=1, opening=hostile, metadata={"x": hostile}))
    for address in (
        "/",
        f"/#/debates/{debate['id']}",
        f"/#/debates/{debate['id']}/facts",
        f"/#/debates/{debate['id']}/repeat",
    ):
        page.goto(address)
        expect(page.locator("main")).to_contain_text("onerror")
        expect(page.locator("main :is(b, script)")).to_have_count(0)
        expect(page.locator(f"main img:not({DRAWN})")).to_have_count(0)
        assert "owned" not in page.title().partition("<")[0]


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stage, str, Key]]:
    """A Rostra with a key."""
    with staged(tmp_path_factory.mktemp("locked"), ScriptedModel(counting())) as stage:
        key, token = make("ada", [Scope.WRITE])

        async def add() -> None:
            keys = Keys(connect(stage.redis_url))
            await keys.add(key)
            await keys.close()

        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, add()).result()
        yield stage, token, key


def test_a_key_is_asked_for_and_kept_in_the_tab(browser: Browser, locked: tuple[Stage, str, Key]):
    stage, token, _ = locked
    context = browser.new_context(base_url=stage.url, locale="en-GB")
    page = context.new_page()
    page.goto("/")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("This Rostra asks for a key")
    dialog.get_by_label("Key", exact=True).fill("rostra_wrong")
    dialog.get_by_role("button", name="Use this key").click()
    expect(page.get_by_role("dialog")).to_contain_text("This key does not work")
    page.get_by_role("dialog").get_by_label("Key", exact=True).fill(token)
    page.get_by_role("dialog").get_by_role("button", name="Use this key").click()
    expect(page.get_by_text("No debates yet.")).to_be_visible()

    # With it everything goes on, the live stream and pictures, too.
    page.goto("/#/new")
    page.get_by_label("Motion").fill("Keys beat locks")
    page.get_by_text("Its slots as a picture").click()
    expect(page.locator(".picture img")).to_be_visible()
    page.get_by_role("button", name="Begin the debate").click()
    expect(page.locator(".standing .status")).to_have_text("Completed")
    expect(page.locator(".turn")).to_have_count(6)

    assert page.evaluate("[sessionStorage.length > 0, localStorage.getItem('rostra.key')]") == [True, None]
    page.reload()
    expect(page.locator(".turn")).to_have_count(6)
    page.get_by_role("button", name="Forget key").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    context.close()


def test_a_key_is_remembered_where_its_owner_wants_it(browser: Browser, locked: tuple[Stage, str, Key]):
    stage, token, _ = locked
    context = browser.new_context(base_url=stage.url, locale="en-GB")
    page = context.new_page()
    page.goto("/")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Key", exact=True).fill(token)
    dialog.get_by_label("Remember").check()
    dialog.get_by_role("button", name="Use this key").click()
    expect(page.locator(".row, .empty").first).to_be_visible()
    other = context.new_page()
    other.goto("/")
    expect(other.locator(".row, .empty").first).to_be_visible()
    expect(other.get_by_role("dialog")).to_have_count(0)
    context.close()


def test_without_scripts_there_is_a_hint(browser: Browser, stage: Stage):
    context = browser.new_context(base_url=stage.url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/")
    box = page.locator("noscript main").bounding_box()
    assert box
    assert box["height"] > 50
    context.close()
