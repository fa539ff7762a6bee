"""A debate as people watch it: from its first word to its last."""

from __future__ import annotations

from itertools import count
from typing import Any

from playwright.sync_api import BrowserContext, Page, expect

from builders import a_debate, a_request, a_turn
from scripted import Answer, Fails, Hangs, Says
from stage import Stage


def slowly(words: int = 6, pause: float = 0.1) -> Any:
    """Each turn says which it is, word by word."""
    number = count(1)

    def script(_: dict[str, Any]) -> Answer:
        n = next(number)
        return Says(" ".join([f"Turn{n}", *(f"word{n}.{w}" for w in range(words)), "end."]), pause=pause)

    return script


def said(page: Page) -> list[str]:
    """The finished turns, as they stand there."""
    return page.locator(".turn:not(.speaking) .words").all_inner_texts()


def spoken(stage: Stage, page: Page, debate_id: str) -> list[str]:
    """The same, as the API has them."""
    answer = page.request.get(f"{stage.url}/v1/debates/{debate_id}/transcript.json")
    return [turn["text"] for turn in answer.json()["turns"]]


def test_words_appear_before_the_turn_is_over(stage: Stage, page: Page):
    stage.model.answers[:] = [Says("The first turn."), Hangs("Only its first words")]
    debate = stage.begin(a_request(rounds=2, guard="off"))
    page.goto(f"/#/debates/{debate['id']}")
    speaking = page.locator(".turn.speaking")
    expect(speaking.locator(".words")).to_have_text("Only its first words")
    expect(speaking.locator(".name")).to_have_text("Grace")
    expect(page.locator(".turn:not(.speaking) .words")).to_have_text(["The first turn."])
    page.request.post(f"{stage.url}/v1/debates/{debate['id']}/cancel")
    expect(speaking).to_have_count(0)


def test_a_debate_is_followed_from_its_beginning_to_its_end(stage: Stage, page: Page):
    stage.model.script = slowly()
    debate = stage.begin(a_request(rounds=2, guard="off"))
    page.goto(f"/#/debates/{debate['id']}")
    expect(page.locator(".turn:not(.speaking)")).to_have_count(4)
    expect(page.locator(".standing .status")).to_have_text("Completed")
    expect(page.locator(".parts")).to_be_visible()
    expect(page.locator(".turn:not(.speaking)")).to_have_count(4)
    assert said(page) == spoken(stage, page, debate["id"])
    expect(page.locator(".phase")).to_have_text(["Debate, round 1", "Debate, round 2"])
    expect(page.locator(".standing .count")).to_have_text("4 of 4 turns")


def test_a_lost_connection_comes_back_without_gap_or_double(stage: Stage, page: Page, context: BrowserContext):
    stage.model.script = slowly()
    debate = stage.begin(a_request(rounds=5, guard="off"))
    page.goto(f"/#/debates/{debate['id']}")
    expect(page.locator(".turn:not(.speaking)")).not_to_have_count(0)
    for turns in (3, 6):
        context.set_offline(True)
        expect(page.locator(".line")).to_have_text("Connection lost, reconnecting …")
        stage.until(debate["id"], turns=turns)
        context.set_offline(False)
        expect(page.locator(".line")).to_have_text("")
    expect(page.locator(".turn:not(.speaking)")).to_have_count(10)
    assert said(page) == spoken(stage, page, debate["id"])


def test_a_debate_is_paused_and_goes_on(stage: Stage, page: Page):
    stage.model.script = slowly()
    debate = stage.begin(a_request(rounds=3, guard="off"))
    page.goto(f"/#/debates/{debate['id']}")
    page.get_by_role("button", name="Pause").click()
    expect(page.locator(".standing .status")).to_have_text("Paused")
    page.get_by_role("button", name="Resume").click()
    expect(page.locator(".standing .status")).to_have_text("Completed")
    assert said(page) == spoken(stage, page, debate["id"])


