"""The nemesis' world of containers: the real stack with the bundled model, killed, paused, stopped and parted."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from types import MappingProxyType
from typing import Any

import httpx2 as httpx

sys.path.insert(0, str(Path(__file__).parents[1] / "e2e"))

import stack

Happen = Callable[[str, Random], None]


@dataclass(frozen=True)
class Fault:
    """Something that happens to a service's container, and blocks until it is over."""

    name: str
    part: str
    happen: Callable[[Random], None]
    weight: int = 1


def killed(service: str, random: Random) -> None:
    stack.compose("kill", service)
    time.sleep(random.uniform(0, 5))
    _start(service)


def stopped(service: str, random: Random) -> None:
    stack.compose("stop", service)
    time.sleep(random.uniform(0, 5))
    _start(service)


def paused(service: str, random: Random) -> None:
    stack.compose("pause", service)
    time.sleep(random.uniform(1, 15))
    stack.compose("unpause", service)


def parted(service: str, random: Random) -> None:
    with stack.parted(service):
        time.sleep(random.uniform(1, 15))


def robbed_of_its_players(_: str, random: Random) -> None:
    stack.kill(deeper_than=random.choice((1, 2)), must=False)


def _start(service: str) -> None:
    stack.compose("up", "--no-build", "--no-deps", "--detach", service)


def _faults() -> list[Fault]:
    every = [
        Fault(f"{service} is {happen.__name__}", service, partial(happen, service))
        for service in stack.SERVICES
        for happen in (killed, stopped, paused, parted)
        # A port is published through the network that the API would be parted from, so it has to be made anew.
        if (service, happen) != ("api", parted)
    ]
    players = partial(robbed_of_its_players, "orchestrator")
    return [*every, Fault("orchestrator is robbed of its players", "orchestrator", players, weight=4)]


class Containers:
    """The stack of containers, seen through its API's port."""

    rounds = 4
    wishes: Mapping[str, Any] = MappingProxyType({"turn": {"max_tokens": 30}})

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http
        self.faults = _faults()

    async def suffer(self, fault: Fault, random: Random) -> None:
        await asyncio.to_thread(fault.happen, random)

    def is_whole(self, text: str) -> bool:
        """What a real model meant nobody can tell; it said something."""
        return bool(text.strip())


@asynccontextmanager
async def containers() -> AsyncIterator[Containers]:
    """A world to be harmed, built and started."""
    stack.make_an_engine_answer()
    with ExitStack() as opened:
        stack.configure(opened.enter_context(tempfile.TemporaryDirectory()))
        opened.enter_context(stack.the_stack())
        async with httpx.AsyncClient(base_url=stack.URL, timeout=30) as http:
            yield Containers(http)
