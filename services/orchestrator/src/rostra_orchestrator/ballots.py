"""Votes: of an audience on the motion, and of debaters on each other's last answers, which they read without names."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from string import ascii_uppercase
from typing import Any, Literal

from rostra.events import TurnTaken, VoteCast
from rostra.models import Debate
from rostra.questions import BALLOT_TOKENS
from rostra.rules import AudienceRules, DecisionRules
from rostra.votes import STANDS
from rostra_orchestrator import prompt, prose
from rostra_orchestrator.asking import Unreadable
from rostra_orchestrator.endpoint import Message, ModelServer
from rostra_orchestrator.hearing import Hearing
from rostra_orchestrator.masks import mask
from rostra_orchestrator.reading import items, letters_in, object_schema, order_schema, text_of, text_schema, texts_of
from rostra_orchestrator.slots import Line
from rostra_orchestrator.text import shortened

# Characters of all answers that debaters vote on, in a small context; each has its share.
_ANSWERS_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class AudienceVote:
    """One of the audience, before the debate or after it. Implements `asking.Question`."""

    debate: Debate
    rules: AudienceRules
    voter: int
    moment: Literal["before", "after"]
    turns: Sequence[TurnTaken] = ()

    @property
    def name(self) -> str:
        return f"{self.moment} 1, voter {self.voter}"

    @property
    def longest(self) -> int:
        return BALLOT_TOKENS

    @property
    def persona(self) -> str:
        people = self.rules.personas or prose.prose_for(self.debate).people
        return people[(self.voter - 1) % len(people)]

    @property
    def schema(self) -> Mapping[str, Any]:
        return _reasoned({"vote": {"type": "string", "enum": list(STANDS)}})

    async def messages(self, server: ModelServer, longest: int, *, again: bool) -> Sequence[Message]:
        told = prose.prose_for(self.debate)
        who = told("persona", persona=prompt.as_data(self.persona))
        ask = "\n".join([who, told(self.moment), told.form(told("reason"), told("vote"), again=again)])
        if self.moment == "after":
            # Every other voter reads the sides the other way round: what their order does evens out.
            hidden = mask(self.debate, swapped=self.voter % 2 == 0)
            lines = [Line(turn.debater, turn.text) for turn in self.turns]
            return (await Hearing(hidden, lines).messages(server, "listener", ask, longest))[0]
        facts = await server.facts()
        system = "\n".join([told("listener"), "", told("motion", motion=prompt.as_data(self.debate.motion))])
        ask = "\n".join(filter(None, [ask, prose.in_language(self.debate)]))
        return prose.messages(system, ask, system_role=facts.system_role)

    def read(self, answer: Mapping[str, Any]) -> VoteCast:
        vote = text_of(answer.get("vote")).lower().strip(" .")
        if vote not in STANDS:
            raise Unreadable("`vote` is not one of for, against, undecided")
        return self._cast(ballot=(vote,), reason=texts_of(answer.get("reason"), 1))

    def failed(self, reason: str) -> VoteCast:
        return self._cast(failed=reason)

    def _cast(self, **fields: Any) -> VoteCast:
        own = {"voter": str(self.voter), "moment": self.moment, "persona": self.persona, "model": self.rules.model}
        return VoteCast(**own, **fields)


@dataclass(frozen=True, slots=True)
class CouncilVote:
    """One debater's vote on the last answers of all. Implements `asking.Question`."""

    debate: Debate
    rules: DecisionRules
    voter: str
    answers: Mapping[str, str]  # by debater's id
    round: int = 1

    @property
    def name(self) -> str:
        return f"decision {self.round}, voter {self.voter}"

    @property
    def longest(self) -> int:
        return BALLOT_TOKENS

    @property
    def letters(self) -> Mapping[str, str]:
        """Debaters' ids by the letters of their answers: another order for each voter, by the seed."""

        def place(debater: str) -> bytes:
            return hashlib.sha256(f"{self.debate.seed}:{self.round}:{self.voter}:{debater}".encode()).digest()

        return dict(zip(ascii_uppercase, sorted(self.answers, key=place), strict=False))

    @property
    def schema(self) -> Mapping[str, Any]:
        letters = list(self.letters)
        match self.rules.protocol:
            case "borda":
                return _reasoned({"ranking": order_schema(letters)})
            case "approval":
                each = {"type": "string", "enum": letters}
                return _reasoned({"approved": {"type": "array", "items": each, "maxItems": len(letters)}})
            case _:
                return _reasoned({"vote": {"type": "string", "enum": letters}})

    async def messages(self, server: ModelServer, longest: int, *, again: bool) -> Sequence[Message]:
        told, facts = prose.prose_for(self.debate), await server.facts()
        voter = self.debate.debater(self.voter)
        system = [told("council"), "", told("motion", motion=prompt.as_data(self.debate.motion))]
        hidden = mask(self.debate)
        # A character is a token at worst, in scripts that a tokenizer does not know.
        most = int((facts.context - longest) * _ANSWERS_SHARE / len(self.answers))
        answers = [
            f"{told('answer', letter=letter)}: "
            + shortened(prompt.as_data(hidden.hide(self.answers[debater])), most, self.debate.language)
            for letter, debater in self.letters.items()
        ]
        who = [told("persona", persona=prompt.as_data(voter.persona))] if voter.persona else []
        form = told.form(told("reason"), self._field(told), again=again)
        ask = [*who, told(f"decide_{self.rules.protocol}"), form, prose.in_language(self.debate)]
        user = "\n".join([*answers, "", *filter(None, ask)])
        return prose.messages("\n".join(system), user, system_role=facts.system_role)

    def _field(self, told: prose.Prose) -> str:
        letters = list(self.letters)
        match self.rules.protocol:
            case "borda":
                return told("order", example=" > ".join(letters))
            case "approval":
                return told("approved")
            case _:
                return told("choice", letters=prose.letters(letters))

    def read(self, answer: Mapping[str, Any]) -> VoteCast:
        reason = texts_of(answer.get("reason"), 1)
        named = self._named(answer)
        return self._cast(ballot=tuple(self.letters[letter] for letter in named), reason=reason)

    def _named(self, answer: Mapping[str, Any]) -> list[str]:
        letters = list(self.letters)
        match self.rules.protocol:
            case "borda":
                order = letters_in(text_of(answer.get("ranking")), letters)
                if sorted(order) != sorted(letters):
                    raise Unreadable("`ranking` does not name each answer once")
                return order
            case "approval":
                if "approved" not in answer:
                    raise Unreadable("`approved` is missing")
                named = (letters_in(text_of(each), letters) for each in items(answer["approved"]))
                return list(dict.fromkeys(chain.from_iterable(named)))
            case _:
                order = list(dict.fromkeys(letters_in(text_of(answer.get("vote")), letters)))
                if len(order) != 1:
                    raise Unreadable("`vote` names no answer, or several")
                return order

    def failed(self, reason: str) -> VoteCast:
        return self._cast(failed=reason)

    def _cast(self, **fields: Any) -> VoteCast:
        model = self.debate.debater(self.voter).model
        return VoteCast(voter=self.voter, moment="decision", round=self.round, model=model, **fields)


def _reasoned(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """A ballot with its reason before it."""
    return object_schema({"reason": text_schema(), **fields})
