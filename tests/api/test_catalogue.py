"""What models one can choose from, and what is not told of them. Of formats: test_formats.py."""

from __future__ import annotations

from httpx2 import AsyncClient

from rostra.rules import Sampling


async def test_models_say_what_they_can_do_and_not_where_they_are(client: AsyncClient):
    answer = await client.get("/v1/models")
    models = {model["name"]: model for model in answer.json()["data"]}
    assert list(models) == ["default", "mixed", "plain", "stock"]
    assert set(models["default"]["sampling"]) == set(Sampling.model_fields)
    assert "top_k" not in models["plain"]["sampling"]
    assert (models["default"]["context"], models["plain"]["context"]) == (None, 4096)
    assert "secret.example" not in answer.text
    assert "hush" not in answer.text


async def test_a_model_can_do_what_all_its_servers_can(client: AsyncClient):
    models = {model["name"]: model for model in (await client.get("/v1/models")).json()["data"]}
    assert models["mixed"]["sampling"] == models["plain"]["sampling"]
    assert (models["mixed"]["dialects"], models["mixed"]["context"]) == (["openai", "vllm"], 4096)
