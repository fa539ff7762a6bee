"""What every answer says to browsers."""

from __future__ import annotations

import pytest
from httpx2 import AsyncClient

from builders import a_request
from rostra.store import Claim
from rostra_api.app import Api
from rostra_api.headers import policy
from rostra_api.page import POLICY

GUARDED = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


@pytest.mark.parametrize("path", ["/healthz", "/metrics", "/v1/formats", "/v1/debates", "/openapi.json", "/nowhere"])
async def test_every_answer_is_guarded(client: AsyncClient, path: str):
    headers = (await client.get(path)).headers
    assert GUARDED.items() <= {name: headers.get(name) for name in GUARDED}.items()
    assert headers["Content-Security-Policy"] == policy()
    assert headers["Cache-Control"] == "no-store"


async def test_so_is_an_error_of_ours(client: AsyncClient, app: Api):
    app.state.parts = None
    failed = await client.get("/v1/debates")
    assert failed.status_code == 500
    assert (failed.headers["Content-Security-Policy"], failed.headers["Cache-Control"]) == (policy(), "no-store")


async def test_so_is_a_refusal(client: AsyncClient):
    refused = await client.post("/v1/debates", json=a_request(motion=""))
    assert (refused.status_code, refused.headers["X-Content-Type-Options"]) == (422, "nosniff")


async def test_the_page_has_a_policy_of_its_own(client: AsyncClient, claim: Claim):
    headers = (await client.get(f"/v1/debates/{claim.debate.id}/transcript.html")).headers
    assert headers.get_list("Content-Security-Policy") == [POLICY]
    assert headers["Content-Type"] == "text/html; charset=utf-8"


async def test_what_may_be_kept_is_kept_by_its_reader_alone(client: AsyncClient, claim: Claim):
    for form in ("", ".json", ".md", ".html", ".ndjson"):
        headers = (await client.get(f"/v1/debates/{claim.debate.id}/transcript{form}")).headers
        assert headers["Cache-Control"] == "private, no-cache"
