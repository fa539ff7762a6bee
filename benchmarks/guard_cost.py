"""What the guard's checks cost: processor time an attempt, by how many turns were said before.

A turn is about 400 characters of prose, an attempt as many that nobody said before. Of several rounds the fastest
counts: what else the machine does makes one only slower. `make bench-guard` runs it and writes its table to
docs/quality.md.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from serving_report import write_between

from builders import a_debate
from rostra.measures.segments import sentences
from rostra_orchestrator.guard import Guard

ROOT = Path(__file__).parents[1]
DOCUMENT = ROOT / "docs/quality.md"
BEFORE = (0, 25, 50, 100, 200, 400)
ATTEMPTS = 30
ROUNDS = 7
LENGTH = 400  # characters
HEARD_AT = (100, 200)  # characters, at which a running attempt is judged


def main() -> None:
    lines = ["| turns said before | when it was spoken | while it is spoken | in all |", "| --- | --- | --- | --- |"]
    for before in BEFORE:
        judged, running = _cost(before)
        lines.append(f"| {before} | {judged:.2f} ms | {running:.2f} ms | {judged + running:.2f} ms |")
    table = "\n".join(lines)
    print(table)
    write_between(DOCUMENT, "guard-cost", table)


def _cost(before: int) -> tuple[float, float]:
    """Milliseconds for an attempt that says something new: judged as a whole, and while its words come in."""
    rounds = [_round(before, seed) for seed in range(ROUNDS)]
    return min(judged for judged, _ in rounds), min(running for _, running in rounds)


def _round(before: int, seed: int) -> tuple[float, float]:
    """Each with turns of its own, so that nothing is remembered from the one before."""
    guard = Guard(a_debate(guard="strict", language="en", turn={"max_characters": 600}))
    prose, debater = _prose(), guard.debate.debaters[0]
    half = len(prose) // 2
    said, attempts = _turns(prose[:half], before, seed), _turns(prose[half:], ATTEMPTS + 1, seed)
    for n, turn in enumerate(said):
        guard.hear(turn, f"d{1 + n % 2}")
    assert len(guard.said) == before
    guard.judged(attempts.pop(), debater)  # what is loaded once
    began = time.process_time()
    for attempt in attempts:
        guard.judged(attempt, debater)
    middle = time.process_time()
    for attempt in attempts:
        for at in HEARD_AT:
            guard.hopeless(attempt[:at], debater)
    return (middle - began) * 1000 / ATTEMPTS, (time.process_time() - middle) * 1000 / ATTEMPTS


def _prose() -> list[str]:
    """The sentences of this repository's documents."""
    texts = [file.read_text(encoding="utf-8") for file in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))]
    lines = [line for text in texts for line in text.splitlines() if line and line[0] not in "#|`<-"]
    return [sentence for sentence in sentences(" ".join(lines)) if len(sentence) <= LENGTH]


def _turns(prose: Sequence[str], many: int, seed: int) -> list[str]:
    """Turns of whole sentences, drawn at random; when all were said, they come again in another order."""
    drawn = _drawn(prose, random.Random(seed))
    turns = list[str]()
    while len(turns) < many:
        turn = ""
        while len(turn) < LENGTH:
            turn += f" {next(drawn)}"
        turns.append(turn[: LENGTH + 50])
    return turns


def _drawn(prose: Sequence[str], draw: random.Random) -> Iterator[str]:
    while True:
        yield from draw.sample(prose, len(prose))


if __name__ == "__main__":
    main()
