"""One model server over HTTP, with everything that can go wrong there."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any, get_args

import pytest

from rostra.endpoints import Dialect, Endpoint
from rostra.events import Usage
from rostra_orchestrator.endpoint import (
    Answer,
    BrokenAnswer,
    ModelServer,
    Patience,
    Refused,
    Unavailable,
    estimate,
)
from scripted import Fails, Garbage, Hangs, Says, ScriptedModel

HELLO = [{"role": "user", "content": "Hello"}]
QUICK = Patience(connect=1, first_token=0.5, next_token=0.5, answer=2)


async def ask(model: ScriptedModel, options: dict[str, Any] | None = None, **endpoint: Any) -> Answer:
    answer = Answer()
    async with ModelServer(Endpoint(url=model.url, **endpoint), QUICK) as server:
        async for _ in server.stream(HELLO, options or {}, answer):
            pass
    return answer


async def test_an_answer_comes_with_its_finish_reason_and_usage(model: ScriptedModel):
    usage = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
    model.answers = [Says("Tabs win.", finish="length", usage=usage)]
    answer = await ask(model)
    assert answer.text == "Tabs win. "
    assert answer.finish_reason == "length"
    assert answer.usage == Usage(prompt_tokens=5, completion_tokens=2)


async def test_an_answer_says_which_model_spoke(model: ScriptedModel):
    model.answers = [
        Says("Tabs win.", fingerprint="sha256:abc"),
        Says("Tabs win.", fingerprint="fp\x1b[2J\n1" + "x" * 500),
        Says("Tabs win.", fingerprint=7),
        Says("Tabs win."),
    ]
    told = [(await ask(model)).fingerprint for _ in range(4)]
    assert told == ["sha256:abc", ("fp[2J 1" + "x" * 500)[:128], "", ""]


async def test_every_option_is_sent_under_the_name_that_the_server_knows(model: ScriptedModel):
    await ask(model, {"mirostat": 2, "top_k": 7}, dialect="llama-cpp-python")
    assert model.requests[0]["mirostat_mode"] == 2
    assert model.requests[0]["top_k"] == 7
    assert model.requests[0]["stream"] is True
    await ask(model, {"mirostat": 2})
    assert model.requests[1]["mirostat"] == 2


@pytest.mark.parametrize("dialect", get_args(Dialect))
async def test_only_our_own_server_is_told_which_prompts_begin_alike(model: ScriptedModel, dialect: Any):
    async with ModelServer(Endpoint(url=model.url, dialect=dialect), QUICK, cache_key="a debate") as server:
        async for _ in server.stream(HELLO, {}, Answer()):
            pass
    assert ("prompt_cache_key" in model.requests[0]) == (dialect == "rostra")


async def test_the_key_is_sent_and_not_shown(model: ScriptedModel):
    await ask(model, api_key="s3cret")
    await ask(model)
    assert model.keys == ["Bearer s3cret", ""]
    assert "s3cret" not in repr(Endpoint(url=model.url, api_key="s3cret"))


async def test_only_a_line_feed_ends_a_line(model: ScriptedModel):
    said = "Tabs\u2028are\u2029one\x85byte."
    model.answers = [Says(said)]
    assert said in (await ask(model)).text


async def test_half_a_surrogate_pair_becomes_something_that_can_be_stored(model: ScriptedModel):
    model.answers = [Says("Tabs \ud83d win.")]
    assert (await ask(model)).text == "Tabs \ufffd win. "


async def test_a_finish_reason_becomes_something_that_can_be_stored(model: ScriptedModel):
    model.answers = [Says("Tabs win.", finish="st\ud83dop\n" * 100)]
    reason = (await ask(model)).finish_reason
    assert reason is not None
    assert reason.startswith("st\ufffdop ")
    assert len(reason) == 100


async def test_a_servers_words_are_taken_plainly(model: ScriptedModel):
    model.answers = [Fails(400, {"error": {"message": "no\x1b[2J such\u202e\nmodel"}})]
    with pytest.raises(Refused, match=r"answered 400: no\[2J such model$"):
        await ask(model)


async def test_a_stream_without_a_finish_reason_was_cut_off(model: ScriptedModel):
    model.answers = [Says("Tabs win", finish=None)]
    with pytest.raises(BrokenAnswer, match="cut off"):
        await ask(model)


@pytest.mark.parametrize(
    "text",
    [
        "data: {not json\n\n",
        "data: [1, 2]\n\n",
        'data: {"choices": [{"delta": {"content": 7}}]}\n\n',
        'data: {"choices": 7}\n\n',
        'data: {"choices": [{"delta": null}]}\n\n',
        'data: {"error": {"message": "boom"}}\n\n',
        'data: {"choices": [{"delta": {"content": "Tabs"}, "finish_reason": 7}]}\n\n',
        'data: {"choices": [{"delta": {"content": "Tabs"}, "finish_reason": {"stop": true}}]}\n\n',
        'data: {"usage": {"prompt_tokens": -9, "completion_tokens": 9}}\n\n',
        'data: {"usage": {"prompt_tokens": 9, "completion_tokens": 1e30}}\n\n',
        'data: {"usage": {"prompt_tokens": Infinity, "completion_tokens": 9}}\n\n',
        f"data: {'[' * 100_000}\n\n",
        "",
        "<html>a proxy's page</html>",
        "data: [DONE]\n\n",
    ],
)
async def test_garbage_is_a_broken_answer(model: ScriptedModel, text: str):
    model.answers = [Garbage(text)]
    with pytest.raises(BrokenAnswer):
        await ask(model)


async def test_a_body_that_cannot_be_decoded_is_a_broken_answer(model: ScriptedModel):
    model.answers = [Garbage("this is no gzip", {"Content-Encoding": "gzip"})]
    with pytest.raises(BrokenAnswer):
        await ask(model)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503])
async def test_a_busy_or_broken_server_is_worth_waiting_for(model: ScriptedModel, status: int):
    model.answers = [Fails(status)]
    with pytest.raises(Unavailable, match=f"{model.url} answered {status}: out of order"):
        await ask(model)


@pytest.mark.parametrize("status", [400, 401, 404, 422])
async def test_what_the_server_will_never_do_is_refused(model: ScriptedModel, status: int):
    model.answers = [Fails(status, {"detail": "no such option"})]
    with pytest.raises(Refused, match=f"answered {status}: no such option"):
        await ask(model)


async def test_a_server_that_refuses_what_it_would_have_taken_may_serve_another_model_since(model: ScriptedModel):
    async def ask_again() -> None:
        async for _ in server.stream(HELLO, {}, Answer()):
            pass

    async with ModelServer(Endpoint(url=model.url)) as server:
        assert (await server.facts()).context == 4096
        assert (await server.count("Tabs win."))[0] == 2
        model.context, model.tokens = 512, len
        model.answers = [Fails(400), Fails(400)]
        with pytest.raises(Unavailable, match="another model is served"):
            await ask_again()
        assert (await server.facts()).context == 512
        assert (await server.count("Tabs win."))[0] == 9
        with pytest.raises(Refused):
            await ask_again()


async def test_a_server_that_was_away_is_asked_anew_what_it_is(model: ScriptedModel):
    async with ModelServer(Endpoint(url=model.url)) as server:
        await server.facts()
        model.context, model.answers = 512, [Fails(503)]
        with pytest.raises(Unavailable):
            async for _ in server.stream(HELLO, {}, Answer()):
                pass
        assert (await server.facts()).context == 512


async def test_a_server_that_is_not_there_is_unavailable():
    with pytest.raises(Unavailable, match="does not answer"):
        await ask(ScriptedModel(lambda _: Says(""), url="http://127.0.0.1:9"))


async def test_a_server_that_says_nothing_is_given_up_in_time(model: ScriptedModel):
    model.answers = [Says("Tabs are slow", pause=30)]
    began = time.monotonic()
    with pytest.raises(BrokenAnswer, match="silent"):
        await ask(model)
    assert time.monotonic() - began < 5


async def test_an_answer_without_end_is_cut_in_time(model: ScriptedModel):
    model.answers = [Says("word " * 200, pause=0.05)]
    with pytest.raises(BrokenAnswer, match="longer than"):
        await ask(model)


async def test_tokens_are_counted_once_for_each_text(model: ScriptedModel):
    async with ModelServer(Endpoint(url=model.url)) as server:
        assert await server.count("one two three") == (3, True)
        model.tokenizes = False
        assert await server.count("one two three") == (3, True)


async def test_a_server_of_several_models_is_asked_about_the_one_that_is_meant(model: ScriptedModel):
    async with ModelServer(Endpoint(url=model.url, model="second")) as server:
        await server.count("Tabs.")
        await server.facts()
    assert model.counted == [{"content": "Tabs.", "add_special": False, "model": "second"}]
    assert model.described == ["second"]


async def test_without_a_tokenizer_tokens_are_estimated_on_the_safe_side(model: ScriptedModel):
    model.tokenizes = False
    async with ModelServer(Endpoint(url=model.url)) as server:
        assert await server.count("one two three") == (estimate("one two three"), False)
    assert estimate("one two three") >= 3
    assert estimate("消費税を廃止すべきか") >= 20


async def test_vllm_is_asked_to_count_in_its_own_words(model: ScriptedModel):
    endpoint = Endpoint(url=model.url, dialect="vllm", context=4096)
    async with ModelServer(endpoint) as server:
        assert await server.count("Tabs are sure.") == (3, True)
    assert model.counted == [{"model": "default", "prompt": "Tabs are sure.", "add_special_tokens": False}]


async def test_a_server_that_is_away_for_a_moment_is_not_taken_for_another(model: ScriptedModel):
    model.context, model.away = 8192, True
    async with ModelServer(Endpoint(url=model.url)) as server:
        for question in (server.facts(), server.count("Tabs.")):
            with pytest.raises(Unavailable):
                await question
        assert (await server.usage(["Tabs."], Answer(pieces=["No."]))).counted_by == "estimate"
        model.away = False
        assert (await server.facts()).context == 8192
        assert await server.count("Tabs.") == (1, True)


async def test_the_context_is_asked_from_the_server_unless_it_is_configured(model: ScriptedModel):
    model.context, model.system_role = 8192, False
    async with ModelServer(Endpoint(url=model.url)) as server:
        facts = await server.facts()
        assert (facts.context, facts.system_role) == (8192, False)
    async with ModelServer(Endpoint(url=model.url, context=1024)) as server:
        assert (await server.facts()).context == 1024


async def test_a_server_that_is_silent_is_probed_so_that_one_that_is_gone_is_found_out(model: ScriptedModel):
    model.answers = [Hangs("Tabs")]
    patient = Patience(connect=1, first_token=30, next_token=30, answer=30)
    async with ModelServer(Endpoint(url=model.url), patient) as server:
        pieces = server.stream(HELLO, {}, Answer())
        await anext(pieces)
        assert keepalive_seconds(int(model.url.rpartition(":")[2])) <= 5
        await pieces.aclose()


def keepalive_seconds(port: int) -> float:
    """How long the kernel waits until it probes our end of a connection to this port (Linux, proc_pid_net(5))."""
    for row in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, _, remote, state, _, timer, *_ = row.split()
        kind, when = timer.split(":")
        if (int(remote.rpartition(":")[2], 16), state, kind) == (port, "01", "02"):  # established; a keepalive's
            return int(when, 16) / os.sysconf("SC_CLK_TCK")
    raise AssertionError("no connection to the port is kept alive")
