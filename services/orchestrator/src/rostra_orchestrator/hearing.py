"""What somebody reads who was not in the debate: the motion, the sides, and what was said, as far as it has room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rostra_orchestrator import context, prompt, prose
from rostra_orchestrator.endpoint import Message, ModelServer, Refused
from rostra_orchestrator.masks import Mask
from rostra_orchestrator.slots import Line


@dataclass(frozen=True, slots=True)
class Hearing:
    """A debate as one of its listeners reads it: `lines` with everything that was said."""

    mask: Mask
    lines: Sequence[Line]

    async def messages(self, server: ModelServer, listener: str, ask: str, longest: int) -> tuple[list[Message], int]:
        """What a `listener` is asked, and how many of the lines had no room to be shown whole.

        What all listeners share comes first, so that a server that keeps a prefix reads the debate once.

        Raises:
            Refused: the model's context is too small for the debate, however short it is made.
        """
        facts = await server.facts()
        told = prose.prose_for(self.mask.debate)
        system = self._system(listener)
        ask = "\n".join(filter(None, [ask, prose.in_language(self.mask.debate)]))
        frame = "\n".join([told("so_far"), told("left_out"), ask])

        async def count(text: str) -> int:
            return (await server.count(text))[0]

        room = facts.context - context.MARGIN_TOKENS - longest - await count(system) - await count(frame)
        shown, missing = await self._fitted(room, count, facts.context)
        user = [told("so_far"), "", *shown, "", *([told("left_out")] if missing else []), ask]
        return prose.messages(system, "\n".join(user), system_role=facts.system_role), missing

    async def _fitted(self, room: int, count: context.Count, size: int) -> tuple[list[str], int]:
        debate, lines = self.mask.shown, self.mask.lines(self.lines)
        try:
            shown = await context.shown(debate, lines, room, count)
        except context.TooLong:
            raise Refused(f"the model's context of {size} tokens has no room for the debate, however short") from None
        whole = set(shown)
        return shown, sum(said not in whole for said in prompt.said(debate, lines))

    def _system(self, listener: str) -> str:
        told, debate = prose.prose_for(self.mask.debate), self.mask.shown
        stances = {member.id: member.stance for member in debate.debaters}
        sides = [
            told("side_line", label=self.mask.labels[side.key], stance=self._stance(stances, side.members, side.stance))
            for side in self.mask.order
        ]
        return "\n".join(
            [told(listener), "", told("motion", motion=prompt.as_data(debate.motion)), told("sides"), *sides]
        )

    def _stance(self, stances: dict[str, str], members: Sequence[str], own: str) -> str:
        stance = own or next((stances[member] for member in members if stances[member]), "")
        hidden = prompt.as_data(self.mask.hide(stance))
        return prose.prose_for(self.mask.debate)("stance", stance=hidden) if hidden else ""
