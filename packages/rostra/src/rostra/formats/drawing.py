"""A format drawn as SVG: a row for each slot, as long as its minutes, in the colour of its side. Pure.

It loads and runs nothing, says in words what it shows, and is readable on light and on dark. Titles may be anything
that people write: the writer of XML escapes them, and what no XML can hold is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from rostra.format import Format, Side
from rostra.formats.timeline import Row, Section, cells, sections
from rostra.plain import on_one_line

# Contrast with the background behind each: 4.5 to 1 and more.
STYLE = (
    "svg{font:13px system-ui,sans-serif}"
    ".page{fill:#fff}text{fill:#1d2329}.quiet{fill:#59636e}"
    ".for{fill:#2563ab;stroke:#2563ab}.against{fill:#b4361f;stroke:#b4361f}"
    ".own{fill:#6d4fa3;stroke:#6d4fa3}.nobody{fill:#59636e;stroke:#59636e}"
    ".notes{fill:none;stroke-dasharray:3 2}.window{fill:#fff;stroke:none}.head{font-weight:600}"
    "@media (prefers-color-scheme:dark){"
    ".page{fill:#15191e}text{fill:#e8ebee}.quiet{fill:#a0a9b3}"
    ".for{fill:#6cabf2;stroke:#6cabf2}.against{fill:#f1846b;stroke:#f1846b}"
    ".own{fill:#b99cec;stroke:#b99cec}.nobody{fill:#a0a9b3;stroke:#a0a9b3}"
    ".notes{fill:none}.window{fill:#15191e}}"
)

WIDTH, MARGIN = 760, 16
_WHO, _BARS = 220, 430  # where the columns begin
_ROW, _HEAD, _BAR = 24, 34, 14
_LONGEST = 230  # of a bar
_MINUTE = 28  # at most
# What fits into the columns of names and speakers, in cells of 7 units.
_NAME_CELLS, _WHO_CELLS = 28, 29

_SIDES: dict[Side, str] = {"for": "for", "against": "against", "own": "a side of its own"}
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def drawn(debate_format: Format) -> str:
    """The picture, as a file."""
    parts = sections(debate_format)
    height = 44 + sum(_HEAD + _ROW * len(part.rows) for part in parts) + _ROW + MARGIN
    svg = Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "viewBox": f"0 0 {WIDTH} {height}",
            "role": "img",
            "aria-labelledby": "title summary",
        },
    )
    SubElement(svg, "title", {"id": "title"}).text = _shown(debate_format.title)
    SubElement(svg, "desc", {"id": "summary"}).text = _shown(debate_format.summary or debate_format.title)
    SubElement(svg, "style").text = STYLE
    SubElement(svg, "rect", {"class": "page", "width": str(WIDTH), "height": str(height)})
    _text(svg, MARGIN, 28, _cut(debate_format.title, 90), "head")
    rows = [row for part in parts for row in part.rows]
    scale = min(_MINUTE, _LONGEST / max(row.minutes or 1 for row in rows))
    top = 44
    for part in parts:
        top = _section(svg, part, top, scale)
    _legend(svg, rows, top + _ROW)
    indent(svg)
    return tostring(svg, encoding="unicode") + "\n"


def _section(svg: Element, section: Section, top: int, scale: float) -> int:
    """Returns: where the next one begins."""
    _text(svg, MARGIN, top + 22, _cut(section.heading, 40), "head")
    _text(svg, _BARS, top + 22, ", ".join(section.notes), "quiet")
    for n, row in enumerate(section.rows):
        _row(svg, row, top + _HEAD + _ROW * n, scale)
    return top + _HEAD + _ROW * len(section.rows)


def _row(svg: Element, row: Row, top: int, scale: float) -> None:
    group = SubElement(svg, "g")
    SubElement(group, "title").text = _shown(_told(row))
    _text(group, MARGIN, top + 16, _cut(row.name, _NAME_CELLS))
    _text(group, _WHO, top + 16, _cut(row.who, _WHO_CELLS if row.minutes else 99), "quiet")
    if row.minutes is not None:
        length = row.minutes * scale
        _bar(group, row, top + (_ROW - _BAR) / 2, length)
        if row.window:
            begin, end = (minutes * scale for minutes in row.window)
            _rect(group, "window", _BARS + begin, top + _ROW / 2 - 1, end - begin, 2)
        _text(group, _BARS + length + 8, top + 16, f"{row.minutes:g}", "quiet")


def _bar(group: Element, row: Row, top: float, length: float) -> None:
    """Of who speaks; above it, where one asks and another answers, of who asks."""
    if row.kind == "preparation":
        _rect(group, f"{_class(row.speaks[0])} notes", _BARS, top, length, _BAR)
    elif row.kind == "speech":
        _segments(group, row.speaks or (None,), top, length, _BAR)
    else:
        _segments(group, row.asks, top, length, 4)
        _segments(group, row.speaks, top + 6, length, _BAR - 6)


def _segments(group: Element, sides: Sequence[Side | None], top: float, length: float, height: float) -> None:
    """A part for each, all of one length."""
    each = length / len(sides)
    for n, side in enumerate(sides):
        _rect(group, _class(side), _BARS + n * each, top, each, height)


def _class(side: Side | None) -> str:
    return side or "nobody"


def _legend(svg: Element, rows: Sequence[Row], bottom: int) -> None:
    """What the colours and shapes that occur stand for, from left to right."""
    left = MARGIN
    for name, label in _explained([row for row in rows if row.minutes is not None]):
        if name:
            _rect(svg, name, left, bottom - 10, 12, 12)
            left += 18
        _text(svg, left, bottom, label, "quiet")
        left += 7 * cells(label) + 14


def _explained(rows: Sequence[Row]) -> Iterator[tuple[str, str]]:
    sides = {side for row in rows for side in (*row.speaks, *row.asks)}
    yield from ((side, label) for side, label in _SIDES.items() if side in sides)
    if None in sides:
        yield "nobody", "moderator, audience"
    if any(row.asks for row in rows):
        yield "", "above: who asks"
    if any(row.kind == "preparation" for row in rows):
        yield "nobody notes", "notes for one's own team"
    if any(row.window for row in rows):
        yield "", "line: points of information"
    if rows:
        yield "", "numbers: minutes"


def _told(row: Row) -> str:
    minutes = f"{row.minutes:g} minutes" if row.minutes is not None else ""
    return ": ".join([row.name, ", ".join(part for part in (row.who, minutes, *row.notes) if part)])


def _rect(parent: Element, name: str, x: float, y: float, width: float, height: float) -> None:
    size = {"x": f"{x:g}", "y": f"{y:g}", "width": f"{width:g}", "height": f"{height:g}"}
    SubElement(parent, "rect", {"class": name, **size})


def _text(parent: Element, x: float, y: float, text: str, name: str = "") -> None:
    if text:
        place = {"x": f"{x:g}", "y": f"{y:g}"}
        SubElement(parent, "text", {"class": name, **place} if name else place).text = _shown(text)


def _shown(text: str) -> str:
    return _NOT_IN_XML.sub("", on_one_line(text))


def _cut(text: str, most: int) -> str:
    """As much of it as has room."""
    if cells(text) <= most:
        return text
    while cells(text) > most - 1:
        text = text[:-1]
    return f"{text.rstrip()}…"
