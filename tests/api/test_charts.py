"""A figure of each turn, drawn."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from rostra_api.charts import HEIGHT, WIDTH, Bar, Chart, drawn, told


def a_chart(*values: float, most: float | None = None) -> Chart:
    return Chart("length", "Length <of turns>", [Bar(n, value, "d1") for n, value in enumerate(values, 1)], most)


def bars(chart: Chart) -> list[dict[str, float]]:
    rects = ElementTree.fromstring(drawn(chart)).findall("rect")
    return [{name: float(rect.attrib[name]) for name in ("x", "y", "width", "height")} for rect in rects]


def test_a_bar_is_as_high_as_its_value():
    one, two, none = bars(a_chart(10, 20, 0))
    assert two["height"] == pytest.approx(2 * one["height"], abs=0.1)
    assert none["height"] == 0
    assert one["y"] + one["height"] == pytest.approx(two["y"] + two["height"], abs=0.1)


def test_a_scale_may_end_above_the_highest_bar():
    assert bars(a_chart(0.5, most=1.0))[0]["height"] == pytest.approx(bars(a_chart(1.0, 2.0))[0]["height"], abs=0.1)


@pytest.mark.parametrize("number", [1, 2, 7, 100, 1000])
def test_all_bars_have_room_side_by_side(number: int):
    drawn_bars = bars(a_chart(*range(1, number + 1)))
    assert len(drawn_bars) == number
    ends = [bar["x"] + bar["width"] for bar in drawn_bars]
    assert all(end <= after["x"] + 0.1 for end, after in zip(ends, drawn_bars[1:], strict=False))
    assert max(ends) <= WIDTH
    assert all(bar["y"] >= 0 and bar["y"] + bar["height"] <= HEIGHT for bar in drawn_bars)
    assert min(bar["width"] for bar in drawn_bars) > 0


def test_it_says_in_words_what_it_shows():
    picture = ElementTree.fromstring(drawn(a_chart(10, 40, 10)))
    assert picture.attrib["role"] == "img"
    assert picture.attrib["aria-labelledby"].split() == ["length-title", "length-told"]
    assert picture.findtext("title") == "Length <of turns>"
    assert picture.findtext("desc") == told(a_chart(10, 40, 10))
    assert told(a_chart(10, 40, 10)) == "3 turns, 20 on average; least 10 in turn 1, most 40 in turn 2."


def test_nothing_at_all_can_be_drawn():
    assert bars(a_chart()) == []
    assert bars(a_chart(0, 0))[0]["height"] == 0
