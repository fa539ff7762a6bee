"""What a model's servers can do, asked for over HTTP: made in the background, kept, and telling no secrets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from httpx2 import ASGITransport, AsyncClient, Response

from rostra.doctor import Report
from rostra.doctor.report import Speed
from rostra.endpoints import Dialect, Endpoint
from rostra.processes import free_port
from rostra_api import reports
from rostra_api.app import create_app
from rostra_api.reports import Reports
from rostra_api.settings import Settings
from scripted import serving
from toy import Toy

KEY = "hush-hush"


@pytest.fixture
def toy() -> Iterator[Toy]:
    with serving(Toy(key=KEY)) as toy:
        yield toy


@asynccontextmanager
async def asking(redis_url: str, **models: Endpoint | list[Endpoint]) -> AsyncIterator[AsyncClient]:
    app = create_app(Settings(redis_url=redis_url, models=models))
    async with app.router.lifespan_context(app):
        transport = ASGITransport(app, raise_app_exceptions=False)
        async with AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            yield client


async def report_of(client: AsyncClient, name: str, query: str = "") -> Response:
    """The report, when it is there."""
    async with asyncio.timeout(30):
        while (answer := await client.get(f"/v1/models/{name}/report{query}")).status_code == 202:
            await asyncio.sleep(0.05)
    return answer


async def test_who_asks_first_is_told_to_come_again_and_then_gets_it(redis_url: str, toy: Toy):
    async with asking(redis_url, good=Endpoint(url=toy.url, api_key=KEY, model="toy")) as client:
        first = await client.get("/v1/models/good/report")
        assert (first.status_code, first.json()) == (202, {"name": "good", "status": "asking"})
        assert int(first.headers["Retry-After"]) > 0
        report = (await report_of(client, "good")).json()
    assert report["name"] == "good"
    assert [(each["number"], each["fitness"], each["dialect"]) for each in report["data"]] == [(1, "fit", "rostra")]
    assert {"name": "top_k", "outcome": "works", "sent_as": "top_k", "says": ""} in report["data"][0]["options"]


async def test_it_is_kept(redis_url: str, toy: Toy):
    async with asking(redis_url, good=Endpoint(url=toy.url, api_key=KEY, model="toy")) as client:
        report = await report_of(client, "good")
        asked = len(toy.requests)
        again = await client.get("/v1/models/good/report?fresh=true")
        assert (again.status_code, again.json()) == (200, report.json())
        assert len(toy.requests) == asked


async def test_after_a_minute_it_can_be_had_anew(redis_url: str, toy: Toy, monkeypatch: pytest.MonkeyPatch):
    async with asking(redis_url, good=Endpoint(url=toy.url, api_key=KEY, model="toy")) as client:
        before = (await report_of(client, "good")).json()
        monkeypatch.setattr(reports, "FRESH", timedelta(0))
        assert (await client.get("/v1/models/good/report")).json() == before
        assert (await client.get("/v1/models/good/report?fresh=true")).status_code == 202
        assert (await report_of(client, "good")).json()["checked_at"] > before["checked_at"]


async def test_one_of_a_server_that_was_away_is_made_anew(redis_url: str, monkeypatch: pytest.MonkeyPatch):
    port = free_port()
    async with asking(redis_url, late=Endpoint(url=f"http://127.0.0.1:{port}", api_key=KEY, model="toy")) as client:
        assert (await report_of(client, "late")).json()["data"][0]["fitness"] == "unfit"
        monkeypatch.setattr(reports, "AWAY", timedelta(0))
        with serving(Toy(key=KEY), port):
            first = await client.get("/v1/models/late/report")
            assert first.status_code == 202
            assert (await report_of(client, "late")).json()["data"][0]["fitness"] == "fit"
            assert (await client.get("/v1/models/late/report")).status_code == 200


async def test_each_of_several_servers_has_its_own(redis_url: str, toy: Toy):
    with serving(Toy(mute=True)) as mute:
        servers = [Endpoint(url=toy.url, api_key=KEY, model="toy"), Endpoint(url=mute.url, model="toy", dialect="vllm")]
        async with asking(redis_url, mixed=servers) as client:
            report = (await report_of(client, "mixed")).json()
    assert [(each["number"], each["fitness"]) for each in report["data"]] == [(1, "fit"), (2, "unfit")]


async def test_neither_addresses_nor_keys_are_told(redis_url: str, toy: Toy):
    wrong = Endpoint(url=toy.url, api_key="another secret", model="toy")
    away = Endpoint(url="http://secret.invalid:8000", model="toy")
    async with asking(redis_url, model=[Endpoint(url=toy.url, api_key=KEY, model="toy"), wrong, away]) as client:
        told = (await report_of(client, "model")).text
    for secret in (KEY, "another secret", "secret.invalid", toy.url, "127.0.0.1"):
        assert secret not in told


async def test_a_name_with_a_slash_is_found_and_an_unknown_one_is_not(redis_url: str, toy: Toy):
    endpoint = Endpoint(url=toy.url, api_key=KEY, model="toy")
    async with asking(redis_url, **{"Qwen/Qwen3-8B": endpoint}) as client:
        assert (await client.get("/v1/models/Qwen/Qwen3-8B/report")).status_code == 202
        assert (await client.get("/v1/models/Qwen%2FQwen3-8B/report")).status_code == 202
        missing = await client.get("/v1/models/qwen/report")
        assert (missing.status_code, missing.json()["type"]) == (404, "urn:rostra:problem:not-found")
        assert (await client.get("/v1/models/Qwen/Qwen3-8B/report?fresh=perhaps")).status_code == 400


async def test_one_that_is_being_made_does_not_keep_the_api_from_stopping(redis_url: str):
    with serving(Toy(page="silence")) as silent:
        async with asyncio.timeout(5):
            async with asking(redis_url, silent=Endpoint(url=silent.url)) as client:
                assert (await client.get("/v1/models/silent/report")).status_code == 202


class Examiner:
    """Takes the place of the doctor: notes how many examinations run at once."""

    def __init__(self) -> None:
        self.running = self.most = self.made = 0
        self.fails = False

    async def __call__(self, endpoint: Endpoint, dialect: Dialect) -> Report:
        self.running += 1
        self.most = max(self.most, self.running)
        await asyncio.sleep(0.01)
        self.running -= 1
        self.made += 1
        if self.fails:
            raise RuntimeError("a fault of ours")
        return Report(
            fitness="fit",
            server=None,
            dialect=dialect,
            context=None,
            speed=Speed(),
            findings=[],
            options=[],
            configuration={},
        )


MODELS = {name: (Endpoint(url=f"http://{name}"),) for name in ("one", "two", "three")}


async def all_made(kept: Reports, names: list[str]) -> None:
    async with asyncio.timeout(5):
        while not all(kept.of(name, fresh=False) for name in names):
            await asyncio.sleep(0.005)


async def test_there_is_never_more_than_one_examination():
    examiner = Examiner()
    kept = Reports(MODELS, examiner)
    assert [kept.of(name, fresh=True) for name in [*MODELS, *MODELS]] == [None] * 6
    await all_made(kept, list(MODELS))
    assert (examiner.made, examiner.most) == (3, 1)


async def test_one_that_failed_by_our_fault_is_made_anew_when_it_is_asked_for_again():
    examiner = Examiner()
    examiner.fails = True
    kept = Reports(MODELS, examiner)
    assert kept.of("one", fresh=False) is None
    while not examiner.made:
        await asyncio.sleep(0.005)
    examiner.fails = False
    await all_made(kept, ["one"])
    assert examiner.made == 2
