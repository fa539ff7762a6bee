"""What the model is asked: a shared part that only grows at its end, then a short cue.

    system   the rules: motion, all debaters with stance and persona, how to speak
    user     what was said so far, "label: text" lines
             the cue: whose turn it is, and how long it may be
    answer   begun with the debater's label, where the server can go on with it

Everything before the cue is the same for every debater, to the byte, so a model server that keeps a prefix
evaluates a turn's new words and the cue, and nothing else. An endpoint may ask for the other layout, in which a
debater's own turns are the assistant's. The prose stands in prompts/, a file a language.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, cast

import regex

from rostra.agenda import Slot
from rostra.fields import primary
from rostra.format import MODERATOR
from rostra.lengths import longest
from rostra.models import Debate, Debater, derived_seed
from rostra.naming import HELPERS
from rostra_orchestrator import slots
from rostra_orchestrator.endpoint import Message
from rostra_orchestrator.slots import Line
from rostra_orchestrator.text import shortened

# What chat templates and tokenizers of ChatML, Llama 2 and 3, Gemma, Mistral, Qwen, Phi and DeepSeek models treat as
# structure: `<|im_end|>`, `<tool_call>`, `</s>`, `<unused7>`, `<<SYS>>`, `[INST]`. In a debater's words it must stay
# words.
_TEMPLATE_TOKENS = re.compile(
    r"<[|｜][^<>|｜\n]{1,40}[|｜]>|<</?[A-Za-z]{2,10}>>|</?[A-Za-z][A-Za-z0-9_ -]{0,30}/?>"
    r"|\[/?[A-Z][A-Z_]{2,30}\]|\[/?(?:inst|multimodal|control_\d+)\]"
)

# The keys of what a model is told, as against what it is shown.
_TOLD = (
    *("rules", "so_far", "nothing_yet", "claims", "length_free", "only"),
    *("keep_side", "in_language", "in_short", "only_yourself"),
)
_REMINDER = 200  # characters of the motion
# Of the human moderator's, in a cue: the latest so many, and so many characters of each.
_QUESTIONS = 3
_QUESTION = 300
_FILLED_IN = re.compile(r"\{\w+\}")


@lru_cache(maxsize=2048)  # all lines of a debate are asked for at every turn
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
    if number := slots.unnamed_number(speaker):
        return _slot_prose(debate.language)["unnamed"].format(n=number)
    return as_data(debate.speaker(speaker).name)


def answer_begins(debate: Debate, debater: Debater) -> str:
    """How an answer is begun for the debater, where the endpoint can continue one."""
    return (as_data(debater.name) + _prose(debate.language)["colon"]).rstrip()


def left_out(debate: Debate) -> str:
    """The line that stands for turns that the context has no room for."""
    return _prose(debate.language)["left_out"]


_BRACKETS = str.maketrans("[]［］", "()（）")


def record(debate: Debate, claims: Sequence[Line]) -> str:
    """The line that stands for turns left out, with the claims made in them, debater by debater."""
    prose = _prose(debate.language)
    opened, *_, closed = prose["left_out"]
    wide = prose["colon"] == "："
    between, end = ("；", "。") if wide else ("; ", ". ")
    texts: dict[str, list[str]] = {}
    for claim in claims:
        texts.setdefault(claim.speaker, []).append(_quoted(debate, claim.text))
    told = [f"{label(debate, speaker)}{prose['colon']}{between.join(own)}" for speaker, own in texts.items()]
    return f"{opened}{prose['claims']}{'' if wide else ' '}{end.join(told)}{closed}"


def _quoted(debate: Debate, text: str) -> str:
    """A claim in the record: it cannot end the record, nor begin to be somebody else's."""
    names = "|".join(re.escape(label(debate, speaker)) for speaker in [*HELPERS, *(d.id for d in debate.debaters)])
    plain = as_data(text).translate(_BRACKETS)
    return re.sub(rf"({names})(\s*)[:：]", r"\1\2,", plain, flags=re.IGNORECASE)


