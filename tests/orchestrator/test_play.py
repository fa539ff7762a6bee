"""A debate from its claim to its end, played by AutoGen against a model that says what it is told."""

from __future__ import annotations

import asyncio
import time
from itertools import cycle
from typing import Any

import pytest

import rostra
from builders import a_debate, a_turn, claimed
from playing import course, play_out, played, until, words_spoken
from rostra.endpoints import Endpoint
from rostra.events import SpeakerChosen, Usage
from rostra.models import Status
from rostra.store import Claim, Store, connect
from rostra_orchestrator.lease import Lease
from rostra_orchestrator.play import MAX_STALLS, play
from rostra_orchestrator.settings import Settings
from scripted import Fails, Garbage, Says, ScriptedModel


async def test_every_slot_is_spoken_once_in_order(store: Store, settings: Settings):
    ended = await play_out(store, settings, rounds=3)
    assert ended.status is Status.COMPLETED
    assert [(t.seq, t.debater) for t in ended.turns] == [(n, f"d{2 - n % 2}") for n in range(1, 7)]
    assert [t.text for t in ended.turns] == [f"Point {n}." for n in range(1, 7)]


async def test_everyone_hears_what_was_said_before_them(store: Store, settings: Settings, model: ScriptedModel):
    await play_out(store, settings, rounds=2, opening="Begin.")
    last = model.requests[-1]["messages"][-1]["content"]
    assert "Moderator: Begin.\nAda: Point 1.\nGrace: Point 2.\nAda: Point 3.\n\n" in last


async def test_sixteen_debaters_with_names_in_many_scripts_debate(store: Store, settings: Settings):
    names = ["バイデン", "محمد", "Zoë", "李", "Ω", "Søren", "Иван", "한국", *(f"d{n}" for n in range(8))]
    ended = await play_out(store, settings, rounds=1, debaters=[{"name": name} for name in names])
    assert [t.debater for t in ended.turns] == [f"d{n}" for n in range(1, 17)]


async def test_a_turn_records_the_sampling_that_was_sent(store: Store, settings: Settings, model: ScriptedModel):
    debaters = [{"name": "Ada", "sampling": {"temperature": 0.1, "top_k": 7, "mirostat": 2}}, {"name": "Grace"}]
    ended = await play_out(store, settings, rounds=1, debaters=debaters, turn={"max_tokens": 50})
    sampling = dict(ended.turns[0].sampling)
    assert (sampling["temperature"], sampling["top_k"], sampling["mirostat"], sampling["max_tokens"]) == (0.1, 7, 2, 50)
    sent = model.requests[0]
    assert all(sent[name] == value for name, value in sampling.items() if name != "stop")
    assert sent["stop"] == list(sampling["stop"])


async def test_a_turn_records_which_model_spoke(store: Store, settings: Settings, model: ScriptedModel):
    model.answers = [Says("Tabs are one byte.", fingerprint="sha256:abc")]
    ended = await play_out(store, settings, rounds=1)
    assert [turn.fingerprint for turn in ended.turns] == ["sha256:abc", ""]
    assert ended.versions == (rostra.__version__,)


async def test_the_server_is_told_what_begins_alike(store: Store, settings: Settings, model: ScriptedModel):
    debate = a_debate(rounds=1)
    await played(store, settings, await claimed(store, debate))
    assert [request["prompt_cache_key"] for request in model.requests] == [debate.id] * 2


async def test_where_the_server_goes_on_with_an_answer_it_is_begun_with_the_name(
    store: Store, settings: Settings, model: ScriptedModel
):
    model.continues_answer = True
    model.answers = [Says("Tabs are one byte."), Says(""), Says("Spaces are sure.")]
    ended = await play_out(store, settings, rounds=1)
    assert [t.text for t in ended.turns] == ["Tabs are one byte.", "Spaces are sure."]
    assert [request["messages"][-1] for request in model.requests] == [
        {"role": "assistant", "content": name} for name in ("Ada:", "Grace:", "Grace:")
    ]
    # On its own line; who said nothing there may begin another.
    assert [request["stop"] for request in model.requests] == [["\n"], ["\n"], ["\nAda:", "\nGrace:"]]
    assert all("without the name" not in request["messages"][1]["content"] for request in model.requests)


