"""What a field may hold."""

from __future__ import annotations

import pytest

from rostra.fields import primary


@pytest.mark.parametrize(
    ("tag", "language"),
    [("de", "de"), ("zh-Hant-TW", "zh"), ("PT-br", "pt"), ("yue", "yue"), ("", None), (None, None)],
)
def test_a_language_is_known_whatever_its_script_and_region(tag: str | None, language: str | None):
    assert primary(tag) == language