def cue(
    debate: Debate,
    slot: Slot,
    debater: Debater,
    *,
    begun: bool = False,
    took_point: bool = False,
    asked: Sequence[str] = (),
    notes: Sequence[str] = (),
    own_notes: Sequence[Line] = (),
) -> str:
    """The last words of a turn's prompt: who speaks, and how long; to leave out the name, unless the answer is begun
    with it; what the human moderator asked; what this attempt is told besides; and the motion again, behind all of it,
    since small models go by what they read last. Notes of the debater's own side, which the others must not see, stand
    before it.
    """
    prose = _prose(debate.language)
    characters = longest(debate, slot).characters
    length = prose["length_characters"] if characters else prose["length_free"]
    length = length.format(characters=characters)
    only = "" if begun else prose["only"].format(name=as_data(debater.name))
    stance = _filled(prose["cue_stance"], stance=debater.stance)
    if slots.is_plain(slot):
        rounds = next(phase.rounds for phase in debate.format.phases if phase.name == slot.phase)
        told = prose["cue"].format(
            name=as_data(debater.name), stance=stance, round=slot.round, rounds=rounds, length=length, only=only
        )
    else:
        of_slots = _slot_prose(debate.language)
        turn = of_slots["turn"].format(name=as_data(debater.name), stance=stance)
        other = label(debate, slot.to) if slot.to else ""
        sentences = slots.sentences(of_slots, slot, as_data(debater.name), other, took_point=took_point)
        told = " ".join([turn, *map(as_data, sentences), length + only])
    reminder = prose["reminder"].format(motion=shortened(as_data(debate.motion), _REMINDER, debate.language))
    shown = _own_notes(debate, debater, own_notes) if own_notes else []
    questions = [_asked(debate, debater, question) for question in asked[-_QUESTIONS:]]
    return "\n".join([*shown, " ".join([told, *questions, *filter(None, notes)]), reminder])


def _asked(debate: Debate, debater: Debater, question: str) -> str:
    """It stands in the transcript, too; small models need to be told whose it is to answer."""
    short = shortened(as_data(question), _QUESTION, debate.language)
    return _prose(debate.language)["asked"].format(name=as_data(debater.name), question=short)


def _own_notes(debate: Debate, debater: Debater, own_notes: Sequence[Line]) -> list[str]:
    heading = _slot_prose(debate.language)["own_notes"].format(name=as_data(debater.name))
    return [heading, *said(debate, own_notes), ""]


# ── what is said without a model ────────────────────────────────────────────────────────────────────────


def announcement(debate: Debate, slot: Slot) -> str:
    """The moderator's words before a phase."""
    phase = next(phase for phase in debate.format.phases if phase.name == slot.phase)
    prose = _slot_prose(debate.language)
    told = [prose["announced"].format(phase=phase.heading)]
    if not phase.new_arguments:
        told.append(prose["nothing_new"])
    return " ".join(told)


def question_to_all(debate: Debate, slot: Slot) -> str:
    """A question of the moderator's that anybody can answer: another one each time."""
    angles = [angle for angle in cast("Sequence[str]", _prose(debate.language)["angles"]) if "{" not in angle]
    return angles[(derived_seed(debate.seed, "angle") + slot.seq) % len(angles)]


def declined(debate: Debate) -> str:
    """What stands in the transcript for a point of information that was not taken."""
    return _slot_prose(debate.language)["declined"]


def takes_point(debate: Debate, slot: Slot) -> str:
    """The question whether the speaker takes a point of information."""
    assert slot.debater is not None
    assert slot.to is not None
    asked = _slot_prose(debate.language)["takes_point"]
    return asked.format(name=label(debate, slot.to), other=label(debate, slot.debater))


def is_yes(debate: Debate, answer: str) -> bool | None:
    """What the answer to a question of yes or no says; None where it says neither."""
    prose = cast("Mapping[str, Sequence[str]]", _slot_prose(debate.language))
    said_first = {
        meaning: min((place for word in prose[key] if (place := _place(answer.casefold(), word)) >= 0), default=-1)
        for meaning, key in ((True, "yes"), (False, "no"))
    }
    heard = [meaning for meaning, place in said_first.items() if place >= 0]
    return min(heard, key=lambda meaning: said_first[meaning]) if heard else None


def _place(words: str, word: str) -> int:
    """Where the word stands; -1 where it does not. Scripts without spaces have no word boundaries."""
    pattern = re.escape(word) if not word.isascii() else rf"\b{re.escape(word)}\b"
    match = re.search(pattern, words)
    return match.start() if match else -1


# ── what an attempt is told besides, after others failed ────────────────────────────────────────────────


def question(debate: Debate, slot: Slot, debater: Debater, number: int) -> str:
    """A question of the moderator's that leads to another side of the motion: another one each turn and each time."""
    prose = _prose(debate.language)
    angles = cast("Sequence[str]", prose["angles"])
    first = derived_seed(debate.seed, "angle")
    return angles[(first + slot.seq + 3 * number) % len(angles)].format(name=as_data(debater.name))


def keep_side(debate: Debate, debater: Debater) -> str:
    stance = as_data(debater.stance)
    return _prose(debate.language)["keep_side"].format(name=as_data(debater.name), stance=stance) if stance else ""


def in_language(debate: Debate) -> str:
    prose = _prose(debate.language)
    return prose["in_language"].format(language=_language_name(debate.language or "en", prose))


def in_short(debate: Debate, slot: Slot) -> str:
    return _prose(debate.language)["in_short"].format(characters=longest(debate, slot).characters)


def only_yourself(debate: Debate, debater: Debater) -> str:
    return _prose(debate.language)["only_yourself"].format(name=as_data(debater.name))


