"""The examples are what the README says they are, and what the API takes."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

from rostra.agenda import turns_planned
from rostra.endpoints import Endpoint
from rostra.format import Format
from rostra.formats import library
from rostra.models import Debate
from rostra_api.intake import debate_of, read

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.json"))
FORMATS = sorted((ROOT / "examples/formats").glob("*.json"))
MODELS = {"default": (Endpoint(url="http://llm"),)}


def debate_in(name: str) -> Debate:
    return debate_of(read((ROOT / "examples" / name).read_bytes()), MODELS, library())


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_each_example_is_a_debate_in_the_language_of_its_name(example: Path):
    debate = debate_in(example.name)
    languages = {"chinese": "zh", "english": "en", "german": "de", "japanese": "ja", "spanish": "es", "human": "en"}
    assert debate.language == languages[example.stem]
    assert debate.opening
    assert all(debater.persona and debater.stance for debater in debate.debaters)
    assert not debate.judge


def test_one_has_a_person_among_its_debaters():
    assert [debater.human for debater in debate_in("human.json").debaters] == [True, False]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_each_example_is_posted_in_the_readme(example: Path):
    assert f"examples/{example.name}" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_japanese_one_has_two_debaters_twelve_turns_and_eighty_characters_each():
    debate = debate_in("japanese.json")
    assert [debater.name for debater in debate.debaters] == ["バイデン", "トランプ"]
    assert debate.turn.max_characters == 80
    assert turns_planned(debate) == 12


@pytest.mark.parametrize("example", FORMATS, ids=lambda path: path.name)
def test_each_example_of_a_format_is_a_debate_in_it_and_is_posted_in_the_document(example: Path):
    debate = debate_in(f"formats/{example.name}")
    assert debate.format.name in (example.stem, "inline")
    assert all(debater.persona and debater.team for debater in debate.debaters)
    assert f"examples/formats/{example.name}" in (ROOT / "docs/formats.md").read_text(encoding="utf-8")


def test_the_format_of_ones_own_is_the_one_that_the_document_writes_out():
    written = re.findall(r"```toml\n(.*?)```", (ROOT / "docs/formats.md").read_text(encoding="utf-8"), re.DOTALL)
    assert [Format.model_validate(tomllib.loads(one), extra="forbid") for one in written] == [
        debate_in("formats/own.json").format
    ]


def test_a_motion_alone_is_enough():
    debate = debate_of(read(json.dumps({"motion": "Tabs beat spaces"}).encode()), MODELS, library())
    assert len(debate.debaters) == 2
    assert turns_planned(debate) > 0
