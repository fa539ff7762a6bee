"""What ballots come to. Pure; a tie is told as a tie.

Ballots are tuples of what was voted for; an empty one abstains. Each protocol is bad at something: `majority` often
finds nobody; `borda` (de Borda 1781) can pass over the winner of every duel; `approval` (Brams and Fishburn 1978) knows
no degrees.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import ConfigDict, Field

from rostra.fields import Stored
from rostra.rules import DecisionRules
from rostra.sides import SideKey
from rostra.verdicts import borda

Ballot = Sequence[str]
Stand = Literal["for", "against", "undecided"]
STANDS: tuple[Stand, ...] = ("for", "against", "undecided")


class Decision(Stored):
    """What the debaters decided. `tied` are those that nobody could tell apart at the top."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    protocol: str
    winner: SideKey | None = None
    tied: tuple[SideKey, ...] = ()
    tally: Mapping[SideKey, float]
    ballots: int = Field(description="Votes that were cast.")
    abstained: int
    failed: int = 0
    round: int = 1
    reason: str = Field(default="", description="Why nothing was decided.")


def tally(protocol: str, ballots: Sequence[Ballot], candidates: Sequence[str]) -> dict[str, float]:
    """Votes or points for each candidate."""
    cast = [_known(ballot, candidates) for ballot in ballots]
    match protocol:
        case "borda":
            return borda([ballot for ballot in cast if ballot], candidates)
        case "approval":
            return _counted([key for ballot in cast for key in ballot], candidates)
        case _:
            return _counted([ballot[0] for ballot in cast if ballot], candidates)


def _known(ballot: Ballot, candidates: Sequence[str]) -> list[str]:
    """Each candidate once, in the ballot's order."""
    return [key for key in dict.fromkeys(ballot) if key in candidates]


def _counted(votes: Sequence[str], candidates: Sequence[str]) -> dict[str, float]:
    counts = Counter(votes)
    return {key: float(counts[key]) for key in candidates}


def decided(
    rules: DecisionRules, ballots: Sequence[Ballot], candidates: Sequence[str], failed: int = 0, round_: int = 1
) -> Decision:
    """What the ballots come to under these rules. `failed` voters gave no ballot, and count as voters."""
    counts = tally(rules.protocol, ballots, candidates)
    cast = [ballot for ballot in ballots if _known(ballot, candidates)]
    most = max(counts.values(), default=0.0)
    best = tuple(key for key in candidates if counts[key] == most) if cast else ()
    needed = _needed(rules, len(ballots) + failed)
    reason = _reason(rules, best, most, needed, len(ballots) + failed)
    return Decision(
        protocol=rules.protocol,
        winner=None if reason else next(iter(best)),
        tied=best if len(best) > 1 else (),
        tally=counts,
        ballots=len(cast),
        abstained=len(ballots) - len(cast),
        failed=failed,
        round=round_,
        reason=reason,
    )


def _needed(rules: DecisionRules, voters: int) -> int:
    """The votes that one must have: more than half of all voters, or for a consensus the share asked for."""
    match rules.protocol:
        case "consensus":
            return math.ceil(rules.share * voters - 1e-9)
        case "majority":
            return voters // 2 + 1
        case _:
            return 0


def _reason(rules: DecisionRules, best: Sequence[str], most: float, needed: int, voters: int) -> str:
    if not best:
        return "nobody voted"
    if len(best) > 1:
        return f"a tie of {len(best)}"
    if most < needed:
        return f"{needed} of {voters} votes are needed, and the best has {most:g}"
    return ""


def goes_on(rules: DecisionRules, decision: Decision) -> bool:
    """Whether another round may bring the consensus that is wanted."""
    return rules.protocol == "consensus" and decision.winner is None and decision.round < rules.limit


# ── an audience ─────────────────────────────────────────────────────────────────────────────────────────


class Voter(Stored):
    """One of the audience: what they voted before and after; null where they gave no vote."""

    voter: int
    persona: str = ""
    before: str | None = None
    after: str | None = None
    reason: str = ""


class Swing(Stored):
    """How the audience moved. Only voters count who voted both times; the others are told."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    before: Mapping[str, int]
    after: Mapping[str, int]
    gained: Mapping[str, int]
    winner: Literal["for", "against", "tie"] | None = Field(
        description="Who gained more votes; null where nobody voted both times."
    )
    counted: int
    failed: int = Field(description="Voters who did not vote both times.")
    voters: tuple[Voter, ...]


def swing(voters: Sequence[Voter]) -> Swing:
    """The Oxford outcome: whoever gained more votes wins, however many they have."""
    counted = [each for each in voters if each.before and each.after]
    before = Counter(each.before for each in counted)
    after = Counter(each.after for each in counted)
    gained = {stand: after[stand] - before[stand] for stand in STANDS}
    lead = gained["for"] - gained["against"]
    return Swing(
        before={stand: before[stand] for stand in STANDS},
        after={stand: after[stand] for stand in STANDS},
        gained=gained,
        winner=None if not counted else "for" if lead > 0 else "against" if lead < 0 else "tie",
        counted=len(counted),
        failed=len(voters) - len(counted),
        voters=tuple(voters),
    )
