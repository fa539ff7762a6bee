"""The processes as people start them: the API, workers, Redis and a model that talks; for other programs to ask."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from scripted import ScriptedModel, counting
from stage import staged


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the API is. The Redis is its own: its workers would play what other tests enqueue."""
    with staged(tmp_path_factory.mktemp("stack"), ScriptedModel(counting())) as stage:
        yield stage.url
