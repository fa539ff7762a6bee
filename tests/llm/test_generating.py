"""What an answer is: every option has its effect, and text, probabilities, usage and end are told rightly."""

import asyncio
import contextlib
import json
import math
from typing import Any

import httpx2
import pytest

from .asking import a_chat, answer_of, chunks
from .conftest import CONTEXT, Server

WILD: dict[str, Any] = {"temperature": 1.5, "top_p": 1.0, "min_p": 0.0, "top_k": 0, "cache_prompt": False}


async def whole(client: httpx2.AsyncClient, **body: Any) -> dict[str, Any]:
    answer = await client.post("/v1/chat/completions", json=a_chat(**body))
    assert answer.status_code == 200, answer.text
    return answer.json()


async def streamed(client: httpx2.AsyncClient, **body: Any) -> list[dict[str, Any]]:
    """The chunks of a stream that came to its end."""
    *said, done = [chunk async for chunk in chunks(client, a_chat(**body))]
    assert done == "[DONE]"
    return [json.loads(chunk) for chunk in said]


def text_of(stream: list[dict[str, Any]]) -> str:
    return "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in stream if chunk["choices"])


# Each changes what is said under the same seeds.
EFFECTS: list[dict[str, Any]] = [
    {"temperature": 0.2},
    {"top_k": 3},
    {"top_p": 0.3},
    {"min_p": 0.3},
    {"typical_p": 0.2},
    {"top_n_sigma": 0.5},
    {"repeat_penalty": 2.0},
    {"presence_penalty": 2.0},
    {"frequency_penalty": 2.0},
    {"repeat_penalty": 2.0, "repeat_last_n": -1},
    {"xtc_probability": 1.0, "xtc_threshold": 0.05},
    {"mirostat": 1, "mirostat_tau": 2.0},
    {"mirostat": 2, "mirostat_tau": 2.0},
    {"mirostat_mode": 2, "mirostat_tau": 2.0},
    {"mirostat": 2, "mirostat_tau": 2.0, "mirostat_eta": 0.9},
    {"dynatemp_range": 1.4},
    {"dynatemp_range": 1.4, "dynatemp_exponent": 4.0},
    {"logit_bias": {"28": -100, "30": -100, "284": -100}},
]


@pytest.mark.parametrize("option", EFFECTS, ids="-".join)
async def test_every_option_has_an_effect(client: httpx2.AsyncClient, option: dict[str, Any]) -> None:
    asked = WILD | {"max_tokens": 12}
    without = {**asked, **({"repeat_penalty": 2.0, "repeat_last_n": 2} if "repeat_last_n" in option else {})}
    if {"mirostat_eta", "dynatemp_exponent"} & option.keys():
        without |= dict(list(option.items())[:-1])
    seeds = (1, 2, 3)
    before = [await answer_of(client, **without, seed=seed) for seed in seeds]
    assert [await answer_of(client, **without, seed=seed) for seed in seeds] == before
    assert [await answer_of(client, **(without | option), seed=seed) for seed in seeds] != before


async def test_dry_ends_a_repetition_and_its_breakers_allow_it(client: httpx2.AsyncClient) -> None:
    chant = "The sea, the sea, the sea, the sea, the sea, the sea, the sea,"
    asked: dict[str, Any] = {"prompt": chant, "temperature": 0, "max_tokens": 12, "cache_prompt": False}

    async def said(**options: Any) -> str:
        return (await client.post("/v1/completions", json=asked | options)).json()["choices"][0]["text"]

    dry = {"dry_multiplier": 5.0, "dry_allowed_length": 2}
    plain = await said()
    assert plain.startswith(" the sea, the sea")
    assert not (await said(**dry)).startswith(" the sea, the sea")
    assert await said(**dry, dry_sequence_breakers=["sea", "the"]) == plain
    assert await said(**dry, dry_penalty_last_n=0) == plain
    assert await said(**dry | {"dry_allowed_length": 100}) == plain
    assert await said(dry_multiplier=5.0, dry_base=1.0, dry_allowed_length=2) != await said(dry_multiplier=0.0)


async def test_the_same_seed_says_the_same_and_another_something_else(client: httpx2.AsyncClient) -> None:
    said = [await answer_of(client, **WILD, seed=seed) for seed in (7, 7, 8)]
    assert said[0] == said[1] != said[2]
    assert await answer_of(client, **WILD) != await answer_of(client, **WILD)


