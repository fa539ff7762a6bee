"""What happens at the bounds: prompts that are too long, options that do not exist, a server that has no time."""

from __future__ import annotations

import re

from rostra.doctor.answers import Reply
from rostra.doctor.case import TALK, Case, Check, Said
from rostra.doctor.troubles import Refused, Trouble

# A token each, with about every tokenizer.
_WORD = " a"
# Tokens that a prompt gets where the context is not known: not so many that a slow server is busy for long.
_LONG = 17_000
# A prompt of this size needs a moment to be sent and counted; a server that reads it instead is left alone.
_SECONDS = 8.0
_LEAST = 2048

_CONTEXT = re.compile(r"context\D{0,40}?(\d{3,8})")


async def refuses_long_prompts(case: Case) -> Said:
    """A prompt that is longer than the context is refused before the stream begins, not answered with nothing."""
    tokens = case.context + case.context // 20 + 200 if case.context else _LONG
    messages = [{"role": "user", "content": _WORD * tokens}]
    try:
        reply = await case.server.stream(messages, seconds=_SECONDS, max_tokens=4, temperature=0, **case.usage)
    except Refused as refused:
        _learn(case, refused)
        if refused.status >= 500:
            return Said("note", f"Prompts that are too long get status {refused.status}, which means: try again.")
        return Said("good", f"Prompts that are too long get status {refused.status} before the stream begins.")
    return await _took_it(case, messages, tokens, reply)


async def _took_it(case: Case, messages: list[dict[str, str]], tokens: int, reply: Reply) -> Said:
    if not reply.text:
        await _learn_in_one_piece(case, messages)
        return Said(
            "warning",
            "Prompts that are too long get status 200 and an empty stream: nobody is told what was wrong.",
            "Set `context`, so that debates are fitted into it.",
        )
    read, sent = reply.prompt_tokens, await _counted(case, tokens)
    if read and read < sent:
        case.context = case.context or read
        return Said(
            "warning",
            f"Prompts that are too long are cut without a word: of about {sent:,} tokens it read {read:,}.",
            "Set `context` to what the server really has; with Ollama set num_ctx.",
        )
    if case.context:
        return Said(
            "note", f"It takes a prompt of {tokens:,} words, though its context is said to be {case.context:,}."
        )
    return Said("not shown", f"It takes a prompt of {tokens:,} words; longer ones were not tried.")


async def _counted(case: Case, words: int) -> int:
    """About how many tokens so many words have, on the low side; 0 where the server does not count."""
    replies = [await case.cold([{"role": "user", "content": _WORD * n}], most=1) for n in (100, 300)]
    fewer, more = (reply.prompt_tokens or 0 for reply in replies)
    return words * (more - fewer) // 200 * 19 // 20


async def _learn_in_one_piece(case: Case, messages: list[dict[str, str]]) -> None:
    """Where the stream says nothing, an answer as a whole may say how large the context is."""
    try:
        await case.server.chat(messages, seconds=_SECONDS, max_tokens=4)
    except Refused as refused:
        _learn(case, refused)
    except Trouble:
        pass


def _learn(case: Case, refused: Refused) -> None:
    if found := _CONTEXT.search(refused.words):
        case.context = case.context or int(found[1])


async def has_room(case: Case) -> Said:
    """The context is known, and has room for a debate."""
    if case.context is None:
        return Said("warning", "It does not tell its context: debates take 2,048 tokens.", "Set `context`.")
    if case.context < _LEAST:
        return Said(
            "warning",
            f"Its context has {case.context:,} tokens: older turns are soon left out.",
            f"Serve the model with a context of {_LEAST:,} tokens or more.",
        )
    if not case.context_told:
        return Said("note", f"Its context has {case.context:,} tokens; debates are not told.", "Set `context`.")
    return Said("good", f"Its context has {case.context:,} tokens.")


async def tells_unknown_options(case: Case) -> Said:
    """An option that does not exist is refused, and not passed over."""
    try:
        await case.server.chat(TALK, max_tokens=1, rostra_doctor=1)
    except Refused as refused:
        return Said("good", f"An option that it does not know is refused. {refused}")
    return Said("note", "An option that it does not know is passed over without a word.")


async def has_time(case: Case) -> Said:
    """A server that has no time says when to come again."""
    waits = case.server.waits
    if not waits:
        return Said("good", "It had time for every request.")
    if all(waits):
        return Said("good", f"It had no time {len(waits)} times, and said with Retry-After when to come again.")
    return Said("note", f"It had no time {len(waits)} times, and did not always say when to come again.")


BEFORE = (Check("unknown", "Unknown options", tells_unknown_options),)
CHECKS = (
    Check("long", "Long prompts", refuses_long_prompts, 2 * _SECONDS + 2),
    Check("context", "Context", has_room),
    Check("busy", "Busy", has_time),
)
