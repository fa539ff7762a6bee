"""The page's files: open to all, kept by browsers, with a policy that lets in nothing of anybody else."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

import pytest
from httpx2 import AsyncClient

from rostra_api.site import DIGEST, FILES, POLICY

KeyOf = Callable[..., Awaitable[dict[str, str]]]
STATIC = f"/static/{DIGEST}"


async def test_the_page_stands_at_the_front_with_its_own_policy(client: AsyncClient):
    page = await client.get("/")
    assert page.status_code == 200
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert page.headers.get_list("Content-Security-Policy") == [POLICY]
    assert POLICY == (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


async def test_the_page_is_sent_once(client: AsyncClient):
    page = await client.get("/")
    assert page.headers["Cache-Control"] == "private, no-cache"
    again = await client.get("/", headers={"If-None-Match": page.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_all_that_the_page_names_is_there_and_is_kept(client: AsyncClient):
    named = re.findall(r'(?:href|src)="(/[^"]*)"', (await client.get("/")).text)
    assert {path.removeprefix(STATIC + "/") for path in named} >= {"app.js", "style.css", "icon.svg"}
    for path in named:
        answer = await client.get(path)
        assert answer.status_code == 200, path
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("name", "media_type"),
    [("app.js", "text/javascript"), ("style.css", "text/css"), ("icon.svg", "image/svg+xml")],
)
async def test_each_file_says_what_it_is(client: AsyncClient, name: str, media_type: str):
    assert (await client.get(f"{STATIC}/{name}")).headers["Content-Type"].startswith(media_type)


@pytest.mark.parametrize(
    "path",
    [
        f"{STATIC}/nothing.js",
        "/static/0000000000000000/app.js",
        f"{STATIC}/../settings.py",
        f"{STATIC}/%2e%2e/settings.py",
        f"{STATIC}/",
    ],
)
async def test_there_is_nothing_else(client: AsyncClient, path: str):
    assert (await client.get(path)).status_code == 404


async def test_nobody_needs_a_key_to_see_it(client: AsyncClient, key_of: KeyOf):
    await key_of("ada")
    for path in ("/", f"{STATIC}/app.js"):
        assert (await client.get(path)).status_code == 200


def test_it_asks_nobody_else_for_anything():
    own = {"http://www.w3.org/2000/svg", "http://127.0.0.1:8080"}
    for name, file in FILES.items():
        found = set(re.findall(r"https?://[a-z0-9.:]+(?:/2000/svg)?", file.content.decode()))
        assert found <= own, name


def test_it_makes_nothing_of_text():
    """What somebody wrote goes in as text: nothing in the page reads HTML or runs a string."""
    for name, file in FILES.items():
        if name.endswith(".js"):
            script = file.content.decode()
            assert not re.search(
                r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function", script
            )
            assert "DOMParser" not in script


def test_it_is_light():
    assert sum(len(file.content) for file in FILES.values()) < 300_000
