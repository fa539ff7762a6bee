"""What is found out about our own model server, with a real model: all of it works."""

from __future__ import annotations

import asyncio

import pytest
from pydantic import SecretStr

from rostra.doctor import Report, examine
from rostra.endpoints import Endpoint
from rostra.rules import Sampling

from .conftest import CONTEXT, KEY, Server


@pytest.fixture(scope="module")
def report(server: Server) -> Report:
    # As long as it takes: tests may run on a busy machine.
    return asyncio.run(examine(Endpoint(url=server.url, api_key=SecretStr(KEY)), "rostra", seconds=600))


async def test_nothing_is_left_unchecked(report: Report):
    assert "not checked" not in {finding.grade for finding in report.findings}


async def test_every_sampling_option_is_seen_to_take_effect(report: Report):
    assert {option.name for option in report.options if option.outcome == "works"} == set(Sampling.model_fields)


async def test_nothing_is_wrong_but_the_small_context_of_these_tests(report: Report):
    assert [finding.name for finding in report.findings if finding.grade not in {"good", "note"}] == ["context"]
    assert report.fitness == "usable"


async def test_it_is_known_for_what_it_is(report: Report):
    assert report.server == report.dialect == "rostra"
    assert report.configuration == {"dialect": "rostra", "context": CONTEXT, "begins_answer": True}


async def test_several_answers_are_seen_to_be_written_side_by_side(report: Report):
    parallel = next(finding for finding in report.findings if finding.name == "parallel")
    assert "side by side" in parallel.says
