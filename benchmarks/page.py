"""How soon the page shows what a model says, and how it bears a long debate.

A whole Rostra plays a debate against a scripted model, and a real browser has it open. Each turn begins with a word of
its own: when the model sends it is noted there, and when it stands in the page is noted by a MutationObserver, by the
same machine's clock. Then a debate of a thousand turns is opened and scrolled through. `make bench-page` runs it.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import time
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from builders import a_debate, a_request, a_turn
from scripted import Says, ScriptedModel
from stage import Stage, staged

# Notes when each word of the form `word17` first stands in the turn that is spoken.
WATCH = """() => {
    window.seen = {};
    new MutationObserver(() => {
        const now = performance.timeOrigin + performance.now();
        for (const word of document.querySelector(".speaking .words")?.textContent.match(/word\\d+/g) ?? []) {
            window.seen[word] ??= now;
        }
    }).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""
# Frame by frame from the top to the bottom; the milliseconds of each.
SCROLL = """async () => {
    const took = [];
    for (let at = 0; at <= 60; at++) {
        const began = performance.now();
        scrollTo(0, document.documentElement.scrollHeight * at / 60);
        await new Promise(requestAnimationFrame);
        took.push(performance.now() - began);
    }
    return took;
}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--turns", type=int, default=40, help="turns that are watched (an even number)")
    options = parser.parse_args()
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    model, said = _speaking()
    with tempfile.TemporaryDirectory() as folder, staged(Path(folder), model) as stage, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        page = chromium.new_page(base_url=stage.url)
        waits = _watched(stage, page, said, options.turns)
        print(f"first word of a turn in the page, after the model sent it, {len(waits)} turns:")
        print(f"  p50 {statistics.median(waits):.0f} ms, p95 {_share(waits, 0.95):.0f} ms, most {max(waits):.0f} ms")
        _long(stage, page)
        chromium.close()


def _speaking() -> tuple[ScriptedModel, dict[str, float]]:
    """A model that says a new word first in each turn; and when, in milliseconds since 1970."""
    said: dict[str, float] = {}
    number = count(1)

    def script(_: dict[str, Any]) -> Says:
        word = f"word{next(number)}"
        said[word] = time.time() * 1000
        return Says(f"{word} and then some more, as debaters do, until a sentence is over.", pause=0.05)

    return ScriptedModel(script), said


def _watched(stage: Stage, page: Page, said: dict[str, float], turns: int) -> list[float]:
    debate = stage.begin(a_request(rounds=turns // 2, guard="off"))
    page.goto(f"/#/debates/{debate['id']}")
    page.evaluate(WATCH)
    stage.until(debate["id"], "completed", seconds=300)
    seen: dict[str, float] = page.evaluate("seen")
    missed = [word for word in said if word not in seen]
    print(f"{len(missed)} of {turns} turns began before the page was there")
    return sorted(seen[word] - said[word] for word in seen)


def _long(stage: Stage, page: Page) -> None:
    turns = [a_turn(seq, f"d{2 - seq % 2}", text=f"Point {seq}. " * 25) for seq in range(1, 1001)]
    debate = stage.written(a_debate(rounds=500), turns)
    page.goto("/#/")
    began = time.perf_counter()
    page.goto(f"/#/debates/{debate}")
    page.locator(".turn").first.wait_for()
    first = time.perf_counter() - began
    page.locator("#turn-1000").wait_for()
    print(f"a debate of 1,000 turns: the first after {first:.1f} s, all after {time.perf_counter() - began:.1f} s")
    frames: Sequence[float] = page.evaluate(SCROLL)
    print(f"scrolled through in 61 steps: p50 {statistics.median(frames):.0f} ms, most {max(frames):.0f} ms")


def _share(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


if __name__ == "__main__":
    main()
