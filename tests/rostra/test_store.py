"""Debates in Redis: each change happens whole, once, and only to those who hold the debate."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import timedelta
from pathlib import Path

import pytest

import builders
from builders import a_debate, a_turn
from rostra.events import AttemptFailed, DebateClaimed, Usage
from rostra.housekeeping import tidy
from rostra.models import ForkedFrom, Status
from rostra.store import Claim, Conflict, Fenced, KeyReused, NotFound, StorageDown, Store, Unawaited, connect
from rostra.transcript import fold


async def claimed(store: Store) -> Claim:
    return await builders.claimed(store, a_debate(), "ada:1")


async def lose_lease(store: Store, claim: Claim) -> None:
    """What happens when a process was silent for too long."""
    assert await store.bury(claim.debate.id) == claim.fence + 1


class TestCreating:
    async def test_a_new_debate_waits_with_its_first_event(self, store: Store):
        debate = a_debate()
        assert await store.create(debate) == (debate.id, True)
        record = await store.get(debate.id)
        assert record.debate == debate
        assert record.status is Status.QUEUED
        assert (record.turns_done, record.turns_planned) == (0, 6)
        assert [(r.id, r.event.type) for r in await store.events(debate.id)] == [("0-1", "debate_created")]

    async def test_sending_it_again_after_a_lost_reply_creates_it_once(self, store: Store):
        debate = a_debate()
        await store.create(debate)
        assert await store.create(debate) == (debate.id, True)
        assert len((await store.page()).records) == 1

    async def test_a_hundred_requests_with_one_key_are_one_debate(self, store: Store):
        answers = await asyncio.gather(*(store.create(a_debate(), key="k", request=b"same") for _ in range(100)))
        assert len({debate_id for debate_id, _ in answers}) == 1
        assert sum(new for _, new in answers) == 1
        assert len((await store.page()).records) == 1

    async def test_a_key_that_comes_back_with_another_request_is_refused(self, store: Store):
        await store.create(a_debate(), key="k", request=b"one")
        with pytest.raises(KeyReused):
            await store.create(a_debate(), key="k", request=b"two")
        assert len((await store.page()).records) == 1

    async def test_what_a_key_stands_for_is_told_without_storing_anything(self, store: Store):
        debate = a_debate()
        await store.create(debate, owner="ada", key="k", request=b"one")
        assert await store.known("k", owner="ada", request=b"one") == debate.id
        assert await store.known("k", owner="grace", request=b"one") is None
        with pytest.raises(KeyReused):
            await store.known("k", owner="ada", request=b"two")
        assert len((await store.page()).records) == 1

    async def test_one_that_begins_with_anothers_turns_has_them_in_their_places(self, store: Store):
        failed = AttemptFailed(seq=2, attempt=1, debater="d2", reason="empty", usage=Usage(prompt_tokens=7))
        carried = [a_turn(1, usage=Usage(prompt_tokens=5)), failed, a_turn(2, "d2")]
        debate = a_debate().model_copy(update={"forked_from": ForkedFrom(id="0" * 28, after_turn=2)})
        for _ in range(2):  # the client's retry
            assert await store.create(debate, carried=carried) == (debate.id, True)
        events = await store.events(debate.id)
        assert [recorded.id for recorded in events] == ["0-1", "1-0", "1-1", "2-0"]
        assert [recorded.event for recorded in events[1:]] == carried
        assert events[0].event.model_dump()["forked_from"] == {"id": "0" * 28, "after_turn": 2}
        record = await store.get(debate.id)
        assert (record.debate, record.turns_done, record.usage.total) == (debate, 2, 0)
        claim = await store.claim(debate.id, "worker:1")
        assert isinstance(claim, Claim)
        await store.append(claim, a_turn(3))

    async def test_as_many_turns_as_a_debate_can_have_are_carried_at_once(self, store: Store):
        text = "Tabs are one byte. " * 50
        carried = [
            event
            for seq in range(1, 1001)
            for event in (
                *(AttemptFailed(seq=seq, attempt=n, debater="d1", reason="empty") for n in range(1, 5)),
                a_turn(seq, f"d{2 - seq % 2}", text),
            )
        ]
        debate = a_debate(rounds=500)
        await store.create(debate, carried=carried)
        assert [recorded.event for recorded in await store.events(debate.id)][1:] == carried
        assert (await store.get(debate.id)).turns_done == 1000


class TestPlaying:
    async def test_only_one_process_gets_a_debate(self, store: Store):
        debate = a_debate()
        await store.create(debate)
        answers = await asyncio.gather(*(store.claim(debate.id, f"worker:{n}") for n in range(20)))
        assert sum(isinstance(answer, Claim) for answer in answers) == 1
        assert answers.count("leased") == 19

    async def test_what_is_missing_or_ended_or_paused_cannot_be_claimed(self, store: Store):
        assert await store.claim("0" * 28, "w") == "missing"
        debate = a_debate()
        await store.create(debate)
        await store.pause(debate.id)
        assert await store.claim(debate.id, "w") == "paused"
        await store.cancel(debate.id)
        assert await store.claim(debate.id, "w") == "cancelled"

    async def test_a_turn_stands_at_its_own_number_and_notes_behind_it(self, store: Store):
        claim = await claimed(store)
        await store.append(claim, a_turn(1))
        await store.append(claim, AttemptFailed(seq=2, attempt=1, debater="d2", reason="empty"))
        await store.append(claim, a_turn(2, "d2"))
        events = await store.events(claim.debate.id)
        assert [(r.id, r.event.type) for r in events] == [
            ("0-1", "debate_created"),
            ("0-2", "debate_claimed"),
            ("1-0", "turn_taken"),
            ("1-1", "attempt_failed"),
            ("2-0", "turn_taken"),
        ]

    async def test_a_turn_that_is_sent_twice_is_taken_once(self, store: Store):
        claim = await claimed(store)
        for _ in range(2):
            await store.append(claim, a_turn(1), usage=Usage(prompt_tokens=5))
        record = await store.get(claim.debate.id)
        assert (record.turns_done, record.usage.prompt_tokens) == (1, 5)
        assert len(fold(r.event for r in await store.events(claim.debate.id)).turns) == 1

    async def test_what_is_no_turn_and_is_sent_twice_is_noted_once(self, store: Store):
        claim = await claimed(store)
        failed = AttemptFailed(seq=1, attempt=1, debater="d1", reason="empty")
        for _ in range(2):
            await store.append(claim, failed, usage=Usage(prompt_tokens=5))
        await store.append(claim, failed.model_copy(update={"attempt": 2}))
        events = await store.events(claim.debate.id)
        assert [r.event.type for r in events].count("attempt_failed") == 2
        assert (await store.get(claim.debate.id)).usage.prompt_tokens == 5

    async def test_a_claim_that_is_sent_twice_is_made_once(self, store: Store):
        claim = await claimed(store)
        assert await store.claim(claim.debate.id, claim.process) == claim
        assert await store.claim(claim.debate.id, "another:2") == "leased"

    async def test_what_a_newer_release_stored_is_passed_over(self, store: Store, redis_url: str):
        claim = await claimed(store)
        key = f"rostra:debate:{claim.debate.id}"
        spec = claim.debate.model_dump(mode="json", exclude_none=True)
        spec["turn"]["tone"] = spec["debaters"][0]["sampling"]["warmth"] = "new"
        newer = {"type": "debate_judged", "v": 2, "at": "2030-01-01T00:00:00Z", "verdict": "none"}
        redis = connect(redis_url)
        await redis.hset(key, "spec", json.dumps(spec))
        await redis.xadd(f"{key}:events", {"event": json.dumps(newer)}, "0-9")
        await redis.aclose()
        await store.append(claim, a_turn(1))
        assert (await store.get(claim.debate.id)).debate == claim.debate
        assert len((await store.page()).records) == 1
        events = await store.events(claim.debate.id)
        assert [r.event.type for r in events][-2:] == ["debate_judged", "turn_taken"]
        assert len(fold(r.event for r in events).turns) == 1

    async def test_a_server_that_accepts_and_never_answers_is_given_up_in_time(self):
        async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.close()

        server = await asyncio.start_server(silent, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        store = Store(connect(f"redis://127.0.0.1:{port}/0", patience=1))
        began = time.monotonic()
        with pytest.raises(StorageDown):
            await store.get("0" * 28)
        assert time.monotonic() - began < 3
        await store.close()
        server.close()

    async def test_a_turn_cannot_leave_a_gap(self, store: Store):
        claim = await claimed(store)
        with pytest.raises(Exception, match="GAP turn 2 after 0"):
            await store.append(claim, a_turn(2))

    async def test_one_that_was_overtaken_is_fenced_from_everything(self, store: Store):
        zombie = await claimed(store)
        await lose_lease(store, zombie)
        heir = await store.claim(zombie.debate.id, "grace:2")
        assert isinstance(heir, Claim)
        assert heir.fence == zombie.fence + 1
        for write in (
            store.append(zombie, a_turn(1)),
            store.speak(zombie, seq=1, attempt=1, debater="d1", text="late"),
            store.renew(zombie),
            store.finish(zombie, Status.COMPLETED),
            store.release(zombie, "late"),
            store.put_to_rest(zombie),
        ):
            with pytest.raises(Fenced):
                await write
        assert (await store.get(zombie.debate.id)).turns_done == 0

    async def test_one_that_lost_its_lease_to_nobody_may_go_on(self, store: Store):
        claim = await claimed(store)
        await lose_lease(store, claim)
        await store.append(claim, a_turn(1))
        assert await store.claim(claim.debate.id, "grace:2") == "leased"

    async def test_claims_without_a_turn_between_them_are_counted(self, store: Store):
        claim = await claimed(store)
        assert claim.stalls == 1
        await lose_lease(store, claim)
        again = await store.claim(claim.debate.id, "w")
        assert isinstance(again, Claim)
        assert again.stalls == 2
        await store.append(again, a_turn(1))
        await lose_lease(store, again)
        third = await store.claim(claim.debate.id, "w")
        assert isinstance(third, Claim)
        assert third.stalls == 1

    async def test_giving_a_debate_back_in_good_order_is_no_failed_try(self, store: Store):
        claim = await claimed(store)
        for _ in range(10):
            await store.release(claim, "the worker was stopped")
            claim = await store.claim(claim.debate.id, "w")
            assert isinstance(claim, Claim)
        assert claim.stalls == 1

    async def test_ending_twice_ends_once(self, store: Store):
        claim = await claimed(store)
        for _ in range(2):
            await store.finish(claim, Status.FAILED, "the model server was away")
        events = await store.events(claim.debate.id)
        assert [r.event.type for r in events].count("debate_ended") == 1
        assert (await store.get(claim.debate.id)).reason == "the model server was away"

    async def test_an_ended_debate_takes_no_turn(self, store: Store):
        claim = await claimed(store)
        await store.finish(claim, Status.COMPLETED)
        with pytest.raises(Fenced):
            await store.append(claim, a_turn(1))

    async def test_those_who_watch_read_words_and_turns_in_one_wait(self, store: Store):
        claim = await claimed(store)
        await store.speak(claim, seq=1, attempt=1, debater="d1", text="Tabs ")
        await store.append(claim, a_turn(1))
        news = await store.news({claim.debate.id: ("0-2", "0-0"), "0" * 28: ("0-0", "0-0")}, block_ms=1)
        events, deltas = news[claim.debate.id]
        assert [r.id for r in events] == ["1-0"]
        assert [(d.text, d.fence, d.seq) for d in deltas] == [("Tabs ", 1, 1)]
        assert list(news) == [claim.debate.id]

    async def test_a_process_known_to_be_dead_is_not_waited_for(self, store: Store):
        claim = await claimed(store)
        assert await store.bury(claim.debate.id, "grace:") is None
        assert await store.claim(claim.debate.id, "w") == "leased"
        assert await store.bury(claim.debate.id, "ada:1") == claim.fence + 1
        heir = await store.claim(claim.debate.id, "w")
        assert isinstance(heir, Claim)
        assert heir.stalls == 2


class TestSharing:
    """Workers are shared between owners; a wake-up call names a debate, and the store says which is due."""

    async def test_of_one_owner_the_oldest_debate_comes_first_whichever_was_named(self, store: Store):
        ids = sorted([(await store.create(a_debate()))[0] for _ in range(3)])
        taken = [await store.claim_next(ids[2], f"w:{n}") for n in range(3)]
        assert [claim.debate.id for claim in taken if isinstance(claim, Claim)] == ids
        assert await store.claim_next(ids[0], "w:3") == "idle"

    async def test_five_hundred_debates_of_one_owner_do_not_hold_up_the_first_of_another(self, store: Store):
        await asyncio.gather(*(store.create(a_debate(), owner="flood") for _ in range(500)))
        first = await store.claim_next("", "w:1")
        assert isinstance(first, Claim)
        other, _ = await store.create(a_debate(), owner="patient")
        second = await store.claim_next("", "w:2")
        assert isinstance(second, Claim)
        assert (await store.get(first.debate.id)).owner == "flood"
        assert second.debate.id == other

    async def test_who_has_as_many_played_gets_the_turn_who_was_served_longest_ago(self, store: Store):
        for owner in ("a", "b", "a", "b", "a", "b"):
            await store.create(a_debate(), owner=owner)
        owners = list[str]()
        for n in range(6):
            claim = await store.claim_next("", f"w:{n}")
            assert isinstance(claim, Claim)
            owners.append((await store.get(claim.debate.id)).owner)
        assert owners[0::2] == [owners[0]] * 3
        assert owners[1::2] == [owners[1]] * 3

    async def test_a_debate_that_lost_its_player_goes_before_those_that_wait(self, store: Store):
        lost = await claimed(store)
        await store.create(a_debate())
        await lose_lease(store, lost)
        heir = await store.claim_next(lost.debate.id, "w")
        assert isinstance(heir, Claim)
        assert (heir.debate.id, heir.fence) == (lost.debate.id, lost.fence + 1)

    async def test_it_does_so_whichever_debate_the_call_names(self, store: Store):
        """Else it would stand still until all calls before its own are answered."""
        waits, _ = await store.create(a_debate())
        lost = await claimed(store)
        await lose_lease(store, lost)
        heir = await store.claim_next(waits, "w")
        assert isinstance(heir, Claim)
        assert heir.debate.id == lost.debate.id

    async def test_an_owner_has_no_more_debates_played_at_once_than_is_allowed(self, store: Store):
        for _ in range(3):
            await store.create(a_debate(), owner="busy")
        claims = [await store.claim_next("", f"w:{n}", most=2) for n in range(3)]
        assert claims[2] == "idle"
        assert isinstance(claims[0], Claim)
        await store.finish(claims[0], Status.COMPLETED)
        assert isinstance(await store.claim_next("", "w:3", most=2), Claim)

    async def test_what_may_not_be_played_yet_is_not_called_for(self, store: Store):
        """Workers would be called again and again, and find nothing that they may take."""
        for _ in range(3):
            await store.create(a_debate(), owner="busy")
        await store.create(a_debate(), owner="patient")
        await store.claim_next("", "w:0", most=1)
        assert (await store.look()).waiting == 1
        await store.claim_next("", "w:1", most=3)
        assert (await store.look()).waiting == 2

    async def test_a_claim_whose_answer_was_lost_is_answered_again(self, store: Store):
        for _ in range(2):
            await store.create(a_debate())
        claim = await store.claim_next("", "w:1")
        assert await store.claim_next("", "w:1") == claim

    async def test_who_has_several_played_makes_room_after_a_turn_for_who_has_none(self, store: Store):
        claims = list[Claim]()
        for n in range(2):
            await store.create(a_debate(), owner="many")
            claim = await store.claim_next("", f"w:{n}")
            assert isinstance(claim, Claim)
            claims.append(claim)
        assert await store.append(claims[0], a_turn(1)) == ""
        await store.create(a_debate(), owner="none yet")
        assert await store.append(claims[0], AttemptFailed(seq=2, attempt=1, debater="d2", reason="empty")) == ""
        assert await store.append(claims[0], a_turn(2, "d2")) == "yield"
        await store.release(claims[0], "others waited")
        assert await store.append(claims[1], a_turn(1)) == ""  # who has one played keeps it
        assert isinstance(await store.claim_next("", "w:2"), Claim)

    async def test_the_last_turn_makes_room_by_itself(self, store: Store):
        for n in range(2):
            await store.create(a_debate(rounds=1), owner="many")
            claim = await store.claim_next("", f"w:{n}")
            assert isinstance(claim, Claim)
        await store.create(a_debate(), owner="none yet")
        assert await store.append(claim, a_turn(1)) == "yield"
        assert await store.append(claim, a_turn(2, "d2")) == ""


class TestKeeping:
    """What becomes of debates that have ended."""

    async def test_compressed_events_read_as_they_were(self, store: Store):
        claim = await claimed(store)
        for seq in range(1, 5):
            await store.append(claim, a_turn(seq, f"d{2 - seq % 2}"))
        await store.finish(claim, Status.COMPLETED)
        whole = await store.events(claim.debate.id)
        await store.compress(claim.debate.id)
        assert await store.events(claim.debate.id) == whole
        assert await store.events(claim.debate.id, after=whole[2].id, limit=2) == whole[3:5]
        assert await store.events(claim.debate.id, after=whole[-1].id) == []
        assert await store.ended_before(time.time() + 5, uncompressed=True) == []
        assert await store.ended_before(time.time() + 5) == [claim.debate.id]

    async def test_they_take_a_third_of_the_memory(self, store: Store, redis_url: str):
        claim = await claimed(store)
        for seq in range(1, 13):
            await store.append(claim, a_turn(seq, f"d{2 - seq % 2}"))
        await store.finish(claim, Status.COMPLETED)
        redis = connect(redis_url)
        key = f"rostra:debate:{claim.debate.id}"
        before = await redis.memory_usage(f"{key}:events")
        await store.compress(claim.debate.id)
        after = await redis.memory_usage(f"{key}:archive")
        assert 0 < after < before / 3
        await redis.aclose()

    async def test_a_debate_that_still_runs_is_not_compressed(self, store: Store):
        claim = await claimed(store)
        await store.compress(claim.debate.id)
        await store.append(claim, a_turn(1))
        assert len(await store.events(claim.debate.id)) == 3

    async def test_old_ones_are_compressed_and_older_ones_forgotten(self, store: Store):
        ended = [await claimed(store) for _ in range(2)]
        for claim in ended:
            await store.finish(claim, Status.COMPLETED)
        await claimed(store)
        await tidy(store, compress_after=timedelta(hours=1), forget_after=timedelta(days=1))
        assert len(await store.ended_before(time.time() + 5, uncompressed=True)) == 2
        await tidy(store, compress_after=timedelta(seconds=-5), forget_after=None)
        assert await store.ended_before(time.time() + 5, uncompressed=True) == []
        await tidy(store, compress_after=timedelta(hours=1), forget_after=timedelta(seconds=-5))
        assert [r.status for r in (await store.page()).records] == [Status.RUNNING]
        assert await store.ended_before(time.time() + 5) == []

    async def test_how_full_redis_is_can_be_told_where_it_has_a_bound(self, store: Store, redis_url: str):
        assert await store.fullness() == 0
        redis = connect(redis_url)
        await redis.config_set("maxmemory", "1gb")
        try:
            assert 0 < await store.fullness() < 0.5
        finally:
            await redis.config_set("maxmemory", 0)
            await redis.aclose()


class TestUpgrading:
    """`stores/1.json` was written by an earlier release: each key's type and value."""

    @pytest.fixture
    async def older(self, store: Store, redis_url: str) -> Store:
        redis = connect(redis_url)
        written = json.loads((Path(__file__).parents[1] / "stores/1.json").read_text(encoding="utf-8"))
        for key, stored in written.items():
            match stored["type"], stored["value"]:
                case "hash", fields:
                    await redis.hset(key, mapping=fields)
                case "zset", members:
                    await redis.zadd(key, members)
                case "set", members:
                    await redis.sadd(key, *members)
                case "stream", rows:
                    for row_id, fields in rows:
                        await redis.xadd(key, fields, row_id)
        await redis.aclose()
        return store

    async def test_nobody_is_waited_for_in_it(self, older: Store):
        assert await older.miss() == []
        assert all(record.awaits is None for record in (await older.page()).records)
        assert (await older.counts())[Status.WAITING] == 0
        running = next(r for r in (await older.page()).records if r.status is Status.RUNNING)
        with pytest.raises(Unawaited):
            await older.give(running.debate.id, "Tabs.")

    async def test_each_debate_reads_as_it_was(self, older: Store):
        assert await older.upgrade() == 5
        told = {r.debate.motion: (r.status.value, r.turns_done, r.owner) for r in (await older.page()).records}
        assert told == {
            "Tabs beat spaces": ("completed", 6, ""),
            "Cats are better than dogs": ("running", 2, ""),
            "Tea is better than coffee": ("paused", 0, ""),
            "Trains beat planes": ("queued", 0, ""),
            "Nobody hears of this": ("cancelled", 0, ""),
        }
        (done,) = (await older.page(status=Status.COMPLETED)).records
        course = fold(r.event for r in await older.events(done.debate.id))
        assert [turn.seq for turn in course.turns] == [1, 2, 3, 4, 5, 6]
        assert course.turns[0].text == "Tabs let each reader choose the width that suits their eyes."

    async def test_what_ran_and_what_waited_is_played_on(self, older: Store):
        await older.upgrade()
        look = await older.look()
        assert (look.waiting, len(look.running)) == (1, 1)
        (running,) = look.running
        assert not running.is_held
        heir = await older.claim_next(running.id, "w:1")
        assert isinstance(heir, Claim)
        assert heir.fence == 2
        await older.append(heir, a_turn(3))
        waiting = await older.claim_next("", "w:2")
        assert isinstance(waiting, Claim)
        assert waiting.debate.motion == "Trains beat planes"

    async def test_who_claimed_it_is_read_under_the_old_name_and_written_under_the_new(
        self, older: Store, redis_url: str
    ):
        (running,) = (await older.page(status=Status.RUNNING)).records
        await older.upgrade()
        heir = await older.claim(running.debate.id, "w:1")
        assert isinstance(heir, Claim)
        claimed = [r.event for r in await older.events(running.debate.id) if isinstance(r.event, DebateClaimed)]
        assert [(event.v, event.fence, event.process) for event in claimed] == [(1, 1, "ada:2:bb"), (2, 2, "w:1")]
        async with connect(redis_url) as redis:
            rows = await redis.xrange(f"rostra:debate:{running.debate.id}:events")
        stored = [json.loads(row["event"]) for _, row in rows]
        assert ["owner" in event for event in stored if event["type"] == "debate_claimed"] == [True, False]

    async def test_ended_debates_can_be_compressed_and_the_same_request_is_still_the_same_debate(self, older: Store):
        await older.upgrade()
        ids = await older.ended_before(time.time())
        assert len(ids) == 2
        for debate_id in ids:
            await older.compress(debate_id)
        again, new = await older.create(a_debate(), key="once", request=b"the same")
        assert not new
        assert fold(r.event for r in await older.events(again)).status is Status.COMPLETED

    async def test_it_is_done_once_and_harmless_twice(self, older: Store, redis_url: str):
        before = (await older.page()).records
        assert await older.upgrade() == 5
        assert await older.upgrade() == 0
        redis = connect(redis_url)
        await redis.delete("rostra:version")
        await redis.aclose()
        assert await older.upgrade() == 5
        assert (await older.page()).records == before