async def test_a_server_gets_no_more_stops_than_it_takes(store: Store, settings: Settings, model: ScriptedModel):
    debaters = [{"name": name} for name in "甲乙丙丁戊己"]
    await play_out(store, settings, rounds=1, language="ja", debaters=debaters)
    settings.models["default"] = (Endpoint(url=model.url, dialect="openai"),)
    await play_out(store, settings, rounds=1, language="ja", debaters=debaters)
    assert model.requests[0]["stop"] == ["\n甲：", "\n乙：", "\n丙：", "\n丁：", "\n戊：", "\n己："]
    assert model.requests[6]["stop"] == ["\n甲：", "\n乙：", "\n丙：", "\n丁："]


@pytest.mark.parametrize(("characters", "stop"), [(500, ["\n"]), (501, ["\nAda:", "\nGrace:"])])
async def test_a_long_turn_may_have_paragraphs(
    store: Store, settings: Settings, model: ScriptedModel, characters: int, stop: list[str]
):
    model.continues_answer = True
    await play_out(store, settings, rounds=1, turn={"max_characters": characters})
    assert model.requests[0]["stop"] == stop


async def test_long_turns_in_a_small_context_are_shortened_for_the_others(
    store: Store, settings: Settings, model: ScriptedModel
):
    model.script = lambda _: Says(" ".join(["tabs"] * 900))
    ended = await play_out(store, settings, rounds=5, guard="off", turn={"max_tokens": 1000})
    assert ended.status is Status.COMPLETED
    assert all(len(turn.text.split()) == 900 for turn in ended.turns)
    for request in model.requests:
        asked = sum(len(message["content"].split()) for message in request["messages"])
        assert asked + request["max_tokens"] <= model.context


async def test_an_answer_takes_at_most_half_of_the_context(store: Store, settings: Settings, model: ScriptedModel):
    ended = await play_out(store, settings, rounds=1, turn={"max_tokens": 8192})
    assert ended.turns[0].sampling["max_tokens"] == model.context // 2


async def test_asking_who_speaks_is_paid_for(store: Store, settings: Settings, model: ScriptedModel):
    spent = {"prompt_tokens": 10, "completion_tokens": 1}
    model.script = lambda _: Says("Linus", usage=spent)
    names = [{"name": name} for name in ("Ada", "Grace", "Linus")]
    ended = await play_out(store, settings, format="auto", rounds=2, debaters=names, guard="off", limits={"tokens": 60})
    assert [(choice.seq, choice.usage.total) for choice in ended.choices] == [(1, 11), (2, 11), (3, 11)]
    assert ended.reason == "the debate's limit of 60 tokens was reached (66 spent)"
    assert ended.tokens == 66


async def test_a_speaker_is_chosen_once(store: Store, settings: Settings, model: ScriptedModel):
    debate = a_debate(format="auto", rounds=1, debaters=[{"name": name} for name in ("Ada", "Grace", "Linus")])
    claim = await claimed(store, debate)
    await store.append(claim, SpeakerChosen(seq=1, debater="d3", chosen_by="model", usage=Usage(prompt_tokens=7)))
    await played(store, settings, claim)
    ended = await course(store, debate)
    assert (ended.turns[0].debater, ended.turns[0].chosen_by) == ("d3", "model")
    assert [choice.seq for choice in ended.choices] == [1, 2, 3]
    assert "Who should speak next" not in model.requests[0]["messages"][-1]["content"]


async def test_who_speaks_is_asked_over_the_beginnings_of_the_latest_turns(
    store: Store, settings: Settings, model: ScriptedModel
):
    model.script = lambda _: Says("tabs " * 900)
    names = [{"name": name} for name in ("Ada", "Grace", "Linus")]
    await play_out(store, settings, format="auto", rounds=3, debaters=names, guard="off", turn={"max_tokens": 1000})
    questions = [request["messages"][-1]["content"] for request in model.requests if request["max_tokens"] == 24]
    assert len(questions) == 9
    assert all(len(question) < 2000 for question in questions)


