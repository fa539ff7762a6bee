"""People who take part: what they say is taken once, in their turn, and shown as what it is."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from httpx2 import AsyncClient, Response

from attacked import SAID
from builders import A_FORMAT, a_debate, a_request, a_turn, claimed
from rostra import queue
from rostra.events import QuestionPut
from rostra.markdown import as_markdown
from rostra.models import Debate
from rostra.store import Claim, Store
from rostra.transcript import Course, fold
from rostra.views import DebateView, TranscriptView
from rostra_api.page import page

PEOPLE = [{"name": "Ada", "stance": "for tabs", "human": True}, {"name": "Grace", "stance": "for spaces"}]


async def waits(store: Store, **fields: Any) -> Claim:
    """A debate that waits for Ada's first turn."""
    debate = a_debate(**{"debaters": PEOPLE, "moderator": {"human": True}, **fields})
    claim = await claimed(store, debate)
    await store.wait_for(claim, 1, "d1", 600)
    return claim


def says(client: AsyncClient, debate: Debate, **body: Any) -> Awaitable[Response]:
    return client.post(f"/v1/debates/{debate.id}/turns", json=body)


def asks(client: AsyncClient, debate: Debate, **body: Any) -> Awaitable[Response]:
    return client.post(f"/v1/debates/{debate.id}/questions", json=body)


class TestBeginning:
    async def test_people_are_named_among_the_debaters(self, client: AsyncClient):
        request = a_request(debaters=PEOPLE, humans={"seconds": 60, "then": "skip"}, moderator={"human": True})
        debate = (await client.post("/v1/debates", json=request)).json()
        assert [debater["human"] for debater in debate["debaters"]] == [True, False]
        assert debate["awaits"] is None
        settings = (await client.get(debate["links"]["transcript"])).json()["settings"]
        assert settings["humans"] == {"seconds": 60, "then": "skip"}
        assert settings["moderator"] == {"model": "default", "human": True}

    async def test_a_person_needs_a_model_only_where_one_may_speak_for_them(self, client: AsyncClient):
        people = [{**PEOPLE[0], "model": "elsewhere"}, PEOPLE[1]]
        skip = await client.post("/v1/debates", json=a_request(debaters=people, humans={"then": "skip"}))
        model = await client.post("/v1/debates", json=a_request(debaters=people))
        assert skip.status_code == 202
        assert (model.status_code, model.json()["errors"][0]["pointer"]) == (422, "/debaters/0/model")

    @pytest.mark.parametrize("humans", [{"seconds": 0}, {"seconds": 604_801}, {"then": "wait"}, {"patience": 1}])
    async def test_what_cannot_be_waited_for_is_refused(self, client: AsyncClient, humans: dict[str, Any]):
        answer = await client.post("/v1/debates", json=a_request(debaters=PEOPLE, humans=humans))
        (name,) = humans
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, f"/humans/{name}")


class TestLooking:
    async def test_it_shows_whom_it_waits_for(self, client: AsyncClient, store: Store):
        claim = await waits(store)
        debate = (await client.get(f"/v1/debates/{claim.debate.id}")).json()
        DebateView.model_validate(debate)
        assert debate["status"] == "waiting"
        assert (debate["awaits"]["seq"], debate["awaits"]["debater"]) == (1, "Ada")
        (found,) = (await client.get("/v1/debates?status=waiting")).json()["data"]
        assert found == debate

    async def test_the_moderator_is_waited_for_by_what_it_is_called(self, client: AsyncClient, store: Store):
        claim = await claimed(store, a_debate(language="ja", moderator={"human": True}))
        await store.wait_for(claim, 1, "moderator", 600)
        assert (await client.get(f"/v1/debates/{claim.debate.id}")).json()["awaits"]["debater"] == "司会"

    async def test_a_wait_ends_when_a_person_is_waited_for(self, client: AsyncClient, store: Store):
        claim = await claimed(store, a_debate(debaters=PEOPLE))
        waiting = asyncio.create_task(client.get(f"/v1/debates/{claim.debate.id}?wait=30"))
        await asyncio.sleep(0.3)
        await store.wait_for(claim, 1, "d1", 600)
        answer = await asyncio.wait_for(waiting, 5)
        assert answer.json()["status"] == "waiting"

    async def test_one_that_waits_already_is_answered_at_once_to_who_tells_what_they_know(
        self, client: AsyncClient, store: Store
    ):
        claim = await claimed(store, a_debate(debaters=PEOPLE))
        path = f"/v1/debates/{claim.debate.id}"
        before = {"If-None-Match": (await client.get(path)).headers["ETag"]}
        await store.wait_for(claim, 1, "d1", 600)
        answer = await asyncio.wait_for(client.get(f"{path}?wait=30", headers=before), 5)
        assert answer.json()["status"] == "waiting"
        now = {"If-None-Match": answer.headers["ETag"]}
        assert (await client.get(f"{path}?wait=1", headers=now)).status_code == 304

    async def test_who_only_waits_for_the_end_is_not_answered_at_once_each_time(
        self, client: AsyncClient, store: Store
    ):
        claim = await waits(store)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.get(f"/v1/debates/{claim.debate.id}?wait=30"), 1)

    async def test_it_is_counted(self, client: AsyncClient, store: Store):
        await waits(store)
        assert 'rostra_debates{status="waiting"} 1.0' in (await client.get("/metrics")).text


