"""Means with their intervals as SVG, small enough to read as text: a panel a measure, a row an arrangement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, LEFT, RIGHT = 720, 130, 60
ROW, HEAD, GAP = 24, 34, 18


@dataclass(frozen=True)
class Point:
    """A mean, and the ends of its interval."""

    name: str
    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Panel:
    title: str
    points: Sequence[Point]


def panels(drawn: Sequence[Panel]) -> str:
    """One below the other, each with its own scale from 0."""
    height = sum(HEAD + ROW * len(panel.points) + GAP for panel in drawn)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" '
        f'font-size="13" fill="#222">',
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
    ]
    top = 0
    for panel in drawn:
        parts += _panel(panel, top)
        top += HEAD + ROW * len(panel.points) + GAP
    return "\n".join([*parts, "</svg>", ""])


def _panel(panel: Panel, top: int) -> list[str]:
    widest = max([point.high for point in panel.points] + [1e-9])
    parts = [f'<text x="{LEFT}" y="{top + 22}" font-weight="bold">{escape(panel.title)}</text>']
    for n, point in enumerate(panel.points):
        parts += _row(point, top + HEAD + ROW * n + ROW // 2, widest)
    return parts


def _row(point: Point, y: int, widest: float) -> list[str]:
    def x(value: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * value / widest

    return [
        f'<text x="{LEFT - 10}" y="{y + 4}" text-anchor="end">{escape(point.name)}</text>',
        f'<path d="M{LEFT} {y}H{WIDTH - RIGHT}" stroke="#eee"/>',
        f'<path d="M{x(point.low):.0f} {y}H{x(point.high):.0f}" stroke="#1b7f5c" stroke-width="3"/>',
        f'<circle cx="{x(point.mean):.0f}" cy="{y}" r="4.5" fill="#1b7f5c"/>',
        f'<text x="{WIDTH - RIGHT + 8}" y="{y + 4}">{point.mean:.1f}</text>',
    ]