async def test_a_server_that_restarts_is_waited_for_before_it_is_asked(
    store: Store, settings: Settings, model: ScriptedModel
):
    model.away, settings.model_patience_seconds = True, 20
    persona = "A baker. " * 400
    debate = a_debate(rounds=1, debaters=[{"name": "Ada", "persona": persona}, {"name": "Grace"}])
    playing = asyncio.create_task(played(store, settings, await claimed(store, debate)))
    await asyncio.sleep(0.3)
    model.away = False
    await playing
    ended = await course(store, debate)
    assert ended.status is Status.COMPLETED
    assert {failed.reason for failed in ended.failed_attempts} == {"unavailable"}


async def test_an_attempt_that_met_a_busy_server_says_nothing_about_lines(
    store: Store, settings: Settings, model: ScriptedModel
):
    model.continues_answer = True
    model.answers = [Fails(503), Says("Tabs.")]
    await play_out(store, settings, rounds=1)
    assert [request["stop"] for request in model.requests] == [["\n"]] * 3


@pytest.mark.parametrize(("wish", "status"), [("cancel", Status.CANCELLED), ("resume", Status.QUEUED)])
async def test_what_is_asked_while_a_pause_takes_effect_is_done(
    store: Store, settings: Settings, wish: str, status: Status
):
    debate = a_debate()
    claim = await claimed(store, debate)
    await store.pause(debate.id)
    async with Lease(store, claim) as lease:
        lease.notice("pause")
        await (store.cancel if wish == "cancel" else store.resume)(debate.id)
        assert await play(store, claim, lease, settings) == ("ended" if wish == "cancel" else "released")
    assert (await store.get(debate.id)).status is status


async def test_a_pause_takes_none_of_the_time_that_a_debate_has(store: Store, settings: Settings):
    debate = a_debate(rounds=1, limits={"seconds": 3})
    claim = await claimed(store, debate)
    await store.pause(debate.id)
    await store.put_to_rest(claim)
    await asyncio.sleep(3.5)
    await store.resume(debate.id)
    again = await store.claim(debate.id, "test:2")
    assert isinstance(again, Claim)
    await played(store, settings, again)
    assert (await course(store, debate)).status is Status.COMPLETED


async def test_while_redis_is_nearly_full_a_debate_waits_and_then_goes_on_by_itself(
    store: Store, settings: Settings, redis_server: str, model: ScriptedModel
):
    debate = a_debate(rounds=1)
    claim = await claimed(store, debate)
    redis = connect(redis_server)
    # So much that 3% of it are more than what comes and goes by itself: scripts, buffers of connections, some 100 KB.
    await redis.setrange("ballast", 32 << 20, "x")
    await redis.config_set("maxmemory", int((await redis.info("memory"))["used_memory"] * 1.03))
    try:
        async with Lease(store, claim) as lease:
            playing = asyncio.create_task(play(store, claim, lease, settings))
            await asyncio.sleep(2.5)
            assert model.requests == []
            assert not playing.done()
            assert await store.renew(claim) == ""
            await redis.delete("ballast")
            assert await playing == "ended"
    finally:
        await redis.config_set("maxmemory", 0)
        await redis.aclose()
    assert (await course(store, debate)).status is Status.COMPLETED


async def test_who_has_several_debates_played_makes_room_between_two_turns(store: Store, settings: Settings):
    first, second = a_debate(rounds=2), a_debate(rounds=2)
    for debate in (first, second):
        await store.create(debate, owner="many")
    claim = await store.claim(first.id, "test:1")
    assert isinstance(claim, Claim)
    assert isinstance(await store.claim(second.id, "test:2"), Claim)
    await store.create(a_debate(), owner="none yet")
    assert await played(store, settings, claim) == "released"
    now = await course(store, first)
    assert (now.status, len(now.turns)) == (Status.QUEUED, 1)


