"""What a client of the model server can rely on."""

import asyncio
import contextlib
import hashlib
import json
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from rostra.endpoints import SUPPORTED
from rostra_llm.bodies import SAMPLERS

from .asking import a_chat, a_long_chat, answer_of, chunks, refusal_of
from .conftest import CONTEXT, KEY, Server


@contextlib.asynccontextmanager
async def a_running_generation(server: Server) -> AsyncIterator[None]:
    """The server generates from when the block is entered; at its end the client goes away."""
    async with server.client() as client:
        stream = chunks(client, a_long_chat())
        await anext(stream)
        try:
            yield
        finally:
            await stream.aclose()


async def test_health_needs_no_key_and_does_not_wait_for_a_generation(server: Server) -> None:
    async with a_running_generation(server), server.client(key=None) as stranger:
        begun = time.monotonic()
        answer = await stranger.get("/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert time.monotonic() - begun < 1


async def test_counting_tokens_does_not_wait_for_a_generation(server: Server, client: httpx2.AsyncClient) -> None:
    async with a_running_generation(server):
        begun = time.monotonic()
        for path, body in [("/tokenize", {"content": "Hello"}), ("/detokenize", {"tokens": [19556]})]:
            (await client.post(path, json=body)).raise_for_status()
        for path in ["/props", "/v1/models"]:
            (await client.get(path)).raise_for_status()
    assert time.monotonic() - begun < 1


@pytest.mark.parametrize("key", [None, "another key", KEY[:-1], KEY + "!", "ключ".encode().decode("latin-1")])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/props"),
        ("GET", "/v1/models"),
        ("POST", "/tokenize"),
        ("POST", "/detokenize"),
        ("POST", "/v1/completions"),
        ("POST", "/v1/chat/completions"),
    ],
)
async def test_without_the_right_key_nothing_is_told(server: Server, method: str, path: str, key: str | None) -> None:
    headers = {"Authorization": f"Bearer {key}".encode("latin-1")} if key else {}
    async with server.client(key=None) as stranger:
        answer = await stranger.request(method, path, headers=headers)
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "invalid_api_key"


async def test_two_streams_at_once_are_both_whole(client: httpx2.AsyncClient) -> None:
    async def whole(body: dict[str, Any]) -> list[str]:
        return [chunk async for chunk in chunks(client, body)]

    for stream in await asyncio.gather(whole(a_chat("Count to ten.")), whole(a_chat("Name a bird."))):
        assert stream[-1] == "[DONE]"
        assert json.loads(stream[-2])["choices"][0]["finish_reason"] in ("stop", "length")
        assert len(stream) > 10


async def test_a_client_that_goes_away_frees_the_server(server: Server, client: httpx2.AsyncClient) -> None:
    async with a_running_generation(server):
        pass
    begun = time.monotonic()
    await answer_of(client, max_tokens=1)
    assert time.monotonic() - begun < 2


async def test_text_and_tokens_are_the_same_both_ways(client: httpx2.AsyncClient) -> None:
    text = "The motion: 原子力発電を続けるべきか 🦉"
    tokens = (await client.post("/tokenize", json={"content": text})).json()["tokens"]
    assert (await client.post("/detokenize", json={"tokens": tokens})).json() == {"content": text}


async def test_the_template_s_own_words_can_be_counted_as_plain_text(client: httpx2.AsyncClient) -> None:
    async def count(**options: Any) -> int:
        answer = await client.post("/tokenize", json={"content": "<|im_start|>"} | options)
        return len(answer.json()["tokens"])

    assert await count() == 1
    assert await count(parse_special=False) > 1


async def test_props_tell_what_a_client_has_to_know(client: httpx2.AsyncClient) -> None:
    props = (await client.get("/props")).json()
    assert props["model"] == "default"
    assert props["model_file"].endswith(".gguf")
    assert (props["n_ctx"], props["n_ctx_train"]) == (CONTEXT, 8192)
    assert props["roles"] == {"system": True}
    assert re.fullmatch(r"llama-cpp-python 0\.3\.\d+, llama\.cpp \d.*", props["build"])
    assert "AVX" in props["system_info"] or "NEON" in props["system_info"]
    assert props["continues_answer"] is True
    assert "<|im_start|>" in props["chat_template"]
    assert props["samplers"] == list(SAMPLERS)


