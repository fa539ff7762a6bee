"""How well a model tells, by one token, which side a turn argues for: the probe of `rostra.measures.stance`.

Asks an endpoint about planted turns whose side is known. `make bench-stance` runs it on the bundled model, with URL= on
any other endpoint that gives log-probabilities, and writes docs/quality.md's paragraph on the bundled model only.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import httpx2 as httpx
from serving_report import write_between
from serving_servers import Setup, running
from serving_servers import rostra as our_server
from serving_tokens import bundled_model

from rostra.measures.stance import leaning, probe

ROOT = Path(__file__).parents[1]
PLANTED = ROOT / "benchmarks/stances.json"


class Told(NamedTuple):
    """A planted turn: whether it is for its motion, and the probability that the model gives to that."""

    is_for: bool
    leans: float | None


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--url", help="an endpoint that is running; ours with the bundled model when left out")
    parser.add_argument("--model", default="default", help="the model's name there")
    parser.add_argument("--planted", type=Path, default=PLANTED, help="motions, and turns for and against each")
    options = parser.parse_args()
    planted = json.loads(options.planted.read_text(encoding="utf-8"))
    server = nullcontext() if options.url else running(our_server(), Setup(bundled_model(), 1, 2048, 2))
    with server as up:
        found = [told for each in planted for told in _told(up.url if up else options.url, options.model, each)]
    text = _report(found)
    print(text)
    if not options.url:
        write_between(ROOT / "docs/quality.md", "stance", text)


def _told(url: str, model: str, planted: dict[str, Any]) -> list[Told]:
    return [
        Told(side == "for", _leaning(url, model, planted["motion"], turn))
        for side in ("for", "against")
        for turn in planted[side]
    ]


def _leaning(url: str, model: str, motion: str, turn: str) -> float | None:
    body = {
        "model": model,
        "messages": [{"role": "user", "content": probe(motion, turn, "en")}],
        "max_tokens": 1,
        "temperature": 0,
        "logprobs": True,
        "top_logprobs": 20,
    }
    answer = httpx.post(f"{url}/v1/chat/completions", json=body, timeout=60)
    if not answer.is_success:
        raise SystemExit(f"{answer.status_code}: {answer.text[:300]}")
    tokens = answer.json()["choices"][0]["logprobs"]["content"][0]["top_logprobs"]
    return leaning({token["token"]: token["logprob"] for token in tokens}, "en")


def _report(found: Sequence[Told]) -> str:
    told = [each for each in found if each.leans is not None]
    right = sum((each.leans >= 0.5) == each.is_for for each in told if each.leans is not None)
    return (
        f"Of {len(found)} planted turns the probe answered {len(told)}, {right} of them rightly. A turn for the motion "
        f"leans to it more than one against it in {_auc(told):.0%} of the pairs; 50% is chance."
    )


def _auc(told: Sequence[Told]) -> float:
    """The share of pairs in the right order (the area under the ROC curve; Hanley and McNeil 1982)."""
    pro = [each.leans or 0.0 for each in told if each.is_for]
    con = [each.leans or 0.0 for each in told if not each.is_for]
    pairs = [(p > c) + (p == c) / 2 for p in pro for c in con]
    return sum(pairs) / len(pairs) if pairs else 0.5


if __name__ == "__main__":
    main()