async def test_a_server_that_is_away_is_waited_for_however_long_the_turn_has_taken(
    store: Store, settings: Settings, model: ScriptedModel
):
    slow = Says("Tabs are slow and", finish=None, pause=0.2)
    model.answers = [slow, slow, Fails(503), Says("Tabs.")]
    ended = await play_out(store, settings, rounds=1)
    assert ended.status is Status.COMPLETED
    assert [failed.reason for failed in ended.failed_attempts] == ["broken", "broken", "unavailable"]


async def test_the_same_debate_asks_with_the_same_seeds(store: Store, settings: Settings, model: ScriptedModel):
    for _ in range(2):
        await play_out(store, settings, rounds=2, seed=7)
    seeds = [request["seed"] for request in model.requests]
    assert seeds[:4] == seeds[4:]
    assert len(set(seeds[:4])) == 4


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Says(""), "empty"),
        (Says("Ada: "), "empty"),
        (Says("Grace: I speak for her."), "empty"),
        (Says("Tabs are", finish=None), "broken"),
        (Garbage(), "broken"),
        (Fails(500), "unavailable"),
    ],
    ids=["empty", "only the label", "as somebody else", "cut off", "garbage", "500"],
)
async def test_a_failed_attempt_is_told_and_tried_again(
    store: Store, settings: Settings, model: ScriptedModel, fault: Any, reason: str
):
    model.answers = [Says("First."), Says("Second."), fault, Says("Third.")]
    ended = await play_out(store, settings, rounds=2)
    assert ended.status is Status.COMPLETED
    assert [t.text for t in ended.turns] == ["First.", "Second.", "Third.", "Point 1."]
    assert [t.attempts for t in ended.turns] == [1, 1, 2, 1]
    assert [(f.seq, f.attempt, f.reason) for f in ended.failed_attempts] == [(3, 1, reason)]
    # The same prompt again: nothing of the failed attempt is in it.
    assert model.requests[2]["messages"] == model.requests[3]["messages"]
    assert model.requests[2]["seed"] != model.requests[3]["seed"]


async def test_when_attempts_run_out_the_debate_fails_and_keeps_its_turns(
    store: Store, settings: Settings, model: ScriptedModel
):
    model.script = lambda _: Says("")
    model.answers = [Says("First.")]
    ended = await play_out(store, settings)
    assert ended.status is Status.FAILED
    assert ended.reason == "4 attempts at a turn failed; the last one: the model said nothing"
    assert [t.text for t in ended.turns] == ["First."]
    assert len(ended.failed_attempts) == 4


async def test_a_model_server_that_stays_away_fails_the_debate_with_a_reason(store: Store, settings: Settings):
    settings.models["default"] = (Endpoint(url="http://127.0.0.1:9"),)
    ended = await play_out(store, settings)
    assert ended.status is Status.FAILED
    assert ended.reason.startswith("the model server at http://127.0.0.1:9 does not answer")


async def test_what_the_model_server_refuses_is_not_asked_again(store: Store, settings: Settings, model: ScriptedModel):
    model.script = lambda _: Fails(401, {"error": {"message": "Invalid API key"}})
    ended = await play_out(store, settings)
    assert ended.status is Status.FAILED
    assert ended.reason == "the model server answered 401: Invalid API key"
    assert len(model.requests) == 1


async def test_a_turn_is_never_longer_than_its_limit(store: Store, settings: Settings, model: ScriptedModel):
    model.script = lambda _: Says("Tabs are one byte each. " * 10)
    ended = await play_out(store, settings, rounds=2, turn={"max_characters": 50})
    assert {t.text for t in ended.turns} == {"Tabs are one byte each. Tabs are one byte each."}
    assert all(t.shortened for t in ended.turns)


