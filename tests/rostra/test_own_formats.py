"""Formats in a folder of people's own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rostra.formats import BadFormat, library, own

ALONE = 'title = "Alone"\nsummary = "By turns."\n[[phases]]\nname = "round"\norder = "round_robin"\n'


def write(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def test_a_format_has_the_name_of_its_file(tmp_path: Path):
    write(tmp_path, "by_turns.toml", ALONE)
    write(tmp_path, "README.md", "not a format")
    assert {name: each.title for name, each in own(tmp_path).items()} == {"by_turns": "Alone"}


def test_there_need_be_none(tmp_path: Path):
    assert own(tmp_path / "nowhere") == {}


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("oxford.toml", ALONE, "the library has a format of this name"),
        ("broken.toml", "title = ", "cannot be read: "),
        ("odd.toml", ALONE + "speed = 3\n", "phases/0/speed: "),
        ("Loud Format.toml", ALONE, "name: "),
        (
            "lonely.toml",
            ALONE + '[[teams]]\nname = "a"\nside = "for"\nseats = ["A"]\n',
            "teams: one team has nobody to debate with",
        ),
    ],
)
def test_a_file_that_cannot_be_played_is_named_with_the_place_and_what_is_wrong(
    tmp_path: Path, name: str, text: str, told: str
):
    file = write(tmp_path, name, text)
    with pytest.raises(BadFormat, match=re.escape(f"{file}: {told}")):
        own(tmp_path)


def test_none_has_a_name_of_the_library(tmp_path: Path):
    for name in library():
        write(tmp_path, f"{name}.toml", ALONE)
    with pytest.raises(BadFormat, match="the library has a format of this name"):
        own(tmp_path)
