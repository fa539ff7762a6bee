"""What judges read out of a debate, and the verdict that it makes. Pure.

Each judge reads the debate once or twice, the second time with the sides swapped. A judge whose readings name one
winner votes for it; one whose readings differ abstains. Whatever keeps a panel from a verdict is told, and nobody is
dropped.

    readings  →  a vote, or why there is none  →  the panel's verdict, or `no_verdict` and its reason
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import Literal

from pydantic import ConfigDict, Field

from rostra.fields import Stored
from rostra.rules import JudgeRules
from rostra.sides import SideKey

Standing = Literal["stands", "contested", "dropped"]


class _Told(Stored):
    """Something that is told as it is stored: all its fields are always there."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)


class Quote(_Told):
    """Words that a judge gave as evidence. `seq` and `side` are where they stand, whatever the judge said."""

    text: str
    seq: int | None = Field(default=None, description="The turn in which it stands; null where it was rejected.")
    side: SideKey | None = Field(default=None, description="Whose words they are.")
    rejected: str = Field(default="", description="Why it proves nothing; empty where it stands in the transcript.")


class Claim(_Told):
    """A claim, in the words in which it was made, and what became of it."""

    seq: int
    side: SideKey
    text: str
    standing: Standing


class Clash(_Told):
    """A point on which the sides clashed, and who won it; nobody where `winner` is null."""

    point: str
    winner: SideKey | None = None


class Reading(_Told):
    """A debate as a judge read it once."""

    judge: int = Field(ge=1)
    reading: int = Field(ge=1, le=2)
    model: str = ""
    letters: Mapping[str, SideKey] = Field(default={}, description="Which side had which letter, in their order.")
    ranking: tuple[SideKey, ...] = Field(default=(), description="The sides, the winner first; of two, both.")
    scores: Mapping[SideKey, Mapping[str, float]] = {}
    quotes: tuple[Quote, ...] = ()
    reasons: str = ""
    claims: tuple[Claim, ...] = ()
    clashes: tuple[Clash, ...] = ()
    left_out: int = Field(default=0, description="Turns that the model's context had no room to show whole.")
    asks: int = Field(default=1, description="How often the model was asked, for this one to be an answer.")
    failed: str = Field(default="", description="Why it is no reading; empty where it is one.")

    @property
    def winner(self) -> str | None:
        return self.ranking[0] if self.ranking else None

    @property
    def is_founded(self) -> bool:
        """Whether a quote of the winner's own words stands in the transcript."""
        return any(quote.side == self.winner and not quote.rejected for quote in self.quotes)


class Vote(_Told):
    """What became of one judge."""

    judge: int
    model: str
    outcome: Literal["voted", "abstained", "unfounded", "failed"] = Field(
        description="`abstained`: its readings name different winners. `unfounded`: no quote of its winner stands in "
        "the transcript. `failed`: a reading is missing."
    )
    winner: SideKey | None = None
    reason: str = ""


class PositionBias(_Told):
    """How the judges took the swap: of `pairs` of readings, how many changed the winner with it, and whether they
    stayed with the side that was named first, or with the last."""

    pairs: int = 0
    changed: int = 0
    to_first: int = 0
    to_last: int = 0
    last_word: int = Field(default=0, description="Readings for the side that spoke last; swapping does not change it.")
    readings: int = Field(default=0, description="Readings in all that came to an answer.")


class Tally(_Told):
    """A claim and how many readings saw it so."""

    seq: int
    side: SideKey
    text: str
    standing: Standing = Field(description="As most readings saw it; `contested` where they are equally many.")
    votes: Mapping[Standing, int]


class Verdict(_Told):
    """What the panel found."""

    outcome: Literal["winner", "ranking", "no_verdict"]
    reason: str = Field(default="", description="Why there is no verdict.")
    winner: SideKey | None = None
    ranking: tuple[SideKey, ...] = Field(default=(), description="Of more than two sides, by Borda's count.")
    points: Mapping[SideKey, float] = Field(default={}, description="Of more than two sides: Borda's points.")
    judges: tuple[Vote, ...] = ()
    agreement: float = Field(default=0.0, description="The share of all judges that voted for the winner.")
    scores: Mapping[SideKey, Mapping[str, float]] = Field(default={}, description="Means over the readings.")
    totals: Mapping[SideKey, float] = Field(default={}, description="The scores by their weights; at most 10.")
    margin: float | None = Field(
        default=None, description="The winner's total less that of the best other side; below 0 where they differ."
    )
    position_bias: PositionBias = PositionBias()
    claims: tuple[Tally, ...] = ()


