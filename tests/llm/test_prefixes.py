"""Which sequence begins with which tokens, compared with looking at each of them."""

import random

import pytest

from rostra_llm.engine.prefixes import Prefixes, common


def holding(**held: str) -> Prefixes:
    """Sequences 0, 1, … hold these letters, one token each."""
    prefixes = Prefixes()
    for sequence, tokens in enumerate(held.values()):
        prefixes.hold(sequence, list(map(ord, tokens)))
    return prefixes


def match(prefixes: Prefixes, tokens: str) -> tuple[int, set[int]]:
    found = prefixes.match(list(map(ord, tokens)))
    return found.tokens, set(found.sequences)


def test_the_longest_common_prefix_is_found_also_within_what_a_sequence_holds() -> None:
    prefixes = holding(a="the motion is tabs", b="the motion is spaces")
    assert match(prefixes, "the motion is table tennis") == (len("the motion is tab"), {0})
    assert match(prefixes, "the motion was lost") == (len("the motion "), {0, 1})
    assert match(prefixes, "a motion") == (0, set())


def test_a_sequence_that_is_forgotten_leaves_what_others_share_with_it() -> None:
    prefixes = holding(a="abcdef", b="abcxyz")
    prefixes.forget(0)
    assert match(prefixes, "abcdef") == (3, {1})
    prefixes.forget(1)
    assert match(prefixes, "abcdef") == (0, set())


def test_what_is_held_by_another_too_need_not_be_kept_twice() -> None:
    prefixes = holding(a="abc", b="abcdef", c="abx")
    assert prefixes.held_by_others(0)
    assert not prefixes.held_by_others(1)
    assert prefixes.covered_by(1) == {0}
    assert prefixes.covered_by(2) == set()


@pytest.mark.parametrize("seed", range(60))
def test_any_course_of_events_gives_what_comparing_all_sequences_gives(seed: int) -> None:
    chance = random.Random(seed)
    prefixes, held = Prefixes(), dict[int, list[int]]()
    for _ in range(150):
        if held and chance.random() < 0.3:
            sequence = chance.choice(list(held))
            prefixes.forget(sequence)
            del held[sequence]
        else:
            sequence = chance.randrange(8)
            held[sequence] = [chance.randrange(3) for _ in range(chance.randrange(12))]
            prefixes.hold(sequence, held[sequence])
        wanted = [chance.randrange(3) for _ in range(chance.randrange(12))]
        lengths = {sequence: common(tokens, wanted) for sequence, tokens in held.items()}
        found = prefixes.match(wanted)
        assert found.tokens == max(lengths.values(), default=0)
        assert found.sequences == {s for s, length in lengths.items() if length == found.tokens and length}
        for sequence, tokens in held.items():
            assert prefixes.tokens(sequence) == tokens
            others = [t for s, t in held.items() if s != sequence]
            assert prefixes.held_by_others(sequence) == (
                not tokens or any(other[: len(tokens)] == tokens for other in others)
            )
            assert prefixes.covered_by(sequence) >= {
                s for s, t in held.items() if s != sequence and t and tokens[: len(t)] == t
            }
