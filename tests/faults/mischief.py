"""What can happen to a stack on one machine: each fault begins, lasts for a while, and is over when it returns."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from types import MappingProxyType
from typing import Any

from .cluster import Cluster
from .speaker import MISBEHAVIOUR

Happen = Callable[[Cluster, Random], Awaitable[None]]

POOLS = ("pool", "pool-2")


@dataclass(frozen=True)
class Fault:
    """`part` is what it happens to: one thing happens to a part at a time."""

    name: str
    part: str
    happen: Happen
    weight: int = 1


faults: list[Fault] = []


def fault(part: str, weight: int = 1) -> Callable[[Happen], Happen]:
    """Its name is what happens."""

    def register(happen: Happen) -> Happen:
        faults.append(Fault(happen.__name__.replace("_", " "), part, happen, weight))
        return happen

    return register


# ── the pools ───────────────────────────────────────────────────────────────────────────────────────────────


@fault("pools", weight=4)
async def a_player_is_killed(cluster: Cluster, random: Random) -> None:
    cluster.kill_pids(_one(random, cluster.players(random.choice(POOLS))))


@fault("pools", weight=3)
async def a_worker_or_keeper_is_killed(cluster: Cluster, random: Random) -> None:
    cluster.kill_pids(_one(random, cluster.workers(random.choice(POOLS))))


@fault("pools", weight=3)
async def a_worker_is_killed_with_its_player(cluster: Cluster, random: Random) -> None:
    players = _one(random, cluster.players(random.choice(POOLS)))
    cluster.kill_workers_of(players)
    cluster.kill_pids(players)


@fault("pools", weight=3)
async def a_player_is_frozen(cluster: Cluster, random: Random) -> None:
    await _frozen(cluster, _one(random, cluster.players(random.choice(POOLS))), random.uniform(1, 15))


@fault("pools")
async def a_worker_or_keeper_is_frozen(cluster: Cluster, random: Random) -> None:
    await _frozen(cluster, _one(random, cluster.workers(random.choice(POOLS))), random.uniform(1, 15))


@fault("pools", weight=2)
async def a_pool_is_killed_whole(cluster: Cluster, random: Random) -> None:
    pool = random.choice(POOLS)
    cluster.kill_whole(pool)
    await _back(cluster, random, pool)


@fault("pools")
async def the_head_of_a_pool_is_killed(cluster: Cluster, random: Random) -> None:
    pool = random.choice(POOLS)
    cluster.kill(pool)
    await _back(cluster, random, pool)


@fault("pools", weight=2)
async def a_pool_is_stopped_in_order(cluster: Cluster, random: Random) -> None:
    pool = random.choice(POOLS)
    await cluster.stop(pool)
    await _back(cluster, random, pool)


# ── the API and the model server ────────────────────────────────────────────────────────────────────────────


@fault("api", weight=2)
async def the_api_is_killed(cluster: Cluster, random: Random) -> None:
    cluster.kill("api")
    await _back(cluster, random, "api")


@fault("api")
async def the_api_is_frozen(cluster: Cluster, random: Random) -> None:
    await _frozen(cluster, cluster.pids("api"), random.uniform(1, 10))


@fault("api")
async def the_api_is_stopped_in_order(cluster: Cluster, random: Random) -> None:
    await cluster.stop("api")
    await _back(cluster, random, "api")


@fault("model", weight=2)
async def the_model_server_is_killed(cluster: Cluster, random: Random) -> None:
    cluster.kill("model")
    await _back(cluster, random, "model")


@fault("model")
async def the_model_server_is_frozen(cluster: Cluster, random: Random) -> None:
    await _frozen(cluster, cluster.pids("model"), random.uniform(1, 10))


@fault("model", weight=2)
async def the_model_server_misbehaves(cluster: Cluster, random: Random) -> None:
    await cluster.tell_model(random.choice(sorted(MISBEHAVIOUR)), random.randint(1, 4))
    await asyncio.sleep(random.uniform(1, 5))
    await cluster.tell_model()


# ── Redis and the way to it ─────────────────────────────────────────────────────────────────────────────────


@fault("redis", weight=2)
async def redis_is_killed(cluster: Cluster, random: Random) -> None:
    cluster.kill("redis")
    await _back(cluster, random, "redis")


@fault("redis")
async def redis_is_frozen(cluster: Cluster, random: Random) -> None:
    await _frozen(cluster, cluster.pids("redis"), random.uniform(1, 12))


@fault("network")
async def the_network_swallows_everything(cluster: Cluster, random: Random) -> None:
    assert cluster.proxy
    cluster.proxy.black_hole()
    await asyncio.sleep(random.uniform(1, 10))
    cluster.proxy.heal(forgetting=random.random() < 0.5)


@fault("network")
async def the_network_refuses(cluster: Cluster, random: Random) -> None:
    assert cluster.proxy
    await cluster.proxy.refuse()
    await asyncio.sleep(random.uniform(0.5, 5))
    await cluster.proxy.accept()


@fault("network", weight=2)
async def replies_are_lost(cluster: Cluster, random: Random) -> None:
    assert cluster.proxy
    cluster.proxy.random, cluster.proxy.drops = Random(random.random()), random.uniform(0.05, 0.3)
    await asyncio.sleep(random.uniform(2, 8))
    cluster.proxy.heal()


@fault("network")
async def replies_are_slow(cluster: Cluster, random: Random) -> None:
    assert cluster.proxy
    cluster.proxy.delay = random.uniform(0.05, 0.5)
    await asyncio.sleep(random.uniform(2, 8))
    cluster.proxy.heal()


@fault("network", weight=2)
async def all_connections_are_cut(cluster: Cluster, _: Random) -> None:
    assert cluster.proxy
    cluster.proxy.cut()


async def _frozen(cluster: Cluster, pids: Sequence[int], seconds: float) -> None:
    cluster.freeze_pids(pids)
    await asyncio.sleep(seconds)
    cluster.thaw_pids(pids)


async def _back(cluster: Cluster, random: Random, name: str) -> None:
    """What runs Rostra starts what died again: after a moment, or after a while."""
    await asyncio.sleep(random.choice((0.1, random.uniform(1, 5))))
    await cluster.start(name, ready=False)


def _one(random: Random, pids: list[int]) -> list[int]:
    return [random.choice(pids)] if pids else []


class Machine:
    """The nemesis' world of processes: a cluster with two pools, behind a proxy."""

    faults = faults
    rounds = 15
    wishes: Mapping[str, Any] = MappingProxyType({})

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.http = cluster.http

    async def suffer(self, fault: Fault, random: Random) -> None:
        await fault.happen(self.cluster, random)

    def is_whole(self, text: str) -> bool:
        return self.cluster.is_whole(text)


@asynccontextmanager
async def machine(folder: Path) -> AsyncIterator[Machine]:
    """A world to be harmed, of much patience: the question is what becomes of debates that could go on."""
    cluster = Cluster(
        folder, proxied=True, ROSTRA_WORKERS="3", ROSTRA_TURN_ATTEMPTS="20", ROSTRA_MODEL_PATIENCE_SECONDS="300"
    )
    try:
        await cluster.start("redis", "model", "api", *POOLS)
        yield Machine(cluster)
    finally:
        await cluster.close()
