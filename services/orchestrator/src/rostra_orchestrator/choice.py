"""Who speaks next in an `auto` slot: the model is asked, and whatever it says, somebody valid speaks."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Literal

from rostra.agenda import Slot, fallback_speaker
from rostra.events import Usage
from rostra.models import Debate, derived_seed
from rostra_orchestrator import prompt
from rostra_orchestrator.endpoint import Answer, Message, ModelError, ModelServer, Unavailable
from rostra_orchestrator.prompt import Line
from rostra_orchestrator.text import shortened
from rostra_orchestrator.turns import Table

# Lines of the transcript that the question is asked over: the choice hangs on the latest turns.
_RECENT = 4
_EACH = 300  # characters


async def chosen_speaker(table: Table, slot: Slot) -> tuple[str, Literal["model", "fallback"], Usage]:
    """The id of the next speaker, who chose, and what asking cost. The last speaker is never chosen again."""
    debate, lines = table.debate, table.lines()
    spoken = [line.speaker for line in lines if line.speaker != prompt.MODERATOR]
    fallback = fallback_speaker(debate, spoken)
    candidates = [d.id for d in debate.debaters if not spoken or d.id != spoken[-1]]
    if len(candidates) == 1:
        return candidates[0], "fallback", Usage()
    answer, usage = await _answer(table, slot, candidates)
    named = first_named(answer.text, {i: prompt.label(debate, i) for i in candidates})
    return (named, "model", usage) if named else (fallback, "fallback", usage)


async def _answer(table: Table, slot: Slot, candidates: Sequence[str]) -> tuple[Answer, Usage]:
    """What the first debater's model says, and what that cost; nothing where it cannot be asked, at any endpoint."""
    asked = table.debate.debaters[0].id
    for _ in range(len(table.pools[asked])):
        try:
            return await _asked(table.debate, slot, table.lines(), candidates, table.pools[asked].server)
        except Unavailable:
            table.move_on(asked)
        except ModelError:
            break
    return Answer(), Usage()


async def _asked(
    debate: Debate, slot: Slot, lines: Sequence[Line], candidates: Sequence[str], server: ModelServer
) -> tuple[Answer, Usage]:
    options = {"temperature": 0.0, "max_tokens": 24, "seed": derived_seed(debate.seed, slot.seq, "speaker")}
    answer = Answer()
    messages = await _question(debate, lines, candidates, server)
    async for _ in server.stream(messages, options, answer):
        pass
    return answer, await server.usage([message["content"] for message in messages], answer)


async def _question(
    debate: Debate, lines: Sequence[Line], candidates: Sequence[str], server: ModelServer
) -> Sequence[Message]:
    facts = await server.facts()
    recent = [Line(line.speaker, shortened(line.text, _EACH)) for line in lines[-_RECENT:]]
    question = prompt.who_speaks(debate, candidates)
    return prompt.composed(debate, prompt.said(debate, recent), question, system_role=facts.system_role)


def first_named(text: str, names: Mapping[str, str]) -> str | None:
    """The id whose name stands first in `text`; longer names win over their own beginnings."""
    found = [
        (match.start(), -len(name), debater_id)
        for debater_id, name in names.items()
        if (match := re.search(rf"(?<!\w){re.escape(name)}(?!\w)|{_unspaced(name)}", text, re.IGNORECASE))
    ]
    return min(found)[2] if found else None


def _unspaced(name: str) -> str:
    """Scripts without spaces between words have no word boundaries to look for."""
    return re.escape(name) if re.search(r"[\u3040-\u30ff\u4e00-\u9fff\u0e00-\u0e7f]", name) else r"(?!)"
