"""POST /v1/debates/{id}/fork: a debate begins with another one's first turns, and something changed."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

import pytest
from httpx2 import AsyncClient, Response

from builders import a_debate, a_request, a_turn, claimed
from rostra import queue
from rostra.events import AttemptFailed, TurnTaken, Usage, VoteCast
from rostra.models import Debate, Status
from rostra.store import Claim, Store
from rostra_api.intake import MAX_BODY

JSON = {"Content-Type": "application/json"}
KeyOf = Callable[..., Awaitable[dict[str, str]]]
SPENT = Usage(prompt_tokens=100, completion_tokens=10)


async def fork(client: AsyncClient, debate_id: str, body: dict[str, Any] | bytes, **headers: str) -> Response:
    content = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    return await client.post(f"/v1/debates/{debate_id}/fork", content=content, headers={**JSON, **headers})


async def held(store: Store, turns: int = 4, owner: str = "", **fields: Any) -> Claim:
    """A debate between Ada and Grace that runs and has so many turns, the second at its second attempt."""
    debate = a_debate(**{"rounds": 3, **fields})
    await store.create(debate, owner=owner)
    claim = await store.claim(debate.id, "worker:1")
    assert isinstance(claim, Claim)
    for seq in range(1, turns + 1):
        if seq == 2:
            failed = AttemptFailed(seq=2, attempt=1, debater="d2", reason="repetition", usage=SPENT)
            await store.append(claim, failed, usage=SPENT)
        turn = a_turn(seq, f"d{2 - seq % 2}", attempts=1 + (seq == 2), sampling={"top_k": seq}, usage=SPENT)
        await store.append(claim, turn, usage=SPENT)
    return claim


async def turns_of(store: Store, debate_id: str) -> list[TurnTaken]:
    return [r.event for r in await store.events(debate_id) if isinstance(r.event, TurnTaken)]


def told(answer: Response) -> list[tuple[str | None, str]]:
    assert answer.status_code == 422, answer.text
    return [(fault["pointer"], fault["detail"]) for fault in answer.json()["errors"]]


def pointers(answer: Response) -> list[str | None]:
    return [pointer for pointer, _ in told(answer)]


class TestAForkBegins:
    async def test_with_the_turns_as_they_were_taken(self, client: AsyncClient, store: Store):
        original = (await held(store)).debate
        answer = await fork(client, original.id, {"after_turn": 3})
        assert answer.status_code == 202, answer.text
        new = answer.json()
        assert answer.headers["Location"] == new["links"]["self"] == f"/v1/debates/{new['id']}"
        assert new["forked_from"] == {"id": original.id, "after_turn": 3}
        assert (new["status"], new["turns_done"], new["turns_planned"]) == ("queued", 3, 6)
        assert await turns_of(store, new["id"]) == (await turns_of(store, original.id))[:3]
        assert (await client.get(new["links"]["self"])).json() == new

    async def test_its_stream_tells_where_it_came_from_and_what_it_carries(self, client: AsyncClient, store: Store):
        original = (await held(store)).debate
        new = (await fork(client, original.id, {"after_turn": 2})).json()
        lines = (await client.get(f"{new['links']['transcript']}.ndjson")).text.splitlines()
        events = [json.loads(line) for line in lines]
        assert [(event["id"], event["type"]) for event in events] == [
            ("0-1", "debate_created"),
            ("1-0", "turn_taken"),
            ("1-1", "attempt_failed"),
            ("2-0", "turn_taken"),
        ]
        assert events[0]["forked_from"] == {"id": original.id, "after_turn": 2}

    async def test_a_worker_is_called(self, client: AsyncClient, store: Store, redis_url: str):
        new = (await fork(client, (await held(store)).debate.id, {})).json()
        with queue.connect(redis_url) as rq:
            (job_id,) = queue.queue(rq).get_job_ids()
        assert job_id.startswith(f"{new['id']}-1-")

    async def test_with_all_finished_turns_where_nothing_is_said(self, client: AsyncClient, store: Store):
        claim = await held(store, turns=6)
        running = (await fork(client, claim.debate.id, {})).json()
        await store.finish(claim, Status.COMPLETED)
        ended = (await fork(client, claim.debate.id, {"changes": {"rounds": 5}})).json()
        assert running["turns_done"] == ended["turns_done"] == ended["forked_from"]["after_turn"] == 6
        assert ended["turns_planned"] == 10

    async def test_from_the_beginning_with_the_same_seed(self, client: AsyncClient, store: Store):
        original = (await held(store)).debate
        new = (await fork(client, original.id, {"after_turn": 0})).json()
        assert (new["turns_done"], new["seed"], new["forked_from"]["after_turn"]) == (0, original.seed, 0)
        kept = {"id", "created_at", "forked_from"}
        again = (await store.get(new["id"])).debate
        assert again.model_dump(exclude=kept) == original.model_dump(exclude=kept)

    async def test_of_a_compressed_debate(self, client: AsyncClient, store: Store):
        claim = await held(store)
        await store.finish(claim, Status.FAILED)
        await store.compress(claim.debate.id)
        new = (await fork(client, claim.debate.id, {"after_turn": 2})).json()
        assert new["turns_done"] == 2

    async def test_of_a_fork(self, client: AsyncClient, store: Store):
        original = (await held(store)).debate
        first = (await fork(client, original.id, {"after_turn": 3})).json()
        second = (await fork(client, first["id"], {"after_turn": 2})).json()
        assert second["forked_from"] == {"id": first["id"], "after_turn": 2}
        assert await turns_of(store, second["id"]) == (await turns_of(store, original.id))[:2]

    async def test_it_has_spent_nothing_yet(self, client: AsyncClient, store: Store):
        original = (await held(store)).debate
        assert (await store.get(original.id)).usage.total == 5 * SPENT.total
        new = (await fork(client, original.id, {})).json()
        assert new["usage"] == {"prompt_tokens": 0, "completion_tokens": 0}
        transcript = (await client.get(new["links"]["transcript"])).json()
        assert transcript["usage"]["prompt_tokens"] == 0
        assert transcript["turns"][0]["usage"]["prompt_tokens"] == 100

    async def test_the_original_need_not_stay(self, client: AsyncClient, store: Store):
        claim = await held(store)
        await store.finish(claim, Status.COMPLETED)
        new = (await fork(client, claim.debate.id, {"after_turn": 3})).json()
        before = (await client.get(new["links"]["transcript"])).json()
        assert (await client.delete(f"/v1/debates/{claim.debate.id}")).status_code == 204
        assert (await client.get(new["links"]["transcript"])).json() == before
        heir = await store.claim(new["id"], "worker:2")
        assert isinstance(heir, Claim)
        await store.append(heir, a_turn(4, "d2"))

    async def test_every_form_tells_where_it_came_from(self, client: AsyncClient, store: Store):
        original = (await held(store)).debate
        new = (await fork(client, original.id, {"after_turn": 3})).json()
        transcript = (await client.get(new["links"]["transcript"])).json()
        assert transcript["settings"]["forked_from"] == {"id": original.id, "after_turn": 3}
        assert f"- Fork of: {original.id} after turn 3" in (await client.get(f"{new['links']['transcript']}.md")).text
        assert f"{original.id} after turn 3" in (await client.get(f"{new['links']['transcript']}.html")).text

    async def test_most_debates_are_none(self, client: AsyncClient, store: Store):
        original = (await client.post("/v1/debates", json=a_request())).json()
        assert original["forked_from"] is None
        assert original["links"]["fork"] == f"{original['links']['self']}/fork"
        assert "Fork" not in (await client.get(f"{original['links']['transcript']}.md")).text


class TestWhatIsChanged:
    async def changed(self, client: AsyncClient, store: Store, changes: dict[str, Any], **fields: Any) -> Debate:
        original = (await held(store, **fields)).debate
        answer = await fork(client, original.id, {"after_turn": 2, "changes": changes})
        assert answer.status_code == 202, answer.text
        return (await store.get(answer.json()["id"])).debate

    async def test_an_option_within_others(self, client: AsyncClient, store: Store):
        limits = {"tokens": 9000, "seconds": 60}
        debate = await self.changed(client, store, {"limits": {"seconds": 90}, "seed": 7}, limits=limits)
        assert (debate.limits.tokens, debate.limits.seconds, debate.seed) == (9000, 90, 7)

    async def test_metadata_are_kept_unless_they_are_changed(self, client: AsyncClient, store: Store):
        changes = {"metadata": {"run": 2, "cold": None}}
        debate = await self.changed(client, store, changes, metadata={"run": 1, "cold": True, "who": "ada"})
        assert debate.metadata == {"run": 2, "who": "ada"}

    async def test_null_takes_out_what_was_asked_for(self, client: AsyncClient, store: Store):
        debate = await self.changed(client, store, {"judge": None, "opening": None}, judge={}, opening="Begin.")
        assert (debate.judge, debate.opening) == (None, "")

    async def test_another_seed_is_drawn_for_null(self, client: AsyncClient, store: Store):
        seeds = {(await self.changed(client, store, {"seed": None})).seed for _ in range(3)}
        assert len(seeds) == 3

    async def test_other_debaters_in_the_same_places(self, client: AsyncClient, store: Store):
        debaters = [{"name": "Ada Byron", "persona": "A poet.", "model": "plain"}, {"name": "Grace"}]
        debate = await self.changed(client, store, {"debaters": debaters})
        assert [(d.id, d.name) for d in debate.debaters] == [("d1", "Ada Byron"), ("d2", "Grace")]
        transcript = (await client.get(f"/v1/debates/{debate.id}/transcript")).json()
        assert [turn["debater"] for turn in transcript["turns"]] == ["Ada Byron", "Grace"]

    async def test_the_language_stays_unless_something_is_said_of_it(self, client: AsyncClient, store: Store):
        assert (await self.changed(client, store, {"seed": 1})).language is None
        assert (await self.changed(client, store, {"language": "de"})).language == "de"
        motion = "Wir sollten die Todesstrafe abschaffen"
        assert (await self.changed(client, store, {"motion": motion})).language == "de"
        assert (await self.changed(client, store, {"motion": motion}, language="en")).language == "en"
        assert (await self.changed(client, store, {"motion": motion, "language": None}, language="en")).language == "de"

    async def test_votes_of_the_same_audience_are_kept(self, client: AsyncClient, store: Store):
        claim = await claimed(store, a_debate(rounds=2, audience={"size": 1}))
        await store.append(claim, VoteCast(voter="1", moment="before", ballot=("for",), usage=SPENT), usage=SPENT)
        await store.append(claim, a_turn(1))
        for changes, kept in (({"seed": 1}, True), ({"audience": {"size": 2}}, False)):
            new = (await fork(client, claim.debate.id, {"changes": changes})).json()
            types = [r.event.type for r in await store.events(new["id"])]
            assert ("vote_cast" in types) is kept
            assert new["usage"]["prompt_tokens"] == 0


class TestWhatCannotBe:
    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ({"after_turn": -1}, "/after_turn"),
            ({"after_turn": 5}, "/after_turn"),
            ({"after_turn": 10**30}, "/after_turn"),
            ({"after_turn": True}, "/after_turn"),
            ({"after_turn": "2"}, "/after_turn"),
            ({"after": 2}, "/after"),
            ({"changes": []}, "/changes"),
            ({"changes": None}, "/changes"),
            ({"changes": {"topic": "Tabs"}}, "/changes/topic"),
            ({"changes": {"topic": None}}, "/changes/topic"),
            ({"changes": {"a/b~": 1}}, "/changes/a~1b~0"),
            ({"changes": {"motion": None}}, "/changes/motion"),
            ({"changes": {"seed": -1}}, "/changes/seed"),
            ({"changes": {"seed": 10**4000}}, "/changes/seed"),
            ({"changes": {"turn": {"max_token": 9}}}, "/changes/turn/max_token"),
            ({"changes": {"debaters": [{"name": "Ada"}]}}, "/changes/debaters"),
            ({"changes": {"debaters": [{"name": "Ada"}, {"name": "ada"}]}}, "/changes/debaters"),
            ({"changes": {"debaters": [{"name": "A", "model": "none"}, {"name": "B"}]}}, "/changes/debaters/0/model"),
            (
                {"changes": {"debaters": [{"name": "A", "sampling": {"top_k": 2}, "model": "plain"}, {"name": "B"}]}},
                "/changes/debaters/0/sampling/top_k",
            ),
            ({"changes": {"judge": {"model": "none"}}}, "/changes/judge/model"),
            ({"changes": {"format": "none"}}, "/changes/format"),
            ({"changes": {"rounds": 500, "turn": {"max_tokens": 8000}}}, "/changes/rounds"),
            ({"changes": {"speakers": ["Ada"]}}, "/changes/speakers"),
            ({"changes": {"phases": {"none": {}}}}, "/changes/phases/none"),
            ({"after_turn": 3, "changes": {"rounds": 1}}, "/after_turn"),
            ({"after_turn": 3, "changes": {"format": "oxford", "rounds": None}}, "/after_turn"),
        ],
        ids=lambda value: str(value)[:60],
    )
    async def test_it_is_said_where(self, client: AsyncClient, store: Store, body: dict[str, Any], pointer: str):
        original = (await held(store)).debate
        assert pointers(await fork(client, original.id, body)) == [pointer]
        assert len((await store.page()).records) == 1

    async def test_rounds_that_were_asked_for_go_with_their_format(self, client: AsyncClient, store: Store):
        original = (await held(store, rounds=4)).debate
        kept = await fork(client, original.id, {"after_turn": 0, "changes": {"format": "oxford"}})
        assert pointers(kept) == ["/changes/rounds"]
        out = await fork(client, original.id, {"after_turn": 0, "changes": {"format": "oxford", "rounds": None}})
        assert (out.status_code, out.json()["format"]) == (202, "oxford")

    async def test_what_keeps_a_turn_from_standing_is_named(self, client: AsyncClient, store: Store):
        original = (await held(store)).debate
        three = [{"name": name} for name in ("Ada", "Grace", "Linus")]
        answer = await fork(client, original.id, {"after_turn": 3, "changes": {"debaters": three}})
        assert told(answer) == [
            ("/after_turn", "with these changes the slot of turn 3 is another one in its `round`: keep 2 turns at most")
        ]
        answer = await fork(client, original.id, {"after_turn": 4, "changes": {"rounds": 1}})
        assert told(answer) == [
            ("/after_turn", "with these changes the slot of turn 3 is not there: keep 2 turns at most")
        ]

    async def test_one_that_asks_for_too_many_tokens_names_the_bound(self, client: AsyncClient, store: Store):
        original = (await held(store)).debate
        answer = await fork(client, original.id, {"changes": {"rounds": 500, "turn": {"max_tokens": 8000}}})
        assert answer.json()["bound"] == "ROSTRA_DEBATE_TOKENS"

    @pytest.mark.parametrize(
        ("content", "status"),
        [
            (b"", 400),
            (b"{", 400),
            (b'{"after_turn": 1, "after_turn": 2}', 400),
            (b'{"changes": {"seed": 1, "seed": 2}}', 400),
            (b'{"changes": {"opening": "\\ud800"}}', 400),
            (b'{"changes": ' + b'{"a": ' * 9000 + b"1" + b"}" * 9001, 400),
            (b'{"changes": {"limits": {"tokens": 1e999}}}', 422),
            (b'{"changes": {"turn": {"max_tokens": NaN}}}', 422),
            (b"[]", 422),
            (b'"' + b"a" * MAX_BODY + b'"', 413),
        ],
        ids=lambda value: str(value)[:40],
    )
    async def test_bodies_that_are_none(self, client: AsyncClient, store: Store, content: bytes, status: int):
        original = (await held(store)).debate
        assert (await fork(client, original.id, content)).status_code == status

    async def test_small_changes_do_not_add_up_to_a_large_request(self, client: AsyncClient, store: Store):
        long = [{"name": f"D{n}", "persona": "あ" * 3900} for n in range(5)]
        original = (await held(store, turns=0)).debate
        first = await fork(client, original.id, {"changes": {"debaters": long}})
        assert first.status_code == 202
        phases = {"opening": "い" * 4000, "motion": "う" * 2000}
        second = await fork(client, first.json()["id"], {"changes": phases})
        assert (second.status_code, second.json()["type"]) == (413, "urn:rostra:problem:too-large")

    @pytest.mark.parametrize("debate_id", ["0" * 28, "none"])
    async def test_of_nothing(self, client: AsyncClient, debate_id: str):
        assert (await fork(client, debate_id, {})).status_code == 404


class TestWhoseItIs:
    async def test_it_is_the_callers(self, client: AsyncClient, store: Store, key_of: KeyOf):
        original = (await held(store, owner="ada")).debate
        admin = await fork(client, original.id, {}, **await key_of("root", "admin"))
        assert (admin.status_code, admin.json()["owner"]) == (202, "root")
        own = await fork(client, original.id, {}, **await key_of("ada"))
        assert own.json()["owner"] == "ada"

    async def test_anothers_is_not_there(self, client: AsyncClient, store: Store, key_of: KeyOf):
        original = (await held(store, owner="ada")).debate
        eve = await key_of("eve")
        for headers in (eve, {**eve, "Idempotency-Key": "1"}):
            assert (await fork(client, original.id, {}, **headers)).status_code == 404

    async def test_who_may_only_read_may_not_fork(self, client: AsyncClient, store: Store, key_of: KeyOf):
        original = (await held(store, owner="ada")).debate
        assert (await fork(client, original.id, {}, **await key_of("ada", "read"))).status_code == 403


class TestTheSameForkTwice:
    KEY: ClassVar = {"Idempotency-Key": "once"}

    async def test_it_begins_once(self, client: AsyncClient, store: Store):
        original = (await held(store)).debate
        first = await fork(client, original.id, {"after_turn": 2, "changes": {"seed": 1}}, **self.KEY)
        second = await fork(client, original.id, b'{"changes": {"seed":1}, "after_turn": 2}', **self.KEY)
        assert second.json()["id"] == first.json()["id"]
        assert "Idempotent-Replayed" not in first.headers
        assert second.headers["Idempotent-Replayed"] == "true"

    async def test_although_the_debate_went_on_meanwhile(self, client: AsyncClient, store: Store):
        claim = await held(store)
        first = await fork(client, claim.debate.id, {}, **self.KEY)
        await store.append(claim, a_turn(5))
        second = await fork(client, claim.debate.id, {}, **self.KEY)
        assert second.json() == first.json()

    async def test_although_the_debate_was_deleted_meanwhile(self, client: AsyncClient, store: Store):
        claim = await held(store)
        await store.finish(claim, Status.COMPLETED)
        first = await fork(client, claim.debate.id, {}, **self.KEY)
        await store.delete(claim.debate.id)
        assert (await fork(client, claim.debate.id, {}, **self.KEY)).json() == first.json()
        assert (await fork(client, claim.debate.id, {})).status_code == 404

    async def test_another_one_needs_another_key(self, client: AsyncClient, store: Store):
        one, other = (await held(store)).debate, (await held(store)).debate
        await fork(client, one.id, {}, **self.KEY)
        for debate_id, body in ((other.id, {}), (one.id, {"after_turn": 4})):
            answer = await fork(client, debate_id, body, **self.KEY)
            assert (answer.status_code, answer.json()["type"]) == (422, "urn:rostra:problem:key-reused")

    async def test_of_one_that_was_deleted_the_key_is_spent(self, client: AsyncClient, store: Store):
        original = (await held(store)).debate
        new = (await fork(client, original.id, {}, **self.KEY)).json()
        await store.cancel(new["id"])
        await store.delete(new["id"])
        answer = await fork(client, original.id, {}, **self.KEY)
        assert (answer.status_code, answer.json()["type"]) == (409, "urn:rostra:problem:key-spent")