class TestWishing:
    async def test_a_waiting_debate_is_cancelled_at_once(self, store: Store):
        debate = a_debate()
        await store.create(debate)
        assert await store.cancel(debate.id) is True
        assert await store.cancel(debate.id) is False
        assert (await store.get(debate.id)).status is Status.CANCELLED

    async def test_whoever_plays_a_debate_hears_of_a_wish_at_its_next_write(self, store: Store):
        claim = await claimed(store)
        assert await store.renew(claim) == ""
        await store.pause(claim.debate.id)
        assert await store.append(claim, a_turn(1)) == "pause"
        await store.cancel(claim.debate.id)
        assert await store.speak(claim, seq=2, attempt=1, debater="d2", text="…") == "cancel"
        assert await store.renew(claim) == "cancel"

    async def test_a_debate_whose_worker_died_can_be_cancelled(self, store: Store):
        claim = await claimed(store)
        await lose_lease(store, claim)
        await store.cancel(claim.debate.id)
        assert (await store.get(claim.debate.id)).status is Status.CANCELLED

    async def test_a_paused_debate_waits_again_when_it_is_resumed(self, store: Store):
        claim = await claimed(store)
        await store.append(claim, a_turn(1))
        await store.pause(claim.debate.id)
        await store.put_to_rest(claim)
        assert await store.pause(claim.debate.id) is False
        assert (await store.get(claim.debate.id)).status is Status.PAUSED
        assert await store.resume(claim.debate.id) == claim.fence + 1
        assert (await store.get(claim.debate.id)).status is Status.QUEUED
        again = await store.claim(claim.debate.id, "w")
        assert isinstance(again, Claim)
        assert again.wish == ""

    @pytest.mark.parametrize("wish", ["cancel", "resume"])
    async def test_what_is_asked_while_a_pause_takes_effect_is_not_lost(self, store: Store, wish: str):
        claim = await claimed(store)
        await store.pause(claim.debate.id)
        await (store.cancel if wish == "cancel" else store.resume)(claim.debate.id)
        assert await store.put_to_rest(claim) == ("cancel" if wish == "cancel" else "")
        await store.append(claim, a_turn(1))

    async def test_a_wish_that_a_worker_did_not_live_to_see_is_no_wish_of_the_next_one(self, store: Store):
        claim = await claimed(store)
        await store.pause(claim.debate.id)
        await lose_lease(store, claim)
        await store.pause(claim.debate.id)
        await store.resume(claim.debate.id)
        heir = await store.claim(claim.debate.id, "w")
        assert isinstance(heir, Claim)
        assert heir.wish == ""

    async def test_a_wish_to_pause_can_be_taken_back(self, store: Store):
        claim = await claimed(store)
        await store.pause(claim.debate.id)
        assert await store.resume(claim.debate.id) is None
        assert await store.renew(claim) == ""

    async def test_what_has_ended_can_be_neither_paused_nor_resumed_nor_cancelled(self, store: Store):
        claim = await claimed(store)
        await store.finish(claim, Status.COMPLETED)
        for wish in (store.pause, store.resume, store.cancel):
            with pytest.raises(Conflict) as caught:
                await wish(claim.debate.id)
            assert caught.value.status is Status.COMPLETED

    async def test_a_debate_that_does_not_exist_is_not_found(self, store: Store):
        for wish in (store.get, store.pause, store.resume, store.cancel, store.delete):
            with pytest.raises(NotFound):
                await wish("0" * 28)

    async def test_only_an_ended_debate_can_be_deleted_and_then_nothing_is_left(self, store: Store, redis_url: str):
        claim = await claimed(store)
        with pytest.raises(Conflict):
            await store.delete(claim.debate.id)
        await store.finish(claim, Status.COMPLETED)
        await store.delete(claim.debate.id)
        with pytest.raises(Fenced):
            await store.speak(claim, seq=1, attempt=1, debater="d1", text="late")
        redis = connect(redis_url)
        assert [key async for key in redis.scan_iter(f"*{claim.debate.id}*")] == []
        await redis.aclose()
        assert (await store.page()).records == []


