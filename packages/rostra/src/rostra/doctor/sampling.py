"""Whether a sampling option takes effect: two small requests that differ in it alone, and the difference that it makes.

Nothing hangs on what the model understands. Most options are shown in one of two ways; the rest have a probe of their
own, in `rostra.doctor.probes`.

    Gathers     where seeds make texts differ, the option at its extreme leaves one text for all of them
    Changes     where the same request gives the same text, the option gives another one
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from rostra.doctor.answers import Reply
from rostra.doctor.asking import Message
from rostra.doctor.case import TALK, Case
from rostra.doctor.comparing import alike, repetitive
from rostra.doctor.report import Outcome
from rostra.doctor.troubles import Refused

Options = Mapping[str, Any]
Names = Mapping[str, str]  # what this server may call an option

SEEDS = (1, 2)
# A model that has just sung so goes on to sing: what penalties work against.
CHANT: Sequence[Message] = (
    {"role": "user", "content": "Sing."},
    {"role": "assistant", "content": " ".join(["la"] * 24)},
    {"role": "user", "content": "Sing it once more."},
)
_FEWER, _LONGER = 8, 16  # tokens
# From the hottest to the mildest: what makes seeds differ, and is not refused. First without any truncation, since a
# server's own defaults may leave a single candidate.
_HOT: Sequence[Options] = (
    {"max_tokens": _FEWER, "temperature": 2, "top_p": 1, "top_k": 0, "min_p": 0},
    {"max_tokens": _FEWER, "temperature": 2, "top_p": 1},
    {"max_tokens": _FEWER, "temperature": 1},
)

# The most probable text; one drawn by a fixed seed as the model has it; one drawn where seeds differ most.
Base = Literal["cold", "warm", "hot"]
_BASES: Mapping[Base, Options] = {
    "cold": {"temperature": 0, "max_tokens": _LONGER},
    "warm": {"temperature": 1, "seed": SEEDS[0], "max_tokens": _LONGER},
}


class Shown(NamedTuple):
    """What a probe shows of an option, and why if it shows nothing."""

    outcome: Outcome
    says: str = ""


WORKS, IGNORED = Shown("works"), Shown("ignored")
NO_CHANCE = Shown("not shown", "seeds make no difference to its answers")

Probe = Callable[["Bench", Names], Awaitable[Shown]]


class Bench:
    """Where options are tried: the same small requests again and again."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._hot: Options | None = None
        self._known: dict[str, Reply] = {}
        self._last: Sequence[Message] | None = None

    async def answer(self, ground: Sequence[Message], options: Options, *, anew: bool = False) -> Reply:
        """Remembered, unless it is asked for `anew`. Raises: Trouble.

        What a server has cached shifts its rounding: each request comes behind another one with the same prompt, or
        llama-cpp-python's server may give another text from the first word on."""
        key = json.dumps([ground, options], sort_keys=True)
        if anew or key not in self._known:
            if self._last != ground:
                await self._case.server.chat(ground, max_tokens=1)
                self._last = ground
            self._known[key] = await self._case.ask(ground, **options)
        return self._known[key]

    async def text(self, ground: Sequence[Message], options: Options, *, anew: bool = False) -> str:
        return (await self.answer(ground, options, anew=anew)).text

    async def hot(self) -> Options | None:
        """Options under which seeds make texts differ; None where none do."""
        if self._hot is None:
            self._hot = await self._hottest() or {}
        return self._hot or None

    async def _hottest(self) -> Options | None:
        for options in _HOT:
            try:
                if not await self.gathers(options):
                    return options
            except Refused:
                continue
        return None

    async def base(self, base: Base) -> Options | None:
        """Options under which the same request gives the same text."""
        if base != "hot":
            return _BASES[base]
        hot = await self.hot()
        return hot and {**hot, "seed": SEEDS[0]}

    async def gathers(self, options: Options) -> bool:
        """Whether all seeds give one text."""
        one, other = [await self.text(TALK, {**options, "seed": seed}) for seed in SEEDS]
        return alike(one, other)

    async def changes(self, ground: Sequence[Message], otherwise: Options, given: Options) -> bool | None:
        """Whether the text is another one; None where the first one does not come again, though it has two chances."""
        for _ in range(2):
            before = await self.text(ground, otherwise)
            if before == await self.text(ground, given):
                return False
            if before == await self.text(ground, otherwise, anew=True):
                return True
        return None


@dataclass(frozen=True)
class Gathers:
    """With `given` seeds make no difference; with `otherwise` they do."""

    given: Options
    otherwise: Options = field(default_factory=dict[str, Any])

    async def __call__(self, bench: Bench, names: Names) -> Shown:
        hot = await bench.hot()
        if hot is None:
            return NO_CHANCE
        if not await bench.gathers({**hot, **renamed(self.given, names)}):
            return IGNORED
        if await bench.gathers({**hot, **renamed(self.otherwise, names)}):
            return Shown("not shown", "what it is tried together with makes one text by itself")
        return WORKS


@dataclass(frozen=True)
class Changes:
    """With `given` the text is another one than with `otherwise`, on one of the bases at least: the last one is where
    the option must show."""

    given: Options
    otherwise: Options = field(default_factory=dict[str, Any])
    ground: Sequence[Message] = TALK
    bases: Sequence[Base] = ("cold",)

    async def __call__(self, bench: Bench, names: Names) -> Shown:
        shown = NO_CHANCE
        for base in self.bases:
            options = await bench.base(base)
            shown = await self._shown(bench, options, names) if options else NO_CHANCE
            if shown == WORKS:
                break
        return shown

    async def _shown(self, bench: Bench, base: Options, names: Names) -> Shown:
        given, otherwise = ({**base, **renamed(options, names)} for options in (self.given, self.otherwise))
        changed = await bench.changes(self.ground, otherwise, given)
        if changed:
            return WORKS
        if changed is None:
            return Shown("not shown", "the same request does not give the same text")
        if self.ground is CHANT and not repetitive(await bench.text(CHANT, base)):
            return Shown("not shown", "the model does not repeat itself where it should")
        return IGNORED


def renamed(options: Options, names: Names) -> dict[str, Any]:
    return {names.get(name, name): value for name, value in options.items()}
