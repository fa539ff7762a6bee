"""All that is asked beside the turns, question by question: an audience, the debaters' decision, judges, baselines.

Each answer is an event, so who takes the debate over goes on with the next question. What fails is told, and does not
fail the debate.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog

from rostra.events import (
    Answered,
    Event,
    QuestionFailed,
    TurnTaken,
    Usage,
    VerdictGiven,
)
from rostra.models import Debate
from rostra.outcomes import Outcomes
from rostra.outcomes import decision as outcome_of
from rostra.sides import side_of, sides
from rostra.verdicts import verdict
from rostra.votes import Decision
from rostra_orchestrator.asking import Given, Question, ask
from rostra_orchestrator.ballots import AudienceVote, CouncilVote
from rostra_orchestrator.baselines import BaselineAsked, answers_wanted
from rostra_orchestrator.judging import ReadingAsked
from rostra_orchestrator.masks import mask
from rostra_orchestrator.pool import Pool
from rostra_orchestrator.settings import Settings

log = structlog.stdlib.get_logger(__name__)

Noted = Answered | QuestionFailed | VerdictGiven
Note = Callable[[Noted], Awaitable[None]]
Run = Callable[[Callable[[], Coroutine[Any, Any, None]]], Awaitable[None]]


def models(debate: Debate) -> list[str]:
    """The models that are asked beside the debaters' own."""
    judges = [seat.model for seat in debate.judge.seats] if debate.judge else []
    return list(dict.fromkeys([*judges, *([debate.audience.model] if debate.audience else [])]))


@dataclass(slots=True)
class Bench:
    """Where they sit. `pools` holds each configured model's, by its name; `note` stores an event; `run` awaits a
    question, but not past an interruption or the debate's limits."""

    debate: Debate
    pools: Mapping[str, Pool]
    settings: Settings
    note: Note
    run: Run
    outcomes: Outcomes = field(default_factory=Outcomes)
    away: set[str] = field(default_factory=set[str])  # models that were waited for in vain

    async def open(self) -> None:
        """The audience's first vote, before the first turn; in a fork, of who has not voted, before its own first turn,
        since they read the motion alone."""
        await self._audience("before", ())

    async def sit(self, turns: Sequence[TurnTaken], round_: int = 1) -> None:
        """All that is asked after the last turn; `round_` is the number of the debaters' vote."""
        await self.vote(turns, round_)
        await self._audience("after", turns)
        await self._judge(turns)
        await self._baselines(turns)

    async def break_off(self, turns: Sequence[TurnTaken], reason: str) -> None:
        """The verdict of a panel that could not be asked to the end."""
        if self.debate.judge and self.outcomes.verdict is None:
            await self._give_verdict(turns, reason)

    # ── votes ───────────────────────────────────────────────────────────────────────────────────────────

    async def _audience(self, moment: Any, turns: Sequence[TurnTaken]) -> None:
        if rules := self.debate.audience:
            for voter in range(1, rules.size + 1):
                vote = AudienceVote(self.debate, rules, voter, moment, turns)
                await self._put(vote, rules.model)

    async def vote(self, turns: Sequence[TurnTaken], round_: int = 1) -> Decision | None:
        """The debaters' votes on the last answer of each; None where nothing is to be decided."""
        answers = {turn.debater: turn.text for turn in turns}
        in_order = {d.id: answers[d.id] for d in self.debate.debaters if d.id in answers}
        if (rules := self.debate.decision) is None or len(in_order) < 2:
            return None
        for debater in self.debate.debaters:
            vote = CouncilVote(self.debate, rules, debater.id, in_order, round_)
            if debater.human:
                await self._pass_over(vote)
            else:
                await self._put(vote, debater.model)
        return outcome_of(self.debate, self.outcomes)

    async def _pass_over(self, vote: CouncilVote) -> None:
        """A model's vote in a person's name would be nobody's."""
        if vote.name not in self.outcomes.answered:
            await self._hear(vote.failed("people are not asked to vote").model_copy(update={"asks": 0}))

    # ── judges ──────────────────────────────────────────────────────────────────────────────────────────

    async def _judge(self, turns: Sequence[TurnTaken]) -> None:
        if self.debate.judge is None or self.outcomes.verdict is not None:
            return
        for reading in self._readings(turns):
            model = self.debate.judge.seats[reading.judge - 1].model
            await self._put(reading, model)
        await self._give_verdict(turns)

    def _readings(self, turns: Sequence[TurnTaken]) -> Iterator[ReadingAsked]:
        """Those with the sides as they are, then those with the sides swapped: a server that keeps prefixes reads the
        debate twice, however many judges there are. Every other judge begins with the sides swapped, so that a panel
        that reads once is not all shown one order."""
        rules = self.debate.judge
        assert rules is not None
        for reading in range(1, rules.readings + 1):
            for judge in range(1, len(rules.seats) + 1):
                swapped = (judge + reading) % 2 == 1
                seen = mask(self.debate, swapped=swapped, names_hidden=rules.names_hidden)
                yield ReadingAsked(self.debate, rules, judge, reading, seen, turns)

    async def _give_verdict(self, turns: Sequence[TurnTaken], broken: str = "") -> None:
        assert self.debate.judge is not None
        keys = [side.key for side in sides(self.debate)]
        last = next((side.key for turn in reversed(turns) if (side := side_of(self.debate, turn.debater))), None)
        found = verdict(self.debate.judge, keys, self.outcomes.readings, last, broken)
        log.info("verdict given", outcome=found.outcome, reason=found.reason)
        await self._hear(VerdictGiven(verdict=found))

    # ── baselines ───────────────────────────────────────────────────────────────────────────────────────

    async def _baselines(self, turns: Sequence[TurnTaken]) -> None:
        if not self.debate.baselines:
            return
        model = self.debate.debaters[0].model
        await self._put(BaselineAsked(self.debate, "single"), model)
        await self._put(BaselineAsked(self.debate, "vote", 1), model)
        tokens = sum(turn.usage.completion_tokens for turn in turns)
        first = self.outcomes.baselines("vote")[0]
        for number in range(2, answers_wanted(tokens, first) + 1):
            await self._put(BaselineAsked(self.debate, "vote", number), model)

    # ── one question ────────────────────────────────────────────────────────────────────────────────────

    async def _put(self, question: Question[Answered], model: str) -> None:
        """Asks, unless it was answered before this process took the debate over."""
        if question.name in self.outcomes.answered:
            return

        async def put() -> None:
            given = await self._asked(question, model)
            answer = given.value or question.failed(given.failed)
            await self._hear(answer.model_copy(update={"asks": given.asks, "usage": given.usage}))

        await self.run(put)

    async def _asked(self, question: Question[Answered], model: str) -> Given[Answered]:
        if model not in self.pools:
            return Given(None, f"the model {model!r} is not configured at this worker (ROSTRA_MODELS)", 0, Usage())
        before = [failure for failure in self.outcomes.failed if failure.question == question.name]
        # Who was waited for once is not waited for again: an audience of a hundred would take hours.
        patience = 0.0 if model in self.away else self.settings.model_patience_seconds
        given = await ask(question, self.pools[model], patience, self.debate.seed, self._hear, before)
        (self.away.add if given.away else self.away.discard)(model)
        return given

    async def _hear(self, event: Noted) -> None:
        await self.note(event)
        self.hear(event)

    def hear(self, event: Event) -> None:
        self.outcomes = self.outcomes.after(event)
