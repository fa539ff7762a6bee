"""The prose that judges, voters and baselines are asked with: a file a language in prompts/judge/."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, cast

from rostra.fields import primary
from rostra.models import Debate
from rostra_orchestrator import prompt
from rostra_orchestrator.endpoint import Message


class Prose:
    """The prose in one language."""

    def __init__(self, sentences: Mapping[str, Any]) -> None:
        self._sentences = sentences

    def __call__(self, key: str, /, **values: object) -> str:
        return cast("str", self._sentences[key]).format(**values)

    @property
    def people(self) -> Sequence[str]:
        """Plain people of an audience."""
        return cast("Sequence[str]", self._sentences["people"])

    def criterion(self, name: str) -> str:
        """What a criterion means; one that nobody knows goes by its name."""
        return cast("Mapping[str, str]", self._sentences["criteria"]).get(name, name)

    def form(self, *fields: str, again: bool = False) -> str:
        """What the answer must look like, a line a field."""
        lines = [self("form"), *(f"- {field}" for field in fields)]
        return "\n".join([*lines, *([self("again")] if again else [])])


def languages() -> list[str]:
    """The languages that the prose is written in."""
    folder = files("rostra_orchestrator") / "prompts" / "judge"
    return sorted(each.name.removesuffix(".toml") for each in folder.iterdir())


def prose_for(debate: Debate) -> Prose:
    """In the debate's language; in English where there is none."""
    language = primary(debate.language)
    return _prose(language if language in languages() else "en")


def in_language(debate: Debate) -> str:
    """Says which language to write, where the prose is not in it."""
    known = debate.language is None or primary(debate.language) in languages()
    return "" if known else prompt.in_language(debate)


def letters(several: Sequence[str]) -> str:
    """Letters to choose from: `"A", "B"`."""
    return ", ".join(f'"{letter}"' for letter in several)


def messages(system: str, user: str, *, system_role: bool) -> list[Message]:
    if system_role:
        return [{"role": "system", "content": system}, {"role": "user", "content": user}]
    return [{"role": "user", "content": f"{system}\n\n{user}"}]


@cache
def _prose(language: str) -> Prose:
    text = (files("rostra_orchestrator") / "prompts" / "judge" / f"{language}.toml").read_text(encoding="utf-8")
    return Prose(tomllib.loads(text))
