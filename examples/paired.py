"""An experiment in pairs: two forks of one debate begin with the same turns and go on with the same seed, and differ in
one thing. What differs between them then comes of that thing, and not of the seed or of how the debate began.

    python examples/paired.py ID --after-turn 2 --pairs 5 --change '{"turn": {"max_tokens": 60}}'
"""

from __future__ import annotations

import argparse
import json
import os
from statistics import fmean, stdev
from typing import Any
from urllib.request import Request, urlopen

HEADERS = {"Content-Type": "application/json"}
if "ROSTRA_KEY" in os.environ:
    HEADERS["Authorization"] = f"Bearer {os.environ['ROSTRA_KEY']}"


def asked(url: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    data = None if body is None else json.dumps(body).encode()
    with urlopen(Request(url, data, HEADERS), timeout=90) as answer:
        return json.load(answer)


def figure(server: str, debate: dict[str, Any], after_turn: int, measure: str) -> float:
    """The mean of a measure over the turns that the fork took itself, once it has ended."""
    while debate["ended_at"] is None:
        debate = asked(f"{server}{debate['links']['self']}?wait=60")
    measures = asked(f"{server}{debate['links']['transcript']}")["measures"]
    return fmean(turn[measure] for turn in measures["turns"] if turn["seq"] > after_turn)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("debate", help="the id of the debate that both arms begin as")
    parser.add_argument("--after-turn", type=int, default=0, help="how many of its turns they share")
    parser.add_argument("--change", type=json.loads, required=True, help="what is different in the second arm")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--measure", default="fresh", help="a figure of `measures.turns` in the transcript")
    parser.add_argument("--server", default="http://127.0.0.1:8080")
    options = parser.parse_args()
    forks = f"{options.server}/v1/debates/{options.debate}/fork"
    # All are begun at once; the workers take them as they come.
    pairs = [
        [
            asked(forks, {"after_turn": options.after_turn, "changes": {**change, "seed": seed}})
            for change in ({}, options.change)
        ]
        for seed in range(1, options.pairs + 1)
    ]
    differences: list[float] = []
    for seed, pair in enumerate(pairs, 1):
        plain, other = (figure(options.server, fork, options.after_turn, options.measure) for fork in pair)
        differences.append(other - plain)
        print(f"seed {seed}: {options.measure} {plain:.3f} as it was, {other:.3f} changed: {other - plain:+.3f}")
    spread = f", standard deviation {stdev(differences):.3f}" if len(differences) > 1 else ""
    print(f"mean difference {fmean(differences):+.3f}{spread}, {len(differences)} pairs")


if __name__ == "__main__":
    main()
