"""Whatever people send is refused without being repeated, or only shown."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import quote

import pytest
from httpx2 import AsyncClient

from attacked import ATTACKS, api
from pages import ELEMENTS, Page

JSON = {"Content-Type": "application/json"}
# Where a person's text stands in a debate.
PLACES: dict[str, Any] = {
    "prose": lambda text: {"motion": text[:2000], "opening": text[:4000], "metadata": {"note": text[:500]}},
    "a persona": lambda text: {"motion": "Tabs", "debaters": [{"name": "Ada", "persona": text}, {"name": "Grace"}]},
    "lines": lambda text: {"motion": "Tabs", "debaters": [{"name": text[:64], "stance": text}, {"name": "Grace"}]},
    "a field": lambda text: {"motion": "Tabs", text: 1},
}
# Short enough to stand in an answer of ours by chance.
WORDS = {"null", "true", "NaN", "\x00"}


@pytest.mark.parametrize("place", PLACES)
def test_what_people_send_is_refused_or_shown(redis_url: str, place: str):
    asyncio.run(_sent_at(redis_url, place))


async def _sent_at(redis_url: str, place: str) -> None:
    async with api(redis_url) as client:
        for attack in ATTACKS:
            answer = await client.post("/v1/debates", content=json.dumps(PLACES[place](attack)), headers=JSON)
            assert answer.status_code in {202, 400, 422}, (attack, answer.text)
            if answer.status_code == 202:
                await _only_shown(client, answer.headers["Location"])
            elif place != "a field":
                assert attack in WORDS or attack not in answer.text


async def _only_shown(client: AsyncClient, debate: str) -> None:
    page = Page((await client.get(f"{debate}/transcript.html")).text)
    assert [tag for tag, names in page.elements if not names <= ELEMENTS.get(tag, {None})] == []
    assert page.asides == ["doctype html"]
    assert (await client.get(f"{debate}/transcript.md")).status_code == 200


def test_paths_and_parameters_are_not_repeated(redis_url: str):
    asyncio.run(_asked(redis_url))


async def _asked(redis_url: str) -> None:
    async with api(redis_url) as client:
        for attack in ATTACKS:
            text = quote(attack[:1000], safe="", errors="replace")
            for path in (f"debates/{text}", f"formats/{text}", f"models/{text}/report", f"debates?metadata=x:{text}"):
                answer = await client.get(f"/v1/{path}")
                assert answer.status_code in {200, 400, 404}, (attack, answer.text)
                assert attack in WORDS or attack not in answer.text
                assert not {"set-cookie", "location"} & set(answer.headers)
