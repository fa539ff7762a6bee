"""Conversations at once with a server, and what they cost it: one cell of the table."""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx2 as httpx
from serving_layouts import LAYOUTS, Conversation
from serving_processes import cpu_seconds, peak_memory
from serving_servers import Running, Server, Setup, metrics, python_share, running
from serving_tokens import Tokenizer, lower_bound

ANSWER_SECONDS = 900  # the stock server serves one at a time, and sixteen may wait
# llama-server may close a connection after a stream, just when the next request goes out on it.
NO_REUSE = httpx.Limits(max_keepalive_connections=0)
SAMPLING = {"temperature": 0.7, "top_k": 40, "top_p": 0.95, "min_p": 0.05, "repeat_penalty": 1.0}
# Asked before the measurement, so that what a first request alone costs is not in it.
# Its first token is no other prompt's: nothing of it can be used again.
WARM_UP = "Hello<|im_end|>\n<|im_start|>assistant\n"

Row = dict[str, Any]


@dataclass(frozen=True)
class Load:
    """How many conversations at once, how long, and with how many tokens a turn.

    No turn begins after `seconds`; those that were begun are ended.
    """

    layout: str
    debates: int
    turns: int
    tokens: int
    seconds: float


@dataclass(frozen=True)
class Answer:
    """`evaluated` and `generated` are None where the server does not tell."""

    prompt: str
    text: str
    first: float
    evaluated: int | None
    generated: int | None


Played = Sequence[Sequence[Answer]]


@dataclass(frozen=True)
class Bench:
    """What all cells share."""

    setup: Setup
    tokenizer: Tokenizer

    def measure(self, server: Server, load: Load) -> Row:
        """One cell, on a server that was started for it."""
        with running(server, self._for(load)) as up:
            return asyncio.run(self._measure(up, load))

    def _for(self, load: Load) -> Setup:
        return Setup(self.setup.model, load.debates, self.setup.context, self.setup.threads)

    async def _measure(self, up: Running, load: Load) -> Row:
        async with httpx.AsyncClient(base_url=up.url, timeout=ANSWER_SECONDS, limits=NO_REUSE) as client:
            await self._warm_up(client)
            told = metrics(up.url)
            counted, cpu, began = up.counts.read(), cpu_seconds(up.pid), time.monotonic()
            async with peak_memory(up.pid) as memory:
                played = await self._play(client, up.server, load)
            seconds, cpu = time.monotonic() - began, cpu_seconds(up.pid) - cpu
        evaluated, generated = self._counted(up, counted, played)
        return {
            "server": up.server.name,
            "layout": load.layout,
            "debates": load.debates,
            **self._sent(played),
            "tokens_evaluated": evaluated,
            "tokens_generated": generated,
            "cpu_ms_per_token": round(cpu * 1000 / generated, 2),
            **_pace(played, seconds),
            "rss_mib": round(memory.mib),
            "turns_planned": load.debates * load.turns,
            "seconds": round(seconds, 1),
            "cpu_seconds": round(cpu, 2),
            "python_share": python_share(told, metrics(up.url)),
            "variant": up.server.variant,
            "threads": self.setup.threads,
            "context": self.setup.context,
        }

    async def _warm_up(self, client: httpx.AsyncClient) -> None:
        """One whole answer; it also tells whether the server reads a prompt as we do."""
        answer = await client.post("/v1/completions", json={"prompt": WARM_UP, "max_tokens": 4})
        if not answer.is_success:
            raise SystemExit(f"{answer.status_code}: {answer.text}")
        read, ours = answer.json()["usage"]["prompt_tokens"], len(self.tokenizer.tokens(WARM_UP))
        if read != ours:
            raise SystemExit(f"the server reads {read} tokens where there are {ours}")

    async def _play(self, client: httpx.AsyncClient, server: Server, load: Load) -> Played:
        deadline = time.monotonic() + load.seconds
        conversations = [LAYOUTS[load.layout](number, load.turns) for number in range(load.debates)]
        return await asyncio.gather(
            *(
                self._converse(client, conversation, self._options(server, load, number), load.turns, deadline)
                for number, conversation in enumerate(conversations)
            )
        )

    def _options(self, server: Server, load: Load, number: int) -> Mapping[str, Any]:
        """All answers have the same number of tokens: none of them can be ended before."""
        hint = {"prompt_cache_key": f"{load.layout} {number}"} if server.hints else {}
        never = {str(token): -100 for token in self.tokenizer.ends()}
        return {**SAMPLING, "max_tokens": load.tokens, "logit_bias": never, "seed": 1000 * number, **hint}

    async def _converse(
        self,
        client: httpx.AsyncClient,
        conversation: Conversation,
        options: Mapping[str, Any],
        turns: int,
        deadline: float,
    ) -> Sequence[Answer]:
        answers: list[Answer] = []
        while len(answers) < turns and time.monotonic() < deadline:
            prompt = conversation([answer.text for answer in answers])
            answers.append(await ask(client, prompt, {**options, "seed": options["seed"] + len(answers)}))
        return answers

    def _counted(self, up: Running, before: tuple[int, int], played: Played) -> tuple[int, int]:
        """Prompt tokens evaluated, and tokens generated."""
        if up.server.tells:
            answers = _all(played)
            return sum(a.evaluated or 0 for a in answers), sum(a.generated or 0 for a in answers)
        after = up.counts.read()
        return after[0] - before[0], after[1] - before[1]

    def _sent(self, played: Played) -> Row:
        """Prompt tokens sent; and the fewest to evaluate: each text once, but for what was generated."""
        prompts = [self.tokenizer.tokens(answer.prompt) for answer in _all(played)]
        whole = [self.tokenizer.tokens(answer.prompt + answer.text) for answer in _all(played)]
        sent, answered = sum(map(len, prompts)), sum(map(len, whole))
        return {"tokens_sent": sent, "tokens_lower_bound": lower_bound([*prompts, *whole]) - (answered - sent)}