async def test_a_model_that_will_not_stop_is_stopped_a_little_over_the_limit(
    store: Store, settings: Settings, model: ScriptedModel
):
    model.answers = [Says("word " * 2000, pause=0.001)]
    ended = await play_out(store, settings, rounds=1, guard="off", turn={"max_characters": 50})
    assert len(ended.turns[0].text) <= 50
    assert ended.turns[0].finish_reason == "enough"
    assert model.cancelled == 1


async def test_an_answer_that_hit_the_token_limit_ends_with_a_whole_sentence(
    store: Store, settings: Settings, model: ScriptedModel
):
    model.answers = [Says("Tabs are small. Spaces are", finish="length")]
    ended = await play_out(store, settings, rounds=1)
    first = ended.turns[0]
    assert (first.text, first.shortened, first.finish_reason) == ("Tabs are small.", True, "length")


async def test_an_interrupted_debate_goes_on_from_its_last_finished_turn(
    store: Store, settings: Settings, model: ScriptedModel
):
    debate = a_debate(rounds=2)
    claim = await claimed(store, debate)
    await store.append(claim, a_turn(1, "d1", text="Before the fall."))
    assert await played(store, settings, claim) == "ended"
    ended = await course(store, debate)
    assert [t.seq for t in ended.turns] == [1, 2, 3, 4]
    assert "Ada: Before the fall." in model.requests[0]["messages"][-1]["content"]
    assert "Now Grace speaks" in model.requests[0]["messages"][-1]["content"]


@pytest.mark.parametrize(("wish", "status"), [("cancel", Status.CANCELLED), ("pause", Status.PAUSED)])
async def test_a_wish_ends_the_turn_in_flight_and_frees_the_model(
    store: Store, settings: Settings, model: ScriptedModel, wish: str, status: Status
):
    model.answers = [Says("First."), Says("word " * 1000, pause=0.02)]
    debate = a_debate()
    claim = await claimed(store, debate)
    playing = asyncio.create_task(played(store, settings, claim))
    await until(lambda: words_spoken(store, debate, seq=2))
    began = time.monotonic()
    await getattr(store, wish)(debate.id)
    await asyncio.wait_for(playing, 5)
    assert time.monotonic() - began < 2
    now = await course(store, debate)
    assert now.status is status
    assert [t.text for t in now.turns] == ["First."]
    await until(lambda: _true(model.cancelled == 1))


async def test_a_worker_that_is_stopped_gives_the_debate_back_at_once(
    store: Store, settings: Settings, model: ScriptedModel
):
    model.answers = [Says("word " * 1000, pause=0.02)]
    debate = a_debate()
    claim = await claimed(store, debate)
    async with Lease(store, claim) as lease:
        playing = asyncio.create_task(play(store, claim, lease, settings))
        await until(lambda: words_spoken(store, debate, seq=1))
        lease.interrupt("stop")
        assert await asyncio.wait_for(playing, 5) == "released"
    again = await store.claim(debate.id, "test:2")
    assert isinstance(again, Claim)
    assert again.stalls == 1


async def test_a_process_that_was_overtaken_stops_playing(store: Store, settings: Settings, redis_url: str):
    debate = a_debate()
    zombie = await claimed(store, debate)
    await store.release(zombie, "as if the lease had expired")
    heir = await store.claim(debate.id, "test:2")
    assert isinstance(heir, Claim)
    assert await played(store, settings, zombie) == "fenced"
    assert (await course(store, debate)).turns == ()


async def test_a_debate_that_kills_its_workers_is_given_up_with_a_reason(store: Store, settings: Settings):
    debate = a_debate()
    claim = await claimed(store, debate)
    doomed = Claim(claim.debate, claim.fence, claim.process, MAX_STALLS + 1, "")
    assert await played(store, settings, doomed) == "ended"
    ended = await course(store, debate)
    assert ended.status is Status.FAILED
    assert "given up" in ended.reason


async def test_the_time_limit_ends_the_debate_within_a_turn(store: Store, settings: Settings, model: ScriptedModel):
    model.answers = [Says("First."), Says("word " * 1000, pause=0.05)]
    ended = await play_out(store, settings, limits={"seconds": 1})
    assert ended.status is Status.FAILED
    assert ended.reason == "the debate's time limit of 1 s was reached"
    assert [t.text for t in ended.turns] == ["First."]


