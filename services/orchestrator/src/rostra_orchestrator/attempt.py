"""One attempt at a turn: what the model is asked, what is heard of it, and what it amounts to."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal

from rostra.agenda import Slot
from rostra.endpoints import MOST_STOPS, SUPPORTED
from rostra.events import Usage
from rostra.models import Debate, Debater, derived_seed
from rostra_orchestrator import context, prompt, text
from rostra_orchestrator.endpoint import Answer, Facts, Message, ModelServer, Refused
from rostra_orchestrator.prompt import Line

# Sent with every request, as far as the endpoint can, so that a turn's record says what was applied and
# does not depend on a server's own defaults. llama.cpp's values; only the penalty is not 1.0 there.
DEFAULT_SAMPLING: Mapping[str, Any] = {
    "temperature": 0.8,
    "top_k": 40,
    "top_p": 0.95,
    "min_p": 0.05,
    "repeat_penalty": 1.1,
}
_DELTA_SECONDS = 0.1
# A little over the limit is cut at a sentence's end; what runs on beyond this need not be spoken.
_ENOUGH = 1.5
# Characters that a turn may have and still be one line, as the transcript in the prompt shows turns: small models end
# their turn there, and would go on with somebody else's. Longer turns may have paragraphs.
_ONE_LINE = 500
# Of the room that there is, what the transcript is fitted into: a line that was shortened by its characters may still
# have more tokens than it should, and then the next share is tried.
_SHARES = (1.0, 0.85, 0.6)

Say = Callable[[int, str], Awaitable[None]]  # attempt, words


class Rejected(Exception):
    """The answer came to its end and is still no turn."""

    def __init__(self, reason: Literal["empty"], detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


@dataclass(slots=True)
class Attempt:
    """One generation for a slot. Implements `chat.Speech`."""

    debate: Debate
    slot: Slot
    debater: Debater
    server: ModelServer
    number: int
    say: Say
    one_line: bool = True  # False after an attempt that said nothing on its line
    options: dict[str, Any] = field(default_factory=dict[str, Any])
    shortened: bool = False
    answer: Answer | None = None
    raw: str = ""
    _asked: Sequence[str] = ()
    _shown: int = 0
    _last_shown: float = 0.0

    async def prompt(self, lines: Sequence[Line]) -> tuple[Sequence[Message], Mapping[str, object]]:
        facts = await self.server.facts()
        self.options = self._sampling(facts)
        cue = prompt.cue(self.debate, self.slot, self.debater, begun=facts.begins_answer)
        begun = prompt.answer_begins(self.debate, self.debater) if facts.begins_answer else ""
        shown = await self._fitted(lines, facts.context, cue + begun)
        messages = prompt.composed(self.debate, shown, cue, system_role=facts.system_role)
        if begun:
            messages.append({"role": "assistant", "content": begun})
        self._asked = [prompt.rules(self.debate), *shown, cue + begun]  # as they were counted
        return messages, self.options

    def _sampling(self, facts: Facts) -> dict[str, Any]:
        dialect = self.server.endpoint.dialect
        able = SUPPORTED[dialect]
        chosen = {k: v for k, v in DEFAULT_SAMPLING.items() if k in able} | self.debater.sampling.given()
        base = chosen.get("seed", self.debate.seed)
        names = [prompt.answer_begins(self.debate, d) for d in self.debate.debaters]
        ends = ["\n"] if facts.begins_answer and self._is_one_line() else [f"\n{name}" for name in names]
        stop = [*chosen.get("stop", ()), *ends]
        longest = self.debate.turn.max_tokens
        most = min(longest, chosen.get("max_tokens", longest), facts.context // 2)
        return chosen | {
            "seed": derived_seed(base, self.slot.seq, self.number),
            "stop": stop[: MOST_STOPS.get(dialect)],
            "max_tokens": most,
        }

    def _is_one_line(self) -> bool:
        """Whether the turn ends where its line does."""
        limit = self.debate.turn.max_characters
        return self.one_line and (limit is None or limit <= _ONE_LINE)

    async def _fitted(self, lines: Sequence[Line], context_tokens: int, last: str) -> list[str]:
        """The transcript's lines that fit beside the rules, the `last` words of the prompt, and the answer."""
        fixed = await self._count(prompt.rules(self.debate), last)
        room = context_tokens - self.options["max_tokens"] - context.MARGIN_TOKENS - sum(fixed)
        sizes = [size + 1 for size in await self._count(*prompt.said(self.debate, lines))]
        for share in _SHARES:
            with suppress(context.TooLong):
                kept = context.fitted(lines, sizes, int(room * share))
                shown = [prompt.left_out(self.debate) if k is None else prompt.said(self.debate, [k])[0] for k in kept]
                if sum(await self._count(*shown)) + len(shown) <= room:
                    return shown
        raise Refused(
            f"the model's context of {context_tokens} tokens has no room for the motion, the personas, the opening "
            f"claims and an answer of {self.options['max_tokens']} tokens; shorten them, lower turn.max_tokens, or "
            "serve the model with a larger context"
        )

    async def _count(self, *texts: str) -> list[int]:
        return [(await self.server.count(t))[0] for t in texts]

    # ── while it is spoken ──────────────────────────────────────────────────────────────────────────────

    async def heard(self, words: str) -> bool:
        self.raw += words
        if time.monotonic() - self._last_shown >= _DELTA_SECONDS:
            await self._show()
        limit = self.debate.turn.max_characters
        return limit is None or text.length(self._words()) <= limit * _ENOUGH

    async def _show(self) -> None:
        """Shows what is new of the words, but not the label that a model may begin with."""
        words = self._words()
        undecided = len(self.raw) <= len(self.debater.name) + 4
        if len(words) > self._shown and not undecided:
            new, self._shown = words[self._shown :], len(words)
            self._last_shown = time.monotonic()
            await self.say(self.number, new)

    def _words(self) -> str:
        return text.without_label(self.raw, self._own_names())

    def _own_names(self) -> list[str]:
        return [self.debater.name, prompt.label(self.debate, self.debater.id)]

    # ── when it was spoken ──────────────────────────────────────────────────────────────────────────────

    async def spoken(self, answer: Answer) -> str:
        self.answer = answer
        others = [d.name for d in self.debate.debaters if d.id != self.debater.id]
        words = text.until_another_speaks(text.without_label(answer.text, self._own_names()), others).strip()
        if not words:
            raise Rejected("empty", "the model said nothing")
        words = self._kept_short(words, answer)
        if self._shown == 0:
            await self.say(self.number, words)
        return words

    def _kept_short(self, words: str, answer: Answer) -> str:
        """Within the limit; and an answer that ran into the token limit ends with its last whole sentence."""
        whole = (text.whole_sentences(words) or words) if answer.finish_reason == "length" else words
        limit = self.debate.turn.max_characters
        short = text.shortened(whole, limit) if limit else whole
        self.shortened = short != words
        return short

    async def usage(self, answer: Answer) -> Usage:
        """What the attempt cost; nothing where nothing was heard."""
        if answer.usage is None and not answer.text:
            return Usage(counted_by="estimate")
        return await self.server.usage(self._asked, answer)