class TestSpeaking:
    async def test_what_is_said_is_taken_and_a_worker_called(self, client: AsyncClient, store: Store, redis_url: str):
        claim = await waits(store)
        answer = await says(client, claim.debate, text="Tabs are one byte.", seq=1)
        assert (answer.status_code, answer.json()["status"], answer.json()["awaits"]) == (202, "queued", None)
        with queue.connect(redis_url) as rq:
            assert queue.waiting(rq) == {claim.debate.id}

    async def test_the_number_may_be_left_out(self, client: AsyncClient, store: Store):
        claim = await waits(store)
        assert (await says(client, claim.debate, text="Tabs.")).status_code == 202

    async def test_the_same_again_is_answered_and_another_is_a_conflict(self, client: AsyncClient, store: Store):
        claim = await waits(store)
        await says(client, claim.debate, text="Tabs.", seq=1)
        assert (await says(client, claim.debate, text=" Tabs.\r\n", seq=1)).status_code == 200
        other = await says(client, claim.debate, text="Spaces.", seq=1)
        assert (other.status_code, other.json()["detail"]) == (409, "Other words were given for this turn.")

    async def test_the_last_words_again_must_say_for_which_turn(self, client: AsyncClient, store: Store):
        claim = await waits(store)
        await says(client, claim.debate, text="Tabs.")
        heir = await store.claim(claim.debate.id, "w:2")
        assert isinstance(heir, Claim)
        await store.append(heir, a_turn(1, text="Tabs."))
        await store.wait_for(heir, 2, "d2", 600)
        again = await says(client, claim.debate, text="Tabs.")
        assert (again.status_code, "`seq`" in again.json()["detail"]) == (409, True)
        assert (await says(client, claim.debate, text="Tabs.", seq=2)).status_code == 202

    async def test_a_crowd_that_speaks_at_once_speaks_once(self, client: AsyncClient, store: Store):
        claim = await waits(store)
        answers = await asyncio.gather(*(says(client, claim.debate, text="Tabs.", seq=1) for _ in range(20)))
        assert sorted(answer.status_code for answer in answers) == [200] * 19 + [202]

    async def test_out_of_turn_nobody_speaks(self, client: AsyncClient, store: Store):
        claim = await claimed(store, a_debate(debaters=PEOPLE))
        early = await says(client, claim.debate, text="Tabs.")
        await store.wait_for(claim, 1, "d1", 600)
        wrong = await says(client, claim.debate, text="Tabs.", seq=3)
        await store.pause(claim.debate.id)
        paused = await says(client, claim.debate, text="Tabs.", seq=1)
        assert [(answer.status_code, answer.json()["detail"]) for answer in (early, wrong, paused)] == [
            (409, "The debate is running; it does not wait for words."),
            (409, "The debate waits for another turn; see `awaits`."),
            (409, "The debate is paused; it does not wait for words."),
        ]

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ({"text": ""}, "/text"),
            ({"text": " \n\u200b "}, "/text"),
            ({"text": "Tabs.\x07"}, "/text"),
            ({"text": "Tabs.\u202e"}, "/text"),
            ({"text": "x" * 20_001}, "/text"),
            ({"text": 7}, "/text"),
            ({}, "/text"),
            ({"text": "Tabs.", "seq": 0}, "/seq"),
            ({"text": "Tabs.", "seq": "1"}, "/seq"),
            ({"text": "Tabs.", "debater": "Ada"}, "/debater"),
        ],
    )
    async def test_what_cannot_be_said_is_refused(
        self, client: AsyncClient, store: Store, body: dict[str, Any], pointer: str
    ):
        claim = await waits(store)
        answer = await says(client, claim.debate, **body)
        assert (answer.status_code, answer.json()["type"]) == (422, "urn:rostra:problem:invalid-words")
        assert [fault["pointer"] for fault in answer.json()["errors"]] == [pointer]
        assert (await store.get(claim.debate.id)).status.value == "waiting"

    async def test_characters_are_those_that_readers_count(self, client: AsyncClient, store: Store):
        claim = await waits(store, turn={"max_characters": 10})
        family = "👨‍👩‍👧‍👦"
        long = await says(client, claim.debate, text=family * 11)
        detail = "has 11 characters; this turn has at most 10"
        assert long.json()["errors"] == [{"detail": detail, "pointer": "/text"}]
        assert (await says(client, claim.debate, text=family * 10)).status_code == 202

    async def test_a_slot_of_a_format_has_its_own_length(self, client: AsyncClient, store: Store):
        claim = await claimed(store, a_debate(format=A_FORMAT, debaters=PEOPLE, language="en"))
        await store.append(claim, a_turn(1, "moderator", phase="cases"))
        await store.wait_for(claim, 2, "d1", 600)
        answer = await says(client, claim.debate, text="x" * 3000)
        assert "this turn has at most 1800" in answer.json()["errors"][0]["detail"]

    @pytest.mark.parametrize("content", [b"{", b'{"text": "a", "text": "b"}'])
    async def test_what_is_no_json_is_refused(self, client: AsyncClient, store: Store, content: bytes):
        claim = await waits(store)
        path = f"/v1/debates/{claim.debate.id}/turns"
        answer = await client.post(path, content=content, headers={"Content-Type": "application/json"})
        assert answer.status_code == 400

    async def test_only_its_owner_can_and_only_with_the_scope(
        self, client: AsyncClient, store: Store, key_of: Callable[..., Awaitable[dict[str, str]]]
    ):
        debate = a_debate(debaters=PEOPLE, moderator={"human": True})
        await store.create(debate, owner="ada")
        claim = await store.claim(debate.id, "w:1")
        assert isinstance(claim, Claim)
        await store.wait_for(claim, 1, "d1", 600)
        owns, reads, other = await key_of("ada"), await key_of("ada", "read"), await key_of("grace")
        await asyncio.sleep(1.2)  # until it is seen that there are keys
        for what in ("turns", "questions"):
            path = f"/v1/debates/{debate.id}/{what}"
            answers = [await client.post(path, json={"text": "Tabs."}, headers=key) for key in (other, reads, owns)]
            assert [answer.status_code for answer in answers] == [404, 403, 202]


