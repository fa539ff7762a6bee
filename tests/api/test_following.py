"""One reader serves all followers: each gets every event once, however slow it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from builders import a_turn
from rostra.events import AttemptFailed, Recorded
from rostra.models import Status
from rostra.store import Claim, Store, connect
from rostra_api.following import BLOCK_MS, WAITING, Follower, Following
from rostra_api.sse import News, Told


@pytest.fixture
async def following(redis_url: str) -> AsyncIterator[Following]:
    store = Store(connect(redis_url, patience=3, block=BLOCK_MS / 1000))
    following = Following(store, most=1000, most_of_owner=1000)
    reading = asyncio.create_task(following.read_forever())
    yield following
    following.close()
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    await store.close()


async def ids(following: Following, claim: Claim, after: str = "0-0", pause: float = 0.0) -> list[str]:
    """The ids of the events that one follower gets, who takes `pause` seconds over each."""
    heard: list[str] = []
    async with aclosing(following.follow(claim.debate, after)) as told:
        async for news in told:
            if news and isinstance(news.item, Recorded):
                heard.append(news.item.id)
                await asyncio.sleep(pause)
    return heard


async def recorded(store: Store, claim: Claim) -> list[str]:
    return [event.id for event in await store.events(claim.debate.id)]


async def xreads(redis_url: str) -> int:
    redis = connect(redis_url)
    stats = await redis.info("commandstats")
    await redis.aclose()
    return stats.get("cmdstat_xread", {}).get("calls", 0)


class TestFollowing:
    async def test_hundreds_follow_and_the_stream_is_read_once(
        self, following: Following, store: Store, claim: Claim, redis_url: str
    ):
        followers = [asyncio.create_task(ids(following, claim)) for _ in range(300)]
        await asyncio.sleep(0.5)
        before = await xreads(redis_url)
        for seq in range(1, 11):
            await store.append(claim, a_turn(seq))
        await store.finish(claim, Status.COMPLETED)
        heard = await asyncio.wait_for(asyncio.gather(*followers), 10)
        expected = await recorded(store, claim)
        assert all(one == expected for one in heard)
        assert await xreads(redis_url) - before < 40
        assert following.followers == 0

    async def test_they_come_and_go_at_any_time(self, following: Following, store: Store, claim: Claim):
        followers: list[asyncio.Task[list[str]]] = []
        for seq in range(1, 11):
            followers.append(asyncio.create_task(ids(following, claim)))
            leaving = asyncio.create_task(ids(following, claim))
            await store.append(claim, a_turn(seq))
            leaving.cancel()
        await store.finish(claim, Status.COMPLETED)
        heard = await asyncio.wait_for(asyncio.gather(*followers), 10)
        expected = await recorded(store, claim)
        assert all(one == expected for one in heard)

    async def test_one_who_is_too_slow_reads_again_and_misses_nothing(
        self, following: Following, store: Store, claim: Claim
    ):
        slow = asyncio.create_task(ids(following, claim, pause=0.002))
        await asyncio.sleep(0.3)
        for attempt in range(2 * WAITING):
            await store.append(claim, AttemptFailed(seq=1, attempt=attempt, debater="d1", reason="empty"))
        await store.finish(claim, Status.FAILED)
        assert await asyncio.wait_for(slow, 20) == await recorded(store, claim)

    async def test_what_waits_for_one_is_bounded(self, claim: Claim):
        follower = Follower(words=True)
        follower.behind = False
        news = News(Told(claim.debate), Recorded(id="1-0", event=a_turn(1)))
        for _ in range(WAITING + 1):
            follower.offer(news)
        assert follower.behind
        assert len(await follower.take(1)) == 1

    async def test_a_long_debate_is_read_in_pages(self, following: Following, store: Store, claim: Claim):
        for attempt in range(450):
            await store.append(claim, AttemptFailed(seq=1, attempt=attempt, debater="d1", reason="empty"))
        await store.finish(claim, Status.FAILED)
        assert await asyncio.wait_for(ids(following, claim), 5) == await recorded(store, claim)

    async def test_cut_connections_lose_nothing(
        self, following: Following, store: Store, claim: Claim, redis_server: str
    ):
        follower = asyncio.create_task(ids(following, claim))
        redis = connect(redis_server)
        for seq in range(1, 11):
            await store.append(claim, a_turn(seq))
            await redis.client_kill_filter(_type="normal", skipme=True)
            await asyncio.sleep(0.02)
        await store.finish(claim, Status.COMPLETED)
        await redis.aclose()
        assert await asyncio.wait_for(follower, 10) == await recorded(store, claim)

    async def test_silence_is_told(self, following: Following, claim: Claim):
        told = following.follow(claim.debate, silence=0.05)
        first = [await anext(told) for _ in range(3)]
        assert [news is None for news in first] == [False, False, True]
        await told.aclose()

    async def test_closing_ends_them_all(self, following: Following, claim: Claim):
        followers = [asyncio.create_task(ids(following, claim)) for _ in range(10)]
        await asyncio.sleep(0.2)
        following.close()
        await asyncio.wait_for(asyncio.gather(*followers), 1)

    async def test_each_debate_goes_to_its_own(self, following: Following, store: Store, claim: Claim):
        from builders import a_debate

        other = a_debate()
        await store.create(other)
        follower = asyncio.create_task(ids(following, claim))
        await asyncio.sleep(0.2)
        await store.cancel(other.id)
        await store.finish(claim, Status.COMPLETED)
        assert await asyncio.wait_for(follower, 5) == await recorded(store, claim)
