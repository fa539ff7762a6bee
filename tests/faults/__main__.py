"""`make nemesis`: one run from the command line, added to those before it; and what is said of runs that did harm.

A seed repeats the faults and not the machine's timing, so a run with a seed that was there before is one more run and
replaces none: what did harm once is not gone because it held another time. It is told in the report until somebody says
that its cause is mended, and what it was; then that is told beside it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import secrets
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from . import runs
from .mischief import machine
from .nemesis import Nemesis, World

HARM = ("lost", "doubled", "stuck", "otherwise_wrong")


@asynccontextmanager
async def _world(where: str) -> AsyncIterator[World]:
    if where == "compose":
        from .containers import containers  # looks at how it was started, for its project's name

        async with containers() as world:
            yield world
    else:
        with tempfile.TemporaryDirectory(prefix="rostra-nemesis-") as folder:
            async with machine(Path(folder)) as world:
                yield world


async def _harmed(options: argparse.Namespace) -> Mapping[str, Any]:
    async with _world(options.where) as world:
        nemesis = Nemesis(world, options.seed, options.minutes * 60, say=lambda line: print(line, flush=True))
        return {"where": options.where, **await nemesis.run()}


def say_mended(file: Path, where: str, seed: int, why: str) -> int:
    """Notes at each such run that did harm what it was; how many there are."""
    every = runs.kept(file)
    meant = [run for run in every if (run["where"], run["seed"]) == (where, seed)]
    harmful = [run for run in meant if did_harm(run) and "mended" not in run]
    for run in harmful:
        run["mended"] = why
    runs.write(file, every)
    return len(harmful)


def did_harm(run: Mapping[str, Any]) -> bool:
    return any(run[harm] for harm in HARM)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make nemesis")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--where", choices=("processes", "compose"), default="processes")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000))
    parser.add_argument("--out", type=Path, help="add the figures to the runs in this file")
    parser.add_argument(
        "--mended", type=int, metavar="SEED", help="no run: say of those (--where, --out) that did harm what it was"
    )
    parser.add_argument("--why", default="", help="what did the harm, and how it was mended: a sentence for the report")
    options = parser.parse_args()
    if options.mended is not None and not (options.why.strip() and options.out):
        parser.error("--mended needs --out, and --why: what did the harm, and how it was mended")
    return options


def main() -> int:
    options = _options()
    if options.mended is not None:
        said = say_mended(options.out, options.where, options.mended, options.why.strip())
        print(f"said of {said} runs with the seed {options.mended}")
        return 0 if said else 1
    again = f"make nemesis MINUTES={options.minutes:g} SEED={options.seed} WHERE={options.where}"
    print(f"seed {options.seed}; once more: {again}", flush=True)
    verdict = asyncio.run(_harmed(options))
    if options.out:
        runs.add(options.out, verdict)
    print(json.dumps(verdict, indent=1, ensure_ascii=False))
    print(", ".join(f"{verdict[harm]} {harm.replace('_', ' ')}" for harm in HARM), f"({again})")
    return 1 if did_harm(verdict) else 0


if __name__ == "__main__":
    sys.exit(main())
