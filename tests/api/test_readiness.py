"""Whether debates can be held is asked for without a key, so it is looked up once in a while only."""

from __future__ import annotations

from dataclasses import dataclass

from rostra.store import Store
from rostra.store.pools import Pools
from rostra_api.readiness import KEPT_SECONDS, Readiness


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


async def test_what_was_seen_counts_for_a_moment(store: Store, pools: Pools):
    clock = Clock()
    readiness = Readiness(store, pools, clock)
    assert (await readiness.seen()).missing == ("no worker is alive",)
    await pools.report("laptop:1", 2)
    assert (await readiness.seen()).missing == ("no worker is alive",)
    clock.now += KEPT_SECONDS
    assert ((await readiness.seen()).workers, (await readiness.seen()).missing) == (2, ())
