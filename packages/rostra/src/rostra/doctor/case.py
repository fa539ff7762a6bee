"""What is known of the endpoint so far, and what checks answer."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from rostra.doctor.answers import Reply
from rostra.doctor.asking import ANSWER_SECONDS, Message, Server
from rostra.doctor.report import Grade, Option, Speed
from rostra.endpoints import Dialect

# Tokens of an answer: enough to see a difference, soon generated.
FEW = 12
_PLAIN = {"temperature", "seed", "max_tokens"}

TALK: Sequence[Message] = ({"role": "user", "content": "Tell me about the sea."},)
STORY: Sequence[Message] = ({"role": "user", "content": "Tell me a long story about a lighthouse keeper."},)
# Longer than any default system text of a template that it takes the place of.
SYSTEM: Message = {
    "role": "system",
    "content": "You keep a lighthouse on an island of black basalt, far out in a cold and stormy ocean. You answer in "
    "short, rhyming verses about storms, gulls, lamps, wrecks, salt and loneliness, never in prose, and you mention "
    "your old, deaf and one-eyed cat Barnabas, who hates herrings, in each of your answers.",
}


class Said(NamedTuple):
    """What a check found."""

    grade: Grade
    says: str
    advice: str = ""


@dataclass(slots=True)
class Case:
    """An endpoint under examination, with what the checks before have found out."""

    server: Server
    dialect: Dialect | None  # as it was given
    props: Mapping[str, Any] = field(default_factory=dict[str, Any])
    looks_like: Dialect | None = None
    models: Sequence[Mapping[str, Any]] = ()
    context: int | None = None
    context_told: bool = False  # by /props, where debates look for it
    system_role: bool = True
    begins_answer: bool = False
    usage: dict[str, Any] = field(default_factory=dict[str, Any])  # what asks for figures in streams, if anything does
    speed: Speed = field(default_factory=Speed)
    options: dict[str, Option] = field(default_factory=dict[str, Option])
    heard: list[str] = field(default_factory=list[str])  # answers that no option bent
    is_slow: bool = False  # so that there is no time for answers that are longer than need be
    _cold: dict[str, Reply] = field(default_factory=dict[str, Reply])

    async def cold(self, messages: Sequence[Message], *, seconds: float = ANSWER_SECONDS, most: int = FEW) -> Reply:
        """The most probable answer, a short one; the same is asked for once. Raises: Trouble."""
        key = json.dumps([messages, most])
        if key not in self._cold:
            self._cold[key] = await self.ask(messages, seconds=seconds, temperature=0, max_tokens=most)
        return self._cold[key]

    async def ask(self, messages: Sequence[Message], *, seconds: float = ANSWER_SECONDS, **options: Any) -> Reply:
        """An answer, which is remembered if nothing bent it. Raises: Trouble."""
        reply = await self.server.chat(messages, seconds=seconds, **options)
        if options.keys() <= _PLAIN and options.get("temperature", 1) <= 1:
            self.heard.append(reply.text)
        return reply


class Check(NamedTuple):
    """A question to the endpoint, which may take so many seconds; if an `essential` one fails, the rest is left."""

    name: str
    title: str
    run: Callable[[Case], Awaitable[Said]]
    seconds: float = 10.0
    essential: bool = False
