"""Ballots made by hand, and what they come to."""

from __future__ import annotations

import pytest

from rostra.rules import DecisionRules
from rostra.votes import Decision, Voter, decided, goes_on, swing, tally

ABC = ("a", "b", "c")


def rules(protocol: str, **fields: object) -> DecisionRules:
    return DecisionRules.model_validate({"protocol": protocol, **fields})


def test_a_majority_is_more_than_half_of_all_voters():
    found = decided(rules("majority"), [("a",), ("a",), ("a",), ("b",), ("c",)], ABC)
    assert (found.winner, found.tally) == ("a", {"a": 3, "b": 1, "c": 1})


def test_the_most_votes_are_not_yet_a_majority():
    found = decided(rules("majority"), [("a",), ("a",), ("b",), ("c",)], ABC)
    assert (found.winner, found.reason) == (None, "3 of 4 votes are needed, and the best has 2")


@pytest.mark.parametrize("protocol", ["majority", "approval", "borda", "consensus"])
def test_a_tie_is_told_as_a_tie(protocol: str):
    found = decided(rules(protocol), [("a", "b"), ("b", "a")], ("a", "b"))
    assert found.winner is None
    assert set(found.tied) == {"a", "b"}
    assert found.reason == "a tie of 2"


def test_who_abstains_or_fails_is_a_voter_still():
    found = decided(rules("majority"), [("a",), ("a",), (), ()], ABC, failed=1)
    assert (found.winner, found.ballots, found.abstained, found.failed) == (None, 2, 2, 1)
    assert found.reason == "3 of 5 votes are needed, and the best has 2"


def test_where_nobody_votes_nothing_is_decided():
    found = decided(rules("approval"), [(), ()], ABC, failed=1)
    assert (found.winner, found.tied, found.reason) == (None, (), "nobody voted")


def test_bordas_count_may_pass_over_the_winner_of_every_duel():
    """a beats b and c with three against two each; b has more points."""
    ballots = [("a", "b", "c")] * 3 + [("b", "c", "a")] * 2
    assert decided(rules("borda"), ballots, ABC).winner == "b"
    assert tally("borda", ballots, ABC) == {"a": 6, "b": 7, "c": 2}
    assert decided(rules("majority"), ballots, ABC).winner == "a"


def test_a_circle_of_preferences_is_a_tie_for_borda():
    found = decided(rules("borda"), [("a", "b", "c"), ("b", "c", "a"), ("c", "a", "b")], ABC)
    assert (found.winner, found.tied) == (None, ABC)


def test_approval_counts_all_that_are_approved_of():
    found = decided(rules("approval"), [("a", "b"), ("b", "c"), ("b",), ()], ABC)
    assert (found.winner, found.tally, found.abstained) == ("b", {"a": 1, "b": 3, "c": 1}, 1)


def test_what_is_no_candidate_is_not_counted_and_nobody_counts_twice():
    found = decided(rules("approval"), [("a", "a", "z"), ("z",)], ABC)
    assert (found.tally["a"], found.abstained) == (1, 1)


@pytest.mark.parametrize(
    ("share", "votes", "winner"), [(1, "aaa", "a"), (1, "aab", None), (0.66, "aab", "a"), (0.75, "aaab", "a")]
)
def test_a_consensus_is_the_share_that_was_asked_for(share: float, votes: str, winner: str | None):
    assert decided(rules("consensus", share=share), [(vote,) for vote in votes], ABC).winner == winner


def test_rounds_go_on_until_there_is_a_consensus_or_the_limit():
    torn, agreed = [("a",), ("b",)], [("a",), ("a",)]
    three = rules("consensus", limit=3)

    def after(ballots: list[tuple[str, ...]], round_: int) -> Decision:
        return decided(three, ballots, ABC, round_=round_)

    assert goes_on(three, after(torn, 1))
    assert not goes_on(three, after(agreed, 1))
    assert not goes_on(three, after(torn, 3))
    assert not goes_on(rules("majority"), decided(rules("majority"), torn, ABC))


def voters(*votes: tuple[str | None, str | None]) -> list[Voter]:
    return [Voter(voter=n, before=before, after=after) for n, (before, after) in enumerate(votes, 1)]


def test_who_gains_more_wins_however_many_they_have():
    audience = voters(("for", "for"), ("for", "for"), ("for", "for"), ("undecided", "against"))
    moved = swing(audience)
    assert (moved.winner, moved.after["for"], moved.gained["against"]) == ("against", 3, 1)


def test_a_swing_that_is_even_is_a_tie():
    assert swing(voters(("for", "against"), ("against", "for"))).winner == "tie"


def test_only_who_voted_both_times_counts():
    moved = swing(voters(("for", None), (None, "against"), ("undecided", "for")))
    assert (moved.winner, moved.counted, moved.failed) == ("for", 1, 2)
    assert moved.before == {"for": 0, "against": 0, "undecided": 1}
    assert swing(voters(("for", None))).winner is None
