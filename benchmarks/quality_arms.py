"""The arrangements that are compared: AutoGen as its documentation shows it, and Rostra with the guard set each way.

All of them get the same endpoint, motion, personas, seed and length of a turn.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.messages import BaseChatMessage
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_core.models import ModelFamily, ModelInfo
from autogen_ext.models.openai import OpenAIChatCompletionClient

from rostra.endpoints import Endpoint
from rostra.events import TurnTaken, Usage
from rostra.formats import library
from rostra.models import Debate, Debater, DebateRequest, debate_from
from rostra.store import Claim, Store
from rostra.transcript import fold
from rostra_orchestrator.lease import Lease
from rostra_orchestrator.play import play
from rostra_orchestrator.settings import Settings

# The same for all; whatever else an arrangement sends is its own.
TEMPERATURE = 0.8
TURN = {"max_characters": 400, "max_tokens": 96}
PLAIN = "autogen"
_MODEL = ModelInfo(
    vision=False, function_calling=False, json_output=False, structured_output=False, family=ModelFamily.UNKNOWN
)


@dataclass(frozen=True)
class Played:
    """What became of one debate."""

    turns: Sequence[TurnTaken]
    usage: Usage
    attempts: int
    status: str
    seconds: float


def debate_of(
    request: Mapping[str, Any], seed: int, turns: int, guard: str = "off", sampling: Mapping[str, Any] | None = None
) -> Debate:
    """The debate as it is POSTed, with these sampling options besides."""
    debaters = [{**d, "sampling": {"temperature": TEMPERATURE, **(sampling or {})}} for d in request["debaters"]]
    rounds = -(-turns // len(debaters))
    whole = {**request, "debaters": debaters, "seed": seed, "rounds": rounds, "turn": TURN, "guard": guard}
    asked = DebateRequest.model_validate(whole)
    return debate_from(asked, library()[asked.format])


async def plain(debate: Debate, url: str, turns: int) -> Played:
    """RoundRobinGroupChat of AssistantAgents with autogen-ext's client for OpenAI."""
    began, started = time.monotonic(), datetime.now(UTC)
    client = OpenAIChatCompletionClient(
        model="default",
        base_url=f"{url}/v1",
        api_key="none",
        model_info=_MODEL,
        temperature=TEMPERATURE,
        seed=debate.seed,
        max_tokens=debate.turn.max_tokens,
    )
    agents = [
        AssistantAgent(d.id, model_client=client, system_message=_system_message(debate, d)) for d in debate.debaters
    ]
    result = await RoundRobinGroupChat(list(agents), max_turns=turns).run(task=debate.motion)
    await client.close()
    said = [m for m in result.messages if isinstance(m, BaseChatMessage) and m.source != "user"]
    taken = [_turn(seq, message, debate, started) for seq, message in enumerate(said, 1)]
    spent = sum((turn.usage for turn in taken), start=Usage())
    return Played(taken, spent, len(taken), "completed", time.monotonic() - began)


def _system_message(debate: Debate, debater: Debater) -> str:
    return (
        f"You are {debater.name}, a debater. {debater.persona} The motion is: {debate.motion}. You speak "
        f"{debater.stance}. Answer what was said last in two or three sentences, at most "
        f"{debate.turn.max_characters} characters, and do not repeat what was said."
    )


def _turn(seq: int, message: BaseChatMessage, debate: Debate, started: datetime) -> TurnTaken:
    spent = message.models_usage
    usage = Usage(prompt_tokens=spent.prompt_tokens, completion_tokens=spent.completion_tokens) if spent else Usage()
    return TurnTaken(
        seq=seq,
        phase=debate.format.phases[0].name,
        round=1 + (seq - 1) // len(debate.debaters),
        debater=message.source,
        text=message.to_text(),
        usage=usage,
        finish_reason="length" if usage.completion_tokens >= debate.turn.max_tokens else "stop",
        started_at=started,
        ended_at=message.created_at,
    )


async def rostra(debate: Debate, endpoint: Endpoint, store: Store, redis_url: str) -> Played:
    """As a worker plays it, in this process."""
    began = time.monotonic()
    settings = Settings(redis_url=redis_url, models={"default": (endpoint,)})
    await store.create(debate)
    claim = await store.claim(debate.id, process="benchmark")
    assert isinstance(claim, Claim)
    async with Lease(store, claim) as lease:
        await play(store, claim, lease, settings)
    course = fold(recorded.event for recorded in await store.events(debate.id))
    attempts = len(course.failed_attempts) + sum(bool(turn.usage.total) for turn in course.turns)
    return Played(course.turns, course.usage, attempts, course.status.value, time.monotonic() - began)
