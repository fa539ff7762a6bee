"""What it changes that a turn is reused which was spoken behind a cue that is gone: the next token's probabilities.

A debate is played at a server that reuses runs; at every turn the same prompt is also asked at one that reuses whole
beginnings only. `make bench-reuse` runs it.
"""

from __future__ import annotations

import argparse
import math
import statistics
from collections.abc import Mapping
from typing import Any

import httpx2 as httpx
from serving_layouts import rostra as layout
from serving_servers import Setup, running
from serving_servers import rostra as our_server
from serving_tokens import bundled_model

TOP = 20


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--turns", type=int, default=24)
    parser.add_argument("--tokens", type=int, default=32, help="tokens of a turn")
    options = parser.parse_args()
    setup = Setup(bundled_model(), 1, 4096, 2)
    conversation, answers = layout(0, options.turns), list[str]()
    drifts, same = list[float](), 0
    evaluated = {"runs": 0, "beginnings": 0}
    with running(our_server(run=16), setup) as runs, running(our_server(run=0), setup) as beginnings:
        for turn in range(options.turns):
            prompt = conversation(answers)
            reused, exact = _first(runs.url, prompt), _first(beginnings.url, prompt)
            drifts.append(_divergence(exact["top"], reused["top"]))
            same += max(exact["top"], key=exact["top"].__getitem__) == max(reused["top"], key=reused["top"].__getitem__)
            answer = _spoken(runs.url, prompt, options.tokens, turn)
            _spoken(beginnings.url, prompt, options.tokens, turn)
            answers.append(answer)
            evaluated["runs"] += reused["evaluated"]
            evaluated["beginnings"] += exact["evaluated"]
    print(f"Kullback-Leibler divergence of the next token: {statistics.fmean(drifts):.4f} nats on average")
    print(f"                                               {max(drifts):.4f} at its most")
    print(f"the most probable token is the same in {same} of {options.turns} turns")
    for kind, tokens in evaluated.items():
        print(f"prompt tokens evaluated a turn, reusing {kind}: {tokens / options.turns:.0f}")


def _first(url: str, prompt: str) -> dict[str, Any]:
    """The likeliest first tokens of the answer, and how much of the prompt was evaluated for it."""
    body = {"prompt": prompt, "max_tokens": 1, "temperature": 0, "logprobs": TOP, "prompt_cache_key": "drift"}
    answer = httpx.post(f"{url}/v1/completions", json=body, timeout=120).raise_for_status().json()
    usage = answer["usage"]
    cached = usage["prompt_tokens_details"]["cached_tokens"]
    return {"top": answer["choices"][0]["logprobs"]["top_logprobs"][0], "evaluated": usage["prompt_tokens"] - cached}


def _spoken(url: str, prompt: str, tokens: int, seed: int) -> str:
    body = {"prompt": prompt, "max_tokens": tokens, "seed": seed, "prompt_cache_key": "drift"}
    answer = httpx.post(f"{url}/v1/completions", json=body, timeout=300).raise_for_status().json()
    return answer["choices"][0]["text"]


def _divergence(exact: Mapping[str, float], other: Mapping[str, float]) -> float:
    """Kullback and Leibler 1951, over the likeliest tokens that both have, in nats."""
    both = exact.keys() & other.keys()
    return sum(math.exp(exact[token]) * (exact[token] - other[token]) for token in both)


if __name__ == "__main__":
    main()
