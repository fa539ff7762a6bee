"""A format as rows, one a slot, for pictures of it; and the plainest of them, made of characters. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rostra.format import AUDIENCE, MODERATOR, Format, Kind, Order, Phase, Side, Speech

_IN_ORDER = {
    Order.ROUND_ROBIN: "as they were given",
    Order.RANDOM: "in an order drawn for each round",
    Order.AUTO: "whom the model chooses",
    Order.MANUAL: "as `speakers` lists them",
}


class Row(NamedTuple):
    """One slot: the sides of who speaks or answers in it, and of who asks; None where it is nobody's."""

    name: str
    who: str
    minutes: float | None = None
    kind: Kind = "speech"
    speaks: tuple[Side | None, ...] = ()
    asks: tuple[Side | None, ...] = ()
    window: tuple[float, float] | None = None  # minutes between which points of information are offered
    notes: tuple[str, ...] = ()


class Section(NamedTuple):
    """One phase."""

    heading: str
    notes: tuple[str, ...]
    rows: Sequence[Row]


def sections(debate_format: Format) -> list[Section]:
    return [
        Section(phase.heading, tuple(_notes(phase)), list(_rows(debate_format, phase)))
        for phase in debate_format.phases
    ]


def _notes(phase: Phase) -> Iterator[str]:
    if phase.rounds > 1:
        yield f"{phase.rounds} rounds"
    if not phase.new_arguments:
        yield "nothing new"
    if phase.simultaneous:
        yield "at the same time"
    if phase.anonymous:
        yield "without names"
    if phase.until_agreed:
        yield "until all agree"
    if phase.announced:
        yield "announced"


def _rows(debate_format: Format, phase: Phase) -> Iterator[Row]:
    if phase.order:
        yield Row("each debater", _IN_ORDER[phase.order], phase.minutes)
    for speech in phase.slots:
        yield _row(debate_format, phase, speech)


def _row(debate_format: Format, phase: Phase, speech: Speech) -> Row:
    notes = [] if speech.new_arguments or not phase.new_arguments else ["nothing new"]
    points = speech.points
    if points:
        number = "a point" if points.most == 1 else f"{points.most} points"
        notes.append(f"{number}, minutes {points.after:g} to {points.until:g}")
    return Row(
        name=speech.name,
        who=_who(speech),
        minutes=speech.minutes,
        kind=speech.kind,
        speaks=_sides(debate_format, _speaking(speech)),
        asks=_sides(debate_format, [speech.questioner] if speech.questioner else speech.speakers),
        window=(points.after, min(points.until, speech.minutes)) if points else None,
        notes=tuple(notes),
    )


def _speaking(speech: Speech) -> Sequence[str]:
    """Who speaks or answers, in order; in a crossfire the first question is the second one's to answer."""
    if speech.speaker:
        return [speech.speaker]
    first = 1 if speech.kind == "crossfire" else 0
    return [*speech.speakers[first:], *speech.speakers[:first]]


def _sides(debate_format: Format, seats: Sequence[str]) -> tuple[Side | None, ...]:
    return tuple(None if seat in (MODERATOR, AUDIENCE) else debate_format.team_of(seat).side for seat in seats)


def _who(speech: Speech) -> str:
    match speech.kind:
        case "cross_examination":
            return f"{speech.questioner} asks {speech.speaker}"
        case "crossfire":
            return " ⇄ ".join(speech.speakers)
        case "question":
            return f"{speech.questioner} asks {', '.join(speech.speakers)}"
        case "preparation":
            return f"{speech.speaker}, notes"
        case _:
            return str(speech.speaker)


# ── in characters ───────────────────────────────────────────────────────────────────────────────────────

_BARS: dict[Kind, str] = {
    "speech": "█",
    "cross_examination": "▒",
    "crossfire": "▒",
    "question": "▒",
    "preparation": "░",
}


def picture(debate_format: Format) -> str:
    """A line for each phase and each slot, with a bar as long as its minutes."""
    drawn = sections(debate_format)
    rows = [row for section in drawn for row in section.rows]
    names, whos = (max(map(cells, column)) for column in ([r.name for r in rows], [r.who for r in rows]))
    lines: list[str] = []
    for section in drawn:
        lines.append(", ".join([section.heading, *section.notes]))
        lines += [_line(row, names, whos) for row in section.rows]
    return "\n".join(lines) + "\n"


def _line(row: Row, names: int, whos: int) -> str:
    begin = f"  {_filled(row.name, names)}  {_filled(row.who, whos)}"
    if row.minutes is None:
        return begin.rstrip()
    bar = _BARS[row.kind] * max(1, round(row.minutes))
    return "  ".join([begin, f"{row.minutes:>4g}", bar, *row.notes])


def cells(text: str) -> int:
    """How wide it is where every character is one cell, or two as in East Asian scripts (Unicode Annex 11)."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else not unicodedata.combining(c) for c in text)


def _filled(text: str, width: int) -> str:
    return text + " " * (width - cells(text))
