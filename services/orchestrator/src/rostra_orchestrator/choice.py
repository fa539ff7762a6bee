"""Who speaks next in an `auto` slot, and whether a speaker takes a point of information: the model is asked, and
whatever it says, the debate goes on."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Literal

from rostra.agenda import Slot, fallback_speaker
from rostra.events import Usage
from rostra.models import derived_seed
from rostra.naming import HELPERS
from rostra_orchestrator import prompt
from rostra_orchestrator.endpoint import Answer, Message, ModelError, ModelServer, Unavailable
from rostra_orchestrator.slots import Line
from rostra_orchestrator.text import shortened
from rostra_orchestrator.turns import Table

# Lines of the transcript that the question is asked over: the choice hangs on the latest turns.
_RECENT = 4
_EACH = 300  # characters

ChosenBy = Literal["model", "fallback"]


async def chosen_speaker(table: Table, slot: Slot) -> tuple[str, ChosenBy, Usage]:
    """The id of the next speaker, who chose, and what asking cost. The last speaker is never chosen again."""
    debate = table.debate
    spoken = [turn.debater for turn in table.taken if turn.debater not in HELPERS]
    fallback = fallback_speaker(debate, spoken)
    candidates = [d.id for d in debate.debaters if not spoken or d.id != spoken[-1]]
    if len(candidates) == 1:
        return candidates[0], "fallback", Usage()
    question = prompt.who_speaks(debate, candidates)
    answer, usage = await _answer(table, slot, debate.debaters[0].id, question, "speaker")
    named = first_named(answer.text, {i: prompt.label(debate, i) for i in candidates})
    return (named, "model", usage) if named else (fallback, "fallback", usage)


async def takes_point(table: Table, slot: Slot) -> tuple[bool, ChosenBy, Usage]:
    """Whether the speaker takes the point of information that is offered in this slot, who chose, and what asking cost.

    Where the speaker's model says neither yes nor no, the debate's seed does.
    """
    assert slot.to is not None
    question = prompt.takes_point(table.debate, slot)
    answer, usage = await _answer(table, slot, slot.to, question, "point")
    said = prompt.is_yes(table.debate, answer.text)
    if said is not None:
        return said, "model", usage
    return derived_seed(table.debate.seed, slot.seq, "point taken") % 2 == 0, "fallback", usage


async def _answer(table: Table, slot: Slot, asked: str, question: str, what: str) -> tuple[Answer, Usage]:
    """What the debater's model says, and what that cost; nothing where it cannot be asked, at any endpoint."""
    for _ in range(len(table.pools[asked]) if asked in table.pools else 0):
        try:
            return await _asked(table, slot, question, what, table.pools[asked].server)
        except Unavailable:
            table.move_on(asked)
        except ModelError:
            break
    return Answer(), Usage()


async def _asked(table: Table, slot: Slot, question: str, what: str, server: ModelServer) -> tuple[Answer, Usage]:
    options = {"temperature": 0.0, "max_tokens": 24, "seed": derived_seed(table.debate.seed, slot.seq, what)}
    answer = Answer()
    messages = await _messages(table, slot, question, server)
    async for _ in server.stream(messages, options, answer):
        pass
    return answer, await server.usage([message["content"] for message in messages], answer)


async def _messages(table: Table, slot: Slot, question: str, server: ModelServer) -> Sequence[Message]:
    facts = await server.facts()
    heard = table.heard(slot, table.lines()).lines
    recent = [Line(line.speaker, shortened(line.text, _EACH)) for line in heard[-_RECENT:]]
    return prompt.composed(table.debate, prompt.said(table.debate, recent), question, system_role=facts.system_role)


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