async def test_the_token_limit_counts_failed_attempts_too(store: Store, settings: Settings, model: ScriptedModel):
    usage = {"prompt_tokens": 50, "completion_tokens": 10, "total_tokens": 60}
    model.script = lambda _: Says("Tabs.", usage=usage)
    model.answers = [Says("Ada: ", usage=usage)]
    ended = await play_out(store, settings, guard="off", limits={"tokens": 150})
    assert ended.status is Status.FAILED
    assert ended.reason == "the debate's limit of 150 tokens was reached (180 spent)"
    assert len(ended.turns) == 2


async def test_a_long_debate_in_a_small_context_keeps_its_beginning_and_its_end(
    store: Store, settings: Settings, model: ScriptedModel
):
    model.context = 520
    model.script = lambda body: Says(f"Claim number {len(model.requests)} " + "and so on and so forth " * 4 + ".")
    ended = await play_out(store, settings, rounds=20, guard="off", opening="Begin.", turn={"max_tokens": 64})
    assert ended.status is Status.COMPLETED
    assert len(ended.turns) == 40
    last = model.requests[-1]["messages"][-1]["content"]
    assert "Moderator: Begin.\nAda: Claim number 1 " in last
    assert "\n[…]\n" in last
    assert "Claim number 39 " in last
    assert "Claim number 10 " not in last


async def test_personas_that_the_context_has_no_room_for_fail_the_debate_with_advice(
    store: Store, settings: Settings, model: ScriptedModel
):
    model.context = 512
    ended = await play_out(store, settings, debaters=[{"name": "Ada", "persona": "very " * 700}, {"name": "Grace"}])
    assert ended.status is Status.FAILED
    assert "has no room for the motion, the personas" in ended.reason
    assert model.requests == []


async def test_words_are_shown_while_they_are_spoken_and_without_the_label(
    store: Store, settings: Settings, model: ScriptedModel
):
    model.answers = [Says("Ada: " + "word " * 30, pause=0.01)]
    debate = a_debate(rounds=1)
    await played(store, settings, await claimed(store, debate))
    (_, deltas) = (await store.news({debate.id: ("9-9", "0-0")}, 1))[debate.id]
    first = "".join(d.text for d in deltas if d.seq == 1)
    assert first.startswith("word word")
    assert len([d for d in deltas if d.seq == 1]) > 1


FOUR = [{"name": name} for name in ("Ada", "Grace", "Edsger", "Barbara")]


class TestTheModelChooses:
    async def test_whom_the_model_names_speaks(self, store: Store, settings: Settings, model: ScriptedModel):
        model.script = lambda body: Says("Barbara, please." if "Who should speak next" in _last(body) else "Tabs.")
        ended = await play_out(store, settings, format="auto", rounds=1, debaters=FOUR)
        assert (ended.turns[0].debater, ended.turns[0].chosen_by) == ("d4", "model")

    @pytest.mark.parametrize("answer", [Says("Nobody."), Says(""), Fails(500), Garbage()])
    async def test_whatever_the_model_answers_somebody_valid_speaks(
        self, store: Store, settings: Settings, model: ScriptedModel, answer: Any
    ):
        model.script = lambda body: answer if "Who should speak next" in _last(body) else Says("Tabs.")
        ended = await play_out(store, settings, format="auto", rounds=1, debaters=FOUR)
        assert [t.debater for t in ended.turns] == ["d1", "d2", "d3", "d4"]
        assert {t.chosen_by for t in ended.turns} == {"fallback"}

    async def test_between_two_debaters_nobody_is_asked(self, store: Store, settings: Settings, model: ScriptedModel):
        ended = await play_out(store, settings, format="auto", rounds=2)
        assert [t.debater for t in ended.turns][1:] == ["d2", "d1", "d2"]
        assert len([r for r in model.requests if "Who should speak next" in _last(r)]) <= 1


