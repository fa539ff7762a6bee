"""One attempt at a turn: what the model is asked, what is heard of it, and what it amounts to."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from rostra.agenda import Slot
from rostra.endpoints import MOST_STOPS, SUPPORTED
from rostra.events import Usage
from rostra.lengths import longest
from rostra.models import Debate, Debater, derived_seed
from rostra_orchestrator import prompt, text
from rostra_orchestrator.endpoint import Answer, Facts, Message, ModelServer, Refused
from rostra_orchestrator.guard import Fault, Guard, Judged, own_names
from rostra_orchestrator.ladder import Remedy
from rostra_orchestrator.room import Room, longest_answer
from rostra_orchestrator.slots import Heard, Line

# Sent with every request, as far as the endpoint can, so that a turn's record says what was applied and does not depend
# on a server's own defaults. They keep a small model to likely words: with llama.cpp's top_p 0.95 and min_p 0.05 and a
# penalty of 1.1, SmolLM2's tokens were half a nat less likely and its debates no better; without any penalty its turns
# come down to a few words.
DEFAULT_SAMPLING: Mapping[str, Any] = {
    "temperature": 0.8,
    "top_k": 40,
    "top_p": 0.85,
    "min_p": 0.2,
    "repeat_penalty": 1.05,
}
_DELTA_SECONDS = 0.1
# A little over the limit is cut at a sentence's end; what runs on beyond this need not be spoken.
_ENOUGH = 1.5
# Characters that a turn may have and still be one line, as the transcript in the prompt shows turns: small models end
# their turn there, and would go on with somebody else's. Longer turns may have paragraphs.
_ONE_LINE = 500
# What templates put around a message: ChatML 5 tokens, Llama 3 with its headers 6.
_MESSAGE_TOKENS = 8

Say = Callable[[int, str], Awaitable[None]]  # attempt, words


class Rejected(Exception):
    """What was said is no turn, or not yet a good one."""

    def __init__(self, judged: Judged) -> None:
        super().__init__("; ".join(fault.detail for fault in judged.faults))
        self.judged = judged


@dataclass(slots=True)
class Attempt:
    """One generation for a slot. Implements `chat.Speech`."""

    debate: Debate
    slot: Slot
    debater: Debater
    server: ModelServer
    number: int
    say: Say
    guard: Guard
    accepts: Callable[[Judged], bool]
    remedy: Remedy
    heard_by: Callable[[Sequence[Line]], Heard]
    took_point: bool = False
    asked: Sequence[str] = ()  # the human moderator's questions that it is to answer
    questions_heard: int = 0
    one_line: bool = True  # False after an attempt that said nothing on its line
    options: dict[str, Any] = field(default_factory=dict[str, Any])
    judged: Judged | None = None
    answer: Answer | None = None
    raw: str = ""
    _hopeless: Fault | None = None
    _asked: Sequence[str] = ()
    _judge_at: int = 100  # characters
    _shown: int = 0
    _last_shown: float = 0.0

    async def prompt(self, lines: Sequence[Line]) -> tuple[Sequence[Message], Mapping[str, object]]:
        facts = await self.server.facts()
        self.options = self._sampling(facts)
        heard = self.heard_by(lines)
        begun = prompt.answer_begins(self.debate, self.debater) if facts.begins_answer else ""
        cue, shown = await self._fitted(heard, facts, begun, self.asked)
        messages = self._composed(shown, cue, facts)
        if begun:
            messages.append({"role": "assistant", "content": begun})
        self._asked = [prompt.rules(self.debate), *shown, cue + begun]  # as they were counted
        return messages, self.options

    async def _fitted(self, heard: Heard, facts: Facts, begun: str, asked: Sequence[str]) -> tuple[str, Sequence[str]]:
        """The cue and the lines before it. What a moderator asked stands among these, too: where the context has no
        room for it in the cue, nobody fails by it.

        Raises: Refused.
        """
        cue = prompt.cue(
            self.debate,
            self.slot,
            self.debater,
            begun=facts.begins_answer,
            took_point=self.took_point,
            asked=asked,
            notes=self.remedy.notes,
            own_notes=heard.notes,
        )
        room = Room(self.debate, facts, self._count)
        try:
            return cue, await room.fitted(heard.lines, self.slot, cue + begun, self.options["max_tokens"])
        except Refused:
            if not asked:
                raise
            return await self._fitted(heard, facts, begun, ())

    def _composed(self, shown: Sequence[str], cue: str, facts: Facts) -> list[Message]:
        if self.server.endpoint.layout == "own_turns":
            return prompt.composed_with_own_turns(self.debate, self.debater, shown, cue, system_role=facts.system_role)
        return prompt.composed(self.debate, shown, cue, system_role=facts.system_role)

    def _sampling(self, facts: Facts) -> dict[str, Any]:
        dialect = self.server.endpoint.dialect
        able = SUPPORTED[dialect]
        given = self.debate.sampling_for(self.slot.phase, self.debater.id).given()
        chosen = {k: v for k, v in DEFAULT_SAMPLING.items() if k in able} | given
        base = chosen.get("seed", self.debate.seed)
        names = [prompt.answer_begins(self.debate, d) for d in self.debate.debaters]
        ends = ["\n"] if facts.begins_answer and self._is_one_line() else [f"\n{name}" for name in names]
        stop = [*chosen.get("stop", ()), *ends]
        chosen |= self.remedy.sampling
        most = longest_answer(self.debate, self.slot, self.debater, facts)
        if "min_tokens" in chosen:
            chosen["min_tokens"] = min(chosen["min_tokens"], most)
        return chosen | {
            "seed": derived_seed(base, self.slot.seq, self.number),
            "stop": stop[: MOST_STOPS.get(dialect)],
            "max_tokens": most,
        }

    def _is_one_line(self) -> bool:
        """Whether the turn ends where its line does."""
        limit = self._limit
        return self.one_line and (limit is None or limit <= _ONE_LINE)

    @property
    def _limit(self) -> int | None:
        """The most characters that the turn may have."""
        return longest(self.debate, self.slot).characters

    async def _count(self, words: str) -> int:
        """In the other layout each line may be a message, with the template's tokens around it."""
        around = _MESSAGE_TOKENS if self.server.endpoint.layout == "own_turns" else 0
        return (await self.server.count(words))[0] + around

    @property
    def faults(self) -> tuple[Fault, ...]:
        """What is wrong with it, as far as it was judged."""
        return self.judged.faults if self.judged else ()

    # ── while it is spoken ──────────────────────────────────────────────────────────────────────────────

    async def heard(self, words: str) -> bool:
        self.raw += words
        if time.monotonic() - self._last_shown >= _DELTA_SECONDS:
            await self._show()
        limit = self._limit
        if limit is not None and text.length(self._words()) > limit * _ENOUGH:
            return False
        return not self._is_hopeless()

    def _is_hopeless(self) -> bool:
        """Judged each time that the words have doubled: the cost stays in proportion to the text."""
        if len(self.raw) < self._judge_at:
            return False
        self._judge_at = len(self.raw) * 2
        self._hopeless = self.guard.hopeless(self.raw, self.debater)
        return self._hopeless is not None

    async def _show(self) -> None:
        """Shows what is new of the words, but not the label that a model may begin with."""
        words = self._words()
        undecided = len(self.raw) <= len(self.debater.name) + 4
        if len(words) > self._shown and not undecided:
            new, self._shown = words[self._shown :], len(words)
            self._last_shown = time.monotonic()
            await self.say(self.number, new)

    def _words(self) -> str:
        return text.without_label(self.raw, own_names(self.debate, self.debater))

    # ── when it was spoken ──────────────────────────────────────────────────────────────────────────────

    async def spoken(self, answer: Answer) -> str:
        self.answer = answer
        unfinished = answer.finish_reason == "length"
        self.judged = judged = self.guard.judged(answer.text, self.debater, unfinished=unfinished, limit=self._limit)
        if self._hopeless is not None and not judged.faults:
            # Too little was heard to find it again in the whole.
            judged = self.judged = replace(judged, faults=(self._hopeless,))
        if not self.accepts(judged):
            raise Rejected(judged)
        if self._shown == 0:
            await self.say(self.number, judged.text)
        return judged.text

    async def usage(self, answer: Answer) -> Usage:
        """What the attempt cost; nothing where nothing was heard."""
        if answer.usage is None and not answer.text:
            return Usage(counted_by="estimate")
        return await self.server.usage(self._asked, answer)