class TestAsking:
    async def test_a_question_stands_where_it_was_put(self, client: AsyncClient, store: Store):
        claim = await claimed(store, a_debate(moderator={"human": True}))
        assert (await asks(client, claim.debate, text="Who pays?")).status_code == 202
        await store.append(claim, a_turn(1))
        assert (await asks(client, claim.debate, text="And you?", to="ｇｒａｃｅ")).status_code == 202
        transcript = (await client.get(f"/v1/debates/{claim.debate.id}/transcript")).json()
        TranscriptView.model_validate(transcript)
        assert [(put["after"], put["to"], put["text"]) for put in transcript["questions"]] == [
            (0, None, "Who pays?"),
            (1, "Grace", "And you?"),
        ]

    async def test_so_many_questions_are_put_in_one_debate(
        self, client: AsyncClient, store: Store, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr("rostra.store.MOST_QUESTIONS", 2)
        claim = await claimed(store, a_debate(moderator={"human": True}))
        answers = [await asks(client, claim.debate, text=f"Who pays {n}?") for n in range(3)]
        assert [answer.status_code for answer in answers] == [202, 202, 409]
        assert answers[2].json()["detail"] == "In this debate 2 questions were put already."
        assert (await asks(client, claim.debate, text="Who pays 1?")).status_code == 202  # sent again

    async def test_only_a_debate_that_a_person_moderates_is_asked(self, client: AsyncClient, store: Store):
        claim = await claimed(store, a_debate())
        answer = await asks(client, claim.debate, text="Who pays?")
        assert (answer.status_code, answer.json()["detail"]) == (409, "No person moderates this debate.")

    async def test_one_that_has_ended_is_asked_nothing(self, client: AsyncClient, store: Store):
        claim = await waits(store)
        await store.cancel(claim.debate.id)
        answer = await asks(client, claim.debate, text="Who pays?")
        assert (answer.status_code, answer.json()["detail"]) == (409, "The debate is cancelled.")

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [({"text": "Who?", "to": "Linus"}, "/to"), ({"text": ""}, "/text"), ({"text": "x" * 2001}, "/text")],
    )
    async def test_what_cannot_be_asked_is_refused(
        self, client: AsyncClient, store: Store, body: dict[str, Any], pointer: str
    ):
        claim = await waits(store)
        answer = await asks(client, claim.debate, **body)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)