def _last(body: dict[str, Any]) -> str:
    return body["messages"][-1]["content"]


async def _true(value: bool) -> bool:
    return value


# ── the guard at work ───────────────────────────────────────────────────────────────────────────────────

TABS = "Tabs let every reader choose the width that suits their eyes, and that is a matter of courtesy."
SPACES = "Spaces look the same in every editor, in every review and on paper, whoever looks at them."
SIZE = "A file with tabs is smaller, which counted on the machines that I grew up with."
DIFFS = "Whoever mixes the two gets diffs that nobody can read, and spaces never mix with anything."


async def test_a_turn_that_only_repeats_is_asked_for_again(store: Store, settings: Settings, model: ScriptedModel):
    model.answers = [Says(TABS), Says(SPACES), Says(TABS), Says(SIZE), Says(DIFFS)]
    ended = await play_out(store, settings, rounds=2, guard="strict")
    assert [t.text for t in ended.turns] == [TABS, SPACES, SIZE, DIFFS]
    assert [t.attempts for t in ended.turns] == [1, 1, 2, 1]
    (failed,) = ended.failed_attempts
    assert (failed.seq, failed.attempt, failed.reason, failed.text.strip()) == (3, 1, "repeats", TABS)
    assert failed.faults == ("repeats",)
    assert failed.remedies == ("penalties",)
    assert ended.turns[2].faults == ()


async def test_a_second_attempt_is_made_with_remedies(store: Store, settings: Settings, model: ScriptedModel):
    model.answers = [Says(TABS), Says(SPACES), Says(TABS), Says(SIZE), Says(DIFFS)]
    await play_out(store, settings, rounds=2, guard="lenient")
    first, second = model.requests[2], model.requests[3]
    assert "dry_multiplier" not in first
    assert second["dry_multiplier"] == 1.2
    assert second["seed"] != first["seed"]
    cue, _ = first["messages"][-1]["content"].splitlines()[-2:]
    with_hint, _ = second["messages"][-1]["content"].splitlines()[-2:]
    assert with_hint.startswith(cue)
    assert with_hint != cue


async def test_with_the_guard_off_whatever_is_said_is_the_turn(store: Store, settings: Settings, model: ScriptedModel):
    model.script = lambda _: Says(TABS)
    ended = await play_out(store, settings, rounds=3, guard="off")
    assert (ended.status, len(ended.turns), len(ended.failed_attempts)) == (Status.COMPLETED, 6, 0)
    assert {t.faults for t in ended.turns} == {()}


async def test_where_no_attempt_is_good_the_least_bad_is_spoken_and_marked(
    store: Store, settings: Settings, model: ScriptedModel
):
    german = "Leerzeichen sehen in jedem Editor gleich aus, und genau darum geht es hier."
    model.answers = [Says(TABS), Says(german), Says("I completely agree with you, tabs are better than spaces.")]
    ended = await play_out(store, settings, rounds=1, language="en", guard="lenient")
    assert [(t.text, t.faults) for t in ended.turns] == [
        (TABS, ()),
        ("I completely agree with you, tabs are better than spaces.", ("gives_up",)),
    ]


async def test_an_earlier_attempt_may_be_the_least_bad(store: Store, settings: Settings, model: ScriptedModel):
    german = "Leerzeichen sehen in jedem Editor gleich aus, und genau darum geht es hier."
    usage = {"prompt_tokens": 100, "completion_tokens": 20}
    agreeing = "I completely agree with you, tabs are better than spaces."
    model.answers = [Says(TABS, usage=usage), Says(agreeing, usage=usage), Says(german, usage=usage)]
    ended = await play_out(store, settings, rounds=1, language="en", guard="lenient")
    assert (ended.turns[1].text, ended.turns[1].faults, ended.turns[1].attempts) == (agreeing, ("gives_up",), 2)
    assert ended.tokens == 360  # each generation once