# ── one judge ───────────────────────────────────────────────────────────────────────────────────────────


def vote(rules: JudgeRules, judge: int, readings: Sequence[Reading]) -> Vote:
    """What the readings of one judge come to."""
    model = rules.seats[judge - 1].model
    mine = [reading for reading in readings if reading.judge == judge]
    if failed := next((reading for reading in mine if reading.failed), None):
        return Vote(judge=judge, model=model, outcome="failed", reason=failed.failed)
    if len(mine) < rules.readings:
        return Vote(judge=judge, model=model, outcome="failed", reason="it was not asked to the end")
    if len({reading.winner for reading in mine}) > 1:
        reason = "its two readings, with the sides swapped, name different winners"
        return Vote(judge=judge, model=model, outcome="abstained", reason=reason)
    if not all(reading.is_founded for reading in mine):
        reason = "none of its quotes of the winner stands in the transcript"
        return Vote(judge=judge, model=model, outcome="unfounded", reason=reason)
    return Vote(judge=judge, model=model, outcome="voted", winner=mine[0].winner)


# ── the panel ───────────────────────────────────────────────────────────────────────────────────────────


def verdict(
    rules: JudgeRules, keys: Sequence[str], readings: Sequence[Reading], last_word: str | None = None, broken: str = ""
) -> Verdict:
    """The verdict on the sides with these `keys`. `last_word` is the side that spoke last; `broken` says why the panel
    was not asked to the end, where it was not."""
    judges = tuple(vote(rules, judge, readings) for judge in range(1, len(rules.seats) + 1))
    voted = {each.judge for each in judges if each.outcome == "voted"}
    counted = [reading for reading in readings if reading.judge in voted]
    answered = [reading for reading in readings if not reading.failed]
    points = borda([reading.ranking for reading in counted], keys)
    order = tuple(sorted(keys, key=lambda key: -points[key]))
    winner, reason = _found(judges, keys, order, points)
    scores = _means(answered, keys)
    totals = {key: round(total, 2) for key in scores if (total := _total(rules, scores[key])) is not None}
    many = len(keys) > 2
    return Verdict(
        outcome="no_verdict" if winner is None or broken else "ranking" if many else "winner",
        reason=broken or reason,
        winner=None if broken else winner,
        ranking=order if many and counted else (),
        points=points if many and counted else {},
        judges=judges,
        agreement=_share(judges, winner),
        scores=scores,
        totals=totals,
        margin=None if broken else _margin(totals, winner),
        position_bias=position_bias(readings, last_word),
        claims=tallies(answered),
    )


def _found(
    judges: Sequence[Vote], keys: Sequence[str], order: Sequence[str], points: Mapping[str, float]
) -> tuple[str | None, str]:
    """The winner, or why there is none. A majority is one of all judges, whatever became of them."""
    needed = len(judges) // 2 + 1
    votes = Counter(each.winner for each in judges if each.winner is not None)
    if not votes:
        return None, f"no judge of {len(judges)} voted: {_missing(judges)}"
    if len(keys) <= 2:
        best, most = votes.most_common(1)[0]
        return (best, "") if most >= needed else (None, _short(judges, needed, most))
    if votes.total() < needed:
        return None, _short(judges, needed, votes.total())
    if points[order[0]] == points[order[1]]:
        return None, "the best sides have equally many points"
    return order[0], ""


def _short(judges: Sequence[Vote], needed: int, most: int) -> str:
    told = f"{needed} of {len(judges)} judges would have to agree, and {most} did"
    missing = _missing(judges)
    return f"{told}: {missing}" if missing else f"{told}: they differ"


