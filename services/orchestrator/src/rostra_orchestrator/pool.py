"""Where a debate's model is asked: the endpoint that knows its beginning, or the next one when that is away.

A model server keeps the beginnings of the prompts that it was asked, so a debate stays with one. Workers share
nothing for it: whoever takes the debate over works out the same order from the debate's id, and begins at its top.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from rostra.endpoints import Endpoint
from rostra_orchestrator.endpoint import ModelServer, Patience


class Pool:
    """The servers of one model, all debaters of a debate that have it together; `server` is the one to ask."""

    def __init__(self, servers: Sequence[ModelServer]) -> None:
        self._servers = servers
        self._asked = 0

    def __len__(self) -> int:
        return len(self._servers)

    @property
    def server(self) -> ModelServer:
        return self._servers[self._asked]

    def move_on(self) -> None:
        """Leaves `server` for the next one, the first after the last, and stays there until it is left, too."""
        self._asked = (self._asked + 1) % len(self._servers)


@asynccontextmanager
async def opened(endpoints: Iterable[Endpoint], debate_id: str, patience: Patience) -> AsyncGenerator[Pool]:
    """A pool for one debate."""
    async with AsyncExitStack() as stack:
        servers = [ModelServer(endpoint, patience, debate_id) for endpoint in ordered(endpoints, debate_id)]
        yield Pool([await stack.enter_async_context(server) for server in servers])


def ordered(endpoints: Iterable[Endpoint], debate_id: str) -> list[Endpoint]:
    """The order in which the debate asks its model's endpoints, however they are listed.

    By rendezvous hashing (Thaler and Ravishankar, 1998): debates spread evenly, those of an endpoint that dies spread
    evenly over the others, and one that is added takes its share and moves no debate besides.
    """
    return sorted(endpoints, key=lambda endpoint: _weight(endpoint, debate_id))


def _weight(endpoint: Endpoint, debate_id: str) -> bytes:
    place = f"{debate_id} {endpoint.url.rstrip('/')} {endpoint.model}"
    return hashlib.blake2b(place.encode(), digest_size=8).digest()