async def test_debaters_who_go_round_in_circles_are_ended_honestly(
    store: Store, settings: Settings, model: ScriptedModel
):
    model.answers = [Says(TABS), Says(SPACES)]
    model.script = lambda _: Says(TABS)
    ended = await play_out(store, settings, rounds=20, guard="strict")
    assert ended.status is Status.COLLAPSED
    assert "round in circles" in ended.reason
    assert [t.faults for t in ended.turns] == [(), (), ("repeats",), ("repeats",)]
    assert len(ended.failed_attempts) >= 4


async def test_a_debate_is_not_ended_by_turns_that_nobody_asked_for_again(
    store: Store, settings: Settings, model: ScriptedModel
):
    usage = {"prompt_tokens": 100, "completion_tokens": 20}
    near = f"{TABS} {SIZE[:20]}."
    again = cycle([near, TABS])
    model.answers = [Says(TABS, usage=usage), Says(SPACES, usage=usage)]
    model.script = lambda _: Says(next(again), usage=usage)
    ended = await play_out(store, settings, rounds=20, guard="strict")
    assert ended.status is Status.COLLAPSED
    assert [turn.faults for turn in ended.turns] == [(), (), *[("repeats",)] * (len(ended.turns) - 2)]
    assert [turn.attempts for turn in ended.turns[:5]] == [1, 1, 4, 1, 1]  # the budget is spent, for a while
    assert len({failed.seq for failed in ended.failed_attempts}) == 3


async def test_the_guard_spends_no_more_than_its_budget(store: Store, settings: Settings, model: ScriptedModel):
    said = iter(range(1, 1000))

    def every_other(_: object) -> Says:
        n = next(said)
        usage = {"prompt_tokens": 100, "completion_tokens": 20}
        return Says(
            f"I completely agree with you, tabs are better, say {n} people." if n % 2 else f"Point {n}.", usage=usage
        )

    model.script = every_other
    ended = await play_out(store, settings, rounds=20, guard="lenient")
    wasted = sum(failed.usage.total for failed in ended.failed_attempts)
    assert 0 < wasted <= 0.4 * sum(t.usage.total for t in ended.turns) + 2 * 120


async def test_a_turn_over_the_limit_is_asked_for_again_and_then_cut(
    store: Store, settings: Settings, model: ScriptedModel
):
    model.answers = [Says(f"{TABS} {SIZE}"), Says(f"{SIZE} {TABS}"), Says(SPACES)]
    ended = await play_out(store, settings, rounds=1, guard="strict", turn={"max_characters": 100})
    assert [(t.text, t.shortened, t.attempts) for t in ended.turns] == [(SIZE, True, 2), (SPACES, False, 1)]
    assert "at most 100 characters" in model.requests[1]["messages"][-1]["content"].lower()


async def test_an_attempt_that_is_past_hope_is_stopped_early(store: Store, settings: Settings, model: ScriptedModel):
    endless = Says(" ".join([TABS] * 40), pause=0.01)
    model.answers = [Says(TABS), Says(SPACES), endless, Says(SIZE), Says(DIFFS)]
    ended = await play_out(store, settings, rounds=2, guard="strict", turn={"max_tokens": 4000})
    assert [t.text for t in ended.turns] == [TABS, SPACES, SIZE, DIFFS]
    assert len(ended.failed_attempts[0].text) < len(endless.text) / 4
    assert model.cancelled == 1


async def test_who_takes_a_debate_over_knows_what_was_said(store: Store, settings: Settings, model: ScriptedModel):
    debate = a_debate(rounds=2, guard="strict")
    claim = await claimed(store, debate)
    for n, text in enumerate([TABS, SPACES], 1):
        await store.append(claim, a_turn(n, f"d{n}", text), usage=Usage())
    model.answers = [Says(TABS), Says(SIZE), Says(DIFFS)]
    await played(store, settings, claim)
    ended = await course(store, debate)
    assert [t.text for t in ended.turns] == [TABS, SPACES, SIZE, DIFFS]
    assert [failed.reason for failed in ended.failed_attempts] == ["repeats"]