def _missing(judges: Sequence[Vote]) -> str:
    """Who gave no vote, in words."""
    told = {
        "abstained": "abstained, since their readings changed with the swap",
        "unfounded": "gave no evidence that stands in the transcript",
        "failed": "failed",
    }
    counts = Counter(each.outcome for each in judges)
    return ", ".join(f"{counts[outcome]} {words}" for outcome, words in told.items() if counts[outcome])


def _share(judges: Sequence[Vote], winner: str | None) -> float:
    """For no winner, of those who were named most often."""
    votes = Counter(each.winner for each in judges if each.winner is not None)
    agreeing = votes[winner] if winner is not None else max(votes.values(), default=0)
    return round(agreeing / len(judges), 3)


def borda(rankings: Iterable[Sequence[str]], keys: Sequence[str]) -> dict[str, float]:
    """Points for each key: as many as it leaves behind, in each ranking. What a ranking leaves out shares the points of
    the places that are left."""
    points = dict.fromkeys(keys, 0.0)
    for ranking in rankings:
        ranked = [key for key in ranking if key in points]
        for place, key in enumerate(ranked):
            points[key] += len(keys) - 1 - place
        for key in set(keys) - set(ranked):
            points[key] += (len(keys) - 1 - len(ranked)) / 2
    return points


def _means(readings: Sequence[Reading], keys: Sequence[str]) -> dict[str, dict[str, float]]:
    scores: dict[str, dict[str, float]] = {}
    for key in keys:
        given = [reading.scores[key] for reading in readings if key in reading.scores]
        criteria = dict.fromkeys(criterion for each in given for criterion in each)
        means = {name: round(fmean(each[name] for each in given if name in each), 2) for name in criteria}
        if means:
            scores[key] = means
    return scores


def _total(rules: JudgeRules, scores: Mapping[str, float]) -> float | None:
    weights = dict.fromkeys(scores, 1.0) if isinstance(rules.rubric, str) else rules.rubric
    weighed = {name: weights[name] for name in scores if name in weights}
    weight = sum(weighed.values())
    return sum(scores[name] * weighed[name] for name in weighed) / weight if weight else None


def _margin(totals: Mapping[str, float], winner: str | None) -> float | None:
    others = [total for key, total in totals.items() if key != winner]
    return round(totals[winner] - max(others), 2) if winner is not None and winner in totals and others else None


# ── what the readings show besides ──────────────────────────────────────────────────────────────────────


def position_bias(readings: Sequence[Reading], last_word: str | None) -> PositionBias:
    """How far the readings went by places rather than words."""
    answered = [reading for reading in readings if not reading.failed]
    first = {reading.judge: reading for reading in answered if reading.reading == 1}
    second = {reading.judge: reading for reading in answered if reading.reading == 2}
    pairs = [(first[judge], second[judge]) for judge in first if judge in second]
    changed = [(one, other) for one, other in pairs if one.winner != other.winner]
    return PositionBias(
        pairs=len(pairs),
        changed=len(changed),
        to_first=sum(_place(one) == _place(other) == 0 for one, other in changed),
        to_last=sum(_place(one) == _place(other) == len(one.letters) - 1 for one, other in changed),
        last_word=sum(reading.winner == last_word for reading in answered if last_word is not None),
        readings=len(answered),
    )


def _place(reading: Reading) -> int | None:
    """The place that the winner was named at."""
    order = list(reading.letters.values())
    return order.index(reading.winner) if reading.winner in order else None


def tallies(readings: Sequence[Reading]) -> tuple[Tally, ...]:
    """The claims that the readings tell of, in the order in which they were made."""
    seen: dict[tuple[int, str, str], Counter[Standing]] = {}
    for claim in (claim for reading in readings for claim in reading.claims):
        seen.setdefault((claim.seq, claim.side, claim.text), Counter())[claim.standing] += 1
    return tuple(
        Tally(seq=seq, side=side, text=text, standing=_most(votes), votes=dict(votes))
        for (seq, side, text), votes in sorted(seen.items())
    )


def _most(votes: Counter[Standing]) -> Standing:
    (best, most), *others = votes.most_common()
    return "contested" if others and others[0][1] == most else best