SOME_SAMPLING: dict[str, Any] = {
    "temperature": 0.7,
    "top_k": 20,
    "top_p": 0.9,
    "min_p": 0.1,
    "typical_p": 0.9,
    "top_n_sigma": 1.5,
    "repeat_penalty": 1.2,
    "repeat_last_n": -1,
    "presence_penalty": 0.1,
    "frequency_penalty": 0.1,
    "dry_multiplier": 0.8,
    "dry_base": 1.75,
    "dry_allowed_length": 2,
    "dry_penalty_last_n": 100,
    "dry_sequence_breakers": ["\n", "言"],
    "xtc_probability": 0.5,
    "xtc_threshold": 0.2,
    "mirostat": 2,
    "mirostat_tau": 4.0,
    "mirostat_eta": 0.2,
    "dynatemp_range": 0.3,
    "dynatemp_exponent": 1.5,
    "logit_bias": {"19556": 1.5},
    "grammar": 'root ::= "yes" | "no"',
    "seed": 40,
    "stop": ["\n"],
    "max_tokens": 4,
    "min_tokens": 2,
}


def test_every_sampler_that_props_name_is_tried() -> None:
    assert set(SOME_SAMPLING) == set(SAMPLERS)


@pytest.mark.parametrize("name", SAMPLERS)
async def test_every_sampler_that_props_name_is_taken(client: httpx2.AsyncClient, name: str) -> None:
    await answer_of(client, **{"max_tokens": 4, name: SOME_SAMPLING[name]})


@pytest.mark.parametrize("narrow", [{"top_k": 1}, {"top_p": 0.0}, {"min_p": 1.0}])
async def test_sampling_options_reach_the_model(client: httpx2.AsyncClient, narrow: dict[str, float]) -> None:
    wild = {"temperature": 2.0, "top_p": 1.0, "min_p": 0.0, "top_k": 0}
    seeds = [1, 2, 3]
    assert len({await answer_of(client, **(wild | {"seed": seed})) for seed in seeds}) == 3
    assert len({await answer_of(client, **(wild | narrow | {"seed": seed})) for seed in seeds}) == 1


async def test_a_bias_and_a_grammar_reach_the_model(client: httpx2.AsyncClient) -> None:
    assert await answer_of(client, logit_bias={"19556": 100}, max_tokens=3) == "HelloHelloHello"
    assert await answer_of(client, grammar='root ::= "tabs" | "spaces"') in ("tabs", "spaces")


async def test_an_answer_can_be_held_to_a_schema(client: httpx2.AsyncClient) -> None:
    schema = {"type": "object", "properties": {"winner": {"enum": ["for", "against"]}}, "required": ["winner"]}
    answer = await answer_of(client, response_format={"type": "json_object", "schema": schema}, max_tokens=40)
    assert json.loads(answer)["winner"] in ("for", "against")


@pytest.mark.parametrize("stream", [True, False])
async def test_a_prompt_over_the_context_is_refused_before_the_stream(client: httpx2.AsyncClient, stream: bool) -> None:
    error = await refusal_of(client, **a_chat("hello " * CONTEXT), stream=stream)
    assert error["code"] == "context_length_exceeded"
    assert str(CONTEXT) in error["message"]


async def test_a_text_over_the_context_is_refused_too(client: httpx2.AsyncClient) -> None:
    error = await refusal_of(client, "/v1/completions", prompt="hello " * CONTEXT, stream=True)
    assert error["code"] == "context_length_exceeded"


async def test_a_prompt_that_just_fits_is_answered(client: httpx2.AsyncClient) -> None:
    around = (await client.post("/v1/chat/completions", json=a_chat("hello", max_tokens=1))).json()["usage"]
    words = CONTEXT - around["prompt_tokens"]  # "hello" is one word already: one token of room is left
    answer = await client.post("/v1/chat/completions", json=a_chat("hello" + " hello" * (words - 1)))
    assert answer.json()["usage"]["prompt_tokens"] == CONTEXT - 1
    await refusal_of(client, **a_chat("hello" + " hello" * words))


@pytest.mark.parametrize("name", ["id_slot", "adaptive_target", "guided_json", "thinking"])
async def test_an_unknown_option_is_refused_by_its_name(client: httpx2.AsyncClient, name: str) -> None:
    error = await refusal_of(client, **a_chat(), **{name: 1})
    assert (error["param"], error["code"]) == (name, "unknown_parameter")


@pytest.mark.parametrize(
    "option",
    [
        {"n": 2},
        {"top_logprobs": 2},
        {"logprobs": True, "top_logprobs": 21},
        {"tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}]},
        {"tool_choice": "required"},
        {"response_format": {"type": "json_schema"}},
        {"response_format": {"type": "yaml"}},
        {"response_format": {"type": "json_object"}, "grammar": 'root ::= "a"'},
        {"json_schema": {"type": "no such type"}},
        {"json_schema": {"type": "array", "items": {"enum": [n * "x" for n in range(700)]}}},
        {"temperature": "warm"},
        {"temperature": -1},
        {"top_p": 1.5},
        {"repeat_penalty": 0},
        {"max_tokens": 0},
        {"stop": [""]},
        {"stop": ["x"] * 33},
        {"stop": "x" * 501},
        {"seed": -2},
        {"mirostat": 3},
        {"logit_bias": {"-1": 5}},
        {"logit_bias": {"49152": 5}},
        {"logit_bias": {"2": 500}},
        {"messages": []},
        {"messages": [{"role": "user"}]},
        {"messages": [{"role": "referee", "content": "Stop!"}]},
        {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]},
    ],
)
async def test_what_could_not_be_done_is_refused(client: httpx2.AsyncClient, option: dict[str, Any]) -> None:
    error = await refusal_of(client, **(a_chat() | option))
    assert error["param"].split(".")[0] in option


