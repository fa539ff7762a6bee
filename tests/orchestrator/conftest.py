"""A scripted model server and settings that point to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from conftest import as_user
from rostra_orchestrator.settings import Settings
from scripted import ScriptedModel, counting, serving


@pytest.fixture
def model() -> Iterator[ScriptedModel]:
    with serving(ScriptedModel(counting())) as served:
        yield served


@pytest.fixture
def redis_url(redis_url: str) -> str:
    """As the workers enter: what they may not do fails here."""
    return as_user("orchestrator", redis_url)


@pytest.fixture
def settings(model: ScriptedModel, redis_url: str) -> Settings:
    return Settings(
        redis_url=redis_url,
        llm_url=model.url,
        model_patience_seconds=0.5,
        model_first_token_seconds=2,
        model_next_token_seconds=1,
    )
