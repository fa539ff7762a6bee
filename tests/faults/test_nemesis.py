"""A third of a minute of the nemesis, at every change. `make nemesis` is the long one."""

from __future__ import annotations

import secrets
from pathlib import Path

from .mischief import machine
from .nemesis import Nemesis


async def test_whatever_happens_nothing_is_lost_doubled_or_stuck(tmp_path: Path):
    seed = secrets.randbelow(1_000_000)
    told: list[str] = []
    async with machine(tmp_path) as world:
        verdict = await Nemesis(world, seed, seconds=20, say=told.append).run()
    again = f"once more: make nemesis MINUTES=1 SEED={seed}"
    assert (verdict["lost"], verdict["doubled"], verdict["stuck"], verdict["told"]) == (0, 0, 0, []), (again, told)
    assert verdict["debates"] >= 6
    assert sum(verdict["faults"].values()) >= 3