async def test_an_answer_ends_not_before_its_least_length(client: httpx2.AsyncClient) -> None:
    short = {"temperature": 0, "logit_bias": {"2": 100}, "max_tokens": 9}
    assert (await whole(client, **short))["usage"]["completion_tokens"] == 1
    assert (await whole(client, **short, min_tokens=5))["usage"]["completion_tokens"] == 6
    unending = await whole(client, **short, ignore_eos=True)
    assert (unending["usage"]["completion_tokens"], unending["choices"][0]["finish_reason"]) == (9, "length")


async def test_without_a_limit_an_answer_may_fill_the_context(client: httpx2.AsyncClient) -> None:
    answer = await whole(client, text="hello " * (CONTEXT - 60), max_tokens=None, ignore_eos=True)
    assert answer["usage"]["total_tokens"] == CONTEXT
    assert answer["choices"][0]["finish_reason"] == "length"


# ── text ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("text", ["原子力発電を続けるべきか", "🦉👩‍👩‍👧 — ёлка ñ", "مرحبا 한국어"])
async def test_characters_of_several_tokens_are_never_broken(client: httpx2.AsyncClient, text: str) -> None:
    stream = await streamed(client, grammar=f'root ::= "{text}"', max_tokens=80)
    assert text_of(stream) == text
    assert all("\ufffd" not in text_of([chunk]) for chunk in stream)


@pytest.mark.parametrize("stop", ["力発", "続ける", "べ"])
async def test_a_stop_string_across_tokens_ends_the_text_before_it(client: httpx2.AsyncClient, stop: str) -> None:
    text = "原子力発電を続けるべきか"
    stream = await streamed(client, grammar=f'root ::= "{text}"', max_tokens=80, stop=["nothing", stop])
    assert text_of(stream) == text[: text.index(stop)]
    assert stream[-1]["choices"][0]["finish_reason"] == "stop"


async def test_a_stream_says_what_a_whole_answer_says(client: httpx2.AsyncClient) -> None:
    asked: dict[str, Any] = {"temperature": 0, "max_tokens": 30, "cache_prompt": False}
    answer = await whole(client, **asked)
    stream = await streamed(client, **asked, stream_options={"include_usage": True})
    assert text_of(stream) == answer["choices"][0]["message"]["content"]
    assert stream[0]["choices"][0]["delta"]["role"] == "assistant"
    assert [chunk["choices"][0]["finish_reason"] for chunk in stream[:-1] if chunk["choices"]][-1] == "length"
    assert stream[-1]["choices"] == []
    assert stream[-1]["usage"] == answer["usage"]
    assert len({chunk["id"] for chunk in stream}) == 1


async def test_usage_is_told_only_to_those_who_ask(client: httpx2.AsyncClient) -> None:
    assert not any("usage" in chunk for chunk in await streamed(client, max_tokens=2))


async def test_what_was_read_before_is_told_as_cached(client: httpx2.AsyncClient) -> None:
    text = "A motion that no other test has: owls beat larks."
    first, second = [(await whole(client, text=text))["usage"] for _ in range(2)]
    assert second["prompt_tokens_details"]["cached_tokens"] == second["prompt_tokens"] - 1
    assert first["prompt_tokens_details"]["cached_tokens"] < second["prompt_tokens"] - 10
    assert second["total_tokens"] == second["prompt_tokens"] + second["completion_tokens"]


async def test_an_answer_can_be_begun(client: httpx2.AsyncClient) -> None:
    messages = [{"role": "user", "content": "Count."}, {"role": "assistant", "content": "One, two, three,"}]
    assert "four" in await answer_of(client, messages=messages, temperature=0)


# ── probabilities ───────────────────────────────────────────────────────────────────────────────────────────


async def test_a_chat_tells_the_probabilities_of_its_tokens(client: httpx2.AsyncClient) -> None:
    answer = await whole(client, temperature=0, max_tokens=8, logprobs=True, top_logprobs=3)
    told = answer["choices"][0]["logprobs"]["content"]
    assert "".join(token["token"] for token in told) == answer["choices"][0]["message"]["content"]
    for token in told:
        best = [alternative["logprob"] for alternative in token["top_logprobs"]]
        assert len(best) == 3
        assert best == sorted(best, reverse=True)
        assert token["logprob"] == best[0] <= 0  # greedy
        assert math.fsum(map(math.exp, best)) <= 1 + 1e-6


async def test_a_text_tells_the_probabilities_of_its_tokens(client: httpx2.AsyncClient) -> None:
    asked = {"prompt": "One, two,", "max_tokens": 4, "temperature": 0, "logprobs": 2}
    choice = (await client.post("/v1/completions", json=asked)).json()["choices"][0]
    told = choice["logprobs"]
    assert "".join(told["tokens"]) == choice["text"]
    assert told["text_offset"] == [len("".join(told["tokens"][:n])) for n in range(4)]
    assert [max(top.values()) for top in told["top_logprobs"]] == told["token_logprobs"]


