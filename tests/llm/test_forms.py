"""What judges, voters and baselines must answer is a form that our own server keeps to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import httpx2
import pytest

from builders import a_debate, a_turn
from rostra.models import Debate
from rostra_orchestrator.ballots import AudienceVote, CouncilVote
from rostra_orchestrator.baselines import BaselineAsked
from rostra_orchestrator.judging import ReadingAsked
from rostra_orchestrator.masks import mask


def a_council(debaters: int, **fields: Any) -> Debate:
    return a_debate(debaters=[{"name": f"Ada {n}"} for n in range(debaters)], **fields)


def forms() -> Iterator[Mapping[str, Any]]:
    for rubric in ("per_clash", {"content": 1, "style": 1, "strategy": 1}):
        for debaters in (2, 4, 16):
            debate = a_council(debaters, judge={"rubric": rubric})
            turns = [a_turn(n, f"d{n % debaters + 1}", f"Reason {n} for tabs is number {n * n}.") for n in range(1, 7)]
            assert debate.judge
            yield ReadingAsked(debate, debate.judge, 1, 1, mask(debate), turns).schema
    for protocol in ("majority", "borda", "approval", "consensus"):
        for debaters in (2, 4, 16):
            debate = a_council(debaters, decision={"protocol": protocol})
            answers = {debater.id: "Tabs." for debater in debate.debaters}
            assert debate.decision
            yield CouncilVote(debate, debate.decision, "d1", answers).schema
    debate = a_debate(audience={"size": 1})
    assert debate.audience
    yield AudienceVote(debate, debate.audience, 1, "before").schema
    yield BaselineAsked(debate, "single").schema
    yield BaselineAsked(debate, "vote").schema


@pytest.mark.parametrize("schema", list(forms()), ids=lambda schema: " ".join(schema["properties"]))
async def test_every_form_is_one_that_the_server_keeps_to(schema: Mapping[str, Any], client: httpx2.AsyncClient):
    form = {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}
    asked = [{"role": "user", "content": "Who won?"}]
    body = {"messages": asked, "response_format": form, "max_tokens": 2, "temperature": 0}
    answer = await client.post("/v1/chat/completions", json=body)
    assert answer.status_code == 200, answer.text
    assert answer.json()["choices"][0]["message"]["content"].startswith("{")
