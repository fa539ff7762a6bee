"""A probe for each sampling option that Rostra knows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rostra.doctor.asking import Message
from rostra.doctor.case import FEW, TALK
from rostra.doctor.report import Option
from rostra.doctor.sampling import (
    CHANT,
    IGNORED,
    NO_CHANCE,
    SEEDS,
    WORKS,
    Bench,
    Changes,
    Gathers,
    Names,
    Probe,
    Shown,
)
from rostra.doctor.troubles import Broken, Busy, Refused, Silent
from rostra.endpoints import RENAMED

# What no model says by itself.
_FIXED = "quince"
_SOON_ANSWERED: Sequence[Sequence[Message]] = tuple(
    ({"role": "user", "content": question},)
    for question in ("What is 2 + 2? Answer with the number only.", "Say yes.", "Hello!")
)
_COLD = {"temperature": 0, "max_tokens": FEW}
_ROOM = 30  # tokens, more than a short answer has
_CLEARLY = 20  # characters that make an answer a longer one, whatever tokens are drawn


async def temperature(bench: Bench, names: Names) -> Shown:
    """At zero seeds make no difference; above they do."""
    if hot := await bench.hot():
        return WORKS if await bench.gathers({**hot, "temperature": 0}) else IGNORED
    drawn = await bench.text(TALK, _COLD | {"temperature": 1, "seed": SEEDS[0]})
    return IGNORED if drawn == await bench.text(TALK, _COLD) else NO_CHANCE


async def seed(bench: Bench, names: Names) -> Shown:
    """The same seed gives the same text, also where another one gives another."""
    hot = await bench.hot()
    if hot is None:
        return NO_CHANCE
    options = {**hot, "seed": SEEDS[0]}
    return WORKS if await bench.text(TALK, options) == await bench.text(TALK, options, anew=True) else IGNORED


async def stop(bench: Bench, names: Names) -> Shown:
    """The answer ends before a word that it has otherwise."""
    whole = await bench.text(TALK, _COLD)
    word = next((word for word in whole.split()[1:] if len(word) > 2), "")
    if not word:
        return Shown("not shown", "its answer has too few words")
    text = await bench.text(TALK, _COLD | {"stop": [word]})
    if word in text:
        return IGNORED
    if whole[: whole.index(word)].strip() == text.strip():
        return WORKS
    return Shown("not shown", "the same request does not give the same text")


async def max_tokens(bench: Bench, names: Names) -> Shown:
    """A lower bound makes a shorter answer."""
    longer, shorter = [await bench.text(TALK, _COLD | {"max_tokens": most}) for most in (FEW, 3)]
    if len(longer) < _CLEARLY:
        return Shown("not shown", "its answer is too short")
    return WORKS if len(shorter) * 2 < len(longer) else IGNORED


async def min_tokens(bench: Bench, names: Names) -> Shown:
    """An answer that ends soon goes on."""
    options = _COLD | {"max_tokens": _ROOM}
    for question in _SOON_ANSWERED:
        short = await bench.answer(question, options)
        if short.finish_reason == "stop" and short.text:
            longer = await bench.text(question, options | {"min_tokens": _ROOM})
            return WORKS if len(longer) > 2 * len(short.text) + _CLEARLY else IGNORED
    return Shown("not shown", "no answer ends by itself soon enough")


async def grammar(bench: Bench, names: Names) -> Shown:
    """The answer is the one that the grammar allows."""
    text = await bench.text(TALK, _COLD | {"grammar": f'root ::= "{_FIXED}"'})
    return WORKS if text.strip() == _FIXED else IGNORED


_DRY = {"dry_multiplier": 5.0}
# So small a penalty that only a steep base makes it felt.
_FAINT_DRY = {"dry_multiplier": 0.001}
_WIDE = {"top_p": 1, "min_p": 0}
_MIROSTAT = {"mirostat": 2}

PROBES: Mapping[str, Probe] = {
    "temperature": temperature,
    "seed": seed,
    "max_tokens": max_tokens,
    "stop": stop,
    "top_p": Gathers({"top_p": 0.001}),
    "top_k": Gathers({"top_k": 1}),
    "min_p": Gathers({"min_p": 1.0}),
    # A token forced throughout; a number that every vocabulary has.
    "logit_bias": Changes({"logit_bias": {"1000": 100}}),
    "grammar": grammar,
    "repeat_penalty": Changes({"repeat_penalty": 5.0}, ground=CHANT),
    "frequency_penalty": Changes({"frequency_penalty": 2.0}, ground=CHANT, bases=("cold", "warm")),
    "presence_penalty": Changes({"presence_penalty": 2.0}, ground=CHANT, bases=("cold", "warm")),
    "repeat_last_n": Changes(
        {"repeat_penalty": 5.0, "repeat_last_n": 0}, {"repeat_penalty": 5.0, "repeat_last_n": 64}, CHANT
    ),
    "dry_multiplier": Changes(_DRY, ground=CHANT),
    "dry_base": Changes(_FAINT_DRY | {"dry_base": 100.0}, _FAINT_DRY | {"dry_base": 1.0}, CHANT),
    "dry_allowed_length": Changes(_DRY | {"dry_allowed_length": 1000}, _DRY, CHANT),
    "dry_penalty_last_n": Changes(_DRY | {"dry_penalty_last_n": 0}, _DRY, CHANT),
    # With a breaker in every word nothing counts as repeated.
    "dry_sequence_breakers": Changes(_DRY | {"dry_sequence_breakers": ["a"]}, _DRY, CHANT),
    "min_tokens": min_tokens,
    "typical_p": Gathers({"typical_p": 0.001}),
    "top_n_sigma": Gathers({"top_n_sigma": 0.01}),
    # Throws out all candidates but the least probable of those above the threshold.
    "xtc_probability": Changes(
        _WIDE | {"xtc_threshold": 0.001, "xtc_probability": 1.0}, _WIDE | {"xtc_threshold": 0.001, "xtc_probability": 0}
    ),
    "xtc_threshold": Changes(
        _WIDE | {"xtc_probability": 1.0, "xtc_threshold": 0.001}, _WIDE | {"xtc_probability": 1.0, "xtc_threshold": 1.0}
    ),
    # A surprise of nothing is aimed at: one candidate is left.
    "mirostat": Gathers(_MIROSTAT | {"mirostat_tau": 0}, {"mirostat": 0, "mirostat_tau": 0}),
    "mirostat_tau": Gathers(_MIROSTAT | {"mirostat_tau": 0}, _MIROSTAT | {"mirostat_tau": 10}),
    "mirostat_eta": Changes(_MIROSTAT | {"mirostat_eta": 1.0}, _MIROSTAT | {"mirostat_eta": 0.001}, bases=("hot",)),
    "dynatemp_range": Changes({"dynatemp_range": 2.0}, bases=("hot",)),
    "dynatemp_exponent": Changes(
        {"dynatemp_range": 2.0, "dynatemp_exponent": 5.0}, {"dynatemp_range": 2.0}, bases=("hot",)
    ),
}


async def tried(name: str, bench: Bench) -> Option:
    """What the option does, by its own name or else by one that another server has for it."""
    probe, first = PROBES[name], None
    for names in _spellings(name, probe):
        shown = await _shown(probe, bench, names)
        option = Option(name=name, outcome=shown.outcome, sent_as=names.get(name, name), says=shown.says)
        if shown.outcome == "works":
            return option
        first = first or option
    assert first
    return first


async def _shown(probe: Probe, bench: Bench, names: Names) -> Shown:
    try:
        return await probe(bench, names)
    except Refused as refused:
        return Shown("refused", refused.words)
    except (Broken, Busy, Silent) as trouble:
        return Shown("not shown", str(trouble))


def _spellings(name: str, probe: Probe) -> Iterator[Names]:
    """The names as they are; then as other servers have them, where one of them has another."""
    yield {}
    sent = {name, *probe.given} if isinstance(probe, Gathers | Changes) else {name}
    for names in RENAMED.values():
        if sent & names.keys():
            yield names
