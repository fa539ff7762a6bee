"""Answers that come word by word, one at a time and several at once."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Sequence

from rostra.doctor.answers import Reply
from rostra.doctor.case import FEW, STORY, TALK, Case, Check, Said
from rostra.doctor.report import Speed
from rostra.doctor.troubles import Broken, Busy, Refused
from rostra.tasks import stopped

# Tokens of a stream that something is to happen during, where there is time for it.
_LONG = 40
# With four answers at once a server that writes them one after another takes about four times as long.
_ABREAST = 2.5
# Pieces that arrive within so many seconds were sent together.
_TOGETHER = 0.0005
_SHEEP = 60


async def streams(case: Case) -> Said:
    """An answer comes word by word, its end has a reason, and it says what it cost."""
    case.usage = {"stream_options": {"include_usage": True}}
    try:
        reply = await _story(case)
    except Refused:
        case.usage = {}
        reply = await _story(case)
    if reply.finish_reason is None:
        return Said(
            "fault",
            "Its streams end without a reason, so that a whole answer cannot be told from one that was cut.",
            "Take another server, or a newer release: to debates all its answers are cut off.",
        )
    if not reply.text:
        return Said("fault", "Its streams are empty, though it answers in one piece.", "Look at the server's log.")
    flows = len(reply.arrivals) < 5 or _moments(reply.arrivals) > 2
    case.speed = _speed(reply, flows)
    if not flows:
        seen = "Its streams arrive in one piece: who watches a debate live sees it jump."
        return Said("note", seen, "Does a proxy hold them back?")
    return _streamed(reply)


async def _story(case: Case, begun: asyncio.Event | None = None) -> Reply:
    most = FEW if case.is_slow else _LONG
    return await case.server.stream(STORY, begun=begun, max_tokens=most, temperature=0, **case.usage)


def _streamed(reply: Reply) -> Said:
    there = {"[DONE]": reply.done, "figures of what they cost": reply.prompt_tokens is not None}
    if missing := [what for what, is_there in there.items() if not is_there]:
        return Said("note", f"Words come one by one. Streams lack {' and '.join(missing)}: debates do without.")
    return Said("good", "Words come one by one, with a reason at the end and figures of what it cost.")


def _moments(arrivals: Sequence[float]) -> int:
    return 1 + sum(after - before > _TOGETHER for before, after in itertools.pairwise(arrivals))


def _speed(reply: Reply, flows: bool) -> Speed:
    first, last = reply.arrivals[0], reply.arrivals[-1]
    tokens = reply.completion_tokens or len(reply.arrivals)
    if flows and last > first:
        return Speed(first_token_seconds=round(first, 3), tokens_per_second=round((tokens - 1) / (last - first), 1))
    return Speed(tokens_per_second=round(tokens / reply.seconds, 1))


async def is_not_cut(case: Case) -> Said:
    """A stream goes on to its end when other requests come; that of llama-cpp-python's server is ended early."""
    begun = asyncio.Event()
    tasks = (asyncio.create_task(_disturbed(case, begun)), asyncio.create_task(_disturbing(case, begun)))
    try:
        (reply, ended), disturbed = await asyncio.gather(*tasks)
    finally:
        await stopped(*tasks)
    if reply.finish_reason is None:
        return Said(
            "warning",
            "Another request cuts off an answer that is being written: of debates that run at once turns get lost, "
            "and are tried again.",
            "With llama-cpp-python's server: --interrupt_requests false.",
        )
    if disturbed >= ended:
        return Said("not shown", "Its answers are done too soon to be disturbed.")
    return Said("good", "Other requests do not disturb an answer that is being written.")


async def _disturbed(case: Case, begun: asyncio.Event) -> tuple[Reply, float]:
    """The stream, and when it ended."""
    try:
        return await _story(case, begun), time.monotonic()
    finally:
        begun.set()


async def _disturbing(case: Case, begun: asyncio.Event) -> float:
    """When the others were asked."""
    await begun.wait()
    now = time.monotonic()
    await asyncio.gather(case.server.chat(TALK, max_tokens=1), case.server.get("/v1/models"), return_exceptions=True)
    return now


async def several_at_once(case: Case) -> Said:
    """How long two and four answers at once take, beside one alone, and how many are written side by side."""
    most = FEW // 2 if case.is_slow else FEW
    try:
        alone, _ = await _together(case, 1, most)
        two, _ = await _together(case, 2, most)
        four, replies = await _together(case, 4, most)
    except Busy:
        return Said("note", "Of four requests at once some are sent away, to come again: debates wait, and do.")
    if any(reply.finish_reason is None for reply in replies):
        return Said("warning", "Of four answers at once some are cut off.")
    took = f"2 take {two / alone:.1f} times as long as one, 4 take {four / alone:.1f} times"
    if (abreast := _abreast(replies)) > 1:
        return Said("good", f"Of 4 answers at once {abreast} are written side by side: {took}.")
    if four / alone < _ABREAST:
        return Said("good", f"Answers at once are written side by side: {took}.")
    return Said("note", f"One answer after another: {took}. Debates that run at once wait for each other.")


async def _together(case: Case, number: int, most: int) -> tuple[float, list[Reply]]:
    """The seconds that so many streams at once take; one that was cut off has no reason for its end."""
    began = time.monotonic()
    tasks = [asyncio.create_task(_new_story(case, most)) for _ in range(number)]
    try:
        replies = await asyncio.gather(*tasks)
    finally:
        await stopped(*tasks)
    return time.monotonic() - began, replies


async def _new_story(case: Case, most: int) -> Reply:
    """One that the server has read nothing of, or the first would be at an advantage; nothing if it is cut before its
    first word."""
    messages = [{"role": "user", "content": f"{time.time_ns()}: {STORY[0]['content']}"}]
    try:
        return await case.server.stream(messages, max_tokens=most, temperature=0, **case.usage)
    except Broken:
        return Reply()


def _abreast(replies: Sequence[Reply]) -> int:
    """The most streams that were being written at a moment when one of them was half done."""
    spans = [(reply.arrivals[0], reply.arrivals[-1]) for reply in replies if reply.arrivals]
    halves = [(first + last) / 2 for first, last in spans]
    return max((sum(first <= half < last for first, last in spans) for half in halves), default=1)


async def reads_fast(case: Case) -> Said:
    """How fast it reads a prompt that it has not seen."""
    text = f"{time.time_ns()} " + " ".join(f"and {n} sheep" for n in range(_SHEEP))
    reply = await case.server.chat([{"role": "user", "content": text}], max_tokens=1, temperature=0)
    if not reply.prompt_tokens:
        return Said("not shown", "It does not tell how many tokens a prompt has.")
    rate = round(reply.prompt_tokens / reply.seconds, 1)
    case.speed = case.speed.model_copy(update={"prompt_tokens_per_second": rate})
    return Said("good", f"It reads about {rate:,.0f} tokens of a new prompt a second.")


BEFORE = (
    Check("streaming", "Streaming", streams, 20, essential=True),
    Check("cut", "Undisturbed", is_not_cut, 15),
    Check("parallel", "Several at once", several_at_once, 15),
)
BEHIND = (Check("reading", "Reading", reads_fast),)
