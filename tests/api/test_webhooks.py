"""Webhooks as the API shows them: what it takes, what it tells, and to whom."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from httpx2 import ASGITransport, AsyncClient
from pydantic import ValidationError

from builders import a_request
from rostra.store import Store, connect
from rostra.store.webhooks import Webhooks
from rostra_api.app import create_app
from rostra_api.settings import Settings
from rostra_api.webhooks.settings import DelivererSettings
from rostra_api.webhooks.signing import Secrets

URL = "https://hooks.example/rostra?token=hush"


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    file = tmp_path / "webhook-secret"
    file.write_text("s" * 40)
    return file


@pytest.fixture
async def client(redis_url: str, secret_file: Path) -> AsyncIterator[AsyncClient]:
    """Of an API that takes webhooks."""
    settings = Settings(redis_url=redis_url, webhooks=True, webhook_secret_file=secret_file, webhook_allow="hooks.lan")
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        transport = ASGITransport(app, raise_app_exceptions=False)
        async with AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            yield client


@pytest.fixture
async def webhooks(redis_url: str) -> AsyncIterator[Webhooks]:
    webhooks = Webhooks(connect(redis_url))
    yield webhooks
    await webhooks.close()


class TestBeginning:
    async def test_a_webhook_is_taken_and_its_address_told_to_nobody(self, client: AsyncClient):
        answer = await client.post("/v1/debates", json=a_request(webhook={"url": URL}))
        assert answer.status_code == 202
        debate = answer.json()
        assert debate["webhook"] == {
            "events": ["turn.awaited", "debate.ended"],
            "status": "pending",
            "taken": 0,
            "last_error": None,
        }
        transcript = f"{debate['links']['transcript']}"
        for path in (debate["links"]["self"], "/v1/debates", transcript, f"{transcript}.md", f"{transcript}.ndjson"):
            told = await client.get(path)
            assert told.status_code == 200
            assert "hooks.example" not in told.text
            assert "hush" not in told.text

    async def test_the_answer_is_what_a_look_at_it_shows(self, client: AsyncClient):
        begun = (await client.post("/v1/debates", json=a_request(webhook={"url": URL}))).json()
        assert (await client.get(begun["links"]["self"])).json() == begun
        assert (await client.get("/v1/debates")).json()["data"] == [begun]

    async def test_a_debate_without_one_has_none(self, client: AsyncClient, webhooks: Webhooks):
        assert (await client.post("/v1/debates", json=a_request())).json()["webhook"] is None
        assert await webhooks.waiting() == 0

    @pytest.mark.parametrize(
        ("webhook", "pointer", "told"),
        [
            ({}, "/webhook/url", "is required"),
            ({"url": "hooks"}, "/webhook/url", "pattern"),
            ({"url": "http://hooks.example/"}, "/webhook/url", "https"),
            ({"url": "https://user:hush@hooks.example/"}, "/webhook/url", "without user"),
            ({"url": "https://127.0.0.1/"}, "/webhook/url", "public"),
            ({"url": "https://localhost/"}, "/webhook/url", "in full"),
            ({"url": f"https://hooks.example/{'x' * 2000}"}, "/webhook/url", "2000"),
            ({"url": URL, "events": []}, "/webhook/events", "at least 1"),
            ({"url": URL, "events": ["debate.begun"]}, "/webhook/events/0", "debate.started"),
            ({"url": URL, "secret": "hush"}, "/webhook/secret", "not a field"),
        ],
    )
    async def test_what_is_wrong_with_one_is_told(
        self, client: AsyncClient, webhook: dict[str, object], pointer: str, told: str
    ):
        answer = await client.post("/v1/debates", json=a_request(webhook=webhook))
        assert answer.status_code == 422
        (fault,) = answer.json()["errors"]
        assert fault["pointer"] == pointer
        assert told in fault["detail"]
        assert "hush" not in answer.text

    async def test_a_fork_has_none_but_one_that_is_asked_for_and_fit(self, client: AsyncClient):
        original = (await client.post("/v1/debates", json=a_request(webhook={"url": URL}))).json()
        fork = f"{original['links']['self']}/fork"
        assert (await client.post(fork, json={})).json()["webhook"] is None
        asked = {"changes": {"webhook": {"url": "https://hooks.example/fork"}}}
        assert (await client.post(fork, json=asked)).json()["webhook"]["status"] == "pending"
        near = {"changes": {"webhook": {"url": "https://127.0.0.1/"}}}
        answer = await client.post(fork, json=near)
        assert (answer.status_code, "public" in answer.text) == (422, True)

    async def test_an_allowed_host_may_be_near(self, client: AsyncClient):
        answer = await client.post("/v1/debates", json=a_request(webhook={"url": "http://hooks.lan:9000/"}))
        assert answer.status_code == 202

    async def test_how_far_it_is_can_be_read(self, client: AsyncClient, webhooks: Webhooks):
        debate = (await client.post("/v1/debates", json=a_request(webhook={"url": URL}))).json()
        await webhooks.note_failure(debate["id"], "0-1", 1, "it answered 500", 5)
        answer = await client.get(debate["links"]["self"])
        assert (answer.json()["webhook"]["status"], answer.json()["webhook"]["last_error"]) == (
            "pending",
            "it answered 500",
        )
        await webhooks.note_failure(debate["id"], "0-1", 2, "it answered 410", None)
        again = await client.get(debate["links"]["self"], headers={"If-None-Match": answer.headers["ETag"]})
        assert (again.status_code, again.json()["webhook"]["status"]) == (200, "failed")


class TestSecrets:
    async def test_an_owner_reads_the_secret_of_their_own(self, client: AsyncClient, key_of, secret_file: Path):
        for owner in ("ada", "grace"):
            answer = await client.get("/v1/webhooks/secret", headers=await key_of(owner, "write"))
            assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
            assert answer.json() == {"secret": Secrets.read(secret_file).of(owner)}

    async def test_a_key_that_only_reads_does_not(self, client: AsyncClient, key_of):
        for method in ("GET", "HEAD"):
            answer = await client.request(method, "/v1/webhooks/secret", headers=await key_of("ada", "read"))
            assert answer.status_code == 403

    async def test_without_keys_whoever_is_here_reads_the_one_of_debates_without_an_owner(
        self, client: AsyncClient, secret_file: Path
    ):
        answer = await client.get("/v1/webhooks/secret")
        assert answer.json() == {"secret": Secrets.read(secret_file).of("")}


class TestSwitchedOff:
    @pytest.fixture
    async def client(self, redis_url: str) -> AsyncIterator[AsyncClient]:
        app = create_app(Settings(redis_url=redis_url))
        async with app.router.lifespan_context(app):
            transport = ASGITransport(app, raise_app_exceptions=False)
            async with AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
                yield client

    async def test_a_request_with_one_is_refused_and_told_the_setting(self, client: AsyncClient, store: Store):
        answer = await client.post("/v1/debates", json=a_request(webhook={"url": URL}))
        assert answer.status_code == 422
        (fault,) = answer.json()["errors"]
        assert (fault["pointer"], "ROSTRA_WEBHOOKS" in fault["detail"]) == ("/webhook", True)
        assert (await store.page()).records == []

    async def test_there_is_no_secret(self, client: AsyncClient):
        answer = await client.get("/v1/webhooks/secret")
        assert answer.status_code == 404
        assert "ROSTRA_WEBHOOKS" in answer.json()["detail"]


class TestMetrics:
    async def test_what_waits_and_what_was_taken_is_counted(
        self, client: AsyncClient, store: Store, webhooks: Webhooks
    ):
        debate = (await client.post("/v1/debates", json=a_request(webhook={"url": URL}))).json()
        await store.cancel((await client.post("/v1/debates", json=a_request(webhook={"url": URL}))).json()["id"])
        await client.post("/v1/debates", json=a_request())
        await webhooks.move(debate["id"], "0-1", "0-2", taken=True, seconds=0)
        await webhooks.note_failure(debate["id"], "0-2", 1, "it answered 500", 5)
        await webhooks.note_failure(debate["id"], "0-2", 2, "it answered 410", None)
        told = (await client.get("/metrics")).text.splitlines()
        assert "rostra_webhooks_waiting 1.0" in told
        for outcome, count in {"taken": 1, "failed": 2, "given_up": 1}.items():
            assert f'rostra_webhook_messages{{outcome="{outcome}"}} {count}.0' in told


class TestSettings:
    def test_webhooks_are_off_unless_somebody_switches_them_on(self):
        assert Settings().webhooks is False

    def test_switched_on_they_need_a_secret(self):
        with pytest.raises(ValidationError, match="ROSTRA_WEBHOOK_SECRET_FILE"):
            Settings(webhooks=True)
        with pytest.raises(ValidationError, match="ROSTRA_WEBHOOK_SECRET_FILE"):
            DelivererSettings()

    def test_a_secret_that_is_none_is_refused(self, secret_file: Path):
        secret_file.write_text("short")
        with pytest.raises(ValidationError, match="at least 32"):
            Settings(webhooks=True, webhook_secret_file=secret_file)

    def test_what_cannot_be_allowed_is_refused(self):
        with pytest.raises(ValidationError, match="neither a host nor a network"):
            Settings(webhook_allow="http://hooks.lan")