def _all(played: Played) -> list[Answer]:
    return [answer for answers in played for answer in answers]


def _pace(played: Played, seconds: float) -> Row:
    firsts = [answer.first * 1000 for answer in _all(played)]
    return {
        "turns_done": len(firsts),
        "turns_per_minute": round(len(firsts) * 60 / seconds, 1),
        "ttft_p50_ms": round(statistics.median(firsts)),
        "ttft_p95_ms": round(percentile(firsts, 95)),
    }


def percentile(values: Sequence[float], percent: int) -> float:
    """The value that `percent` of 100 do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


async def ask(client: httpx.AsyncClient, prompt: str, options: Mapping[str, Any]) -> Answer:
    body = {"prompt": prompt, "stream": True, "stream_options": {"include_usage": True}, **options}
    began, first, pieces, usage = time.monotonic(), 0.0, list[str](), None
    async for chunk in _chunks(client, body):
        for choice in chunk["choices"]:
            pieces.append(choice["text"])
            first = first or (time.monotonic() - began if choice["text"] else 0.0)
        usage = chunk.get("usage") or usage
    return Answer(prompt, "".join(pieces), first, _evaluated(usage), usage and usage["completion_tokens"])


def _evaluated(usage: Mapping[str, Any] | None) -> int | None:
    return usage and usage["prompt_tokens"] - usage["prompt_tokens_details"]["cached_tokens"]


async def _chunks(client: httpx.AsyncClient, body: Mapping[str, Any]) -> AsyncIterator[dict[str, Any]]:
    async with client.stream("POST", "/v1/completions", json=body) as answer:
        if not answer.is_success:
            raise SystemExit(f"{answer.status_code}: {(await answer.aread()).decode()}")
        async for line in answer.aiter_lines():
            if line.startswith("data: {"):
                chunk = json.loads(line.removeprefix("data: "))
                if "error" in chunk:
                    raise SystemExit(str(chunk["error"]))
                yield chunk
