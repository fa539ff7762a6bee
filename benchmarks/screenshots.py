"""The pictures of the page in docs/images/. `make screenshots` makes them.

The debate is a real one, held by real workers and watched in a real browser; but its words stand here, as what a good
model might say, and so do those of its judges.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from judges import is_question, letters, says, side_that_says
from scripted import Answer, Hangs, Says, ScriptedModel
from stage import Stage, staged

IMAGES = Path("docs/images")
DEBATE: Mapping[str, Any] = {
    "motion": "A four-day week should be the law",
    "rounds": 3,
    "opening": "Make one point at a time, and answer what was said last.",
    "debaters": [
        {"name": "Ada", "stance": "for the motion", "persona": "A nurse and union speaker. Plain words, real cases."},
        {
            "name": "Wilhelm",
            "stance": "against the motion",
            "persona": "Owns a joinery with nine employees. Dry humour.",
        },
    ],
    "turn": {"max_characters": 600},
    "judge": {"panel": 3},
    "audience": {"size": 7},
    "metadata": {"example": "english"},
}
TURNS = (
    "On my ward the mistakes come in the eleventh hour, and everybody knows it. When our night shift tried four days, "
    "sick leave fell by a third and nobody's pay was cut. A tired nurse is not cheap, she is only cheap on paper. "
    "What would you pay for a colleague who never reads a chart twice?",
    "Less than you think, because I have nine colleagues and each of them is a tenth of my shop. If Friday is gone by "
    "law, a staircase that took five days takes five days still, and the customer waits into the next week. A "
    "hospital can hire. Where do I find the joiner who works only on Fridays?",
    "You find the hours where I found them: in the meetings, the waiting and the work done twice. Sixty-one British "
    "firms tried it for half a year, and fifty-six kept it, some of them smaller than yours. The law need not "
    "name Friday; it only has to say that the fifth day is a choice and no longer a habit.",
    "Firms that volunteer for a trial are not firms that are forced into one. Those fifty-six chose themselves, as "
    "people who enjoy cold baths do. Glue dries at its own speed, and no law has shortened it. Let me ask you plainly: "
    "who pays the overtime in December?",
    "Nobody pays it if the year is planned, and your glue dries while your people sleep, too. The eight-hour day was "
    "called ruinous by every workshop in the country. It was made a law because the good employers were being undercut "
    "by the others, and that is the reason today.",
    "The eight-hour day came after machines had doubled what an hour makes. Mine makes what it made in my father's "
    "time, give or take a better saw. Let each trade bargain for its own week, and let the law keep to what "
    "it can know.",
)
EVIDENCE = "sick leave fell by a third and nobody's pay was cut"
OTHER = "Firms that volunteer for a trial are not firms that are forced into one"


class Script:
    """Says the turns one after the other; or `held` of them, and then only the beginning of the next."""

    def __init__(self, *, held: int | None = None) -> None:
        self._turns = list(TURNS)
        self._left = held
        self._judged = 0
        self._votes = 0

    def __call__(self, body: dict[str, Any]) -> Answer:
        if is_question(body, "winner"):
            return self._judge(body)
        if is_question(body, "vote"):
            self._votes += 1
            return says(_VOTES[min(self._votes, len(_VOTES)) - 1])
        text = self._turns.pop(0)
        if self._left is not None:
            self._left -= 1
            if self._left < 0:
                return Hangs(text[: text.index(" ", 190)])
        # Slow enough for a browser to be there in time where it has to be.
        return Says(text, pause=0.0 if self._left is None else 0.08)

    def _judge(self, body: dict[str, Any]) -> Answer:
        self._judged += 1
        third = self._judged in {3, 6}
        mine, quote = side_that_says(body, OTHER if third else EVIDENCE), OTHER if third else EVIDENCE
        other = next(letter for letter in letters(body) if letter != mine)
        scores = {mine: {"content": 8, "style": 7, "strategy": 8}, other: {"content": 6, "style": 8, "strategy": 6}}
        reasons = (
            f"Side {mine} showed that the trials chose themselves, and was not answered."
            if third
            else f"Side {mine} brought cases with figures, and answered the question of who pays."
        )
        return says({"quotes": [quote], "reasons": reasons, "scores": scores, "winner": mine})


_BEFORE = ["undecided", "for", "against", "undecided", "against", "for", "undecided"]
_AFTER = ["for", "for", "against", "for", "undecided", "for", "against"]
_VOTES = [{"reason": "The figures from the ward stayed with me.", "vote": vote} for vote in [*_BEFORE, *_AFTER]]


def main() -> None:
    argparse.ArgumentParser(description=__doc__.partition("\n")[0]).parse_args()
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    model = ScriptedModel(Script())
    with tempfile.TemporaryDirectory() as folder, staged(Path(folder), model) as stage, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        _new(stage, browser)
        _verdict(stage, browser)
        _live(stage, browser)
        browser.close()


def _page(stage: Stage, browser: Browser, width: int = 1100, height: int = 860, theme: str = "light") -> Page:
    context = browser.new_context(
        base_url=stage.url, locale="en-GB", color_scheme=theme, viewport={"width": width, "height": height},
        reduced_motion="reduce",
    )  # fmt: skip
    return context.new_page()


def _shot(page: Page, name: str) -> None:
    page.wait_for_timeout(400)
    page.screenshot(path=IMAGES / f"page-{name}.png")


def _live(stage: Stage, browser: Browser) -> None:
    """The third turn is being spoken; whoever comes later would not hear its beginning."""
    stage.model.script = Script(held=2)
    debate = stage.begin(DEBATE)["id"]
    views = {
        "live": _page(stage, browser, height=1060),
        "dark": _page(stage, browser, height=1060, theme="dark"),
        "phone": _page(stage, browser, 390, 844),
    }
    for page in views.values():
        page.goto(f"/#/debates/{debate}")
    for name, page in views.items():
        page.locator(".speaking", has_text="waiting and the work").wait_for()
        _shot(page, name)
    stage.end_all()


def _new(stage: Stage, browser: Browser) -> None:
    page = _page(stage, browser, height=1060)
    page.goto("/#/new")
    page.get_by_role("button", name="English example").click()
    page.get_by_role("group", name="Debater 2").wait_for()
    _shot(page, "new")


def _verdict(stage: Stage, browser: Browser) -> None:
    stage.model.script = Script()
    held = stage.held(DEBATE)
    assert held["status"] == "completed", json.dumps(held)
    page = _page(stage, browser, height=1060)
    page.goto(f"/#/debates/{held['id']}/outcome")
    page.get_by_role("region", name="Verdict").wait_for()
    _shot(page, "verdict")


if __name__ == "__main__":
    main()