@pytest.mark.parametrize(
    "option",
    [
        {"seed": None},
        {"seed": -1},
        {"seed": 1 << 40},
        {"logprobs": False},
        {"n": 1},
        {"max_tokens": None, "max_completion_tokens": 2},
        {"tools": []},
        {"tool_choice": "none"},
        {"stream_options": {"include_usage": True}},
        {"user": "someone", "metadata": {"a": "b"}, "store": False},
        {"prompt_cache_key": "debate"},
        {"cache_prompt": False},
        {"chat_template_kwargs": {"enable_thinking": False}},
        {"messages": [{"role": "developer", "content": "Be short."}, {"role": "user", "content": "Hi", "name": "Ada"}]},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]},
    ],
)
async def test_what_asks_for_nothing_is_taken(client: httpx2.AsyncClient, option: dict[str, Any]) -> None:
    await answer_of(client, **({"max_tokens": 1} | option))


@pytest.mark.parametrize(
    "grammar",
    [
        "root ::= (",
        "root ::= rest",
        'root ::= root "a"',
        'start ::= "a"',
        "root ::= " + "(" * 30_000 + '"a"' + ")" * 30_000,
    ],
)
async def test_a_grammar_that_cannot_be_read_does_not_end_the_server(client: httpx2.AsyncClient, grammar: str) -> None:
    assert (await refusal_of(client, **a_chat(grammar=grammar)))["param"] == "grammar"
    await answer_of(client, max_tokens=1)


async def test_a_token_that_does_not_exist_does_not_end_the_server(client: httpx2.AsyncClient) -> None:
    for token in (-1, 49152, 1 << 40):
        await refusal_of(client, "/detokenize", tokens=[token])
    await answer_of(client, max_tokens=1)


async def test_a_model_that_is_not_here_is_not_replaced_by_another(client: httpx2.AsyncClient) -> None:
    answer = await client.post("/v1/chat/completions", json=a_chat(model="gpt-4"))
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "model_not_found"
    assert await answer_of(client, model="default", max_tokens=1)


async def test_a_body_that_is_no_request_is_refused(client: httpx2.AsyncClient) -> None:
    for body in (b"", b"{", b"[]", b'"text"', b"\xff"):
        assert (await client.post("/v1/chat/completions", content=body)).status_code == 400


async def test_a_body_without_end_is_refused(client: httpx2.AsyncClient) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(64):
            yield b" " * (1 << 17)

    with contextlib.suppress(httpx2.WriteError):  # the server may hang up before all is sent
        assert (await client.post("/tokenize", content=endless())).status_code == 413


def test_the_orchestrator_knows_what_this_server_can_do() -> None:
    assert SUPPORTED["rostra"] == set(SAMPLERS)


@pytest.fixture(scope="module")
def bundled_sha256(bundled: Path) -> str:
    return hashlib.sha256(bundled.read_bytes()).hexdigest()


async def test_props_tell_the_model_file_s_hash_once_it_is_known(
    client: httpx2.AsyncClient, bundled_sha256: str
) -> None:
    async with asyncio.timeout(30):
        while (sha256 := (await client.get("/props")).json()["sha256"]) is None:
            await asyncio.sleep(0.1)
    assert sha256 == bundled_sha256


async def test_every_answer_tells_which_file_spoke(client: httpx2.AsyncClient, bundled_sha256: str) -> None:
    async with asyncio.timeout(30):
        while (await client.get("/props")).json()["sha256"] is None:
            await asyncio.sleep(0.1)
    whole = (await client.post("/v1/chat/completions", json=a_chat(max_tokens=2))).json()
    said = [chunk async for chunk in chunks(client, a_chat(max_tokens=2))]
    streamed = [json.loads(chunk) for chunk in said if chunk != "[DONE]"]
    assert streamed
    text = (await client.post("/v1/completions", json={"prompt": "Hello", "max_tokens": 2})).json()
    assert {told["system_fingerprint"] for told in [whole, text, *streamed]} == {f"sha256:{bundled_sha256}"}