def instructions(debate: Debate) -> tuple[str, ...]:
    """The pieces of the prose that are the same in every debate: a turn that has one of them shows its prompt."""
    prose = _prose(debate.language)
    told = [*(prose[key] for key in _TOLD), *(_slot_prose(debate.language)[key] for key in slots.TOLD)]
    pieces = [piece for text in told for piece in _FILLED_IN.split(text)]
    return tuple(line.strip() for piece in pieces for line in piece.splitlines() if line.strip())


def shows_itself(debate: Debate) -> regex.Pattern[str]:
    """Where a turn goes on as its prompt does, in pieces too short for `instructions`: sentences with a figure, be it
    another one ("At most 500 characters.", "Round 2 of 4."), and headings that begin a line ("The debaters:")."""
    return _showing(debate.language)


@cache
def _showing(tag: str | None) -> regex.Pattern[str]:
    prose = _prose(tag)
    told = [prose["length_characters"], *(each for each in _SENTENCE.findall(prose["cue"]) if "{round}" in each)]
    figures = "|".join(re.sub(r"\\{\w+\\}", r"\\d{1,6}", re.escape(each.strip().rstrip(".。"))) for each in told)
    lines = [prose["reminder"].partition("{")[0].strip(), *(line.strip() for line in prose["rules"].splitlines())]
    headings = "|".join(re.escape(line) for line in lines if line.endswith((":", "：")))
    begins = r"(?:^|(?<=[\p{Sentence_Terminal}\"”」]\s{0,2}))"
    return regex.compile(rf"{begins}(?:{figures})(?=[.。]|$)|^(?:{headings})", flags=regex.MULTILINE)


_SENTENCE = re.compile(r"[^.。]+[.。]")


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


def composed_with_own_turns(
    debate: Debate, debater: Debater, lines: Sequence[str], last: str, *, system_role: bool = True
) -> list[Message]:
    """The other layout: the debater's own turns as the assistant's, without their label, the others' as the user's.

    Roles alternate, and the rules come first; what debaters have in common ends where their own turns begin.
    """
    prose = _prose(debate.language)
    messages: list[dict[str, str]] = [{"role": "user", "content": prose["so_far"] if lines else prose["nothing_yet"]}]
    for line in [*lines, ""]:
        own = line and _speaker(debate, line) == debater.id
        said = line.removeprefix(label(debate, debater.id) + prose["colon"]) if own else line or last
        role = "assistant" if own else "user"
        if messages[-1]["role"] == role:
            messages[-1]["content"] += f"\n{said}"
        else:
            messages.append({"role": role, "content": said})
    if system_role:
        return [{"role": "system", "content": rules(debate)}, *messages]
    messages[0]["content"] = f"{rules(debate)}\n\n{messages[0]['content']}"
    return list(messages)


def _speaker(debate: Debate, line: str) -> str | None:
    """Whose line it is: of names that begin alike, the longest."""
    colon = _prose(debate.language)["colon"]
    labels = {label(debate, speaker) + colon: speaker for speaker in (*HELPERS, *(d.id for d in debate.debaters))}
    found = [known for known in labels if line.startswith(known)]
    return labels[max(found, key=len)] if found else None


def _filled(sentence: str, **value: str) -> str:
    """`sentence` with its one value, or nothing where the value is empty."""
    (only,) = value.values()
    if not only:
        return ""
    return sentence.format(**{key: as_data(text) for key, text in value.items()})


def _language(tag: str | None, prose: Mapping[str, Any]) -> str:
    if tag is None:
        return ""
    return prose["language"].format(language=_language_name(tag, prose))


def _language_name(tag: str, prose: Mapping[str, Any]) -> str:
    """As the prose calls it: by the whole tag, or as much of its beginning as has a name of its own."""
    names = cast("Mapping[str, str]", prose["languages"])
    subtags = tag.lower().split("-")
    known = ("-".join(subtags[:end]) for end in range(len(subtags), 0, -1))
    return next((names[part] for part in known if part in names), tag)


def languages() -> list[str]:
    """The languages that the prose is written in."""
    return sorted(e.name.removesuffix(".toml") for e in _folder().iterdir() if e.name.endswith(".toml"))


@cache
def _prose(tag: str | None) -> Mapping[str, Any]:
    """The prose in the debate's language; in English, which names the language, where there is none."""
    language = primary(tag)
    chosen = language if language in languages() else "en"
    return tomllib.loads((_folder() / f"{chosen}.toml").read_text(encoding="utf-8"))


def _slot_prose(tag: str | None) -> Mapping[str, str]:
    """The sentences about slots of formats."""
    return cast("Mapping[str, str]", _prose(tag)["slots"])


def _folder() -> Traversable:
    return files("rostra_orchestrator") / "prompts"
