"""What came of a debate beside its turns: votes, readings, the verdict, baselines. Folded from the events. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from rostra.events import (
    Answered,
    BaselineGiven,
    Event,
    QuestionFailed,
    ReadingGiven,
    Usage,
    VerdictGiven,
    VoteCast,
)
from rostra.fields import Stored
from rostra.models import Debate
from rostra.sides import titles
from rostra.verdicts import Reading, Verdict
from rostra.votes import Decision, Swing, Voter, decided, swing


class Outcomes(BaseModel):
    """What was asked beside the turns so far, and the answers."""

    model_config = ConfigDict(frozen=True)

    answers: tuple[Answered, ...] = ()
    failed: tuple[QuestionFailed, ...] = ()
    verdict: Verdict | None = None

    def after(self, event: Event) -> Outcomes:
        match event:
            case ReadingGiven() | VoteCast() | BaselineGiven():
                return self.model_copy(update={"answers": (*self.answers, event)})
            case QuestionFailed():
                return self.model_copy(update={"failed": (*self.failed, event)})
            case VerdictGiven():
                return self.model_copy(update={"verdict": event.verdict})
            case _:
                return self

    @property
    def answered(self) -> frozenset[str]:
        """The questions that need not be asked again."""
        return frozenset(answer.question for answer in self.answers)

    @property
    def readings(self) -> tuple[ReadingGiven, ...]:
        return tuple(answer for answer in self.answers if isinstance(answer, ReadingGiven))

    def votes(self, *moments: str) -> tuple[VoteCast, ...]:
        return tuple(a for a in self.answers if isinstance(a, VoteCast) and a.moment in moments)

    def baselines(self, kind: str) -> tuple[BaselineGiven, ...]:
        return tuple(a for a in self.answers if isinstance(a, BaselineGiven) and a.kind == kind)


# ── what the votes and baselines come to ────────────────────────────────────────────────────────────────


def audience(outcomes: Outcomes) -> Swing | None:
    """How the audience moved; None before anybody voted."""
    votes = outcomes.votes("before", "after")
    if not votes:
        return None
    return swing([_voter(int(number), votes) for number in dict.fromkeys(vote.voter for vote in votes)])


def _voter(number: int, votes: Sequence[VoteCast]) -> Voter:
    mine = {vote.moment: vote for vote in votes if vote.voter == str(number)}
    stands = {moment: vote.ballot[0] for moment, vote in mine.items() if vote.ballot}
    last = mine.get("after") or mine["before"]
    persona = next((vote.persona for vote in mine.values()), "")
    return Voter(
        voter=number,
        persona=persona,
        before=stands.get("before"),
        after=stands.get("after"),
        reason=last.failed or last.reason,
    )


def decision(debate: Debate, outcomes: Outcomes) -> Decision | None:
    """What the debaters decided in their last round of votes that is whole; None where there is none."""
    votes = outcomes.votes("decision")
    rounds = [number for number in {v.round for v in votes} if _of(votes, number, len(debate.debaters))]
    if debate.decision is None or not rounds:
        return None
    cast = _of(votes, max(rounds), len(debate.debaters))
    ballots = [vote.ballot for vote in cast if not vote.failed]
    candidates = [debater.id for debater in debate.debaters]
    return decided(debate.decision, ballots, candidates, len(cast) - len(ballots), max(rounds))


def _of(votes: Sequence[VoteCast], round_: int, voters: int) -> list[VoteCast]:
    """The votes of a round, if all are there."""
    cast = [vote for vote in votes if vote.round == round_]
    return cast if len(cast) == voters else []


class BaselineAnswer(Stored):
    """What the model says by itself."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    answer: Literal["for", "against"] | None
    text: str
    failed: str
    usage: Usage


