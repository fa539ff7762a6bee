"""The examples are what the README says they are, and what the API takes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rostra.agenda import turns_planned
from rostra.endpoints import Endpoint
from rostra.models import Debate
from rostra_api.intake import debate_of, read

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.json"))
MODELS = {"default": (Endpoint(url="http://llm"),)}


def debate_in(name: str) -> Debate:
    return debate_of(read((ROOT / "examples" / name).read_bytes()), MODELS)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_each_example_is_a_debate_in_the_language_of_its_name(example: Path):
    debate = debate_in(example.name)
    languages = {"chinese": "zh", "english": "en", "german": "de", "japanese": "ja", "spanish": "es"}
    assert debate.language == languages[example.stem]
    assert debate.opening
    assert all(debater.persona and debater.stance for debater in debate.debaters)
    assert not debate.judge


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_each_example_is_posted_in_the_readme(example: Path):
    assert f"examples/{example.name}" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_japanese_one_has_two_debaters_twelve_turns_and_eighty_characters_each():
    debate = debate_in("japanese.json")
    assert [debater.name for debater in debate.debaters] == ["バイデン", "トランプ"]
    assert debate.turn.max_characters == 80
    assert turns_planned(debate) == 12


def test_a_motion_alone_is_enough():
    debate = debate_of(read(json.dumps({"motion": "Tabs beat spaces"}).encode()), MODELS)
    assert len(debate.debaters) == 2
    assert turns_planned(debate) > 0
