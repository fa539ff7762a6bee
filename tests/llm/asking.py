"""How the tests ask a model server."""

from collections.abc import AsyncGenerator
from typing import Any

import httpx2


def a_chat(text: str = "Name three colours.", **options: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}], "max_tokens": 16, "temperature": 0} | options


def a_long_chat(**options: Any) -> dict[str, Any]:
    """Some 3 s of generation: only the limit ends it."""
    return a_chat("Tell a very long story.", **({"max_tokens": 300, "ignore_eos": True} | options))


async def chunks(client: httpx2.AsyncClient, body: dict[str, Any]) -> AsyncGenerator[str, None]:
    async with client.stream("POST", "/v1/chat/completions", json=body | {"stream": True}) as answer:
        assert answer.status_code == 200
        async for line in answer.aiter_lines():
            if line.startswith("data: "):
                yield line.removeprefix("data: ")


async def answer_of(client: httpx2.AsyncClient, **options: Any) -> str:
    answer = await client.post("/v1/chat/completions", json=a_chat(**options))
    assert answer.status_code == 200, answer.text
    return answer.json()["choices"][0]["message"]["content"]


async def refusal_of(client: httpx2.AsyncClient, path: str = "/v1/chat/completions", **body: Any) -> Any:
    answer = await client.post(path, json=body)
    assert answer.status_code == 400, answer.text
    return answer.json()["error"]
