"""What readings come to, worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest

from rostra.rules import JudgeRules
from rostra.verdicts import Claim, Quote, Reading, Standing, borda, verdict

TWO = ("d1", "d2")
FOUR = ("d1", "d2", "d3", "d4")
EVIDENCE = "eight spaces are not one tab"


def a_reading(judge: int, reading: int, *ranking: str, **fields: Any) -> Reading:
    """The first of a pair names the sides in their order, the second the other way round."""
    keys = sorted(ranking)
    order = keys if reading == 1 else keys[::-1]
    quotes = (Quote(text=EVIDENCE, seq=1, side=ranking[0]),) if ranking else ()
    letters = dict(zip("ABCD", order, strict=False))
    given = {"letters": letters, "ranking": ranking, "quotes": quotes, **fields}
    return Reading(judge=judge, reading=reading, **given)


def both(judge: int, *ranking: str, **fields: Any) -> list[Reading]:
    return [a_reading(judge, reading, *ranking, **fields) for reading in (1, 2)]


def failed(judge: int) -> list[Reading]:
    return [Reading(judge=judge, reading=reading, failed="garbage") for reading in (1, 2)]


def test_a_panel_that_agrees_has_a_verdict():
    found = verdict(JudgeRules(panel=3), TWO, [*both(1, "d1", "d2"), *both(2, "d1", "d2"), *both(3, "d2", "d1")])
    assert (found.outcome, found.winner, found.reason) == ("winner", "d1", "")
    assert found.agreement == 0.667
    assert [vote.winner for vote in found.judges] == ["d1", "d1", "d2"]


def test_a_judge_whose_readings_differ_abstains():
    torn = [a_reading(1, 1, "d1", "d2"), a_reading(1, 2, "d2", "d1")]
    found = verdict(JudgeRules(), TWO, torn)
    assert (found.outcome, found.winner) == ("no_verdict", None)
    assert found.judges[0].outcome == "abstained"
    assert found.reason == "no judge of 1 voted: 1 abstained, since their readings changed with the swap"


@pytest.mark.parametrize(("first", "to_first", "to_last"), [("A", 1, 0), ("B", 0, 1)])
def test_what_a_judge_goes_by_instead_of_words_is_measured(first: str, to_first: int, to_last: int):
    by_place = [
        a_reading(1, 1, *(TWO if first == "A" else TWO[::-1])),
        a_reading(1, 2, *(TWO[::-1] if first == "A" else TWO)),
    ]
    bias = verdict(JudgeRules(panel=2), TWO, [*by_place, *both(2, "d1", "d2")], last_word="d2").position_bias
    assert (bias.pairs, bias.changed, bias.to_first, bias.to_last) == (2, 1, to_first, to_last)
    assert (bias.last_word, bias.readings) == (1, 4)


def test_a_majority_is_one_of_all_judges_also_of_those_who_failed():
    readings = [*both(1, "d1", "d2"), *failed(2), *failed(3)]
    found = verdict(JudgeRules(panel=3), TWO, readings)
    assert found.outcome == "no_verdict"
    assert found.reason == "2 of 3 judges would have to agree, and 1 did: 2 failed"
    assert [(vote.outcome, vote.reason) for vote in found.judges] == [("voted", ""), *[("failed", "garbage")] * 2]
    assert found.agreement == 0.333


def test_half_of_a_panel_is_no_majority():
    found = verdict(JudgeRules(panel=2), TWO, [*both(1, "d1", "d2"), *both(2, "d2", "d1")])
    assert (found.outcome, found.reason) == ("no_verdict", "2 of 2 judges would have to agree, and 1 did: they differ")


def test_a_judge_without_evidence_for_its_winner_does_not_vote():
    invented = (Quote(text="tabs cure colds", rejected="not in the transcript"),)
    of_the_loser = (Quote(text=EVIDENCE, seq=2, side="d2"),)
    for quotes in (invented, of_the_loser, ()):
        found = verdict(JudgeRules(), TWO, both(1, "d1", "d2", quotes=quotes))
        assert (found.outcome, found.judges[0].outcome) == ("no_verdict", "unfounded")
        assert found.reason == "no judge of 1 voted: 1 gave no evidence that stands in the transcript"


def test_without_a_swap_one_reading_is_a_vote():
    found = verdict(JudgeRules(swap=False), TWO, [a_reading(1, 1, "d2", "d1")])
    assert (found.winner, found.position_bias.pairs) == ("d2", 0)


def test_a_reading_that_is_missing_is_told():
    found = verdict(JudgeRules(), TWO, [a_reading(1, 1, "d1", "d2")], broken="the debate's limit was reached")
    assert (found.outcome, found.reason) == ("no_verdict", "the debate's limit was reached")
    assert found.judges[0].reason == "it was not asked to the end"


def test_scores_are_means_weighed_by_the_rubric():
    rules = JudgeRules.model_validate({"panel": 1, "rubric": {"content": 3, "style": 1}})
    one = {"d1": {"content": 8, "style": 4}, "d2": {"content": 5, "style": 9}}
    other = {"d1": {"content": 6, "style": 4}, "d2": {"content": 5, "style": 9}}
    readings = [a_reading(1, 1, "d1", "d2", scores=one), a_reading(1, 2, "d1", "d2", scores=other)]
    found = verdict(rules, TWO, readings)
    assert found.scores == {"d1": {"content": 7, "style": 4}, "d2": {"content": 5, "style": 9}}
    assert found.totals == {"d1": 6.25, "d2": 6}
    assert found.margin == 0.25


def test_a_winner_with_fewer_points_has_a_margin_below_zero():
    scores = {"d1": {"content": 3}, "d2": {"content": 7}}
    rules = JudgeRules.model_validate({"rubric": {"content": 1}})
    assert verdict(rules, TWO, both(1, "d1", "d2", scores=scores)).margin == -4


def test_more_than_two_sides_are_ranked_by_bordas_count():
    rankings = [("d1", "d2", "d3", "d4"), ("d1", "d3", "d2", "d4"), ("d2", "d1", "d3", "d4")]
    readings = [reading for judge, ranking in enumerate(rankings, 1) for reading in both(judge, *ranking)]
    found = verdict(JudgeRules(panel=3), FOUR, readings)
    # 3 points for a first place, then 2, 1, 0, in each of six readings
    assert found.points == {"d1": 16, "d2": 12, "d3": 8, "d4": 0}
    assert (found.outcome, found.winner, found.ranking) == ("ranking", "d1", ("d1", "d2", "d3", "d4"))


def test_of_many_sides_a_tie_at_the_top_is_no_verdict():
    readings = [*both(1, "d1", "d2", "d3"), *both(2, "d2", "d1", "d3")]
    found = verdict(JudgeRules(panel=2), FOUR[:3], readings)
    assert (found.outcome, found.reason) == ("no_verdict", "the best sides have equally many points")


def test_of_many_sides_too_the_majority_of_all_judges_must_have_voted():
    found = verdict(JudgeRules(panel=3), FOUR[:3], [*both(1, "d1", "d2", "d3"), *failed(2), *failed(3)])
    assert (found.outcome, found.reason) == ("no_verdict", "2 of 3 judges would have to agree, and 1 did: 2 failed")


def test_bordas_count_shares_the_places_that_a_ranking_leaves_open():
    assert borda([("a",)], "abc") == {"a": 2, "b": 0.5, "c": 0.5}


def test_what_became_of_a_claim_is_voted_on():
    def claims(*standings: Standing) -> list[Reading]:
        made = [(Claim(seq=1, side="d1", text="Tabs are one byte", standing=each),) for each in standings]
        return [a_reading(n, 1, "d1", "d2", claims=each) for n, each in enumerate(made, 1)]

    (tally,) = verdict(JudgeRules(panel=3, swap=False), TWO, claims("stands", "stands", "dropped")).claims
    assert (tally.standing, tally.votes) == ("stands", {"stands": 2, "dropped": 1})
    (tied,) = verdict(JudgeRules(panel=2, swap=False), TWO, claims("stands", "dropped")).claims
    assert tied.standing == "contested"
