"""A debate belongs to the owner of the key that it was begun with: to others it does not exist."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from httpx2 import AsyncClient, Response

from builders import a_request
from rostra_api.openapi import document

KeyOf = Callable[..., Awaitable[dict[str, str]]]
ON_A_DEBATE = [
    (method.upper(), path)
    for path, methods in json.loads(document())["paths"].items()
    for method in methods
    if "/v1/debates/{id}" in path
]


async def begun(client: AsyncClient, key: dict[str, str], motion: str = "Tabs beat spaces", **headers: str) -> Response:
    answer = await client.post("/v1/debates", json=a_request(motion), headers=key | headers)
    assert answer.status_code == 202, answer.text
    return answer


async def motions(client: AsyncClient, key: dict[str, str], query: str = "") -> list[str]:
    answer = await client.get(f"/v1/debates{query}", headers=key)
    return [debate["motion"] for debate in answer.json()["data"]]


class TestAnothersDebate:
    def test_every_route_on_a_debate_is_tried(self):
        assert len(ON_A_DEBATE) >= 9

    @pytest.mark.parametrize(("method", "path"), ON_A_DEBATE)
    async def test_it_is_not_there(self, client: AsyncClient, key_of: KeyOf, method: str, path: str):
        ada, eve = await key_of("ada"), await key_of("eve")
        debate = (await begun(client, ada)).json()
        place = path.replace("{id}", debate["id"])
        # Before and after the API has learnt whose it is.
        for _ in range(2):
            theirs = await client.request(method, place, headers=eve)
            none = await client.request(method, path.replace("{id}", "0" * 28), headers=eve)
            assert theirs.status_code == none.status_code == 404
            assert theirs.json() == none.json()
        assert (await client.get(debate["links"]["self"], headers=ada)).json()["status"] == "queued"

    async def test_it_is_in_no_list(self, client: AsyncClient, key_of: KeyOf):
        ada, eve = await key_of("ada"), await key_of("eve")
        await begun(client, ada, "Ada's")
        await begun(client, eve, "Eve's")
        for query in ("", "?status=queued"):
            assert await motions(client, ada, query) == ["Ada's"]
            assert await motions(client, eve, query) == ["Eve's"]
        assert await motions(client, ada, "?status=running") == []

    async def test_pages_go_on_within_ones_own(self, client: AsyncClient, key_of: KeyOf):
        ada, eve = await key_of("ada"), await key_of("eve")
        for n in range(3):
            await begun(client, ada, f"Ada {n}")
            await begun(client, eve, f"Eve {n}")
        page = (await client.get("/v1/debates?limit=2", headers=ada)).json()
        assert [debate["motion"] for debate in page["data"]] == ["Ada 2", "Ada 1"]
        assert await motions(client, ada, f"?limit=2&after={page['next_cursor']}") == ["Ada 0"]

    async def test_its_idempotency_key_is_another_one(self, client: AsyncClient, key_of: KeyOf):
        ada, eve = await key_of("ada"), await key_of("eve")
        first = await begun(client, ada, "Tabs", **{"Idempotency-Key": "1"})
        second = await begun(client, eve, "Spaces", **{"Idempotency-Key": "1"})
        assert second.json()["motion"] == "Spaces"
        again = await begun(client, ada, "Tabs", **{"Idempotency-Key": "1"})
        assert again.json()["id"] == first.json()["id"]
        assert "Idempotent-Replayed" not in second.headers

    async def test_no_idempotency_key_can_be_made_to_look_like_it(self, client: AsyncClient, key_of: KeyOf):
        plain = await client.post("/v1/debates", json=a_request(), headers={"Idempotency-Key": "ada:1"})
        other = await begun(client, await key_of("ada"), "Spaces", **{"Idempotency-Key": "1"})
        assert other.json()["id"] != plain.json()["id"]


class TestWhoseItIs:
    async def test_all_keys_of_one_owner_reach_it(self, client: AsyncClient, key_of: KeyOf):
        debate = (await begun(client, await key_of("ada"))).json()
        assert debate["owner"] == "ada"
        other = await key_of("ada", "read")
        assert (await client.get(debate["links"]["self"], headers=other)).json() == debate

    async def test_an_admin_sees_and_steers_everybodys(self, client: AsyncClient, key_of: KeyOf):
        local = (await client.post("/v1/debates", json=a_request("Local"))).json()
        ada, admin = await key_of("ada"), await key_of("root", "admin")
        theirs = (await begun(client, ada, "Ada's")).json()
        assert await motions(client, admin) == ["Ada's", "Local"]
        assert (await client.get(local["links"]["self"], headers=admin)).json()["owner"] == "local"
        assert (await client.post(theirs["links"]["cancel"], headers=admin)).json()["owner"] == "ada"
        assert (await client.delete(theirs["links"]["self"], headers=admin)).status_code == 204

    async def test_what_was_begun_before_there_were_keys_is_nobodys_else(self, client: AsyncClient, key_of: KeyOf):
        local = (await client.post("/v1/debates", json=a_request())).json()
        answer = await client.get(local["links"]["self"], headers=await key_of("ada"))
        assert answer.status_code == 404

    async def test_many_at_once_do_not_mix(self, client: AsyncClient, key_of: KeyOf):
        keys = {owner: await key_of(owner) for owner in ("ada", "bob", "eve")}
        posts = [begun(client, key, owner) for owner, key in keys.items() for _ in range(10)]
        debates: list[dict[str, Any]] = [answer.json() for answer in await asyncio.gather(*posts)]
        assert all(debate["owner"] == debate["motion"] for debate in debates)
        for owner, key in keys.items():
            assert await motions(client, key) == [owner] * 10
