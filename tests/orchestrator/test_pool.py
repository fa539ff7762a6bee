"""Several endpoints for one model: a debate stays with one, and moves when that is away."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack

import pytest

from builders import a_debate, claimed
from playing import course, play_out, played, until, words_spoken
from rostra.endpoints import Endpoint
from rostra.models import Debate, Status
from rostra.store import Claim, Store
from rostra_orchestrator.lease import Lease
from rostra_orchestrator.play import play
from rostra_orchestrator.pool import ordered
from rostra_orchestrator.settings import Settings
from scripted import Fails, Garbage, Says, ScriptedModel, counting, serving

THREE = [Endpoint(url=f"http://gpu-{name}:8000") for name in "abc"]
MANY_IDS = [f"{n:028x}" for n in range(3000)]


class TestTheOrder:
    def test_it_is_the_same_for_every_worker_however_the_endpoints_are_listed(self):
        for debate_id in MANY_IDS[:20]:
            assert ordered(THREE, debate_id) == ordered(THREE[::-1], debate_id)

    def test_debates_spread_evenly(self):
        homes = Counter(ordered(THREE, debate_id)[0].url for debate_id in MANY_IDS)
        assert all(900 < share < 1100 for share in homes.values())
        assert len(Counter(ordered(THREE, debate_id)[0].url for debate_id in MANY_IDS[:40])) == 3

    def test_the_debates_of_an_endpoint_that_is_away_spread_evenly_over_the_others(self):
        orders = [ordered(THREE, debate_id) for debate_id in MANY_IDS]
        refuges = Counter(second.url for first, second, _ in orders if first == THREE[0])
        assert all(400 < share < 600 for share in refuges.values())
        assert len(refuges) == 2

    def test_an_endpoint_that_is_added_moves_no_debate_that_it_does_not_take(self):
        four = [*THREE, Endpoint(url="http://gpu-d:8000")]
        moved = [i for i in MANY_IDS if ordered(four, i)[0] != ordered(THREE, i)[0]]
        assert all(ordered(four, debate_id)[0] == four[-1] for debate_id in moved)
        assert 650 < len(moved) < 850


@pytest.fixture
def models() -> Iterator[list[ScriptedModel]]:
    """Three servers of one model."""
    with ExitStack() as stack:
        yield [stack.enter_context(serving(ScriptedModel(counting()))) for _ in range(3)]


@pytest.fixture
def several(settings: Settings, models: Sequence[ScriptedModel]) -> Settings:
    settings.models["default"] = tuple(Endpoint(url=model.url) for model in models)
    return settings


def in_order(models: Sequence[ScriptedModel], debate: Debate) -> list[ScriptedModel]:
    """The servers as the debate asks them: the first is its home."""
    by_url = {model.url: model for model in models}
    return [by_url[endpoint.url] for endpoint in ordered([Endpoint(url=url) for url in by_url], debate.id)]


async def test_all_debaters_ask_the_same_server_in_all_turns(
    store: Store, several: Settings, models: Sequence[ScriptedModel]
):
    debate = a_debate(rounds=4, guard="off")
    await played(store, several, await claimed(store, debate))
    home, *others = in_order(models, debate)
    assert len(home.requests) == 8
    assert [model.requests + model.counted for model in others] == [[], []]


async def test_a_debater_with_another_model_is_not_moved_along(
    store: Store, several: Settings, models: Sequence[ScriptedModel]
):
    several.models |= {"small": several.models["default"][:2], "large": several.models["default"][2:]}
    debate = a_debate(
        rounds=2, guard="off", debaters=[{"name": "Ada", "model": "small"}, {"name": "Grace", "model": "large"}]
    )
    home, refuge = in_order(models[:2], debate)
    home.answers = [Fails(503)]
    await played(store, several, await claimed(store, debate))
    assert [len(model.requests) for model in (home, refuge, models[2])] == [1, 2, 2]


async def test_forty_debates_use_all_servers(store: Store, several: Settings, models: Sequence[ScriptedModel]):
    ended = await asyncio.gather(*(play_out(store, several, rounds=1) for _ in range(40)))
    assert all(each.status is Status.COMPLETED for each in ended)
    assert sum(len(model.requests) for model in models) == 80
    assert all(model.requests for model in models)


async def test_whoever_takes_the_debate_over_asks_the_same_server(
    store: Store, several: Settings, models: Sequence[ScriptedModel]
):
    debate = a_debate(rounds=2, guard="off")
    home, *others = in_order(models, debate)
    home.answers = [Says("First."), Says("word " * 1000, pause=0.02)]
    claim = await claimed(store, debate)
    async with Lease(store, claim) as lease:
        playing = asyncio.create_task(play(store, claim, lease, several))
        await until(lambda: words_spoken(store, debate, seq=2))
        lease.interrupt("stop")
        assert await playing == "released"
    again = await store.claim(debate.id, "worker:2")
    assert isinstance(again, Claim)
    await played(store, several, again)
    assert (await course(store, debate)).status is Status.COMPLETED
    assert len(home.requests) == 5
    assert [model.requests for model in others] == [[], []]


async def test_when_its_server_dies_in_mid_turn_the_debate_goes_on_at_the_next_and_no_turn_is_lost(
    store: Store, several: Settings, models: Sequence[ScriptedModel]
):
    debate = a_debate(rounds=3, guard="off")
    home, refuge, spare = in_order(models, debate)
    home.answers = [Says("First."), Says("Second."), Says("word " * 1000, pause=0.02)]
    playing = asyncio.create_task(played(store, several, await claimed(store, debate)))
    await until(lambda: words_spoken(store, debate, seq=3))
    await asyncio.to_thread(home.stop)
    await playing
    ended = await course(store, debate)
    assert ended.status is Status.COMPLETED
    assert [turn.text for turn in ended.turns] == ["First.", "Second.", *(f"Point {n}." for n in range(1, 5))]
    assert [failed.reason for failed in ended.failed_attempts] == ["broken", "unavailable"]
    assert home.url in ended.failed_attempts[1].detail
    assert "Ada: First.\nGrace: Second.\n" in refuge.requests[0]["messages"][1]["content"]
    assert spare.requests == []


async def test_a_server_that_is_away_is_left_without_a_pause_until_all_were_tried(
    store: Store, several: Settings, models: Sequence[ScriptedModel]
):
    debate = a_debate(rounds=1, guard="off")
    home, refuge, spare = in_order(models, debate)
    home.answers, refuge.answers = [Fails(503)], [Fails(503)]
    await played(store, several, await claimed(store, debate))
    ended = await course(store, debate)
    first, second = ended.failed_attempts
    assert (home.url in first.detail, refuge.url in second.detail) == (True, True)
    assert len(spare.requests) == 2
    pauses_of_a_lone_server = 0.25 + 0.5
    assert (ended.turns[0].ended_at - ended.turns[0].started_at).total_seconds() < pauses_of_a_lone_server


async def test_a_debate_stays_where_it_moved_to_though_its_first_server_is_back(
    store: Store, several: Settings, models: Sequence[ScriptedModel]
):
    debate = a_debate(rounds=3, guard="off")
    home, refuge, _ = in_order(models, debate)
    home.answers = [Says("First."), Fails(503)]
    await played(store, several, await claimed(store, debate))
    assert (await course(store, debate)).status is Status.COMPLETED
    assert (len(home.requests), len(refuge.requests)) == (2, 5)


async def test_when_the_second_server_fails_too_the_first_is_asked_again(
    store: Store, several: Settings, models: Sequence[ScriptedModel]
):
    several.models["default"] = several.models["default"][:2]
    debate = a_debate(rounds=2, guard="off")
    home, refuge = in_order(models[:2], debate)
    home.answers, refuge.answers = [Fails(503)], [Says("First."), Fails(503)]
    await played(store, several, await claimed(store, debate))
    ended = await course(store, debate)
    assert [turn.text for turn in ended.turns] == ["First.", "Point 1.", "Point 2.", "Point 3."]
    assert len(home.requests) == 4


async def test_a_server_that_comes_back_while_all_are_away_is_found(
    store: Store, several: Settings, models: Sequence[ScriptedModel]
):
    debate = a_debate(rounds=1, guard="off")
    *_, last = in_order(models, debate)
    several.model_patience_seconds = 20
    for model in models:
        model.stop()
    playing = asyncio.create_task(played(store, several, await claimed(store, debate)))
    await until(lambda: _has_failed_attempts(store, debate, 4))
    with serving(ScriptedModel(counting()), port=int(last.url.rpartition(":")[2])) as risen:
        await playing
    assert (await course(store, debate)).status is Status.COMPLETED
    assert len(risen.requests) == 2


async def test_without_patience_every_server_is_tried_once_before_the_debate_fails(
    store: Store, several: Settings, models: Sequence[ScriptedModel]
):
    several.model_patience_seconds = 0
    for model in models:
        model.script = lambda _: Fails(503)
    ended = await play_out(store, several)
    assert ended.status is Status.FAILED
    assert "answered 503" in ended.reason
    assert [len(model.requests) for model in models] == [1, 1, 1]


async def test_a_server_from_which_no_word_comes_is_left(
    store: Store, several: Settings, models: Sequence[ScriptedModel]
):
    debate = a_debate(rounds=1, guard="off")
    home, refuge, _ = in_order(models, debate)
    home.script = lambda _: Garbage("<html>a proxy's page</html>")
    await played(store, several, await claimed(store, debate))
    ended = await course(store, debate)
    assert [failed.reason for failed in ended.failed_attempts] == ["broken"]
    assert len(refuge.requests) == 2


async def test_an_answer_that_was_cut_is_asked_for_again_at_the_same_server(
    store: Store, several: Settings, models: Sequence[ScriptedModel]
):
    debate = a_debate(rounds=1, guard="off")
    home, *others = in_order(models, debate)
    home.answers = [Says("Tabs are", finish=None), Says("")]
    await played(store, several, await claimed(store, debate))
    assert [failed.reason for failed in (await course(store, debate)).failed_attempts] == ["broken", "empty"]
    assert [model.requests for model in others] == [[], []]


async def test_a_prompt_respects_the_server_that_it_goes_to(
    store: Store, several: Settings, models: Sequence[ScriptedModel]
):
    debate = a_debate(rounds=1, guard="off", turn={"max_tokens": 8192})
    home, refuge, _ = in_order(models, debate)
    refuge.context, refuge.system_role, refuge.continues_answer = 2048, False, True
    home.answers = [Fails(503)]
    await played(store, several, await claimed(store, debate))
    asked = home.requests[0]
    assert (asked["max_tokens"], [message["role"] for message in asked["messages"]]) == (2048, ["system", "user"])
    for asked in refuge.requests:
        assert (asked["max_tokens"], [message["role"] for message in asked["messages"]]) == (
            1024,
            ["user", "assistant"],
        )


async def test_servers_of_different_kinds_are_asked_in_their_own_words(
    store: Store, several: Settings, models: Sequence[ScriptedModel]
):
    debate = a_debate(rounds=1, guard="off")
    home, refuge, _ = in_order(models, debate)
    several.models["default"] = (Endpoint(url=home.url), Endpoint(url=refuge.url, dialect="vllm"))
    home.answers = [Fails(503)]
    await played(store, several, await claimed(store, debate))
    assert home.requests[0]["repeat_penalty"] == refuge.requests[0]["repetition_penalty"] == 1.05
    assert "repeat_penalty" not in refuge.requests[0]
    turn = (await course(store, debate)).turns[0]
    assert turn.sampling["repeat_penalty"] == 1.05


async def test_who_speaks_is_asked_at_the_next_server_too(
    store: Store, several: Settings, models: Sequence[ScriptedModel]
):
    debate = a_debate(
        format="auto", rounds=1, guard="off", debaters=[{"name": name} for name in ("Ada", "Grace", "Linus")]
    )
    home, refuge, _ = in_order(models, debate)
    home.stop()
    refuge.script = lambda body: Says("Linus." if "Who should speak next" in body["messages"][-1]["content"] else "No.")
    await played(store, several, await claimed(store, debate))
    ended = await course(store, debate)
    assert (ended.turns[0].debater, ended.turns[0].chosen_by) == ("d3", "model")
    assert ended.failed_attempts == ()


async def _has_failed_attempts(store: Store, debate: Debate, most: int) -> bool:
    return len((await course(store, debate)).failed_attempts) >= most
