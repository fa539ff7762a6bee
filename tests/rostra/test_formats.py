"""The format library."""

from __future__ import annotations

from rostra.formats import library


def test_the_library_has_the_free_formats():
    assert list(library()) == ["auto", "manual", "random", "round_robin"]


def test_every_format_says_what_it_is():
    for name, found in library().items():
        assert found.name == name
        assert found.title
        assert found.summary.endswith(".")
        assert found.phases
