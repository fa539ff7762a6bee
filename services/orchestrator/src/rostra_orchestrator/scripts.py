"""Grammars that keep an answer in the scripts of the debate's language. Pure; llama.cpp's form, GBNF.

A small model that has drifted to another language cannot go on in it where it has no letters for it. Languages in
Latin script have no such grammar: it would forbid next to nothing.
"""

from __future__ import annotations

import re
from functools import lru_cache

from rostra.fields import primary
from rostra.measures.language import SCRIPTS

# Unicode's blocks of letters, vowel signs and the script's own punctuation, as GBNF's and Python's character classes
# both take them.
_DANDAS = r"\u0964\u0965"
_LETTERS = {
    "Arabic": r"\u0600-\u061B\u061D-\u06FF\u0750-\u077F\u08A0-\u08FF\uFB50-\uFDFF\uFE70-\uFEFC",
    "Armenian": r"\u0531-\u058F",
    "Bengali": r"\u0980-\u09FF" + _DANDAS,
    "Cyrillic": r"\u0400-\u052F",
    "Devanagari": r"\u0900-\u097F",
    "Ethiopic": r"\u1200-\u139F",
    "Georgian": r"\u10A0-\u10FF\u1C90-\u1CBF",
    "Greek": r"\u0370-\u03FF\u1F00-\u1FFF",
    "Gujarati": r"\u0A80-\u0AFF" + _DANDAS,
    "Gurmukhi": r"\u0A00-\u0A7F" + _DANDAS,
    "Han": r"\u3005-\u3007\u303B\u3400-\u4DBF\u4E00-\u9FFF\uF900-\uFAFF\U00020000-\U000323AF",
    "Hangul": r"\u1100-\u11FF\u3131-\u318E\uAC00-\uD7A3",
    "Hebrew": r"\u0591-\u05F4\uFB1D-\uFB4F",
    "Hiragana": r"\u3041-\u309F",
    "Kannada": r"\u0C80-\u0CFF" + _DANDAS,
    "Katakana": r"\u30A1-\u30FF\u31F0-\u31FF\uFF66-\uFF9F",
    "Khmer": r"\u1780-\u17FF",
    "Lao": r"\u0E80-\u0EFF",
    "Malayalam": r"\u0D00-\u0D7F",
    "Myanmar": r"\u1000-\u109F",
    "Oriya": r"\u0B00-\u0B7F" + _DANDAS,
    "Sinhala": r"\u0D80-\u0DFF",
    "Tamil": r"\u0B80-\u0BFF",
    "Telugu": r"\u0C00-\u0C7F" + _DANDAS,
    "Thai": r"\u0E01-\u0E5B",
    "Tibetan": r"\u0F00-\u0FFF",
}
# Behind a letter: how some scripts are spelt, and where Khmer, Thai and others may break a line.
_JOINER = r"\u200B-\u200D"
_JOINED_NEVER = {
    "Armenian",
    "Cyrillic",
    "Ethiopic",
    "Georgian",
    "Greek",
    "Han",
    "Hangul",
    "Hebrew",
    "Hiragana",
    "Katakana",
}
# Digits are among them; what is missing is what only markup and templates need: # * < > @ [ \ ] ^ _ ` { | }
_MARKS = (
    r" !\x22$-)+-;=?~\u00A3\u00A5\u00AB\u00B0\u00B1\u00B7\u00BB\u00D7\u00F7"
    r"\u2010-\u2015\u2018-\u201F\u2026\u2030\u2032\u2033\u20A0-\u20C0\u2103"
)
_WIDE_MARKS = r"\u3000-\u3004\u3008-\u3020\u3030\uFF01-\uFF20\uFF3B-\uFF40\uFF5B-\uFF65\uFFE5\uFFE6"
_WIDE = frozenset({"Han", "Hangul"})
# Of a tag as `sr-Cyrl` (ISO 15924): languages with two scripts.
_SUBTAGS = {"arab": "Arabic", "cyrl": "Cyrillic", "deva": "Devanagari", "guru": "Gurmukhi", "latn": "Latin"}

# Acronyms (AI, CO2, NATO) and names are words among those of the script: two of them have a letter between them, so
# that nobody goes on in English in capitals. Marks and digits come in short runs: a model that does not know the
# script would fill the turn with them. A line does not end before it has a letter.
_GRAMMAR = """\
root ::= mark{{0,10}} (foreign mark{{0,10}})? (letter gap{{0,10}} (foreign gap{{0,10}})?)+
letter ::= [{letters}]{joiner}
mark ::= [{marks}]
gap ::= [{marks}\\n]
foreign ::= {foreign}
"""
_ACRONYM = "[A-Z] [A-Z0-9-]{0,5}"


@lru_cache(maxsize=64)
def grammar_for(language: str | None, names: tuple[str, ...] = ()) -> str | None:
    """The grammar for a BCP 47 tag; None where none would help: for Latin scripts and languages not known here.

    `names` are words of other scripts that may be said, as the debaters' names.
    """
    scripts = _scripts(language)
    if not scripts or not scripts <= _LETTERS.keys():
        return None
    letters = "".join(_LETTERS[script] for script in sorted(scripts))
    marks = _MARKS + (_WIDE_MARKS if scripts & _WIDE else "")
    sayable = re.compile(f"[{letters}{marks}{_JOINER}]*")
    words = [_quoted(name) for name in dict.fromkeys(names) if not sayable.fullmatch(name)]
    joiner = "" if scripts & _JOINED_NEVER else f" [{_JOINER}]?"
    return _GRAMMAR.format(letters=letters, joiner=joiner, marks=marks, foreign=" | ".join([_ACRONYM, *words]))


def _scripts(language: str | None) -> frozenset[str]:
    """The scripts of a language as people write it today: Korean without its rare Chinese characters."""
    for subtag in (language or "").lower().split("-")[1:]:
        if subtag in _SUBTAGS:
            return frozenset({_SUBTAGS[subtag]})
    known = SCRIPTS.get(primary(language) or "", frozenset[str]())
    return known - {"Han"} if "Hangul" in known else known


def _quoted(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