class TestListing:
    async def test_pages_run_from_the_newest_to_the_oldest_without_gap_or_repeat(self, store: Store):
        ids = []
        for _ in range(7):
            debate_id, _ = await store.create(a_debate())
            ids.append(debate_id)
        seen: list[str] = []
        cursor = None
        while True:
            page = await store.page(after=cursor, limit=3)
            seen += [record.debate.id for record in page.records]
            cursor = page.next_cursor
            if cursor is None:
                break
        assert seen == sorted(ids, reverse=True)

    async def test_for_one_page_so_many_are_read_and_the_next_goes_on_from_there(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr("rostra.store.MOST_READ", 3)
        blue, _ = await store.create(a_debate(metadata={"blue": True}))
        for _ in range(4):
            await store.create(a_debate())
        first = await store.page(metadata={"blue": "true"})
        assert first.records == []
        second = await store.page(metadata={"blue": "true"}, after=first.next_cursor)
        assert ([r.debate.id for r in second.records], second.next_cursor) == ([blue], None)

    async def test_a_list_can_be_narrowed_by_status_and_metadata(self, store: Store):
        blue, _ = await store.create(a_debate(metadata={"run": 1, "blue": True}))
        red, _ = await store.create(a_debate(metadata={"run": 2}))
        await store.cancel(red)
        assert [r.debate.id for r in (await store.page(status=Status.CANCELLED)).records] == [red]
        assert [r.debate.id for r in (await store.page(metadata={"run": "1", "blue": "true"})).records] == [blue]
        assert (await store.page(metadata={"run": "3"})).records == []

    async def test_debates_are_counted_by_status(self, store: Store):
        await store.create(a_debate())
        await claimed(store)
        counts = await store.counts()
        assert counts[Status.QUEUED] == counts[Status.RUNNING] == 1
        assert sum(counts.values()) == 2
