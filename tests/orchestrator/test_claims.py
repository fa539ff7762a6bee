"""What was claimed so far, in the debaters' own words."""

from __future__ import annotations

import pytest

from rostra.format import MODERATOR
from rostra_orchestrator.claims import Claim, chosen, made
from rostra_orchestrator.slots import Line


def claimed(*texts: str, language: str | None = "en") -> list[str]:
    """The claims in these turns, two debaters' in turn."""
    return [claim.text for claim in made([Line(f"d{n % 2 + 1}", text) for n, text in enumerate(texts)], language)]


def test_a_claim_is_the_sentence_of_a_turn_that_has_most_that_is_new():
    trams = "Trams are slow and stop in the snow."
    assert claimed(trams, f"{trams} But a bus burns oil for every mile it goes.") == [
        "Trams are slow and stop in the snow",
        "But a bus burns oil for every mile it goes",
    ]


@pytest.mark.parametrize(
    ("language", "no_claims", "claim"),
    [
        ("en", "Thank you, Grace. Do you ever walk? ", "Cars kill more children than wars do."),
        ("de", "Da stimme ich dir zu. Was kostet das? ", "Autos brauchen den Platz von zehn Menschen."),
        ("ja", "おっしゃる通りです。費用は誰が払いますか。", "路面電車は冬の雪で必ず止まります。"),
        ("zh", "谢谢你。谁来付钱？", "电车在冬天的大雪里一定会停下来。"),
        ("ko", "맞습니다. 누가 돈을 냅니까? ", "전차는 겨울에 눈이 오면 반드시 멈추게 됩니다."),
        ("ar", "هل تمشي؟ ", "الترام بطيء ويتوقف دائما في الثلج كل شتاء."),
    ],
)
def test_questions_thanks_and_agreement_are_no_claims_in_any_language(language: str, no_claims: str, claim: str):
    assert claimed(no_claims + claim, language=language) == [claim.rstrip(".。")]


@pytest.mark.parametrize("turn", ["", "Indeed.", "I agree with you.", "What do you think of trams in winter?", "…"])
def test_a_turn_that_claims_nothing_has_no_claim(turn: str):
    assert claimed(turn) == []


def test_what_says_a_claim_again_is_left_out_whoever_says_it():
    assert claimed(
        "Trams are slow and stop in the snow.",
        "As my opponent said, trams are slow and stop in the snow.",
        "Trams are slow, and they stop in the snow!",
        "Buses at least go on time in any weather.",
    ) == ["Trams are slow and stop in the snow", "Buses at least go on time in any weather"]


def test_a_long_sentence_is_cut_where_a_clause_ends_and_marked():
    turn = (
        "Every delivery that my bakery gets comes by car before dawn, because the flour mill is forty miles away, "
        "and no tram in the world has ever carried flour."
    )
    assert claimed(turn) == ["Every delivery that my bakery gets comes by car before dawn…"]


@pytest.mark.parametrize(
    ("language", "turn", "claim"),
    [
        ("en", "word " * 40, " ".join(["word"] * 16) + "…"),
        ("en", "w" * 300, "w" * 79 + "…"),
        ("ja", "路面電車" * 30 + "。", "路面電車" * 9 + "路面電…"),
        ("hi", "क्षि" * 100, "क्षि" * 26 + "…"),
    ],
)
def test_where_no_clause_ends_it_is_cut_at_a_word_or_else_at_a_whole_character(language: str, turn: str, claim: str):
    (text,) = claimed(f"{turn} one two three four", language=language) or [""]
    assert text == claim


def test_what_the_moderator_says_is_no_claim_but_was_said():
    told = "Trams are slow and stop in the snow."
    (claim,) = made([Line(MODERATOR, told), Line("d1", told)])
    assert (claim.speaker, claim.line, claim.fresh) == ("d1", 1, 0.0)


def test_a_claim_hangs_on_what_was_said_before_it_alone():
    lines = [Line(f"d{n % 2 + 1}", f"In town {n} the tram number {n * n} ran into a wall of ice.") for n in range(30)]
    other = [*lines[:20], Line("d1", "Now to something else, that is to say the price of bread.")]
    whole = made(lines, "en")
    assert made(lines[:10], "en") == [claim for claim in whole if claim.line < 10]
    assert made(other, "en")[:-1] == [claim for claim in whole if claim.line < 20]
    assert made(lines, "en") == whole


def a_claim(speaker: str, line: int, fresh: float, length: int = 18) -> Claim:
    return Claim(speaker, f"{line:0{length}}", line, fresh)


class TestChosen:
    def test_all_that_have_room_in_order(self):
        claims = [a_claim("d1", 1, 1.0), a_claim("d2", 2, 1.0), a_claim("d1", 3, 1.0)]
        assert chosen(claims, 1000, len) == claims

    def test_by_turns_the_newest_and_the_rarest_of_each_side(self):
        claims = [a_claim(f"d{n % 2 + 1}", n, fresh=0.9 if n in (4, 5) else 0.5) for n in range(20)]
        assert [claim.line for claim in chosen(claims, 4 * 20 + 4, lambda _: 2)] == [4, 5, 18, 19]

    def test_a_side_with_long_claims_has_fewer_of_them(self):
        claims = [a_claim(f"d{n % 2 + 1}", n, 1.0, length=58 if n % 2 else 18) for n in range(40)]
        kept = chosen(claims, 240, lambda _: 0)
        assert [sum(len(c.text) for c in kept if c.speaker == d) for d in ("d1", "d2")] == [6 * 18, 2 * 58]

    def test_a_side_that_claimed_little_leaves_its_room_to_the_others(self):
        claims = [a_claim("d1", n, 1.0) for n in range(9)] + [a_claim("d2", 9, 1.0)]
        assert len(chosen(claims, 10 * 20 + 4, lambda _: 2)) == 10

    def test_none_where_there_is_no_room(self):
        assert chosen([a_claim("d1", 1, 1.0)], 10, len) == []
