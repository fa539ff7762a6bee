"""What there is to be had without a debate: a single answer of the same model, and a vote of independent ones.

Voting explains most of what debate is credited with (Choi et al. 2025, "Debate or Vote", arXiv 2508.17536), so a debate
is told beside what the same tokens would have bought.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from rostra.events import BaselineGiven
from rostra.models import Debate
from rostra.questions import BALLOT_TOKENS, FEWEST_ANSWERS, MOST_ANSWERS, SINGLE_TOKENS
from rostra_orchestrator import prompt, prose
from rostra_orchestrator.asking import Unreadable
from rostra_orchestrator.endpoint import Message, ModelServer
from rostra_orchestrator.reading import object_schema, text_of, text_schema, texts_of, texts_schema

_SIDES: tuple[Literal["for", "against"], ...] = ("for", "against")
_MOST_ARGUMENTS = 5


@dataclass(frozen=True, slots=True)
class BaselineAsked:
    """One answer to the motion, by the first debater's model. Implements `asking.Question`."""

    debate: Debate
    kind: Literal["single", "vote"]
    number: int = 1

    @property
    def name(self) -> str:
        return f"baseline {self.kind} {self.number}"

    @property
    def model(self) -> str:
        return self.debate.debaters[0].model

    @property
    def longest(self) -> int:
        return SINGLE_TOKENS if self.kind == "single" else BALLOT_TOKENS

    @property
    def schema(self) -> Mapping[str, Any]:
        reason = texts_schema(_MOST_ARGUMENTS) if self.kind == "single" else text_schema()
        return object_schema({"reason": reason, "answer": {"type": "string", "enum": list(_SIDES)}})

    async def messages(self, server: ModelServer, longest: int, *, again: bool) -> Sequence[Message]:
        told, facts = prose.prose_for(self.debate), await server.facts()
        reason = told("reason_long" if self.kind == "single" else "reason")
        motion = told("motion", motion=prompt.as_data(self.debate.motion))
        ask = [
            motion,
            told("are_you"),
            told.form(reason, told("position"), again=again),
            prose.in_language(self.debate),
        ]
        return prose.messages(told("alone"), "\n".join(filter(None, ask)), system_role=facts.system_role)

    def read(self, answer: Mapping[str, Any]) -> BaselineGiven:
        said = text_of(answer.get("answer")).lower().strip(" .")
        side = next((side for side in _SIDES if side == said), None)
        if side is None:
            raise Unreadable("`answer` is neither for nor against")
        return self._given(answer=side, text=texts_of(answer.get("reason"), _MOST_ARGUMENTS))

    def failed(self, reason: str) -> BaselineGiven:
        return self._given(failed=reason)

    def _given(self, **fields: Any) -> BaselineGiven:
        return BaselineGiven(kind=self.kind, number=self.number, model=self.model, **fields)


def answers_wanted(debate_tokens: int, first: BaselineGiven) -> int:
    """How many independent answers generate about as many tokens as the debate did, going by the first one; an odd
    number, so that two sides cannot be equally many unless one answer fails."""
    each = first.usage.completion_tokens or BALLOT_TOKENS
    wanted = round(debate_tokens / each)
    odd = wanted if wanted % 2 else wanted + 1
    return max(FEWEST_ANSWERS, min(MOST_ANSWERS, odd))