async def test_of_a_stop_string_no_token_is_told(client: httpx2.AsyncClient) -> None:
    asked: dict[str, Any] = {"grammar": 'root ::= "one two three four"', "max_tokens": 30, "logprobs": True}
    stream = await streamed(client, **asked, stop=[" three"])
    told = [t["token"] for c in stream for t in (c["choices"][0].get("logprobs") or {"content": []})["content"]]
    assert "".join(told) == text_of(stream) == "one two"


# ── held to a form ──────────────────────────────────────────────────────────────────────────────────────────

VERDICT = {
    "type": "object",
    "properties": {"winner": {"enum": ["for", "against"]}, "score": {"type": "integer", "minimum": 0, "maximum": 9}},
    "required": ["winner", "score"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    "option",
    [
        {"response_format": {"type": "json_schema", "json_schema": {"name": "v", "strict": True, "schema": VERDICT}}},
        {"response_format": {"type": "json_object", "schema": VERDICT}},
        {"json_schema": VERDICT},
    ],
    ids=["openai", "llama.cpp", "llama-server"],
)
@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_an_answer_keeps_to_a_schema_even_at_a_wild_temperature(
    client: httpx2.AsyncClient, option: dict[str, Any], seed: int
) -> None:
    verdict = json.loads(await answer_of(client, **WILD, **option, seed=seed, max_tokens=200))
    assert verdict["winner"] in ("for", "against")
    assert 0 <= verdict["score"] <= 9
    assert verdict.keys() == {"winner", "score"}


async def test_an_answer_can_be_any_json(client: httpx2.AsyncClient) -> None:
    schema_less = {"response_format": {"type": "json_object"}, "temperature": 0, "max_tokens": 300}
    answer = await whole(client, text="A JSON object with one short field.", **schema_less)
    if answer["choices"][0]["finish_reason"] == "stop":
        assert isinstance(json.loads(answer["choices"][0]["message"]["content"]), dict)
    else:
        assert answer["choices"][0]["message"]["content"].startswith("{")


# ── many at once ────────────────────────────────────────────────────────────────────────────────────────────


async def test_more_requests_than_slots_are_all_answered_in_full(client: httpx2.AsyncClient, server: Server) -> None:
    async def one(number: int) -> None:
        stream = await streamed(client, text=f"Story {number}.", max_tokens=20, ignore_eos=True, seed=number)
        assert stream[-1]["choices"][0]["finish_reason"] == "length"

    await asyncio.gather(*(one(number) for number in range(24)))


async def test_a_short_request_is_not_held_up_by_a_long_prompt(client: httpx2.AsyncClient, server: Server) -> None:
    async def batches() -> float:
        async with server.client(key=None) as stranger:
            lines = (await stranger.get("/metrics")).text.splitlines()
        return next(float(line.split()[-1]) for line in lines if line.startswith("rostra_llm_batches_total"))

    before = await batches()
    long = asyncio.create_task(streamed(client, text="A long tale of the sea. " * 120, cache_prompt=False))
    while await batches() == before:
        await asyncio.sleep(0.01)
    begun = await batches()
    async with contextlib.aclosing(chunks(client, a_chat("Hello.", cache_prompt=False))) as short:
        await anext(short)
    assert await batches() - begun <= 3  # chunks of the long prompt, of which there are six more
    assert not long.done()
    await long


async def test_the_meters_tell_what_was_done(client: httpx2.AsyncClient, server: Server) -> None:
    async def meters() -> dict[str, float]:
        async with server.client(key=None) as stranger:
            lines = (await stranger.get("/metrics")).text.splitlines()
        return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if line[0] != "#")}

    before = await meters()
    usage = (await whole(client, text="Meters are read before and after.", max_tokens=5, ignore_eos=True))["usage"]
    after = await meters()

    def grown(name: str) -> float:
        return after[name] - before[name]

    cached = usage["prompt_tokens_details"]["cached_tokens"]
    assert grown('rostra_llm_prompt_tokens_total{model="default"}') == usage["prompt_tokens"] - cached
    assert grown('rostra_llm_prompt_tokens_reused_total{model="default"}') == cached
    assert grown('rostra_llm_generated_tokens_total{model="default"}') == 5
    assert grown('rostra_llm_requests_total{model="default",reason="length"}') == 1
    assert grown('rostra_llm_first_token_seconds_count{model="default"}') == 1
    assert grown('rostra_llm_engine_seconds_total{model="default",part="decode"}') > 0
    assert after['rostra_llm_running{model="default"}'] == 0
