"""The page in a real browser, before a whole Rostra whose model is scripted."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from scripted import ScriptedModel, counting
from stage import Stage, staged

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
# Nothing but this machine is asked for anything, whatever a page or the browser itself wants.
ALONE = ["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--disable-background-networking"]
PATIENCE_MS = 30_000  # for machines that have much to do
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("stage"), ScriptedModel(counting()), workers=3) as stage:
        yield stage


@pytest.fixture
def stage(whole: Stage) -> Iterator[Stage]:
    """With a model that says something new at every request, until a test has it say something else."""
    whole.model.script = counting()
    yield whole
    whole.model.answers.clear()
    whole.end_all()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """For a module only: as long as it is there its loop keeps tests with a loop of their own from running."""
    if CHROMIUM is None:
        assert "CI" not in os.environ, "apt-get install chromium"
        pytest.skip("NO BROWSER, so nobody looked at the page: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ALONE)
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser, stage: Stage) -> Iterator[BrowserContext]:
    context = browser.new_context(base_url=stage.url, locale="en-GB", viewport={"width": 1200, "height": 800})
    context.set_default_timeout(PATIENCE_MS)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext, stage: Stage) -> Iterator[Page]:
    """A tab. Whatever it complains of, and whatever it asks of others, fails the test."""
    page = context.new_page()
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(f"error: {error}"))
    page.on("console", lambda said: troubles.append(said.text) if "Content Security Policy" in said.text else None)
    page.on(
        "request",
        lambda asked: None if asked.url.startswith((stage.url, "data:", "blob:")) else troubles.append(asked.url),
    )
    yield page
    assert troubles == []
