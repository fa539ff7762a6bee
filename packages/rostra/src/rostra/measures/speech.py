"""What makes a text no speech of its speaker: emptiness, a cut, another's voice, the prompt showing through."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from itertools import islice

import regex

from rostra.fields import primary
from rostra.measures.language import scripts
from rostra.measures.repetition import grams
from rostra.measures.segments import (
    graphemes,
    has_words,
    is_spaced,
    normal,
    own_words,
    sentences,
    written_words,
)
from rostra.measures.wording import languages, wording

# ── Empty, cut off, too long ────────────────────────────────────────────────────────────────────────────

# With the quotes, brackets, markup and emoji that may stand behind it.
_ENDED = regex.compile(r"[\p{Sentence_Terminal}…][\p{Pe}\p{Pf}\"'*_~`\p{So}\p{Sk}\p{Cf}\p{Mn}\s]*$")
_TRAILING_OFF = regex.compile(r"(?:…|\.\.\.)[\p{Pe}\p{Pf}\"'*_\s]*$")
_TOO_MANY_FOR_A_TOKEN = 20
_WITHOUT_FULL_STOP = frozenset({"th", "lo"})


def is_empty(text: str) -> bool:
    """Whether nothing is said: punctuation, quotation marks, emoji, a rest of the template."""
    if len(written_words(text)) > _TOO_MANY_FOR_A_TOKEN:
        return False
    rest = _TEMPLATE.sub(" ", text)
    return not has_words(rest) or normal(rest) in {"assistant", "user", "system", "model"}


def is_cut_off(text: str, finish_reason: str = "stop", language: str | None = None) -> bool:
    """Whether it breaks off in the middle of a sentence.

    That is so where no sentence ends, whatever stopped it, and where it trails off at the limit of tokens
    (`finish_reason` `length`). Thai and Lao mark no end: there the limit alone tells.
    """
    by_limit = finish_reason == "length"
    if (primary(language) or _thai_or_lao(text)) in _WITHOUT_FULL_STOP:
        return by_limit
    return not _ENDED.search(text.rstrip()) or (by_limit and bool(_TRAILING_OFF.search(text)))


def _thai_or_lao(text: str) -> str:
    main = next(iter(scripts(text)), "")
    return {"Thai": "th", "Lao": "lo"}.get(main, "")


def over_limit(text: str, characters: int) -> int:
    """By how many characters, as readers count them, it is too long."""
    return max(0, graphemes(text) - characters)


# ── The template and the instructions ───────────────────────────────────────────────────────────────────

# What ChatML, Llama 2 and 3, Gemma, Mistral, Qwen, Phi and DeepSeek models mark structure with, whole or broken:
# a token may have lost its first or last characters to a stop string.
_TOKEN_NAMES = (
    r"im_start|im_end|im_sep|eot_id|eom_id|start_header_id|end_header_id|begin_of_text|end_of_text|python_tag|endoftext"
    r"|fim_(?:prefix|middle|suffix)|begin▁of▁sentence|end▁of▁sentence|start_of_turn|end_of_turn"
)
_TEMPLATE = regex.compile(
    r"<[|｜](?=\S)[^<>|｜\n]{1,40}[|｜]>"
    r"|<[|｜](?=[\p{L}_▁])[\p{L}\p{N}_▁]*[|｜]?>?"
    rf"|[<|｜]{{0,2}}(?<![\p{{L}}\p{{N}}_])(?:{_TOKEN_NAMES})(?![\p{{L}}\p{{N}}_])[|｜]?>?"
    r"|<(?:start|end)_of_(?:turn|image)>?|</?s>|<<?/?SYS>{0,2}|<(?:bos|eos|pad|unk)>|</?think>"
    r"|\[/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)\b\]?"
    r"|(?i:###[ ]*(?:instruction|response|input|system|user|assistant|human)s?\b:?)"
    r"|(?:^|\n)[ ]*(?:assistant|user|system)[ ]*(?=\n|$)|(?:^|\n)(?:User|Assistant|System|USER|ASSISTANT):",
)
# Without one of these no token is there, and without one of these words no role on a line of its own. Most turns have
# none, and are spared a search of 0.1 ms.
_MARKS = ("<", "[", "_", "▁", "###", "endoftext")
_ROLES = ("assistant", "user", "system")
_VERBATIM = 30  # characters
# Of 30 characters in a row that are looked for at every 11th place, 20 are found.
_WINDOW, _STEP = 20, 11


def leaks(text: str, prompt_lines: Sequence[str] = ()) -> str | None:
    """What a text shows of the machinery: a special token of a chat template, as it stands in `text` (a role on a line
    of its own with the line's end before it), or a piece of the instructions, as it compares (`segments.normal`).

    Of the instructions it takes 30 characters word for word, or a whole sentence of them that is not too common.
    """
    if _may_show_tokens(text) and (token := _TEMPLATE.search(text)):
        return token.group()
    if not prompt_lines:
        return None
    windows, telling = _recognised_by(tuple(prompt_lines))
    if any(window in windows for window in _windows(normal(text))):
        shown = (_common(normal(line), normal(text)) for line in prompt_lines)
        if piece := next(filter(None, shown), None):
            return piece
    said = (normal(sentence) for sentence in sentences(text)) if telling else ()
    return next((sentence for sentence in said if sentence in telling), None)


def _may_show_tokens(text: str) -> bool:
    lowered = text.lower()
    return any(mark in text for mark in _MARKS) or (
        any(role in lowered for role in _ROLES) and ("\n" in text or lowered.lstrip(" ").startswith(_ROLES))
    )


def _windows(plain: str) -> Iterator[str]:
    """Enough of a text to meet any 30 characters of it."""
    return (plain[at : at + _WINDOW] for at in range(0, len(plain) - _WINDOW + 1, _STEP))


@lru_cache(maxsize=64)  # a debate's instructions are the same for every attempt
def _recognised_by(lines: tuple[str, ...]) -> tuple[frozenset[str], frozenset[str]]:
    """Whatever `_windows` may meet of these lines, and their sentences that nobody says by chance."""
    windows = frozenset[str]().union(*(grams(line, _WINDOW) for line in lines))
    told = frozenset(normal(each) for line in lines for each in sentences(line) if _is_uncommon(each))
    return windows, told


def _is_uncommon(sentence: str) -> bool:
    """Too long to be said by chance: 6 words, or 10 characters without spaces."""
    return len(written_words(sentence)) >= (6 if is_spaced(sentence) else 10)


def _common(line: str, said: str) -> str | None:
    """The first piece of the line, of 30 characters or more, that was said."""
    for start in range(len(line) - _VERBATIM + 1):
        if (end := start + _VERBATIM) and line[start:end] in said:
            while end < len(line) and line[start : end + 1] in said:
                end += 1
            return line[start:end]
    return None


# ── Voices ──────────────────────────────────────────────────────────────────────────────────────────────

_MARKUP = r"[*_#>\-\"“„«「『\s]{0,8}"
# Bounded, since degenerate models write thousands of quotation marks or blanks in a row.
_SENTENCE_BEGINS = r"(?:^|(?<=[\p{Sentence_Terminal}…][\p{Pe}\p{Pf}\"'*_]{0,4})\s?)"
_TITLE = r"(?:さん|氏|様|先生|君|님|씨|先生|女士)?"
_SAYS = (
    r"(?:says?|replies|responds|answers|argues|continues|sagt|antwortet|erwidert|dit|répond|dice|responde"
    r"|[がは]?(?:言う|言います|答える|曰く)|说|說|回答|말합니다|(?:يقول|تقول|يرد|ترد))"
)
# A line that goes on in small letters is a list or a figure of speech: "Hope: that is what we need."
_THEN_SPEECH = rf"(?!{_MARKUP}\p{{Ll}})"


def speaks_for(text: str, others: Sequence[str]) -> str | None:
    """The one of the `others` in whose voice a line or sentence is written: `Name:`, `**Name** (pro):`, `[Name]`, `Name
    says:`, or the name alone on a line above more lines. A name that is spoken to or quoted is none."""
    straight = _straight(text)
    named = [name for name in others if _may_name(straight, name)]
    plain = _composed(text) if named else ""
    return next((name for name in named if _voice_of(name).search(plain)), None)


def _may_name(straight: str, name: str) -> bool:
    """Whether the first word of the name is there, which is quickly told: most turns name nobody."""
    first = next(iter(_straight(name).split()), None)
    return first is not None and first in straight


def _composed(text: str) -> str:
    """Compatibility form, straight apostrophes, one blank or line's end at a time."""
    return _LINE_ENDS.sub("\n", _BLANKS.sub(" ", _straight(text)))


def _straight(text: str) -> str:
    return unicodedata.normalize("NFKC", text).replace("’", "'")


_BLANKS = regex.compile(r"[^\S\n]+")
_LINE_ENDS = regex.compile(r"\s*\n\s*")


@lru_cache(maxsize=256)
def _voice_of(name: str) -> regex.Pattern[str]:
    called = _called(name)
    return regex.compile(
        rf"{_SENTENCE_BEGINS}{_MARKUP}{called}{_TITLE}[*_\"”]{{0,4}}(?:\s?\([^()\n]{{1,40}}\))?[*_\"”\s]{{0,4}}:{_THEN_SPEECH}"
        rf"|^{_MARKUP}[\[(【]{called}{_TITLE}[\])】]"
        rf"|^{_MARKUP}{called}{_TITLE}[ ]?{_SAYS}[*_]*:(?!\s*[\"“„«「『])"
        rf"|^{_MARKUP}{called}[*_]*[ ]*\n(?=\s*\S)",
        flags=regex.MULTILINE | regex.V1,
    )


def _called(name: str) -> str:
    """A name as a whole word, in its own case; where words have no spaces or endings grow on them, only begun."""
    escaped = regex.escape(_composed(name).strip())
    grown = r"[\p{Latin}\p{Cyrillic}\p{Greek}\p{Arabic}\p{Hebrew}\p{N}]"
    begins = rf"(?<!{grown})" if regex.match(grown, name) else ""
    ends = rf"(?!{grown})" if regex.search(rf"{grown}$", name) else ""
    return rf"{begins}(?-i:{escaped}){ends}"


@lru_cache(maxsize=256)
def _name(name: str) -> regex.Pattern[str]:
    return regex.compile(_called(name))


def addresses_itself(text: str, own_name: str) -> bool:
    """Whether debaters speak to or of themselves as of another: `Ada, I think…`, `as Ada said`, said by Ada.

    `I, Ada, …`, `I am Ada`, their own label, and what they quote do not count.
    """
    if not _may_name(_straight(text), own_name):
        return False
    plain = _composed(own_words(text))
    named = _name(own_name).finditer(plain)
    return any(_is_self(plain, *match.span()) for match in islice(named, _OFTEN_ENOUGH))


_OFTEN_ENOUGH = 20
_REACH = 60  # characters before a name, in which it is told how it is used


def _is_self(text: str, start: int, end: int) -> bool:
    """Whether the name there is used as another's."""
    since = max(0, start - _REACH)
    if _me().search(text, since, start):
        return False
    return any(behind.match(text, end) and before.search(text, since, start) for before, behind in _uses())


@cache
def _me() -> regex.Pattern[str]:
    return _ending("|".join(phrase for language in languages() for phrase in wording(language).first_person))


@cache
def _uses() -> tuple[tuple[regex.Pattern[str], regex.Pattern[str]], ...]:
    """How a name is used as another's: what stands before it, and what behind it."""
    greeting = (
        r"(?:(?:well|but|and|so|yes|no|okay|hello|hi|dear|my dear|oh|ja|nein|oui|non|sí|نعم|لا|يا)[,،、]?\s+){0,3}"
    )
    phrases = (phrase.split("{name}") for language in languages() for phrase in wording(language).of_itself)
    called = (rf"{_SENTENCE_BEGINS}{_MARKUP}{greeting}", rf"{_TITLE}\s?[,،、!]")
    and_called = (r"[,،、]\s?", rf"{_TITLE}\s?(?:[\p{{Sentence_Terminal}},،、]|$)")
    return tuple((_ending(before), _beginning(behind)) for before, behind in (called, and_called, *phrases))


def _ending(phrase: str) -> regex.Pattern[str]:
    return regex.compile(rf"(?:{phrase})\Z", flags=_LOOSE)


def _beginning(phrase: str) -> regex.Pattern[str]:
    return regex.compile(phrase, flags=_LOOSE)


_LOOSE = regex.MULTILINE | regex.IGNORECASE
