"""A line chart as SVG, small enough to read as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 720, 400
LEFT, RIGHT, TOP, BOTTOM = 60, 200, 40, 50
STEPS = (1, 2, 5, 10, 20, 50, 100, 200, 500)


@dataclass(frozen=True)
class Line:
    """Values by their place on the axis below."""

    name: str
    colour: str
    dashed: bool
    values: Mapping[int, float]


def chart(title: str, below: str, places: Sequence[int], lines: Sequence[Line]) -> str:
    """The lines over evenly spaced `places`, from 0 up."""
    top = max(value for line in lines for value in line.values.values())
    step = next((step for step in STEPS if top / step <= 6), STEPS[-1])
    ceiling = step * (int(top / step) + 1)

    def x(place: int) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * places.index(place) / max(1, len(places) - 1)

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / ceiling

    grid = [_gridline(y(value), value) for value in range(0, ceiling + 1, step)]
    ticks = [_text(x(place), HEIGHT - BOTTOM + 20, str(place), "middle") for place in places]
    drawn = [_drawn(line, [(x(p), y(v)) for p, v in sorted(line.values.items())]) for line in lines]
    legend = [_legend(line, TOP + 20 * row) for row, line in enumerate(lines)]
    titles = [_text(LEFT, TOP - 18, title), _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, below, "middle")]
    return "\n".join([_head(), *titles, *grid, *ticks, *drawn, *legend, "</svg>", ""])


def _head() -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        f'font-size="13" fill="#222">\n<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>'
    )


def _gridline(y: float, value: int) -> str:
    line = f'<path d="M{LEFT} {y:.0f}H{WIDTH - RIGHT}" stroke="#ddd"/>'
    return line + _text(LEFT - 8, y + 4, str(value), "end")


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}">{escape(text)}</text>'


def _drawn(line: Line, points: Sequence[tuple[float, float]]) -> str:
    path = " ".join(f"{x:.0f},{y:.0f}" for x, y in points)
    dots = "".join(f'<circle cx="{x:.0f}" cy="{y:.0f}" r="3" fill="{line.colour}"/>' for x, y in points)
    return f'<polyline points="{path}" fill="none" {_stroke(line)}/>{dots}'


def _legend(line: Line, y: int) -> str:
    x = WIDTH - RIGHT + 20
    return f'<path d="M{x} {y}h30" {_stroke(line)}/>' + _text(x + 38, y + 4, line.name)


def _stroke(line: Line) -> str:
    dashes = ' stroke-dasharray="6 4"' if line.dashed else ""
    return f'stroke="{line.colour}" stroke-width="2"{dashes}'
