"""How much is asked beside the turns: what bounds the cost of judges, votes and baselines. Pure."""

from __future__ import annotations

from rostra.models import Debate
from rostra.rules import JudgeRules
from rostra.sides import sides

# How often a question may be answered badly, before it is given up.
ASKS = 3
# Tokens of one answer at most. A reading: quotes, reasons and claims; then the scores of each side.
_READING_TOKENS = 550
_SIDE_TOKENS = 12
_CRITERION_TOKENS = 10
BALLOT_TOKENS = 150
SINGLE_TOKENS = 350
# Independent answers beside a debate, whatever it cost.
FEWEST_ANSWERS = 3
MOST_ANSWERS = 15


def reading_tokens(rules: JudgeRules, sides: int) -> int:
    """The longest answer of a judge."""
    criteria = 0 if isinstance(rules.rubric, str) else len(rules.rubric)
    return _READING_TOKENS + sides * (_SIDE_TOKENS + criteria * _CRITERION_TOKENS)


def most_tokens(debate: Debate) -> int:
    """What all answers beside the turns come to at most, each asked for as often as may be."""
    readings = votes = singles = 0
    if debate.judge:
        readings = len(debate.judge.seats) * debate.judge.readings * reading_tokens(debate.judge, len(sides(debate)))
    if debate.audience:
        votes += 2 * debate.audience.size
    if debate.decision:
        votes += debate.decision.limit * len(debate.debaters)
    if debate.baselines:
        votes += MOST_ANSWERS
        singles = SINGLE_TOKENS
    return ASKS * (readings + votes * BALLOT_TOKENS + singles)
