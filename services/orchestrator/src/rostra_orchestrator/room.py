"""How much of the context a turn's prompt has for what was said.

    context = rules + what was said + cue + answer + a margin

The longest cue and answer of all debaters are taken for everyone's: then what was said is fitted into the same room
whoever speaks, and the shared prefix with the cut in it is the same, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rostra.agenda import Slot, agenda
from rostra.lengths import longest
from rostra.models import Debate, Debater
from rostra_orchestrator import context, prompt
from rostra_orchestrator.endpoint import Facts, Refused
from rostra_orchestrator.slots import Line

# Tokens that an attempt after a failed one may need for what it is told besides.
_NOTES_TOKENS = 64


@dataclass(frozen=True, slots=True)
class Room:
    """The room in the context of one model server; `count` asks its tokenizer."""

    debate: Debate
    facts: Facts
    count: context.Count

    async def fitted(self, lines: Sequence[Line], slot: Slot, last: str, answer: int) -> list[str]:
        """The prompt's lines that fit beside the rules, its `last` words and an answer of so many tokens.

        Where the last words leave less than is reserved for them, and the lines happen to need it, they are fitted
        anew: the prefix is lost then, for this attempt.

        Raises:
            Refused: there is no room for what must be in every prompt, or will not be when all have spoken.
        """
        left = await self._left()
        own, common = left - await self.count(last) - answer, left - await self._reserved(slot)
        needed = context.least_room(await context.label_sizes(self.debate, self.count)) + _NOTES_TOKENS
        if common < needed:
            raise self._refusal(answer, needed - common)
        try:
            shown = await context.shown(self.debate, lines, common, self.count)
            if await self._size(shown) > own:
                shown = await context.shown(self.debate, lines, own, self.count)
        except context.TooLong:
            raise self._refusal(answer, needed - own) from None
        return shown

    async def _left(self) -> int:
        """What the context has for the transcript, the cue and the answer."""
        frame = prompt.composed(self.debate, [""], "")[-1]["content"]
        around = await self.count(prompt.rules(self.debate)) + await self.count(frame)
        return self.facts.context - context.MARGIN_TOKENS - around

    async def _reserved(self, slot: Slot) -> int:
        """The tokens of the longest cue, in the phase's last round, and the longest answer."""
        rounds = {phase.name: phase.rounds for phase in self.debate.format.phases}
        last = slot.model_copy(update={"round": rounds[slot.phase]})
        cues = [await self.count(self._last_words(last, debater)) for debater in self.debate.debaters]
        return max(cues) + self._longest_answer()

    def _longest_answer(self) -> int:
        """Of all slots and debaters; slots that differ only in who speaks are looked at once."""
        alike = {(slot.phase, slot.minutes): slot for slot in agenda(self.debate)}
        slots = alike.values()
        return max(longest_answer(self.debate, slot, d, self.facts) for slot in slots for d in self.debate.debaters)

    def _last_words(self, slot: Slot, debater: Debater) -> str:
        begun = prompt.answer_begins(self.debate, debater) if self.facts.begins_answer else ""
        return prompt.cue(self.debate, slot, debater, begun=self.facts.begins_answer) + begun

    async def _size(self, shown: Sequence[str]) -> int:
        return sum([await self.count(line) + 1 for line in shown])

    def _refusal(self, answer: int, missing: int) -> Refused:
        return Refused(
            f"the model's context of {self.facts.context} tokens has no room for the motion, the personas, the opening "
            f"claims and an answer of {answer} tokens: {max(1, missing)} tokens are missing; shorten them, lower "
            "turn.max_tokens, or serve the model with a larger context"
        )


def longest_answer(debate: Debate, slot: Slot, debater: Debater, facts: Facts) -> int:
    """The most tokens that one attempt may generate: never more than half of the context."""
    most = longest(debate, slot).tokens
    return min(most, debate.sampling_for(slot.phase, debater.id).max_tokens or most, facts.context // 2)
