"""`make nemesis`: one run from the command line."""

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


def main() -> int:
    parser = argparse.ArgumentParser(prog="make nemesis")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--where", choices=("processes", "compose"), default="processes")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000))
    parser.add_argument("--out", type=Path, help="write the figures here, as JSON")
    options = parser.parse_args()
    again = f"make nemesis MINUTES={options.minutes:g} SEED={options.seed} WHERE={options.where}"
    print(f"seed {options.seed}; once more: {again}", flush=True)
    verdict = asyncio.run(_harmed(options))
    if options.out:
        options.out.write_text(json.dumps(verdict, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(json.dumps(verdict, indent=1, ensure_ascii=False))
    print(", ".join(f"{verdict[harm]} {harm.replace('_', ' ')}" for harm in HARM), f"({again})")
    return 1 if any(verdict[harm] for harm in HARM) else 0


if __name__ == "__main__":
    sys.exit(main())
