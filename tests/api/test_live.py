"""GET /v1/debates/{id}/events: a reader who reconnects misses nothing and gets nothing twice."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator

import jsonschema_rs
import pytest
from httpx2 import AsyncClient, ServerSentEvent

from builders import A_FORMAT, a_debate, a_turn, claimed
from rostra.agenda import agenda
from rostra.events import AttemptFailed
from rostra.models import Status
from rostra.store import Claim, Store, connect
from rostra_api.server import Server

NOT_DURABLE = {"message", "delta", "end"}


def events_of(claim: Claim) -> str:
    return f"/v1/debates/{claim.debate.id}/events"


async def watch(
    reader: AsyncClient, path: str, *, last: str | None = None, most: int = 10_000
) -> AsyncIterator[ServerSentEvent]:
    """What comes, up to `most` durable events; then the connection is cut."""
    headers = {"Last-Event-ID": last} if last else {}
    async with reader.sse(path, headers=headers) as source:
        async for event in source:
            if event.event == "message":  # the `retry:` at the beginning
                continue
            most -= event.event not in NOT_DURABLE
            yield event
            if most == 0:
                return


async def all_of(reader: AsyncClient, path: str, last: str | None = None) -> list[ServerSentEvent]:
    return [event async for event in watch(reader, path, last=last)]


def kinds(events: list[ServerSentEvent]) -> list[str]:
    return [event.event for event in events]


async def hold(store: Store, claim: Claim, turns: int, pause: float = 0.0) -> None:
    """Holds the debate to its end, with words and a failed attempt on the way."""
    for seq in range(1, turns + 1):
        await store.speak(claim, seq=seq, attempt=1, debater="d1", text="Uh")
        await store.append(claim, AttemptFailed(seq=seq, attempt=1, debater="d1", reason="empty"))
        await store.speak(claim, seq=seq, attempt=2, debater="d1", text=f"Point {seq}")
        await store.append(claim, a_turn(seq))
        await asyncio.sleep(pause)
    await store.finish(claim, Status.COMPLETED)


class TestWatching:
    async def test_the_whole_course_is_told(self, reader: AsyncClient, store: Store, claim: Claim):
        await hold(store, claim, turns=2)
        events = await all_of(reader, events_of(claim))
        turn = ["attempt_failed", "turn_taken"]
        assert kinds(events) == ["debate_created", "debate_claimed", *turn, *turn, "debate_ended", "end"]
        assert [e.id for e in events[2:6]] == ["0-3", "1-0", "1-1", "2-0"]
        assert events[-1].json() == {"status": "completed", "reason": ""}

    async def test_debaters_go_by_their_names(self, reader: AsyncClient, store: Store, claim: Claim):
        await store.append(claim, a_turn(1, debater="d2", text="Espacios, \u2028 señor\n\ndata: no"))
        await store.finish(claim, Status.COMPLETED)
        turn = next(e.json() for e in await all_of(reader, events_of(claim)) if e.event == "turn_taken")
        assert (turn["debater"], turn["seq"]) == ("Grace", 1)
        assert turn["text"] == "Espacios, \u2028 señor\n\ndata: no"

    async def test_turns_are_told_with_their_slots(self, reader: AsyncClient, store: Store):
        claim = await claimed(store, a_debate(format=A_FORMAT, debaters=None))
        for slot in agenda(claim.debate):
            await store.append(claim, a_turn(slot.seq, debater=slot.debater or "", phase=slot.phase, round=slot.round))
        await store.finish(claim, Status.COMPLETED)
        told = [e.json() for e in await all_of(reader, events_of(claim)) if e.event == "turn_taken"]
        transcript = (await reader.get(f"/v1/debates/{claim.debate.id}/transcript.json")).json()
        assert [{k: v for k, v in turn.items() if k not in {"v", "at", "type"}} for turn in told] == transcript["turns"]
        assert {turn["kind"] for turn in told} == {"announcement", "speech", "point", "question", "answer", "notes"}
        question = next(turn for turn in told if turn["kind"] == "question")
        assert question["to"] == next(turn["debater"] for turn in told if turn["slot"] == "T case")
        assert [turn["heard_by"] for turn in told if turn["kind"] == "notes"] == ["spaces"]

    async def test_every_event_is_as_the_contract_says(self, reader: AsyncClient, store: Store, claim: Claim):
        contract = (await reader.get("/openapi.json")).json()
        stream = contract["paths"]["/v1/debates/{id}/events"]["get"]["responses"]["200"]["content"]["text/event-stream"]
        schema = {**stream["schema"]["properties"]["data"]["contentSchema"], "components": contract["components"]}
        await hold(store, claim, turns=2)
        told = [event.json() for event in await all_of(reader, events_of(claim))]
        validator = jsonschema_rs.validator_for(schema)
        assert [(data, error.message) for data in told for error in validator.iter_errors(data)] == []
        assert not validator.is_valid(told[0] | {"debate": None})

    async def test_whose_process_it_is_concerns_nobody(self, reader: AsyncClient, store: Store, claim: Claim):
        await store.finish(claim, Status.COMPLETED)
        assert "worker:1" not in "".join(e.data for e in await all_of(reader, events_of(claim)))

    async def test_words_come_while_they_are_spoken(self, reader: AsyncClient, store: Store, claim: Claim):
        watching = aiter(watch(reader, events_of(claim)))
        assert [(await anext(watching)).event for _ in range(2)] == ["debate_created", "debate_claimed"]
        await store.speak(claim, seq=1, attempt=1, debater="d1", text="Tabs")
        delta = await anext(watching)
        assert delta.json() == {"seq": 1, "attempt": 1, "debater": "Ada", "text": "Tabs"}
        await watching.aclose()

    async def test_words_of_one_who_was_overtaken_are_dropped(
        self, reader: AsyncClient, store: Store, claim: Claim, redis_url: str
    ):
        watching = aiter(watch(reader, events_of(claim)))
        await anext(watching), await anext(watching)
        await store.release(claim, "shutdown")
        successor = await store.claim(claim.debate.id, "worker:2")
        assert isinstance(successor, Claim)
        # The store would not take them now; they were on their way.
        stale = {"seq": 1, "attempt": 1, "fence": claim.fence, "debater": "d1", "text": "stale"}
        redis = connect(redis_url)
        await redis.xadd(f"rostra:debate:{claim.debate.id}:deltas", stale)
        await redis.aclose()
        await store.speak(successor, seq=1, attempt=1, debater="d1", text="fresh")
        heard = [await anext(watching) for _ in range(3)]
        assert kinds(heard) == ["debate_released", "debate_claimed", "delta"]
        assert heard[-1].json()["text"] == "fresh"
        await watching.aclose()

    async def test_words_of_what_is_over_are_dropped(self, reader: AsyncClient, store: Store, claim: Claim):
        watching = aiter(watch(reader, events_of(claim)))
        await anext(watching), await anext(watching)
        await store.append(claim, a_turn(1))
        await store.append(claim, AttemptFailed(seq=2, attempt=1, debater="d2", reason="empty"))
        for seq, attempt in ((1, 1), (2, 1), (2, 2)):
            await store.speak(claim, seq=seq, attempt=attempt, debater="d1", text=f"{seq}.{attempt}")
        heard = [await anext(watching) for _ in range(3)]
        assert kinds(heard) == ["turn_taken", "attempt_failed", "delta"]
        assert heard[-1].json()["text"] == "2.2"
        await watching.aclose()

    async def test_who_comes_in_the_middle_of_a_turn_is_told_what_was_said_of_it(
        self, reader: AsyncClient, store: Store, claim: Claim
    ):
        for words in ("Tabs", " are", " one"):
            await store.speak(claim, seq=1, attempt=1, debater="d1", text=words)
        first = aiter(watch(reader, events_of(claim)))
        so_far = [await anext(first) for _ in range(3)][-1]
        assert so_far.json() == {"seq": 1, "attempt": 1, "debater": "Ada", "text": "Tabs are one", "whole": True}
        await store.speak(claim, seq=1, attempt=1, debater="d1", text=" character")
        assert (await anext(first)).json()["text"] == " character"
        second = aiter(watch(reader, events_of(claim), last="0-2"))
        assert (await anext(second)).json()["text"] == "Tabs are one character"
        await store.speak(claim, seq=1, attempt=1, debater="d1", text=".")
        assert [(await anext(each)).json()["text"] for each in (first, second)] == [".", "."]
        await first.aclose()
        await second.aclose()

    @pytest.mark.parametrize("over", ["turn", "attempt", "claim", "pause"])
    @pytest.mark.parametrize("followed", [True, False], ids=["followed", "alone"])
    async def test_nobody_is_told_words_of_what_is_over(
        self, reader: AsyncClient, store: Store, claim: Claim, over: str, followed: bool
    ):
        others = aiter(watch(reader, events_of(claim)))
        if followed:
            await anext(others)
        await store.speak(claim, seq=1, attempt=1, debater="d1", text="stale")
        match over:
            case "turn":
                await store.append(claim, a_turn(1))
            case "attempt":
                await store.append(claim, AttemptFailed(seq=1, attempt=1, debater="d1", reason="empty"))
            case "claim":
                await store.release(claim, "shutdown")
            case _:
                await store.pause(claim.debate.id)
                await store.put_to_rest(claim)
        known = (await store.events(claim.debate.id))[-1].id
        watching = asyncio.create_task(all_of(reader, events_of(claim), known))
        await asyncio.sleep(0.3)
        if over in {"turn", "attempt"}:
            await store.finish(claim, Status.CANCELLED)
        else:
            await store.cancel(claim.debate.id)
        assert kinds(await asyncio.wait_for(watching, 5)) == ["debate_ended", "end"]
        await others.aclose()

    async def test_words_can_be_left_out(self, reader: AsyncClient, store: Store, claim: Claim):
        watching = asyncio.create_task(all_of(reader, f"{events_of(claim)}?deltas=false"))
        await asyncio.sleep(0.3)
        await hold(store, claim, turns=2)
        assert "delta" not in kinds(await asyncio.wait_for(watching, 5))

    async def test_what_proxies_and_browsers_need(self, reader: AsyncClient, store: Store, claim: Claim):
        await store.finish(claim, Status.COMPLETED)
        answer = await reader.get(events_of(claim))
        assert answer.text.startswith("retry: ")
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Accel-Buffering"] == "no"


class TestReconnecting:
    async def test_after_every_event_nothing_is_missed_and_nothing_comes_twice(
        self, reader: AsyncClient, store: Store, claim: Claim
    ):
        holding = asyncio.create_task(hold(store, claim, turns=8, pause=0.02))
        heard: list[str] = []
        while True:
            async for event in watch(reader, events_of(claim), last=heard[-1] if heard else None, most=1):
                if event.event not in NOT_DURABLE:
                    heard.append(event.id)
            if event.event == "end":
                break
        await holding
        assert heard == [recorded.id for recorded in await store.events(claim.debate.id)]

    async def test_from_every_event_the_rest_is_told(self, reader: AsyncClient, store: Store, claim: Claim):
        await hold(store, claim, turns=3)
        ids = [recorded.id for recorded in await store.events(claim.debate.id)]
        for known in range(len(ids)):
            told = await all_of(reader, f"{events_of(claim)}?after={ids[known]}")
            assert [e.id for e in told if e.event != "end"] == ids[known + 1 :]
            assert told[-1].event == "end"

    async def test_what_the_browser_says_goes_before_the_address(self, reader: AsyncClient, store: Store, claim: Claim):
        await hold(store, claim, turns=2)
        told = await all_of(reader, f"{events_of(claim)}?after=0-1", last="1-0")
        assert told[0].id == "1-1"

    @pytest.mark.parametrize("last", ["1", "x", "1-", "-1-0", "1-0 ", "9" * 19 + "-0", "1-0;DROP"])
    async def test_an_id_that_cannot_be_one_is_refused(self, client: AsyncClient, claim: Claim, last: str):
        by_header = await client.get(events_of(claim), headers={"Last-Event-ID": last})
        by_address = await client.get(events_of(claim), params={"after": last})
        faults = [answer.json()["errors"][0]["parameter"] for answer in (by_header, by_address)]
        assert {by_header.status_code, by_address.status_code} <= {400}
        assert faults == ["Last-Event-ID", "after"]


class TestManyReaders:
    async def test_beyond_the_bound_one_is_sent_away(
        self, server: Server, reader: AsyncClient, claim: Claim, store: Store
    ):
        following = server.app.state.parts.following
        watching = aiter(watch(reader, events_of(claim)))
        await anext(watching)
        following._most = 1
        await self.sent_away(reader, events_of(claim), 503, "followers-full", "ROSTRA_MAX_FOLLOWERS")
        following._most_of_owner = 1
        await self.sent_away(reader, events_of(claim), 429, "too-many-followers", "ROSTRA_FOLLOWERS_PER_OWNER")
        await watching.aclose()

    async def sent_away(self, reader: AsyncClient, path: str, status: int, name: str, bound: str) -> None:
        for place in (path, f"{path.removesuffix('/events')}?wait=5"):
            refused = await reader.get(place)
            problem = refused.json()
            assert (refused.status_code, problem["type"]) == (status, f"urn:rostra:problem:{name}")
            assert problem["bound"] == bound
            assert int(refused.headers["Retry-After"]) > 0

    async def test_a_reader_who_leaves_is_forgotten(self, server: Server, reader: AsyncClient, claim: Claim):
        following = server.app.state.parts.following
        watching = aiter(watch(reader, events_of(claim)))
        await anext(watching)
        assert following.followers == 1
        await watching.aclose()
        await asyncio.sleep(0.2)
        assert following.followers == 0


class TestTheServerGoes:
    async def test_it_ends_the_streams_and_stops_at_once(self, redis_url: str, claim: Claim):
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        environment = {**os.environ, "ROSTRA_REDIS_URL": redis_url, "ROSTRA_PORT": str(port)}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "rostra_api", env=environment, stderr=asyncio.subprocess.PIPE
        )
        async with AsyncClient(base_url=f"http://127.0.0.1:{port}") as reader:
            await until_it_serves(reader)
            watching = aiter(watch(reader, events_of(claim)))
            await anext(watching)
            began = time.monotonic()
            process.send_signal(signal.SIGTERM)
            rest = [event.event async for event in watching]
            _, log = await asyncio.wait_for(process.communicate(), 10)
        assert time.monotonic() - began < 3
        assert rest == ["debate_claimed"]
        assert all(json.loads(line)["service"] == "api" for line in log.splitlines())


async def until_it_serves(reader: AsyncClient) -> None:
    for _ in range(200):
        try:
            if (await reader.get("/healthz")).status_code == 200:
                return
        except OSError:
            pass
        except Exception as error:
            if "connect" not in str(error).lower():
                raise
        await asyncio.sleep(0.05)
    raise TimeoutError("the API did not start")
