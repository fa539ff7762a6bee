"""`rostra.Client` and `AsyncClient` against the API: what is begun, read and followed, and what breaks on the way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import httpx2 as httpx
import pytest

from builders import a_debate, a_turn
from faults.proxy import Proxy
from rostra import AsyncClient, Client
from rostra.client import Conflict, NotEnded, NotFound, NotLetIn, Refused
from rostra.events import AttemptFailed, DebateEnded, TurnAwaited
from rostra.models import Status
from rostra.processes import free_port
from rostra.store import Claim, Store
from rostra.views import GivenView, TakenView, WordsView
from rostra_api.server import Server


@pytest.fixture
async def api(server: Server) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(server.url) as client:
        yield client


@pytest.fixture
async def proxy(server: Server) -> AsyncIterator[Proxy]:
    proxy = Proxy(free_port(), int(server.url.rpartition(":")[2]))
    await proxy.accept()
    yield proxy
    await proxy.close()


@pytest.fixture
async def behind(proxy: Proxy) -> AsyncIterator[AsyncClient]:
    """A client with the proxy between it and the API."""
    async with AsyncClient(f"http://127.0.0.1:{proxy.port}") as client:
        yield client


class Fails(httpx.AsyncBaseTransport):
    """Answers the first requests itself, as an API that cannot do it at the moment, and passes the others on."""

    def __init__(self, *statuses: int) -> None:
        self._statuses = list(statuses)
        self._real = httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if not self._statuses:
            return await self._real.handle_async_request(request)
        said = {
            "type": "urn:rostra:problem:storage-down",
            "title": "The storage does not answer",
            "detail": "Try again.",
        }
        headers = {"Content-Type": "application/problem+json", "Retry-After": "0"}
        return httpx.Response(self._statuses.pop(0), headers=headers, json=said)

    async def aclose(self) -> None:
        await self._real.aclose()


async def hold(store: Store, claim: Claim, turns: int, pause: float = 0.0) -> None:
    for seq in range(1, turns + 1):
        await store.append(claim, AttemptFailed(seq=seq, attempt=1, debater="d1", reason="empty"))
        await store.append(claim, a_turn(seq))
        await asyncio.sleep(pause)
    await store.finish(claim, Status.COMPLETED)


async def ids(store: Store) -> list[str]:
    page = await store.page(owner=None, status=None, metadata={}, after=None, limit=100)
    return [record.debate.id for record in page.records]


class TestDebates:
    async def test_one_is_begun_and_looked_at(self, api: AsyncClient):
        debate = await api.debates.create("Tabs beat spaces", rounds=2, metadata={"experiment": "indentation"})
        assert (debate.status, debate.turns_planned) == (Status.QUEUED, 4)
        assert (await api.debates.get(debate.id)).motion == "Tabs beat spaces"

    async def test_what_is_wrong_is_pointed_at(self, api: AsyncClient):
        with pytest.raises(Refused) as caught:
            await api.debates.create("Tabs beat spaces", rounds=0, colour="red")
        assert {fault.pointer for fault in caught.value.errors} == {"/rounds", "/colour"}
        assert caught.value.kind == "invalid-debate"

    async def test_all_are_listed_over_pages_newest_first(self, api: AsyncClient, store: Store):
        begun = [a_debate(metadata={"even": n % 2 == 0, "n": n}) for n in range(120)]
        for debate in begun:
            await store.create(debate)
        newest = sorted((debate.id for debate in begun), reverse=True)
        assert [debate.id async for debate in api.debates.list()] == newest
        assert len([debate async for debate in api.debates.list(metadata={"even": True})]) == 60
        assert [debate.metadata["n"] async for debate in api.debates.list(metadata={"n": 7})] == [7]
        assert [debate async for debate in api.debates.list(status="completed")] == []

    async def test_its_end_is_waited_for(self, api: AsyncClient, store: Store, claim: Claim):
        waiting = asyncio.create_task(api.debates.wait(claim.debate.id))
        await asyncio.sleep(0.1)
        await hold(store, claim, turns=1)
        assert (await asyncio.wait_for(waiting, 20)).status is Status.COMPLETED

    async def test_one_that_goes_on_too_long_says_how_it_stands(self, api: AsyncClient, claim: Claim):
        with pytest.raises(NotEnded) as caught:
            await api.debates.wait(claim.debate.id, timeout=0.3)
        assert caught.value.debate.id == claim.debate.id
        assert isinstance(caught.value, TimeoutError)

    async def test_it_is_steered_and_forgotten(self, api: AsyncClient):
        debate = await api.debates.create("Tabs beat spaces")
        assert (await api.debates.pause(debate.id)).status is Status.PAUSED
        assert (await api.debates.resume(debate.id)).status is Status.QUEUED
        with pytest.raises(Conflict, match="queued"):
            await api.debates.delete(debate.id)
        assert (await api.debates.cancel(debate.id)).status is Status.CANCELLED
        await api.debates.delete(debate.id)
        with pytest.raises(NotFound):
            await api.debates.get(debate.id)

    async def test_what_was_said_is_read_in_every_form(self, api: AsyncClient, store: Store, claim: Claim):
        await hold(store, claim, turns=2)
        transcript = await api.debates.transcript(claim.debate.id)
        assert [(turn.debater, turn.text) for turn in transcript.turns] == [("Ada", "Point 1."), ("Ada", "Point 2.")]
        assert transcript.complete
        assert (await api.debates.export(claim.debate.id, "md")).startswith("# Tabs beat spaces")
        assert "</html>" in await api.debates.export(claim.debate.id, "html")
        assert len((await api.debates.export(claim.debate.id, "ndjson")).splitlines()) == 7

    async def test_formats_and_models_are_told(self, api: AsyncClient):
        assert "oxford" in [summary.name for summary in await api.formats.list()]
        assert (await api.formats.get("oxford")).picture
        assert [model.name for model in await api.models.list()] == ["default", "mixed", "plain", "stock"]
        with pytest.raises(NotFound):
            await api.formats.get("no/such?format")

    async def test_a_key_is_sent(self, server: Server, key_of: Any):
        key = (await key_of("ada"))["Authorization"].removeprefix("Bearer ")
        async with AsyncClient(server.url, key) as ada, AsyncClient(server.url, "rostra_no") as other:
            assert (await ada.debates.create("Tabs beat spaces")).owner == "ada"
            with pytest.raises(NotLetIn, match="ROSTRA_API_KEY"):
                await other.debates.get("0" * 28)


class TestPeople:
    async def test_speak_once_however_often_their_words_are_sent(self, proxy: Proxy, behind: AsyncClient, store: Store):
        debaters = [{"name": "Ada", "human": True}, {"name": "Grace"}]
        debate = await behind.debates.create("Tabs beat spaces", debaters=debaters)
        claim = await store.claim(debate.id, "worker:1")
        assert isinstance(claim, Claim)
        await store.wait_for(claim, 1, "d1", 600)
        awaits = (await behind.debates.get(debate.id)).awaits
        assert awaits is not None
        lost = proxy.when(b"/turns", loses="reply")
        await behind.debates.speak(debate.id, "Tabs are one byte.", seq=awaits.seq)
        assert lost.met.is_set()
        kinds = [recorded.event.type for recorded in await store.events(debate.id)]
        assert kinds.count("turn_given") == 1
        async with aclosing(behind.debates.stream(debate.id)) as told:
            typed = [(await anext(told)).event for _ in range(4)][2:]
        assert [type(one) for one in typed] == [TurnAwaited, GivenView]


class TestForking:
    async def test_begins_one_however_often_it_is_asked_for(
        self, proxy: Proxy, behind: AsyncClient, store: Store, claim: Claim
    ):
        await hold(store, claim, turns=3)
        lost = proxy.when(b"/fork", loses="reply")
        fork = await behind.debates.fork(claim.debate.id, 2, {"seed": 7})
        assert lost.met.is_set()
        assert (fork.seed, fork.turns_done) == (7, 2)
        assert fork.forked_from is not None
        assert (fork.forked_from.id, fork.forked_from.after_turn) == (claim.debate.id, 2)
        assert sorted(await ids(store)) == sorted([claim.debate.id, fork.id])

    async def test_has_all_finished_turns_when_it_is_not_said_how_many(
        self, behind: AsyncClient, server: Server, store: Store, claim: Claim
    ):
        await hold(store, claim, turns=3)
        assert (await behind.debates.fork(claim.debate.id)).turns_done == 3
        with Client(server.url) as blocking:
            fork = await asyncio.to_thread(blocking.debates.fork, claim.debate.id, changes={"seed": 7})
        assert (fork.turns_done, fork.seed) == (3, 7)


class TestOneDebateOnly:
    async def test_begins_when_the_api_could_not_at_first(self, server: Server, store: Store):
        async with AsyncClient(server.url, transport=Fails(503, 502, 429)) as client:
            debate = await client.debates.create("Tabs beat spaces")
        assert await ids(store) == [debate.id]

    async def test_begins_when_the_connection_is_cut_before_the_request_is_there(
        self, proxy: Proxy, behind: AsyncClient, store: Store
    ):
        lost = proxy.when(b"POST /v1/debates", loses="request")
        debate = await behind.debates.create("Tabs beat spaces")
        assert lost.met.is_set()
        assert await ids(store) == [debate.id]

    async def test_begins_when_the_connection_is_cut_after_it_was_received(
        self, proxy: Proxy, behind: AsyncClient, store: Store
    ):
        lost = proxy.when(b"POST /v1/debates", loses="reply", times=2)
        debate = await behind.debates.create("Tabs beat spaces")
        assert lost.times == 0
        assert await ids(store) == [debate.id]

    async def test_begins_when_nobody_is_there_at_first(self, proxy: Proxy, behind: AsyncClient, store: Store):
        await proxy.refuse()
        beginning = asyncio.create_task(behind.debates.create("Tabs beat spaces"))
        await asyncio.sleep(0.1)
        await proxy.accept()
        debate = await beginning
        assert await ids(store) == [debate.id]


class TestStreams:
    async def test_tell_all_to_the_end(self, api: AsyncClient, store: Store, claim: Claim):
        await hold(store, claim, turns=2)
        told = [one async for one in api.debates.stream(claim.debate.id)]
        assert [one.id for one in told] == [recorded.id for recorded in await store.events(claim.debate.id)]
        turns = [one.event for one in told if isinstance(one.event, TakenView)]
        assert [(turn.debater, turn.text) for turn in turns] == [("Ada", "Point 1."), ("Ada", "Point 2.")]
        assert isinstance(told[-1].event, DebateEnded)

    async def test_every_event_of_a_debate_has_its_type(self, api: AsyncClient, store: Store, claim: Claim):
        await hold(store, claim, turns=1)
        kinds = [(one.kind, one.event.type) async for one in api.debates.stream(claim.debate.id)]
        assert all(kind == typed for kind, typed in kinds)

    async def test_words_come_while_they_are_spoken_unless_they_are_left_out(
        self, api: AsyncClient, store: Store, claim: Claim
    ):
        async with aclosing(api.debates.stream(claim.debate.id)) as told:
            assert [(await anext(told)).kind for _ in range(2)] == ["debate_created", "debate_claimed"]
            await store.speak(claim, seq=1, attempt=1, debater="d1", text="Tabs\u2028are\n\none")
            assert (await anext(told)).event == WordsView(seq=1, attempt=1, debater="Ada", text="Tabs\u2028are\n\none")
        quiet = [one.kind async for one in self.ended(api, store, claim)]
        assert "delta" not in quiet

    async def ended(self, api: AsyncClient, store: Store, claim: Claim) -> AsyncIterator[Any]:
        await store.finish(claim, Status.COMPLETED)
        async for told in api.debates.stream(claim.debate.id, deltas=False):
            yield told

    async def test_go_on_behind_an_event(self, api: AsyncClient, store: Store, claim: Claim):
        await hold(store, claim, turns=2)
        told = [one.id async for one in api.debates.stream(claim.debate.id, after="1-0")]
        assert told == ["1-1", "2-0", "2-1"]

    async def test_of_no_debate_there_is_none(self, api: AsyncClient):
        with pytest.raises(NotFound):
            await anext(api.debates.stream("0" * 28))

    async def test_cut_at_every_event_neither_miss_nor_repeat_one(
        self, proxy: Proxy, behind: AsyncClient, store: Store, claim: Claim
    ):
        holding = asyncio.create_task(hold(store, claim, turns=3, pause=0.05))
        seen: list[str] = []
        async for told in behind.debates.stream(claim.debate.id):
            seen.append(told.id)
            proxy.cut()
        await holding
        assert seen == [recorded.id for recorded in await store.events(claim.debate.id)]

    async def test_outlive_an_api_that_is_away_for_a_while(
        self, proxy: Proxy, behind: AsyncClient, store: Store, claim: Claim
    ):
        reading = asyncio.create_task(self.read(behind, claim))
        await asyncio.sleep(0.3)
        await proxy.refuse()
        await hold(store, claim, turns=3)
        await asyncio.sleep(1.5)
        await proxy.accept()
        assert await asyncio.wait_for(reading, 30) == [one.id for one in await store.events(claim.debate.id)]

    async def read(self, client: AsyncClient, claim: Claim) -> list[str]:
        return [told.id async for told in client.debates.stream(claim.debate.id)]


class TestTheClientThatWaits:
    async def test_does_the_same(self, proxy: Proxy, store: Store):
        def debated() -> tuple[str, list[str], list[str]]:
            with Client(f"http://127.0.0.1:{proxy.port}") as client:
                debate = client.debates.create(motion="Tabs beat spaces")
                asyncio.run_coroutine_threadsafe(played(debate.id), loop).result(10)
                told: list[str] = []
                for one in client.debates.stream(debate.id):
                    told.append(one.id)
                    if len(told) == 3:
                        loop.call_soon_threadsafe(proxy.cut)
                assert client.debates.wait(debate.id, timeout=5).status is Status.COMPLETED
                return debate.id, told, [debate.id for debate in client.debates.list(status=Status.COMPLETED)]

        async def played(debate_id: str) -> None:
            claim = await store.claim(debate_id, "worker:1")
            assert isinstance(claim, Claim)
            await hold(store, claim, turns=2)

        loop = asyncio.get_running_loop()
        proxy.when(b"POST /v1/debates", loses="reply")
        debate_id, told, listed = await asyncio.to_thread(debated)
        assert told == [recorded.id for recorded in await store.events(debate_id)]
        assert listed == [debate_id] == await ids(store)