class BaselineVote(Stored):
    """What independent answers come to."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    answers: int = Field(description="How many were asked for: as many as generate about the tokens of the debate.")
    counts: Mapping[str, int]
    winner: Literal["for", "against", "tie"] | None
    failed: int
    usage: Usage


class Baselines(Stored):
    """What there is to be had without a debate, and what it costs."""

    single: BaselineAnswer | None
    vote: BaselineVote | None


def baselines(outcomes: Outcomes) -> Baselines | None:
    single, votes = outcomes.baselines("single"), outcomes.baselines("vote")
    if not single and not votes:
        return None
    return Baselines(
        single=BaselineAnswer.model_validate(single[0].model_dump()) if single else None,
        vote=_baseline_vote(votes) if votes else None,
    )


def _baseline_vote(votes: Sequence[BaselineGiven]) -> BaselineVote:
    counts = {stand: sum(vote.answer == stand for vote in votes) for stand in ("for", "against")}
    lead = counts["for"] - counts["against"]
    answered = sum(counts.values())
    return BaselineVote(
        answers=len(votes),
        counts=counts,
        winner=None if not answered else "for" if lead > 0 else "against" if lead < 0 else "tie",
        failed=len(votes) - answered,
        usage=sum((vote.usage for vote in votes), start=Usage()),
    )


# ── on the wire ─────────────────────────────────────────────────────────────────────────────────────────


class JudgedView(Verdict):
    """The verdict, and the readings that it was made of."""

    readings: tuple[Reading, ...] = ()


def as_json(debate: Debate, outcomes: Outcomes) -> dict[str, Any]:
    """Everything that the transcript says of it; sides and debaters go by the names that people gave."""
    verdict = outcomes.verdict
    readings = [Reading.model_validate(each.model_dump()) for each in outcomes.readings]
    judged = JudgedView(**dict(verdict), readings=tuple(readings)) if verdict else None
    return {
        "verdict": _dumped(debate, judged),
        "audience": _dumped(debate, audience(outcomes)),
        "decision": _dumped(debate, decision(debate, outcomes)),
        "baselines": _dumped(debate, baselines(outcomes)),
    }


def _dumped(debate: Debate, model: BaseModel | None) -> dict[str, Any] | None:
    return model.model_dump(mode="json", context=titles(debate)) if model else None


# ── to read ─────────────────────────────────────────────────────────────────────────────────────────────


def sections(debate: Debate, outcomes: Outcomes) -> Iterator[tuple[str, list[str]]]:
    """A heading and sentences for each outcome that there is."""
    names = titles(debate)
    if outcomes.verdict:
        yield "Verdict", list(_verdict_told(outcomes.verdict, outcomes.readings, names))
    yield from beside_the_verdict(audience(outcomes), decision(debate, outcomes), baselines(outcomes), names)


def beside_the_verdict(
    moved: Swing | None, made: Decision | None, without: Baselines | None, names: Mapping[str, str]
) -> Iterator[tuple[str, list[str]]]:
    """The same of votes and baselines; `names` is what people call the sides."""
    if moved:
        yield "Audience", list(_swing_told(moved))
    if made:
        yield "Decision", list(_decision_told(made, names))
    if without:
        yield "Without a debate", list(_baselines_told(without))


def _verdict_told(verdict: Verdict, readings: Sequence[Reading], names: Mapping[str, str]) -> Iterator[str]:
    match verdict.outcome:
        case "no_verdict":
            yield f"No verdict: {verdict.reason}."
        case "ranking":
            yield "Ranking: " + ", ".join(_in_order(verdict.ranking, verdict.points, names)) + "."
        case "winner":
            winner = names[verdict.winner or ""]
            yield f"{winner} wins, by {verdict.agreement:.0%} of the judges."
    if verdict.totals:
        totals = (f"{names[key]} {total:g}" for key, total in verdict.totals.items())
        yield "Scores: " + ", ".join(totals) + "."
    for vote in verdict.judges:
        found = f"for {names[vote.winner]}" if vote.winner else f"{vote.outcome}: {vote.reason}"
        yield f"Judge {vote.judge} ({vote.model}) {found}."
    for quote in (quote for reading in readings for quote in reading.quotes):
        place = f"turn {quote.seq}, {names.get(quote.side or '', '')}" if not quote.rejected else "rejected: "
        yield f"“{quote.text}” ({place}{quote.rejected})"
    for claim in verdict.claims:
        yield f"{claim.standing.capitalize()}: {names[claim.side]}, “{claim.text}”"
    bias = verdict.position_bias
    if bias.pairs:
        yield f"{bias.changed} of {bias.pairs} judges changed their minds when the sides were swapped."


def _in_order(ranking: Iterable[str], points: Mapping[str, float], names: Mapping[str, str]) -> Iterator[str]:
    for place, key in enumerate(ranking, 1):
        yield f"{place}. {names[key]} ({points[key]:g} points)"


def _swing_told(moved: Swing) -> Iterator[str]:
    for told, counts in (("Before", moved.before), ("After", moved.after)):
        yield f"{told}: " + ", ".join(f"{count} {stand}" for stand, count in counts.items()) + "."
    match moved.winner:
        case None:
            yield "Nobody voted both times."
        case "tie":
            yield "Both sides gained as much: a tie."
        case winner:
            yield f"The side {winner} the motion gained more, and wins."
    if moved.failed:
        yield f"{moved.failed} did not vote both times, and do not count."


def _decision_told(made: Decision, names: Mapping[str, str]) -> Iterator[str]:
    yield f"By {made.protocol}: " + (names[made.winner] if made.winner else f"nothing decided, {made.reason}") + "."
    yield ", ".join(f"{names[key]} {count:g}" for key, count in made.tally.items()) + "."
    if made.abstained or made.failed:
        yield f"{made.abstained} abstained, {made.failed} failed to vote."


def _baselines_told(beside: Baselines) -> Iterator[str]:
    if single := beside.single:
        yield f"A single answer: {single.answer or 'none'}. {single.text or single.failed}"
    if vote := beside.vote:
        counts = ", ".join(f"{count} {stand}" for stand, count in vote.counts.items())
        yield f"{vote.answers} independent answers: {counts}; {vote.failed} failed."