class TestReading:
    async def a_debate_with_people(self, store: Store) -> Debate:
        claim = await waits(store, rounds=2)
        debate = claim.debate
        await store.ask(debate.id, "Who *pays*?", "d1")
        await store.give(debate.id, "Tabs <b>are</b> one byte.", 1)
        heir = await store.claim(debate.id, "w:2")
        assert isinstance(heir, Claim)
        said = {"model": "", "attempts": 0}
        await store.append(heir, a_turn(1, text="Tabs <b>are</b> one byte.", finish_reason="human", **said))
        await store.ask(debate.id, "Who gains?")
        await store.append(heir, a_turn(2, "d2").model_copy(update={"text": "", "finish_reason": "skipped"}))
        return debate

    async def test_it_reads_in_order_as_markdown(self, store: Store):
        debate = await self.a_debate_with_people(store)
        course = fold(recorded.event for recorded in await store.events(debate.id))
        assert as_markdown(debate, course).split("\n\n")[2:7] == [
            "**Moderator (to Ada):** Who \\*pays\\*?",
            "## Debate, round 1",
            "**Ada:** Tabs \\<b\\>are\\</b\\> one byte.",
            "**Moderator:** Who gains?",
            "**Grace:** (skipped)",
        ]

    def test_what_a_moderator_asks_is_data_as_much_as_what_is_said(self):
        debate = a_debate(moderator={"human": True})
        for attack in SAID:
            asked = Course(questions=(QuestionPut(seq=0, text=attack),))
            said = Course(turns=(a_turn(1, "moderator", text=attack),))
            told = [as_markdown(debate, each).split("**Moderator:** ")[1].split("\n\n---")[0] for each in (asked, said)]
            assert told[0] == told[1]
            shown = [re.findall(r"<p .*?</p>", page(debate, each), re.DOTALL) for each in (asked, said)]
            assert shown[0] == shown[1]

    async def test_it_reads_in_order_as_a_page(self, client: AsyncClient, store: Store):
        debate = await self.a_debate_with_people(store)
        page = (await client.get(f"/v1/debates/{debate.id}/transcript.html")).text
        told = [
            "Moderator (to Ada)",
            "Who *pays*?",
            "Debate, round 1",
            'id="turn-1"',
            "Tabs &lt;b&gt;are&lt;/b&gt; one byte.",
            "Who gains?",
            'id="turn-2"',
            "(skipped)",
        ]
        assert [page.index(words) for words in told] == sorted(page.index(words) for words in told)

    async def test_the_events_say_who_speaks_and_the_words_come_with_the_turn(self, client: AsyncClient, store: Store):
        debate = await self.a_debate_with_people(store)
        lines = (await client.get(f"/v1/debates/{debate.id}/transcript.ndjson")).text.splitlines()
        told = [json.loads(line) for line in lines]
        of_people = [event for event in told if event["type"] in {"turn_awaited", "turn_given", "question_put"}]
        assert [{k: v for k, v in e.items() if k not in {"at", "v", "until", "id"}} for e in of_people] == [
            {"type": "turn_awaited", "seq": 1, "debater": "Ada"},
            {"type": "question_put", "seq": 0, "text": "Who *pays*?", "to": "Ada"},
            {"type": "turn_given", "seq": 1, "debater": "Ada"},
            {"type": "question_put", "seq": 1, "text": "Who gains?", "to": None},
        ]

    async def test_a_skipped_turn_is_not_measured(self, client: AsyncClient, store: Store):
        debate = await self.a_debate_with_people(store)
        await store.cancel(debate.id)
        await store.bury(debate.id)
        await store.cancel(debate.id)
        transcript = (await client.get(f"/v1/debates/{debate.id}/transcript")).json()
        assert [turn["finish_reason"] for turn in transcript["turns"]] == ["human", "skipped"]
        assert [turn["seq"] for turn in transcript["measures"]["turns"]] == [1]
