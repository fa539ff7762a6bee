"""A figure of each turn, drawn: one bar a turn, in the colour of who spoke. Pure.

Drawn into a page, whose style has the colours. It says in words what it shows; the numbers stand in a table beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from xml.etree.ElementTree import Element, SubElement, tostring

from markupsafe import Markup

WIDTH, HEIGHT = 720, 170
_LEFT, _RIGHT, _TOP, _BASE = 44, 4, 12, 142
# Narrower ones have no room for a gap.
_NARROW = 4.0
_FEW = 8


class Bar(NamedTuple):
    """`kind` is a class of the page's style."""

    seq: int
    value: float
    kind: str


class Chart(NamedTuple):
    """`most` is where the scale ends, the highest value when left out."""

    name: str
    title: str
    bars: Sequence[Bar]
    most: float | None = None


def drawn(chart: Chart) -> Markup:
    """The chart as SVG for a page; its ids begin with its name."""
    ids = f"{chart.name}-title {chart.name}-told"
    svg = Element("svg", {"class": "chart", "viewBox": f"0 0 {WIDTH} {HEIGHT}", "role": "img", "aria-labelledby": ids})
    SubElement(svg, "title", {"id": f"{chart.name}-title"}).text = chart.title
    SubElement(svg, "desc", {"id": f"{chart.name}-told"}).text = told(chart)
    top = chart.most or max((bar.value for bar in chart.bars), default=0) or 1
    for share in (1.0, 0.5):
        y = _BASE - (_BASE - _TOP) * share
        _line(svg, y, "rule")
        _text(svg, _LEFT - 6, y + 4, f"{top * share:g}", "end")
    _line(svg, _BASE, "axis")
    _bars(svg, chart.bars, top)
    for bar, x, anchor in _ends(chart.bars):
        _text(svg, x, HEIGHT - 8, str(bar.seq), anchor)
    # Of what is drawn nothing but numbers and names of ours comes in, and the writer of XML escapes those.
    return Markup(tostring(svg, encoding="unicode"))


def told(chart: Chart) -> str:
    """What is to be seen, in a sentence."""
    if not chart.bars:
        return "No turns."
    low, high = min(chart.bars, key=_value), max(chart.bars, key=_value)
    mean = sum(bar.value for bar in chart.bars) / len(chart.bars)
    return (
        f"{len(chart.bars)} turns, {mean:.3g} on average; "
        f"least {low.value:g} in turn {low.seq}, most {high.value:g} in turn {high.seq}."
    )


def _value(bar: Bar) -> float:
    return bar.value


def _bars(svg: Element, bars: Sequence[Bar], top: float) -> None:
    step = _step(bars)
    width = step - 1 if step >= _NARROW else step
    for n, bar in enumerate(bars):
        height = (_BASE - _TOP) * min(bar.value / top, 1.0)
        place = {"x": f"{_LEFT + n * step:.5g}", "y": f"{_BASE - height:.5g}"}
        size = {"width": f"{width:.4g}", "height": f"{height:.4g}"}
        SubElement(svg, "rect", {"class": bar.kind, **place, **size})


def _step(bars: Sequence[Bar]) -> float:
    """From a bar to the next; a few do not fill the width."""
    return (WIDTH - _LEFT - _RIGHT) / max(len(bars), _FEW)


def _ends(bars: Sequence[Bar]) -> list[tuple[Bar, float, str]]:
    """The first and the last one, with where their numbers stand."""
    if not bars:
        return []
    last = _LEFT + _step(bars) * len(bars)
    return [(bars[0], _LEFT, "start"), *([(bars[-1], last, "end")] if len(bars) > 1 else [])]


def _line(svg: Element, y: float, kind: str) -> None:
    ends = {"x1": str(_LEFT), "x2": str(WIDTH - _RIGHT), "y1": f"{y:g}", "y2": f"{y:g}"}
    SubElement(svg, "line", {"class": kind, **ends})


def _text(svg: Element, x: float, y: float, text: str, anchor: str) -> None:
    SubElement(svg, "text", {"x": f"{x:g}", "y": f"{y:g}", "text-anchor": anchor}).text = text
