"""The clients that people have: OpenAI's own, and AutoGen's."""

import json
from collections.abc import AsyncIterator
from typing import Any, Literal

import openai
import pytest
from autogen_core.models import CreateResult, ModelFamily, ModelInfo, SystemMessage, UserMessage
from autogen_ext.models.openai import OpenAIChatCompletionClient
from pydantic import BaseModel

from .conftest import KEY, Server

QUESTION: Any = [{"role": "user", "content": "Which is better, tabs or spaces?"}]


class Verdict(BaseModel):
    winner: Literal["tabs", "spaces"]
    sure: bool


@pytest.fixture
async def ai(server: Server) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key=KEY, max_retries=0) as ai:
        yield ai


async def test_openai_s_client_reads_a_whole_answer(ai: openai.AsyncOpenAI) -> None:
    answer = await ai.chat.completions.create(model="default", messages=QUESTION, max_completion_tokens=5, seed=1)
    assert answer.usage
    assert answer.usage.completion_tokens <= 5
    assert answer.choices[0].message.content
    assert answer.choices[0].finish_reason in ("stop", "length")


async def test_openai_s_client_reads_a_stream(ai: openai.AsyncOpenAI) -> None:
    stream = await ai.chat.completions.create(
        model="default",
        messages=QUESTION,
        max_tokens=20,
        stop=["\n"],
        stream=True,
        stream_options={"include_usage": True},
        logprobs=True,
        top_logprobs=2,
    )
    chunks = [chunk async for chunk in stream]
    assert chunks[-1].usage
    said = [choice for chunk in chunks for choice in chunk.choices]
    assert "\n" not in "".join(choice.delta.content or "" for choice in said)
    assert said[-1].finish_reason in ("stop", "length")
    logprobs = said[0].logprobs
    assert logprobs
    assert logprobs.content
    assert len(logprobs.content[0].top_logprobs) == 2


async def test_openai_s_client_parses_what_it_gave_the_schema_of(ai: openai.AsyncOpenAI) -> None:
    answer = await ai.chat.completions.parse(
        model="default", messages=QUESTION, response_format=Verdict, max_tokens=100, temperature=0
    )
    assert isinstance(answer.choices[0].message.parsed, Verdict)


async def test_openai_s_client_raises_the_error_that_fits(ai: openai.AsyncOpenAI, server: Server) -> None:
    with pytest.raises(openai.NotFoundError, match="no model 'gpt-4'"):
        await ai.chat.completions.create(model="gpt-4", messages=QUESTION)
    for stream in (True, False):
        with pytest.raises(openai.BadRequestError) as refused:
            await ai.chat.completions.create(
                model="default", messages=[{"role": "user", "content": "hello " * 2000}], stream=stream
            )
        assert refused.value.code == "context_length_exceeded"
    with pytest.raises(openai.BadRequestError) as refused:
        await ai.chat.completions.create(model="default", messages=QUESTION, extra_body={"surprise": 1})
    assert refused.value.param == "surprise"
    with pytest.raises(openai.AuthenticationError):
        await ai.with_options(api_key="wrong").models.list()


async def test_openai_s_client_lists_models_and_completes_text(ai: openai.AsyncOpenAI) -> None:
    assert [model.id async for model in ai.models.list()] == ["default"]
    assert (await ai.models.retrieve("default")).id == "default"
    text = await ai.completions.create(model="default", prompt="One, two, three,", max_tokens=4, logprobs=1)
    assert text.choices[0].text
    logprobs = text.choices[0].logprobs
    assert logprobs
    assert logprobs.tokens
    assert "".join(logprobs.tokens) == text.choices[0].text


@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")  # autogen-ext's, about a parsed answer of its own
async def test_autogen_s_client_works_too(server: Server) -> None:
    client = OpenAIChatCompletionClient(
        model="default",
        base_url=f"{server.url}/v1",
        api_key=KEY,
        model_info=ModelInfo(
            vision=False, function_calling=False, json_output=True, family=ModelFamily.UNKNOWN, structured_output=True
        ),
        extra_create_args={"max_tokens": 30},
    )
    messages = [SystemMessage(content="You argue for tabs."), UserMessage(content="Begin.", source="moderator")]
    answer = await client.create(messages)
    assert isinstance(answer.content, str)
    assert answer.usage.completion_tokens > 0
    pieces = [piece async for piece in client.create_stream(messages)]
    assert isinstance(pieces[-1], CreateResult)
    assert "".join(piece for piece in pieces if isinstance(piece, str)) == pieces[-1].content
    verdict = await client.create(messages, json_output=Verdict)
    assert isinstance(verdict.content, str)
    assert json.loads(verdict.content)["winner"] in ("tabs", "spaces")
    await client._client.close()  # its own close leaves the connection open
