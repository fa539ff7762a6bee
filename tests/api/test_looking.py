"""Debates that are found, asked after, steered and forgotten."""

from __future__ import annotations

import asyncio

import pytest
from httpx2 import AsyncClient

from builders import a_debate, a_turn
from rostra import queue
from rostra.events import Usage
from rostra.models import Status
from rostra.store import Claim, Store

UNKNOWN = "0" * 28


class TestOneDebate:
    async def test_it_shows_how_far_it_is(self, client: AsyncClient, store: Store, claim: Claim):
        await store.append(claim, a_turn(1), usage=Usage(prompt_tokens=90, completion_tokens=10))
        debate = (await client.get(f"/v1/debates/{claim.debate.id}")).json()
        assert (debate["status"], debate["turns_done"], debate["turns_planned"]) == ("running", 1, 10)
        assert debate["usage"] == {"prompt_tokens": 90, "completion_tokens": 10}
        assert debate["started_at"]
        assert debate["ended_at"] is None

    async def test_one_who_knows_it_is_not_sent_it_again(self, client: AsyncClient, store: Store, claim: Claim):
        path = f"/v1/debates/{claim.debate.id}"
        tag = (await client.get(path)).headers["ETag"]
        assert not tag.startswith("W/")
        known = await client.get(path, headers={"If-None-Match": f'"other", W/{tag}'})
        assert (known.status_code, known.content, known.headers["ETag"]) == (304, b"", tag)
        await store.append(claim, a_turn(1))
        assert (await client.get(path, headers={"If-None-Match": tag})).status_code == 200

    async def test_a_wait_ends_with_the_debate(self, client: AsyncClient, store: Store, claim: Claim):
        waiting = asyncio.create_task(client.get(f"/v1/debates/{claim.debate.id}?wait=30"))
        await asyncio.sleep(0.2)
        await store.append(claim, a_turn(1))
        await asyncio.sleep(0.2)
        assert not waiting.done()
        await store.finish(claim, Status.COMPLETED)
        answer = await asyncio.wait_for(waiting, 5)
        assert (answer.json()["status"], answer.json()["turns_done"]) == ("completed", 1)

    async def test_a_wait_ends_with_the_time(self, client: AsyncClient, claim: Claim):
        answer = await client.get(f"/v1/debates/{claim.debate.id}?wait=1")
        assert answer.json()["status"] == "running"

    async def test_for_what_has_ended_nobody_waits(self, client: AsyncClient, store: Store, claim: Claim):
        await store.finish(claim, Status.FAILED, "the model is gone")
        answer = await asyncio.wait_for(client.get(f"/v1/debates/{claim.debate.id}?wait=60"), 5)
        assert (answer.json()["status"], answer.json()["reason"]) == ("failed", "the model is gone")

    @pytest.mark.parametrize("wait", ["61", "-1", "soon"])
    async def test_a_wait_is_a_number_up_to_sixty(self, client: AsyncClient, claim: Claim, wait: str):
        answer = await client.get(f"/v1/debates/{claim.debate.id}?wait={wait}")
        assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (400, "wait")

    @pytest.mark.parametrize("debate_id", [UNKNOWN, "x", UNKNOWN.upper() + "A", "%00", "0" * 27 + "%0a", "*", "é"])
    @pytest.mark.parametrize("rest", ["", "/events", "/transcript", "/transcript.md", "/transcript.json"])
    async def test_what_is_not_there_is_not_found(self, client: AsyncClient, debate_id: str, rest: str):
        answer = await client.get(f"/v1/debates/{debate_id}{rest}")
        assert (answer.status_code, answer.json()["status"]) == (404, 404)


