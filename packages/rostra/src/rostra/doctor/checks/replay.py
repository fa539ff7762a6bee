"""Whether a debate can be held again, word for word."""

from __future__ import annotations

import asyncio

from rostra.doctor.case import FEW, STORY, TALK, Case, Check, Said
from rostra.doctor.sampling import SEEDS, Bench
from rostra.tasks import stopped


async def repeats_by_seed(case: Case) -> Said:
    """The same seed gives the same text; also while others are answered."""
    bench = Bench(case)
    seed, hot = case.options.get("seed"), await bench.hot()
    if seed is None or seed.outcome != "works" or hot is None:
        return Said("note", "The same seed was not seen to give the same text: do not count on holding a debate again.")
    options = {**hot, "seed": SEEDS[0]}
    alone = await bench.text(TALK, options)
    others = [asyncio.create_task(case.server.stream(STORY, max_tokens=2 * FEW, temperature=0)) for _ in range(2)]
    try:
        beside_others = await bench.text(TALK, options, anew=True)
    finally:
        await stopped(*others)
    if beside_others == alone:
        return Said("good", "The same seed gives the same text, also while others are answered.")
    return Said("note", "The same seed gives the same text, but not while others are answered.")


CHECKS = (Check("replay", "Replay", repeats_by_seed),)
