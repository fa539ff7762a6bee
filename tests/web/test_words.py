"""What the page says: the same in all its languages, nothing missing, nothing left over."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from builders import a_request
from rostra.formats import library
from rostra.plain import plain
from rostra_api.app import create_app
from rostra_api.settings import Settings
from rostra_api.site import FILES
from stage import Stage

ROOT = Path(__file__).parents[2]
TEXT = re.compile(r'^  "([^"]+)": (.+),$', re.MULTILINE)


def texts(language: str) -> dict[str, str]:
    return dict(TEXT.findall(FILES[f"words/{language}.js"].content.decode()))


def scripts() -> str:
    return "\n".join(f.content.decode() for n, f in FILES.items() if n.endswith(".js") and not n.startswith("words/"))


def test_every_text_stands_in_both_languages_with_the_same_blanks():
    english, japanese = texts("en"), texts("ja")
    assert list(english) == [name for name in japanese if name in english]
    for name, text in english.items():
        assert set(re.findall(r"\{(\w+)\}", text)) == set(re.findall(r"\{(\w+)\}", japanese[name])), name


def test_what_is_told_in_english_elsewhere_is_told_in_japanese_too():
    """The contract says what fields mean, and formats' files what formats are."""
    english, japanese = texts("en"), texts("ja")
    own = set(japanese) - set(english)
    fields = {name.removeprefix("hint.") for name in own if name.startswith("hint.")}
    described = {f"summary.{name}" for name in library()}
    assert own == {f"hint.{name}" for name in fields} | described
    labelled = {name.removeprefix("field.") for name in english if name.startswith("field.")}
    hinted = {name.removeprefix("hint.") for name in japanese if name.startswith("hint.")}
    schema = create_app(Settings()).openapi()["components"]["schemas"]
    untold = {name for name in labelled - hinted if description(schema, name)}
    assert untold == {"format"}  # whose choice is described by itself


def description(schemas: dict[str, Any], path: str) -> str:
    """What the contract says of a request's field."""
    field: dict[str, Any] = {"$ref": "/DebateRequest"}
    for name in path.split("."):
        field = next(each["properties"][name] for each in plainly(schemas, field) if name in each.get("properties", {}))
    return field.get("description", "")


def plainly(schemas: dict[str, Any], field: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The schema without what only wraps it."""
    if "$ref" in field:
        yield from plainly(schemas, schemas[field["$ref"].rpartition("/")[2]])
    for wrapped in [*field.get("anyOf", ()), *field.get("oneOf", ()), *([field["items"]] if "items" in field else [])]:
        yield from plainly(schemas, wrapped)
    yield field


def test_japanese_is_japanese():
    same = {"Webhook", "JSON", "ID", "Markdown（.md）"}
    for name, text in texts("ja").items():
        told = json.loads(text)
        bare = re.sub(r"\{\w+\}|[→ ]", "", told)
        assert not bare or told in same or re.search("[ぁ-んァ-ヶ一-龠]", told), name


def test_every_text_that_is_used_is_there_and_no_other():
    """A name that is put together stands for all that begin so."""
    script, known = scripts(), set(texts("en"))
    named = set(re.findall(r"""\bt(?:Or)?\(\s*"([\w.-]+)\"""", script))
    parts = {part for found in re.findall(r"""\b(?:t|tOr)\([^)]*?`([\w.-]+)\$\{""", script) for part in [found]} | set(
        re.findall(r"`([a-z]+\.)\$\{", script)
    )
    chosen = set(re.findall(r'\? "([\w.]+)" : "([\w.]+)"\)', script))
    named |= {name for pair in chosen for name in pair if name in known}
    assert named <= known
    left = {name for name in known - named if not any(name.startswith(part) for part in parts)}
    left -= set(re.findall(r'"([a-z_.]+)"', script))
    assert left == set()


def test_the_browsers_language_is_taken_and_can_be_changed(browser: Browser, stage: Stage):
    context = browser.new_context(base_url=stage.url, locale="ja-JP")
    page = context.new_page()
    page.goto("/")
    expect(page.locator("html")).to_have_attribute("lang", "ja")
    expect(page.get_by_role("heading", name="ディベート一覧")).to_be_visible()
    page.locator("#language").focus()
    page.locator("#language").select_option("en")
    expect(page.locator("#language")).to_be_focused()
    expect(page.get_by_role("heading", name="Debates")).to_be_visible()
    page.reload()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    context.close()


def test_each_text_says_its_language_and_finds_its_direction(stage: Stage, page: Page):
    debaters = [{"name": "سارة", "stance": "مع"}, {"name": "Grace", "stance": "against"}]
    debate = stage.held(a_request("الشاي أفضل من القهوة", language="ar", debaters=debaters, rounds=1, guard="off"))
    page.goto(f"/#/debates/{debate['id']}")
    motion = page.locator("h1.motion")
    expect(motion).to_have_attribute("lang", "ar")
    assert motion.evaluate("each => getComputedStyle(each).direction") == "rtl"
    assert page.locator("#turn-1 .words p").get_attribute("dir") == "auto"
    assert page.locator("#turn-1 .name").evaluate("each => getComputedStyle(each).direction") == "rtl"
    assert page.locator("html").evaluate("each => getComputedStyle(each).direction") == "ltr"


@pytest.mark.parametrize("name", ["english", "japanese", "german", "chinese", "spanish"])
def test_the_examples_are_those_of_the_folder(stage: Stage, page: Page, name: str):
    page.goto("/")
    script = page.locator("script[type=module]").get_attribute("src") or ""
    examples = page.evaluate(
        "async (script) => (await import(script)).EXAMPLES", script.replace("app.js", "presets.js")
    )
    assert examples[name] == json.loads((ROOT / f"examples/{name}.json").read_text(encoding="utf-8"))


def test_text_is_as_plain_as_the_servers(stage: Stage, page: Page):
    lines = (ROOT / "tests/corpus/attacks.jsonl").read_text(encoding="utf-8").splitlines()
    corpus = [
        *map(json.loads, lines),
        "\r\n\r\x85a\u2028b",
        "\U0001f3f4\U000e0067\U000e007f",
        "\ufff9x\x1b[31m",
        "\ud83d",
    ]
    page.goto("/")
    script = (page.locator("script[type=module]").get_attribute("src") or "").replace("app.js", "plain.js")
    shown = page.evaluate(
        "async ([script, corpus]) => { const { plain } = await import(script); return JSON.parse(corpus).map(plain); }",
        [script, json.dumps(corpus)],
    )
    assert shown == [plain(text) for text in corpus]
