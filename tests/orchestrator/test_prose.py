"""The prose for judges, voters and baselines, in each language."""

from __future__ import annotations

import re
import tomllib
from importlib.resources import files
from typing import Any

import pytest

from builders import a_debate
from rostra_orchestrator import prompt
from rostra_orchestrator.prose import in_language, languages, prose_for

FOLDER = files("rostra_orchestrator") / "prompts" / "judge"


def sentences(language: str) -> dict[str, Any]:
    return tomllib.loads((FOLDER / f"{language}.toml").read_text(encoding="utf-8"))


def test_it_is_written_in_the_languages_of_the_debaters_prompts():
    assert languages() == prompt.languages()


@pytest.mark.parametrize("language", languages())
def test_every_language_says_the_same(language: str):
    own, english = sentences(language), sentences("en")
    assert list(own) == list(english)
    assert list(own["criteria"]) == list(english["criteria"])
    assert len(own["people"]) == len(english["people"])
    for key, sentence in english.items():
        if isinstance(sentence, str):
            assert re.findall(r"\{\w+\}", own[key]) == re.findall(r"\{\w+\}", sentence), key
            assert re.findall(r'"[a-z]+"', own[key]) == re.findall(r'"[a-z]+"', sentence), key


def test_a_language_without_prose_is_asked_for_by_name():
    assert in_language(a_debate(language="it")) == "Speak Italian only."
    assert prose_for(a_debate(language="it"))("side", letter="A") == "Side A"
    assert in_language(a_debate(language="zh-TW")) == ""
