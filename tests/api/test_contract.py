"""The published contract is what the API does."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from httpx2 import AsyncClient

from rostra.events import KnownEvent
from rostra_api.openapi import document

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def contract() -> dict[str, Any]:
    return json.loads(document())


def references(node: object) -> set[str]:
    if isinstance(node, dict):
        own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
        return own.union(*(references(value) for value in node.values()))
    return set().union(*(references(value) for value in node)) if isinstance(node, list) else set()


def test_it_is_published_as_it_is():
    assert (ROOT / "docs/openapi.json").read_text(encoding="utf-8") == document()


async def test_it_is_served_as_it_is_published(client: AsyncClient, contract: dict[str, Any]):
    assert (await client.get("/openapi.json")).json() == contract


def test_all_it_refers_to_is_there(contract: dict[str, Any]):
    defined = {f"#/components/schemas/{name}" for name in contract["components"]["schemas"]}
    assert references(contract) == defined


def test_every_event_is_told(contract: dict[str, Any]):
    known = {get_args(get_type_hints(event)["type"])[0] for event in get_args(get_args(KnownEvent)[0])}
    stream = contract["paths"]["/v1/debates/{id}/events"]["get"]["responses"]["200"]["content"]["text/event-stream"]
    names = [each["$ref"].rsplit("/")[-1] for each in stream["schema"]["properties"]["data"]["contentSchema"]["anyOf"]]
    told = [contract["components"]["schemas"][name]["properties"].get("type", {}) for name in names]
    assert {schema["const"] for schema in told if schema} == known


def test_a_debate_is_asked_for_with_a_schema(contract: dict[str, Any]):
    body = contract["paths"]["/v1/debates"]["post"]["requestBody"]
    assert body["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/DebateRequest"}


def test_its_bounds_are_spelt_as_json_schema_spells_them(contract: dict[str, Any]):
    def words(node: object) -> set[str]:
        inside = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
        return (set(node) if isinstance(node, dict) else set()).union(*map(words, inside))

    assert not words(contract) & {"gt", "ge", "lt", "le", "multiple_of"}
    temperature = contract["components"]["schemas"]["Sampling"]["properties"]["temperature"]["anyOf"][0]
    assert temperature == {"maximum": 5, "minimum": 0, "type": "number"}


def test_every_error_is_a_problem(contract: dict[str, Any]):
    for path in contract["paths"].values():
        for operation in path.values():
            errors = {status: r for status, r in operation["responses"].items() if status >= "400"}
            assert "500" in errors
            assert all(list(response["content"]) == ["application/problem+json"] for response in errors.values())


def test_a_stale_one_is_told(tmp_path: Path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/openapi.json").write_text("{}")
    command = [sys.executable, "-m", "rostra_api.openapi"]
    checked = subprocess.run([*command, "--check"], check=False, cwd=tmp_path, capture_output=True, text=True)
    assert checked.returncode == 1
    assert "make openapi" in checked.stderr
    subprocess.run(command, cwd=tmp_path, check=True)
    subprocess.run([*command, "--check"], cwd=tmp_path, check=True)
