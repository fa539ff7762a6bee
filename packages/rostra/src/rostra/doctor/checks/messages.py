"""Which messages reach the model, shown by what they do to its prompt or its answer."""

from __future__ import annotations

from collections.abc import Sequence

from rostra.doctor.answers import Reply, fields
from rostra.doctor.asking import Message
from rostra.doctor.case import STORY, SYSTEM, TALK, Case, Check, Said
from rostra.doctor.comparing import alike
from rostra.doctor.troubles import Refused

# Another count of tokens differs by at least so many; a template's own words around a message differ by less.
_TOKENS = 5
# Tokens of the answer whose second part is to be written once more, and characters that the first one has at least.
_WHOLE = 32
_LEAST = 40
_WITHOUT = "Debates do without; small models keep less to their part then."


async def takes_system(case: Case) -> Said:
    """A system message reaches the model."""
    try:
        reaches = _differ(await case.cold(TALK), await case.cold([SYSTEM, *TALK]))
    except Refused as refused:
        case.system_role = False
        return _merged(case, f"It takes no system message. {refused}")
    if reaches is None:
        return Said("not shown", "Its answer does not tell whether a system message reached the model.")
    case.system_role = reaches
    if not reaches:
        return _merged(case, "It drops system messages.")
    return Said("good", "A system message reaches the model.")


def _merged(case: Case, seen: str) -> Said:
    if fields(case.props.get("roles")).get("system") is False:
        return Said("note", f"{seen} It says so in /props, and debates put the rules into the user's message.")
    return Said("warning", seen, "Set `system_role` to false: the rules then go into the user's message.")


async def takes_two_in_a_row(case: Case) -> Said:
    """Two messages of one role may follow one another. Debates do not need it: their roles alternate."""
    second: Sequence[Message] = [{"role": "user", "content": "And what lives in it?"}]
    try:
        both, one = await case.cold([*TALK, *second]), await case.cold(second)
    except Refused as refused:
        return Said("good", f"Roles must alternate strictly, as they do in debates. {refused}")
    if _differ(one, both) is False:
        return Said("note", "Of two user messages in a row the first is dropped. Debates send one.")
    return Said("good", "Two user messages in a row are taken, too.")


async def hears_itself(case: Case) -> Said:
    """Its own earlier answers reach the model: what the layout `own_turns` needs."""
    earlier: Sequence[Message] = [*STORY, {"role": "assistant", "content": f"{SYSTEM['content']} That was it."}]
    try:
        reaches = _differ(await case.cold(TALK), await case.cold([*earlier, *TALK]))
    except Refused as refused:
        return Said("note", f"It takes no earlier answers. {refused}", "Keep to the layout `shared`.")
    if reaches:
        return Said("good", "Its own earlier answers reach the model.")
    return Said("note", "Its own earlier answers do not reach the model.", "Keep to the layout `shared`.")


def _differ(one: Reply, other: Reply) -> bool | None:
    """Whether what the second request has beside the first one reached the model; None where it cannot be told."""
    counted = one.prompt_tokens is not None and other.prompt_tokens is not None
    more = abs((one.prompt_tokens or 0) - (other.prompt_tokens or 0)) if counted else 0
    if more >= _TOKENS or not alike(one.text, other.text):
        return True
    return False if counted or one.text == other.text else None


async def goes_on(case: Case) -> Said:
    """An answer that is begun for the model is gone on with.

    The model's own most probable answer is cut in two: it goes on with the first part if it writes the second. Some
    servers repeat the first part in front of it, which is more than so few tokens can hold."""
    whole = (await case.cold(STORY, most=_WHOLE)).text
    cut = whole.rfind(" ", 0, len(whole) * 2 // 3)
    if cut < _LEAST:
        return Said("not shown", "Its answer is too short to be cut in two.")
    begun, rest = whole[:cut], whole[cut:].strip()
    messages: Sequence[Message] = [*STORY, {"role": "assistant", "content": begun}]
    try:
        said = (await case.server.stream(messages, temperature=0, max_tokens=_WHOLE // 4)).text
    except Refused as refused:
        return Said("note", f"It takes no answer that is begun for it. {refused} {_WITHOUT}")
    repeats = said.startswith(begun) and len(said) > len(begun)
    written = said[len(begun) if repeats else 0 :].strip()
    case.begins_answer = alike(written, rest[: len(written)])
    if case.begins_answer:
        return Said("good", "It goes on with an answer that is begun for it: turns begin with the speaker's name.")
    return Said("note", f"It does not go on with an answer that is begun for it. {_WITHOUT}")


CHECKS = (
    Check("system", "System message", takes_system),
    Check("alternation", "Roles in a row", takes_two_in_a_row),
    Check("history", "Earlier answers", hears_itself),
    Check("begun", "Begun answers", goes_on),
)
