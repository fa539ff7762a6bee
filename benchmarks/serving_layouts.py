"""What the servers are asked: debates in two layouts, and short chats.

Each server gets the same text, rendered here by the bundled model's template (ChatML): the stock server cannot go
on with an answer that is begun, and the servers' own rendering is not what is measured.

    rostra     the orchestrator's prompt: all debaters' rules, the transcript, a short cue, the answer begun
    autogen    AutoGen's: the speaker's own persona first, its own turns as assistant, the others' as user
    chat       one question after the other, each in a prompt of its own
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from builders import a_debate
from rostra.agenda import agenda
from rostra.models import Debate
from rostra_orchestrator import prompt
from rostra_orchestrator.prompt import as_data
from rostra_orchestrator.slots import Line

# What is asked next, by the answers so far.
Conversation = Callable[[Sequence[str]], str]
Message = tuple[str, str]

MOTIONS = (
    "Every town should ban cars from its centre",
    "Tabs beat spaces",
    "School should begin at ten",
    "Cities should keep their trams",
    "Museums should be free",
    "Homework does more harm than good",
    "Libraries should lend tools as well as books",
    "Winter is better than summer",
    "Every child should learn an instrument",
    "Night trains should replace short flights",
    "Cats make better companions than dogs",
    "Shops should close on Sundays",
    "Handwriting still matters",
    "Public transport should cost nothing",
    "Zoos should be abolished",
    "The working week should have four days",
)
DEBATERS = (
    {"name": "Rosa", "stance": "for the motion", "persona": "A town planner who argues from what she has seen."},
    {"name": "Victor", "stance": "against the motion", "persona": "A dry economist who asks what things cost."},
)
ASKED = (
    "What should everyone know about",
    "How would you explain to a child",
    "What is most often misunderstood about",
    "Tell me a short story about",
)
SUBJECTS = (
    "the tides",
    "honey bees",
    "the printing press",
    "volcanoes",
    "chess",
    "the moon",
    "bread",
    "magnetism",
    "the violin",
    "rainbows",
    "glass",
    "the compass",
    "migrating birds",
    "clocks",
    "salt",
    "earthquakes",
)
# The template puts this before a chat that brings no system message.
SYSTEM = "You are a helpful AI assistant named SmolLM, trained by Hugging Face"


def rostra(number: int, turns: int) -> Conversation:
    debate = _debate(number, turns)
    slots = agenda(debate)

    def prompt_after(answers: Sequence[str]) -> str:
        slot = slots[len(answers)]
        debater = debate.debater(slot.debater or "")
        spoken = [Line(slot.debater or "", answer) for slot, answer in zip(slots, answers, strict=False)]
        cue = prompt.cue(debate, slot, debater, begun=True)
        messages = prompt.composed(debate, prompt.said(debate, spoken), cue)
        return chatml([(m["role"], str(m["content"])) for m in messages], prompt.answer_begins(debate, debater))

    return prompt_after


def autogen(number: int, turns: int) -> Conversation:
    debate = _debate(number, turns)
    slots = agenda(debate)

    def prompt_after(answers: Sequence[str]) -> str:
        speaker = slots[len(answers)].debater or ""
        roles = ["assistant" if slot.debater == speaker else "user" for slot in slots]
        spoken = [(role, as_data(answer)) for role, answer in zip(roles, answers, strict=False)]
        return chatml([("system", _own_persona(debate, speaker)), ("user", debate.motion), *spoken])

    return prompt_after


def chat(number: int, _turns: int) -> Conversation:
    def prompt_after(answers: Sequence[str]) -> str:
        asked = ASKED[len(answers) % len(ASKED)]
        return chatml([("system", SYSTEM), ("user", f"{asked} {SUBJECTS[number % len(SUBJECTS)]}")])

    return prompt_after


LAYOUTS = {"rostra": rostra, "autogen": autogen, "chat": chat, "growth": rostra}


def chatml(messages: Sequence[Message], begun: str = "") -> str:
    """The messages as the bundled model's template renders them, and the beginning of the answer."""
    rendered = "".join(f"<|im_start|>{role}\n{text}<|im_end|>\n" for role, text in messages)
    return f"{rendered}<|im_start|>assistant\n{begun}"


def _debate(number: int, turns: int) -> Debate:
    rounds = -(-turns // len(DEBATERS))
    return a_debate(MOTIONS[number % len(MOTIONS)], debaters=DEBATERS, rounds=rounds)


def _own_persona(debate: Debate, speaker: str) -> str:
    debater = debate.debater(speaker)
    return (
        f"You are {debater.name}, a debater, and speak {debater.stance}: {debate.motion}. {debater.persona} "
        "Answer what was said last in two or three sentences, and bring one new argument."
    )
