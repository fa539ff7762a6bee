"""How well debates hold together: plain AutoGen beside Rostra, with the guard off, lenient and strict.

Each motion is debated with each seed in every arrangement, at the same server. `make bench-quality` runs it, with
MOTIONS=file for other motions (a JSON list of debates as they are POSTed) and BENCH= for other options; it writes
benchmarks/results/quality.json, docs/images/quality.svg and docs/quality.md's tables.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import quality_report
from quality_arms import PLAIN, Played, debate_of, plain, rostra
from quality_scores import Scorer, mean, scorer
from serving_servers import Setup, running
from serving_servers import rostra as our_server
from serving_tokens import bundled_model
from turn_cost import redis_server

from rostra.endpoints import Endpoint
from rostra.measures import measure
from rostra.models import Debate
from rostra.store import Store, connect

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks/results/quality.json"
MOTIONS = ROOT / "benchmarks/motions.json"
ARMS = (PLAIN, "off", "lenient", "strict")
OWN_TURNS = "own turns"  # the guard off, and the speaker's own turns as the assistant's
CONTEXT = 4096
# Flags of turns that are likely because they were said before.
REPEATING = {"repeating", "looping"}

Row = dict[str, Any]


def main() -> None:
    options = _options()
    if not options.render:
        rows = _measured(options)
        if options.out:
            print(quality_report.summary(rows))
            return
        _write(RESULTS, rows)
    quality_report.publish(json.loads(RESULTS.read_text(encoding="utf-8")), ROOT)


def _measured(options: argparse.Namespace) -> list[Row]:
    motions = json.loads(options.motions.read_text(encoding="utf-8"))[: options.most]
    model = options.model or bundled_model()
    setup = Setup(model, options.at_once, CONTEXT, options.threads)
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    cells = [(n, request, seed) for n, request in enumerate(motions) for seed in seeds]
    played: list[tuple[Row, Debate, Played]] = []
    with tempfile.TemporaryDirectory() as folder, redis_server(Path(folder)) as redis_url:
        for arm in options.arms:
            guard = arm if arm in ("lenient", "strict") else "off"
            debates = [
                (n, seed, debate_of(request, seed, options.turns, guard, options.sampling))
                for n, request, seed in cells
            ]
            with running(our_server(), setup) as up:
                one = _arm(arm, up.url, redis_url, options.turns)
                done = asyncio.run(_all([d for _, _, d in debates], one, options.at_once))
            for (n, seed, debate), was in zip(debates, done, strict=True):
                played.append((_row(arm, n, seed, debate, was, options), debate, was))
            if options.out:
                _write(options.out, [row for row, _, _ in played])
    with scorer(None if options.unscored else model, options.threads) as scores:
        rows = [_scored(scores, row, debate, was) for row, debate, was in played]
    if options.out:
        _write(options.out, rows)
    return rows


def _write(file: Path, rows: Sequence[Row]) -> None:
    file.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _arm(arm: str, url: str, redis_url: str, turns: int) -> Callable[[Debate], Awaitable[Played]]:
    if arm == PLAIN:
        return lambda debate: plain(debate, url, turns)
    endpoint = Endpoint(url=url, layout="own_turns" if arm == OWN_TURNS else "shared")

    async def one(debate: Debate) -> Played:
        store = Store(connect(redis_url))
        try:
            return await rostra(debate, endpoint, store, redis_url)
        finally:
            await store.close()

    return one


async def _all(debates: Sequence[Debate], one: Callable[[Debate], Awaitable[Played]], at_once: int) -> list[Played]:
    """All of them, so many at a time."""
    seats = asyncio.Semaphore(at_once)

    async def seated(debate: Debate) -> Played:
        async with seats:
            return await one(debate)

    return await asyncio.gather(*map(seated, debates))


def _row(arm: str, motion: int, seed: int, debate: Debate, was: Played, options: argparse.Namespace) -> Row:
    measured = measure(debate, was.turns)
    row = {
        "arm": arm,
        "motion": motion,
        "seed": seed,
        "status": was.status,
        "turns_planned": options.turns,
        "turns_spoken": len(was.turns),
        "attempts": was.attempts,
        "tokens": was.usage.total,
        "tokens_generated": was.usage.completion_tokens,
        "seconds": round(was.seconds, 1),
        **quality_report.figures(measured),
    }
    if options.transcripts:
        row["transcript"] = [f"{turn.debater} {'/'.join(turn.faults)}: {turn.text}" for turn in was.turns]
    told = f"{row['status']}, {row['turns_spoken']} turns, {row['repeating']:.0%} repeat, {row['tokens']} tokens"
    print(f"{arm:>10} {motion:>2}/{seed} {told}, {row['seconds']} s", file=sys.stderr, flush=True)
    return row


def _scored(scores: Scorer | None, row: Row, debate: Debate, was: Played) -> Row:
    if scores is None:
        return {**row, "logprob": None, "logprob_new": None, "logprob_in_context": None}
    texts = [turn.text for turn in was.turns]
    scored = scores.each_alone(debate, texts)
    measured = measure(debate, was.turns).turns
    new = [each for each, turn in zip(scored, measured, strict=True) if not REPEATING & set(turn.flags)]
    alone = mean(scored)
    print(f"{row['arm']:>10} {row['motion']:>2}/{row['seed']} scored {alone}", file=sys.stderr, flush=True)
    in_context = scores.in_context(debate, texts)
    return {**row, "logprob": alone, "logprob_new": mean(new), "logprob_in_context": in_context}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--motions", type=Path, default=MOTIONS, help="a JSON list of debates, as they are POSTed")
    parser.add_argument("--most", type=int, help="so many of the motions only")
    parser.add_argument("--seeds", type=int, default=3, help="so many seeds, one after the other")
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--turns", type=int, default=12)
    parser.add_argument("--arms", nargs="+", default=[*ARMS, OWN_TURNS])
    parser.add_argument(
        "--sampling", type=json.loads, help="sampling options for all but plain AutoGen, as JSON; its own when left out"
    )
    parser.add_argument("--at-once", type=int, default=6, help="debates at the same time")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--model", type=Path, help="a GGUF file; the bundled model when left out")
    parser.add_argument(
        "--unscored", action="store_true", help="without log-probabilities, which take half of the time"
    )
    parser.add_argument("--transcripts", action="store_true", help="keep what was said in the results")
    parser.add_argument("--out", type=Path, help="write the rows here, and leave the documents alone")
    parser.add_argument("--render", action="store_true", help="measure nothing: documents anew from the last results")
    return parser.parse_args()


if __name__ == "__main__":
    main()
