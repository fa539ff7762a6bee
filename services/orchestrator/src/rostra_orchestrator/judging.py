"""A judge's reading of a debate: what the judge is asked, and what is made of the answer.

The fields stand in an order that lets a model think before it decides: quotes, reasons, claims, scores, and the winner
last.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rostra import quotes
from rostra.events import ReadingGiven, TurnTaken
from rostra.format import MODERATOR
from rostra.models import Debate
from rostra.questions import reading_tokens
from rostra.rules import JudgeRules
from rostra.verdicts import Claim, Clash, Quote, Standing
from rostra_orchestrator import claims, prompt, prose
from rostra_orchestrator.asking import Unreadable
from rostra_orchestrator.endpoint import Message, ModelServer
from rostra_orchestrator.hearing import Hearing
from rostra_orchestrator.masks import Mask
from rostra_orchestrator.reading import (
    LONGEST_TEXT,
    items,
    letters_in,
    members,
    object_schema,
    order_schema,
    text_of,
    text_schema,
    texts_of,
    texts_schema,
)
from rostra_orchestrator.slots import Line

_STANDINGS: tuple[Standing, ...] = ("stands", "contested", "dropped")
_MOST_QUOTES = 3
_MOST_CLASHES = 4
# Characters of all claims that a judge is asked about; and so many claims at most.
_CLAIMS_ROOM = 500
_MOST_CLAIMS = 6
_MOST_REASONS = 3
_LONGEST_POINT = 120


@dataclass(slots=True)
class ReadingAsked:
    """One reading, to be asked. Implements `asking.Question`."""

    debate: Debate
    rules: JudgeRules
    judge: int
    reading: int
    mask: Mask
    turns: Sequence[TurnTaken]
    left_out: int = 0
    made: list[claims.Claim] = field(default_factory=list[claims.Claim])

    def __post_init__(self) -> None:
        lines = [Line(turn.debater, turn.text) for turn in self._argued]
        found = claims.made(lines, self.debate.language)
        self.made = claims.chosen(found, _CLAIMS_ROOM, lambda _: 0)[:_MOST_CLAIMS]

    @property
    def name(self) -> str:
        return f"judge {self.judge}, reading {self.reading}"

    @property
    def _argued(self) -> list[TurnTaken]:
        """What the sides said; a moderator's words are nobody's claim, and no evidence."""
        members = {member for side in self.mask.order for member in side.members}
        return [turn for turn in self.turns if turn.debater in members]

    @property
    def longest(self) -> int:
        return reading_tokens(self.rules, len(self.mask.order))

    # ── what is asked ───────────────────────────────────────────────────────────────────────────────────

    async def messages(self, server: ModelServer, longest: int, *, again: bool) -> Sequence[Message]:
        opening = [Line(MODERATOR, self.debate.opening)] if self.debate.opening else []
        hearing = Hearing(self.mask, [*opening, *(Line(turn.debater, turn.text) for turn in self.turns)])
        messages, self.left_out = await hearing.messages(server, "judge", self._ask(again=again), longest)
        return messages

    def _ask(self, *, again: bool) -> str:
        told = prose.prose_for(self.debate)
        persona = self.rules.seats[self.judge - 1].persona
        who = [told("persona", persona=prompt.as_data(persona))] if persona else []
        return "\n".join([*self._claims_shown(), *who, told.form(*self._fields(), again=again)])

    def _claims_shown(self) -> Iterator[str]:
        if not self.made:
            return
        yield prose.prose_for(self.debate)("claims")
        for number, claim in enumerate(self.made, 1):
            label = prompt.label(self.mask.shown, claim.speaker)
            yield f"{number}. {label}: {prompt.as_data(self.mask.hide(claim.text))}"

    def _fields(self) -> Iterator[str]:
        told = prose.prose_for(self.debate)
        letters = list(self.mask.letters)
        yield told("quotes")
        yield told("reasons")
        if self.made:
            yield told("standings")
        if isinstance(self.rules.rubric, str):
            yield told("clashes", letters=prose.letters(letters))
        else:
            yield told("scores", criteria=", ".join(told.criterion(name) for name in self.rules.rubric))
        if len(letters) > 2:
            yield told("ranking", example=" > ".join(letters))
        else:
            yield told("winner", letters=prose.letters(letters))

    @property
    def schema(self) -> Mapping[str, Any]:
        return object_schema(dict(self._schemas()))

    def _schemas(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        letters = list(self.mask.letters)
        yield "quotes", texts_schema(_MOST_QUOTES)
        yield "reasons", texts_schema(_MOST_REASONS)
        if self.made:
            standing = {"type": "string", "enum": list(_STANDINGS)}
            yield "claims", object_schema({str(number): standing for number in range(1, len(self.made) + 1)})
        if isinstance(self.rules.rubric, str):
            clash = object_schema({"point": text_schema(_LONGEST_POINT), "winner": {"type": "string", "enum": letters}})
            yield "clashes", {"type": "array", "items": clash, "minItems": 1, "maxItems": _MOST_CLASHES}
        else:
            points = {"type": "integer", "minimum": 1, "maximum": 10}
            criteria = object_schema(dict.fromkeys(self.rules.rubric, points))
            yield "scores", object_schema(dict.fromkeys(letters, criteria))
        if len(letters) > 2:
            yield "ranking", order_schema(letters)
        else:
            yield "winner", {"type": "string", "enum": letters}

    # ── what was answered ───────────────────────────────────────────────────────────────────────────────

    def read(self, answer: Mapping[str, Any]) -> ReadingGiven:
        ranking = self._ranking(answer)
        clashes = tuple(self._clashes(answer)) if isinstance(self.rules.rubric, str) else ()
        return self._given(
            ranking=ranking,
            scores=self._won(clashes)
            if isinstance(self.rules.rubric, str)
            else self._scores(answer, self.rules.rubric),
            quotes=tuple(self._quotes(answer)),
            reasons=self.mask.unhide(texts_of(answer.get("reasons"), _MOST_REASONS)),
            claims=tuple(self._claims(answer)),
            clashes=clashes,
            left_out=self.left_out,
        )

    def failed(self, reason: str) -> ReadingGiven:
        return self._given(failed=reason)

    def _given(self, **fields: Any) -> ReadingGiven:
        model = self.rules.seats[self.judge - 1].model
        own = {"judge": self.judge, "reading": self.reading, "model": model, "letters": self.mask.letters}
        return ReadingGiven(**own, **fields)

    def _ranking(self, answer: Mapping[str, Any]) -> tuple[str, ...]:
        if len(self.mask.letters) > 2:
            order = self._letters_in(text_of(answer.get("ranking")))
            if sorted(order) != sorted(self.mask.letters):
                raise Unreadable("`ranking` does not name each side once")
            return tuple(self.mask.letters[letter] for letter in order)
        winner = self._side(answer.get("winner"))
        if winner is None:
            raise Unreadable("`winner` names no side, or several")
        return (winner, *(key for key in self.mask.letters.values() if key != winner))

    def _letters_in(self, text: str) -> list[str]:
        """The letters in the order in which they are named; labels are as good as letters."""
        for letter, side in zip(self.mask.letters, self.mask.order, strict=True):
            for name in (self.mask.labels[side.key], *([] if self.mask.names_hidden else [side.title])):
                text = text.replace(name, f" {letter} ")
        return letters_in(text, list(self.mask.letters))

    def _side(self, value: object) -> str | None:
        """The one side that is named."""
        found = set(self._letters_in(text_of(value)))
        return self.mask.letters[found.pop()] if len(found) == 1 else None

    def _scores(self, answer: Mapping[str, Any], criteria: Mapping[str, float]) -> dict[str, dict[str, float]]:
        given = {self._side(name): value for name, value in members(answer.get("scores")).items()}
        scores: dict[str, dict[str, float]] = {}
        for letter, key in self.mask.letters.items():
            points = {name.strip().lower(): value for name, value in members(given.get(key)).items()}
            scores[key] = {name: _points(points.get(name), letter, name) for name in criteria}
        return scores

    def _won(self, clashes: Sequence[Clash]) -> dict[str, dict[str, float]]:
        """By clashes: each side's share of them, as points from 0 to 10."""
        if not clashes:
            raise Unreadable("`clashes` names no point")
        keys = self.mask.letters.values()
        return {key: {"clashes": 10 * sum(c.winner == key for c in clashes) / len(clashes)} for key in keys}

    def _clashes(self, answer: Mapping[str, Any]) -> Iterator[Clash]:
        for each in map(members, items(answer.get("clashes"))[:_MOST_CLASHES]):
            if point := text_of(each.get("point")):
                yield Clash(point=self.mask.unhide(point)[: 2 * _LONGEST_POINT], winner=self._side(each.get("winner")))

    def _quotes(self, answer: Mapping[str, Any]) -> Iterator[Quote]:
        hidden = [quotes.Said(turn.seq, turn.debater, self.mask.hide(turn.text)) for turn in self._argued]
        spoken = [quotes.Said(turn.seq, turn.debater, turn.text) for turn in self._argued]
        for each in items(answer.get("quotes"))[: 2 * _MOST_QUOTES]:
            fields = members(each)
            text = text_of(fields.get("quote", fields.get("text")) if fields else each)
            found = quotes.found(text, hidden)
            literal = quotes.found(text, spoken)
            shown = (text if isinstance(literal, quotes.Found) else self.mask.unhide(text))[: 3 * LONGEST_TEXT]
            if isinstance(found, str):
                yield Quote(text=shown, rejected=found)
            else:
                yield Quote(text=shown, seq=found.seq, side=self._key_of(found.speaker))

    def _claims(self, answer: Mapping[str, Any]) -> Iterator[Claim]:
        """What became of the claims; one that the judge passes over is not told."""
        given = members(answer.get("claims"))
        for number, claim in enumerate(self.made, 1):
            standing = text_of(given.get(str(number))).lower()
            known: Standing | None = next((each for each in _STANDINGS if each in standing), None)
            if known is not None:
                yield Claim(
                    seq=self._argued[claim.line].seq, side=self._key_of(claim.speaker), text=claim.text, standing=known
                )

    def _key_of(self, debater: str) -> str:
        return next(side.key for side in self.mask.order if debater in side.members)


def _points(value: object, letter: str, criterion: str) -> float:
    """Points as they are written: 8, 8.5, "8", "8/10"."""
    found = re.fullmatch(r"(\d{1,2}(?:\.\d+)?)(?:\s*/\s*10)?", text_of(value))
    points = float(found[1]) if found else 0.0
    if not 1 <= points <= 10:
        raise Unreadable(f"`scores` has no points from 1 to 10 for {criterion} of {letter}")
    return points