def test_a_debate_is_ended_when_its_reader_means_it(stage: Stage, page: Page):
    stage.model.script = slowly(words=40)
    debate = stage.begin(a_request(rounds=5, guard="off"))
    page.goto(f"/#/debates/{debate['id']}")
    page.once("dialog", lambda dialog: dialog.dismiss())
    page.get_by_role("button", name="End it").click()
    expect(page.locator(".standing .status")).to_have_text("Live")
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="End it").click()
    expect(page.locator(".standing .status")).to_have_text("Cancelled")
    assert stage.look(debate["id"])["status"] == "cancelled"


def test_refused_attempts_are_told_and_out_of_the_way(stage: Stage, page: Page):
    stage.model.answers[:] = [Says(""), Says("A point of its own."), Fails(500), Says("And another one.")]
    debate = stage.held(a_request(rounds=1))
    page.goto(f"/#/debates/{debate['id']}")
    first = page.locator("#turn-1")
    expect(first.locator("summary")).to_have_text("1 attempt refused")
    expect(first.get_by_text("says nothing")).to_be_hidden()
    first.locator("summary").click()
    expect(first.get_by_text("says nothing")).to_be_visible()


def test_screen_readers_hear_finished_turns_and_no_words(stage: Stage, page: Page):
    stage.model.script = slowly(words=15)
    debate = stage.begin(a_request(rounds=2, guard="off"))
    page.goto(f"/#/debates/{debate['id']}")
    expect(page.locator(".turn.speaking")).to_have_attribute("aria-hidden", "true")
    heard = page.locator("[aria-live=polite]")
    expect(heard).to_contain_text("Grace: Turn2")
    expect(heard).to_contain_text("end.")


def test_who_reads_above_is_left_alone_and_can_jump_to_now(stage: Stage, page: Page):
    stage.model.script = slowly(words=80, pause=0.02)
    page.set_viewport_size({"width": 900, "height": 500})
    debate = stage.begin(a_request(rounds=6, guard="off"))
    page.goto(f"/#/debates/{debate['id']}")
    expect(page.locator(".turn:not(.speaking)")).to_have_count(3)
    expect(page.locator(".turn.speaking")).to_be_in_viewport()
    page.mouse.wheel(0, -5000)
    expect(page.get_by_role("button", name="Jump to now")).to_be_visible()
    before = len(said(page))
    expect(page.locator(".turn:not(.speaking)")).not_to_have_count(before)
    assert page.evaluate("scrollY") < 50
    page.get_by_role("button", name="Jump to now").click()
    expect(page.locator(".turn.speaking, .turn").last).to_be_in_viewport()


def test_a_thousand_turns_are_shown_and_scroll(stage: Stage, page: Page):
    debate = a_debate(rounds=500)
    turns = [a_turn(seq, f"d{2 - seq % 2}", round=(seq + 1) // 2) for seq in range(1, 1001)]
    page.goto(f"/#/debates/{stage.written(debate, turns)}")
    expect(page.locator(".turn")).to_have_count(1000)
    milliseconds = page.evaluate(
        """async () => {
            const began = performance.now();
            for (let at = 0; at <= 10; at++) {
                scrollTo(0, document.documentElement.scrollHeight * at / 10);
                await new Promise(requestAnimationFrame);
            }
            return performance.now() - began;
        }"""
    )
    assert milliseconds < 5000
    expect(page.locator("#turn-1000")).to_be_in_viewport()


def test_ids_are_compared_by_their_numbers(page: Page, stage: Stage):
    page.goto("/")
    script = page.locator("script[type=module]").get_attribute("src").replace("app.js", "stream.js")
    compared = page.evaluate(
        """async (script) => {
            const { isBehind, parsed } = await import(script);
            return [isBehind("10-0", "9-4"), isBehind("9-10", "9-9"), isBehind("9-9", "9-9"), parsed("retry: 2000"),
                    parsed('id: 3-1\\nevent: x\\ndata: {"a": "b: c"}')];
        }""",
        script,
    )
    assert compared == [True, True, False, None, {"type": "x", "id": "3-1", "data": {"a": "b: c"}}]