class TestManyDebates:
    @pytest.fixture
    async def five(self, store: Store) -> list[str]:
        """Their ids, newest first."""
        debates = [a_debate(f"Motion {n}", metadata={"n": n, "odd": n % 2 == 1, "run": "a"}) for n in range(5)]
        for debate in debates:
            await store.create(debate)
        return sorted((debate.id for debate in debates), reverse=True)

    async def test_they_come_in_pages_newest_first(self, client: AsyncClient, five: list[str]):
        found: list[str] = []
        cursor: dict[str, str] = {}
        while True:
            page = (await client.get("/v1/debates", params={"limit": "2", **cursor})).json()
            found += [debate["id"] for debate in page["data"]]
            if not page["next_cursor"]:
                break
            cursor = {"after": page["next_cursor"]}
        assert found == five

    async def test_they_are_found_by_status(self, client: AsyncClient, store: Store, five: list[str]):
        await store.cancel(five[0])
        page = (await client.get("/v1/debates?status=cancelled")).json()
        assert [debate["id"] for debate in page["data"]] == five[:1]

    async def test_they_are_found_by_metadata(self, client: AsyncClient, five: list[str]):
        page = (await client.get("/v1/debates?metadata=odd:true&metadata=run:a")).json()
        assert sorted(debate["metadata"]["n"] for debate in page["data"]) == [1, 3]

    @pytest.mark.parametrize(
        "query",
        ["after=x", "after=", "status=dead", "limit=0", "limit=101", "limit=many", "metadata=run", "metadata=:a"],
    )
    async def test_a_wrong_parameter_is_named(self, client: AsyncClient, query: str):
        answer = await client.get(f"/v1/debates?{query}")
        assert answer.status_code == 400
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["errors"][0]["parameter"] == query.partition("=")[0]


class TestSteering:
    async def test_what_waits_is_cancelled_at_once(self, client: AsyncClient, store: Store):
        debate = a_debate()
        await store.create(debate)
        answer = await client.post(f"/v1/debates/{debate.id}/cancel")
        assert (answer.status_code, answer.json()["status"]) == (202, "cancelled")
        again = await client.post(f"/v1/debates/{debate.id}/cancel")
        assert (again.status_code, again.json()) == (200, answer.json())

    async def test_what_runs_is_asked_to_end(self, client: AsyncClient, claim: Claim):
        answer = await client.post(f"/v1/debates/{claim.debate.id}/cancel")
        assert (answer.status_code, answer.json()["status"], answer.json()["wish"]) == (202, "running", "cancel")

    async def test_a_paused_debate_goes_on_when_it_is_resumed(
        self, client: AsyncClient, store: Store, claim: Claim, redis_url: str
    ):
        await store.pause(claim.debate.id)
        await store.put_to_rest(claim)
        path = f"/v1/debates/{claim.debate.id}"
        assert (await client.post(f"{path}/pause")).status_code == 200
        resumed = await client.post(f"{path}/resume")
        assert (resumed.status_code, resumed.json()["status"]) == (202, "queued")
        assert (await client.post(f"{path}/resume")).status_code == 200
        with queue.connect(redis_url) as rq:
            (job_id,) = queue.queue(rq).get_job_ids()
        assert job_id.startswith(f"{claim.debate.id}-2-")

    @pytest.mark.parametrize("verb", ["cancel", "pause", "resume"])
    async def test_what_has_ended_stays_as_it_is(self, client: AsyncClient, store: Store, claim: Claim, verb: str):
        await store.finish(claim, Status.COMPLETED)
        answer = await client.post(f"/v1/debates/{claim.debate.id}/{verb}")
        assert (answer.status_code, answer.json()["detail"]) == (409, "The debate is completed.")

    @pytest.mark.parametrize("verb", ["cancel", "pause", "resume"])
    async def test_what_is_not_there_cannot_be_steered(self, client: AsyncClient, verb: str):
        assert (await client.post(f"/v1/debates/{UNKNOWN}/{verb}")).status_code == 404


class TestForgetting:
    async def test_what_has_ended_can_be_forgotten(self, client: AsyncClient, store: Store, claim: Claim):
        await store.finish(claim, Status.COMPLETED)
        path = f"/v1/debates/{claim.debate.id}"
        answer = await client.delete(path)
        assert (answer.status_code, answer.content) == (204, b"")
        assert (await client.get(path)).status_code == 404
        assert (await client.delete(path)).status_code == 404

    async def test_what_runs_is_kept(self, client: AsyncClient, claim: Claim):
        answer = await client.delete(f"/v1/debates/{claim.debate.id}")
        assert (answer.status_code, answer.json()["status"]) == (409, 409)
