"""Who is let in: with a key what it is good for, without keys this machine alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from httpx2 import ASGITransport, AsyncClient

from builders import a_debate, a_request
from rostra.keys import Scope, make
from rostra.store import Store
from rostra.store.keys import Keys
from rostra_api.app import Api, create_app
from rostra_api.keyring import Keyring
from rostra_api.problems import Refusal
from rostra_api.settings import Settings

KeyOf = Callable[..., Awaitable[dict[str, str]]]
NOWHERE = f"/v1/debates/{'0' * 28}"
EVERYTHING = [
    ("GET", "/v1/debates"),
    ("POST", "/v1/debates"),
    ("GET", NOWHERE),
    ("GET", f"{NOWHERE}/events"),
    ("GET", f"{NOWHERE}/transcript.md"),
    ("POST", f"{NOWHERE}/cancel"),
    ("DELETE", NOWHERE),
    ("GET", "/v1/models"),
    ("GET", "/v1/formats"),
    ("GET", "/metrics"),
    ("GET", "/openapi.json"),
    ("GET", "/admin.php"),
    ("PUT", "/v1/debates"),
]


def name(answer: Any) -> str:
    return answer.json()["type"].removeprefix("urn:rostra:problem:")


async def until_keys_are_asked_for(client: AsyncClient) -> None:
    async with asyncio.timeout(10):
        while (await client.get("/v1/formats")).status_code != 401:
            await asyncio.sleep(0.05)


@pytest.fixture
async def elsewhere(settings: Settings) -> AsyncIterator[AsyncClient]:
    """A client of an API that listens beyond loopback."""
    app = create_app(settings.model_copy(update={"host": "0.0.0.0"}))
    async with app.router.lifespan_context(app):
        transport = ASGITransport(app, raise_app_exceptions=False)
        async with AsyncClient(transport=transport, base_url="http://192.0.2.1:8080") as client:
            yield client


class TestWithKeys:
    @pytest.mark.parametrize(("method", "path"), EVERYTHING)
    async def test_nothing_is_told_without_one(self, client: AsyncClient, key_of: KeyOf, method: str, path: str):
        await key_of("ada")
        await until_keys_are_asked_for(client)
        answer = await client.request(method, path)
        assert (answer.status_code, name(answer)) == (401, "no-key")
        assert answer.headers["WWW-Authenticate"] == "Bearer"

    async def test_whether_it_lives_is_told_to_all(self, client: AsyncClient, key_of: KeyOf):
        await key_of("ada")
        await until_keys_are_asked_for(client)
        assert (await client.get("/healthz")).status_code == 200
        assert name(await client.get("/readyz")) == "not-ready"

    async def test_a_key_opens(self, client: AsyncClient, key_of: KeyOf):
        key = await key_of("ada", "write")
        posted = await client.post("/v1/debates", json=a_request(), headers=key)
        assert posted.status_code == 202
        assert (await client.get(posted.headers["Location"], headers=key)).status_code == 200

    async def test_one_to_read_with_begins_nothing(self, client: AsyncClient, key_of: KeyOf):
        key = await key_of("ada", "read")
        assert (await client.get("/v1/debates", headers=key)).status_code == 200
        for method, path in (("POST", "/v1/debates"), ("DELETE", NOWHERE), ("POST", f"{NOWHERE}/cancel")):
            answer = await client.request(method, path, headers=key)
            assert (answer.status_code, name(answer)) == (403, "missing-scope")
            assert "`write`" in answer.json()["detail"]
            assert 'scope="write"' in answer.headers["WWW-Authenticate"]

    @pytest.mark.parametrize(
        "sent",
        [
            "Bearer",
            "Bearer ",
            "Bearer x",
            "Basic YTpi",
            f"Bearer rostra_{'0' * 12}_{'x' * 43}",
            "Bearer rostra_*_" + "x" * 43,
            "Token rostra_{id}_{secret}",
            "Bearer rostra_{id}_" + "x" * 43,
            "Bearer rostra_{id}_{secret}x",
            "Bearer rostra_{id}_{secret},rostra_{id}_{secret}",
        ],
    )
    async def test_what_is_no_key_opens_nothing(self, client: AsyncClient, keys: Keys, sent: str):
        key, token = make("ada", [Scope.ADMIN])
        await keys.add(key)
        header = sent.replace("{id}", key.id).replace("{secret}", token[-43:])
        answer = await client.get("/v1/debates", headers={"Authorization": header})
        assert answer.status_code == 401
        assert token[-43:] not in answer.text

    async def test_one_that_does_not_work_does_not_count_as_none(self, client: AsyncClient):
        answer = await client.get("/v1/debates", headers={"Authorization": f"Bearer rostra_{'0' * 12}_{'x' * 43}"})
        assert (answer.status_code, name(answer)) == (401, "bad-key")

    async def test_two_are_not_chosen_from(self, client: AsyncClient, key_of: KeyOf):
        (header,) = (await key_of("ada")).items()
        assert (await client.get("/v1/debates", headers=[header, header])).status_code == 401

    async def test_they_are_asked_for_as_soon_as_one_is_made_and_after_the_last_is_revoked(
        self, client: AsyncClient, keys: Keys
    ):
        assert (await client.get("/v1/debates")).status_code == 200
        key, _ = make("ada", [Scope.READ])
        await keys.add(key)
        await until_keys_are_asked_for(client)
        await keys.revoke(key.id)
        await asyncio.sleep(1.5)
        assert name(await client.get("/v1/debates")) == "no-key"

    async def test_the_last_use_is_noted_to_the_minute(self, client: AsyncClient, keys: Keys):
        key, token = make("ada", [Scope.READ])
        await keys.add(key)
        for _ in range(2):
            await client.get("/v1/debates", headers={"Authorization": f"Bearer {token}"})
            used = await keys.get(key.id)
            assert used
            assert used.used_at


class TestRevokedWhileOneFollows:
    async def test_who_watches_or_waits_is_shown_out_within_ten_seconds(
        self, reader: AsyncClient, keys: Keys, store: Store
    ):
        debate = a_debate()
        await store.create(debate, owner="ada")
        (mine, token), (other, others_token) = make("ada", [Scope.READ]), make("ada", [Scope.READ])
        await keys.add(mine)
        await keys.add(other)
        path = f"/v1/debates/{debate.id}"
        headers, others = ({"Authorization": f"Bearer {one}"} for one in (token, others_token))
        watching = asyncio.create_task(reader.get(f"{path}/events", headers=headers))
        waiting = asyncio.create_task(reader.get(f"{path}?wait=60", headers=headers))
        going_on = asyncio.create_task(reader.get(f"{path}/events", headers=others))
        await asyncio.sleep(1)
        await keys.revoke(mine.id)
        stream, waited = await asyncio.wait_for(asyncio.gather(watching, waiting), 10)
        assert "event: debate_created" in stream.text
        assert "event: end" not in stream.text  # it comes back, and is told why not
        assert waited.json()["status"] == "queued"
        assert name(await reader.get(f"{path}/events", headers=headers)) == "bad-key"
        assert not going_on.done()
        going_on.cancel()


class TestKeyring:
    async def refused(self, ring: Keyring, token: str) -> str:
        with pytest.raises(Refusal) as refusal:
            await ring.key(token)
        return refusal.value.detail

    async def test_a_revoked_key_stops_working_within_ten_seconds(self, keys: Keys):
        now = 0.0
        ring = Keyring(keys, clock=lambda: now)
        key, token = make("ada", [Scope.READ])
        await keys.add(key)
        assert (await ring.key(token)).id == key.id
        await keys.revoke(key.id)
        now = 10.0
        assert "was revoked" in await self.refused(ring, token)

    async def test_redis_is_not_asked_at_every_request(self, keys: Keys):
        ring = Keyring(keys, clock=lambda: 0.0)
        key, token = make("ada", [Scope.READ])
        await keys.add(key)
        await ring.key(token)
        await keys.revoke(key.id)  # so it would be known, had it been asked
        assert (await ring.key(token)).id == key.id

    async def test_a_wrong_secret_is_refused_also_where_the_key_is_known(self, keys: Keys):
        ring = Keyring(keys)
        key, token = make("ada", [Scope.READ])
        await keys.add(key)
        await ring.key(token)
        assert "is not known" in await self.refused(ring, token[:-43] + "x" * 43)

    async def test_why_is_told_to_the_holder_only(self, keys: Keys):
        ring = Keyring(keys)
        key, token = make("ada", [Scope.READ], datetime.now(UTC) - timedelta(seconds=1))
        await keys.add(key)
        assert "has expired" in await self.refused(ring, token)
        assert "is not known" in await self.refused(ring, token[:-43] + "x" * 43)

    async def test_what_is_not_known_is_not_kept(self, keys: Keys):
        ring = Keyring(keys)
        for n in range(100):
            await self.refused(ring, f"rostra_{n:012x}_{'x' * 43}")
        assert not ring._known


class TestWithoutKeys:
    async def test_this_machine_may_do_everything(self, client: AsyncClient):
        assert (await client.post("/v1/debates", json=a_request())).status_code == 202

    @pytest.mark.parametrize(("method", "path"), EVERYTHING)
    async def test_others_are_told_how_to_make_one(self, elsewhere: AsyncClient, method: str, path: str):
        for host in ("192.0.2.1:8080", "localhost"):
            answer = await elsewhere.request(method, path, headers={"Host": host})
            assert (answer.status_code, name(answer)) == (401, "no-keys")
            assert "rostra keys create --owner NAME" in answer.json()["detail"]

    async def test_others_are_served_as_soon_as_there_is_one(self, elsewhere: AsyncClient, key_of: KeyOf):
        assert (await elsewhere.get("/healthz")).status_code == 200
        key = await key_of("ada")
        assert (await elsewhere.post("/v1/debates", json=a_request(), headers=key)).status_code == 202

    @pytest.mark.parametrize(
        "host", ["127.0.0.1", "127.0.0.1:8080", "127.1.2.3", "localhost:8080", "LOCALHOST", "[::1]:8080"]
    )
    async def test_a_loopback_name_is_answered_to(self, client: AsyncClient, host: str):
        assert (await client.get("/v1/debates", headers={"Host": host})).status_code == 200

    @pytest.mark.parametrize(
        "host",
        [
            "rebound.example",
            "rebound.example:8080",
            "127.0.0.1.rebound.example",
            "192.0.2.1",
            "[::2]",
            "[::1",
            "",
            "localhost@rebound.example",
            "localhost.",
            "localhost, localhost",
        ],
    )
    async def test_a_name_that_was_made_to_lead_here_is_not(self, client: AsyncClient, host: str):
        answer = await client.get("/v1/debates", headers={"Host": host})
        assert (answer.status_code, name(answer)) == (403, "foreign-name")

    @pytest.mark.parametrize("origin", ["https://rebound.example", "http://127.0.0.1.rebound.example", "null"])
    async def test_pages_of_other_sites_are_not_served(self, client: AsyncClient, origin: str):
        answer = await client.post(f"{NOWHERE}/cancel", headers={"Origin": origin})
        assert (answer.status_code, name(answer)) == (403, "foreign-name")

    @pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "Via"])
    async def test_a_proxy_on_this_machine_lets_nobody_in(self, client: AsyncClient, header: str):
        answer = await client.get("/v1/debates", headers={header: "192.0.2.1"})
        assert (answer.status_code, name(answer)) == (403, "foreign-name")

    async def test_pages_of_this_machine_are(self, client: AsyncClient):
        answer = await client.get("/v1/debates", headers={"Origin": "http://localhost:3000"})
        assert answer.status_code == 200

    async def test_a_storage_that_was_never_seen_opens_nothing(self, app: Api):
        unreachable = create_app(Settings(redis_url="redis://127.0.0.1:1/0"))
        async with unreachable.router.lifespan_context(unreachable):
            transport = ASGITransport(unreachable, raise_app_exceptions=False)
            async with AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
                answer = await client.get("/v1/formats")
        assert (answer.status_code, name(answer)) == (503, "storage-down")


@pytest.mark.parametrize(
    ("host", "publish", "others"),
    [
        ("127.0.0.1", None, False),
        ("127.8.8.8", None, False),
        ("::1", None, False),
        ("localhost", None, False),
        ("0.0.0.0", None, True),
        ("::", None, True),
        ("box.example", None, True),
        ("0.0.0.0", "127.0.0.1", False),
        ("0.0.0.0", "[::1]", False),
        ("0.0.0.0", "0.0.0.0", True),
        ("0.0.0.0", "192.0.2.1", True),
    ],
)
def test_who_can_reach_it_is_known(host: str, publish: str | None, others: bool):
    assert Settings(host=host, publish=publish).reached_by_others is others
