"""What the model is asked: a shared part that only grows at its end, then a short cue.

    system   the rules: motion, all debaters with stance and persona, how to speak
    user     what was said so far, "label: text" lines
             the cue: whose turn it is, and how long it may be
    answer   begun with the debater's label, where the server can go on with it

Everything before the cue is the same for every debater, to the byte, so a model server that keeps a prefix
evaluates a turn's new words and the cue, and nothing else. The prose stands in prompts/, a file a language.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, cast

from rostra.agenda import Slot
from rostra.models import Debate, Debater
from rostra_orchestrator.endpoint import Message

MODERATOR = "moderator"


@dataclass(frozen=True, slots=True)
class Line:
    """Something said: a debater's id (or `MODERATOR`), and the words."""

    speaker: str
    text: str


# What chat templates of ChatML, Llama 2 and 3, Gemma, Mistral, Qwen, Phi and DeepSeek models treat as
# structure. In a debater's words it must stay words.
_TEMPLATE_TOKENS = re.compile(
    r"<[|｜][^<>|｜\n]{1,40}[|｜]>|</?s>|<<?/?SYS>>?|\[/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)\]"
    r"|<(?:start|end)_of_(?:turn|image)>|<(?:bos|eos|pad|unk)>|</?think>",
    re.IGNORECASE,
)


def as_data(text: str) -> str:
    """`text` on one line, with template tokens taken apart: a debater's words cannot end their own line,
    begin another's, or open a message of the template."""
    return _TEMPLATE_TOKENS.sub(_apart, " ".join(text.split()))


def _apart(match: re.Match[str]) -> str:
    token = match.group()
    return f"{token[0]} {token[1:-1]} {token[-1]}"


def rules(debate: Debate) -> str:
    """The shared beginning of every prompt of the debate."""
    prose = _prose(debate.language)
    debaters = "\n".join(_introduced(d, prose) for d in debate.debaters)
    return (
        prose["rules"]
        .strip("\n")
        .format(motion=as_data(debate.motion), debaters=debaters, language=_language(debate.language, prose))
    )


def _introduced(debater: Debater, prose: Mapping[str, str]) -> str:
    return prose["debater"].format(
        name=as_data(debater.name),
        stance=_filled(prose["stance"], stance=debater.stance),
        persona=_filled(prose["persona"], persona=debater.persona),
    )


def said(debate: Debate, lines: Sequence[Line]) -> list[str]:
    """What was said, as the prompt's lines."""
    prose = _prose(debate.language)
    return [f"{label(debate, line.speaker)}{prose['colon']}{as_data(line.text)}" for line in lines]


def label(debate: Debate, speaker: str) -> str:
    """The name that stands before a speaker's words."""
    if speaker == MODERATOR:
        return _prose(debate.language)["moderator"]
    return as_data(debate.debater(speaker).name)


def answer_begins(debate: Debate, debater: Debater) -> str:
    """How an answer is begun for the debater, where the endpoint can continue one."""
    return (as_data(debater.name) + _prose(debate.language)["colon"]).rstrip()


def left_out(debate: Debate) -> str:
    """The line that stands for turns that the context has no room for."""
    return _prose(debate.language)["left_out"]


def cue(debate: Debate, slot: Slot, debater: Debater, *, begun: bool = False) -> str:
    """The last words of a turn's prompt: who speaks, and how long; and to leave out the name, unless the
    answer is begun with it."""
    prose = _prose(debate.language)
    characters = debate.turn.max_characters
    length = prose["length_characters"] if characters else prose["length_free"]
    rounds = next(phase.rounds for phase in debate.format.phases if phase.name == slot.phase)
    return prose["cue"].format(
        name=as_data(debater.name),
        stance=_filled(prose["cue_stance"], stance=debater.stance),
        round=slot.round,
        rounds=rounds,
        length=length.format(characters=characters),
        only="" if begun else prose["only"].format(name=as_data(debater.name)),
    )


def who_speaks(debate: Debate, candidates: Sequence[str]) -> str:
    """The question that finds the speaker of an `auto` slot."""
    names = ", ".join(label(debate, candidate) for candidate in candidates)
    return _prose(debate.language)["who_speaks"].format(names=names)


def composed(debate: Debate, lines: Sequence[str], last: str, *, system_role: bool = True) -> list[Message]:
    """The messages: rules, what was said, and `last`, the cue or another question."""
    prose = _prose(debate.language)
    so_far = [prose["so_far"], "", *lines] if lines else [prose["nothing_yet"]]
    user = "\n".join([*so_far, "", last])
    if system_role:
        return [{"role": "system", "content": rules(debate)}, {"role": "user", "content": user}]
    return [{"role": "user", "content": f"{rules(debate)}\n\n{user}"}]


def _filled(sentence: str, **value: str) -> str:
    """`sentence` with its one value, or nothing where the value is empty."""
    (only,) = value.values()
    if not only:
        return ""
    return sentence.format(**{key: as_data(text) for key, text in value.items()})


def _language(tag: str | None, prose: Mapping[str, Any]) -> str:
    if tag is None:
        return ""
    names = cast("Mapping[str, str]", prose["languages"])
    return prose["language"].format(language=names.get(tag.split("-")[0].lower(), tag))


def languages() -> list[str]:
    """The languages that the prose is written in."""
    return sorted(e.name.removesuffix(".toml") for e in _folder().iterdir() if e.name.endswith(".toml"))


@cache
def _prose(tag: str | None) -> Mapping[str, Any]:
    """The prose in the debate's language; in English, which names the language, where there is none."""
    language = (tag or "en").split("-")[0].lower()
    chosen = language if language in languages() else "en"
    return tomllib.loads((_folder() / f"{chosen}.toml").read_text(encoding="utf-8"))


def _folder() -> Traversable:
    return files("rostra_orchestrator") / "prompts"
