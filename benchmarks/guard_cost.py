"""What the guard's checks cost: processor time an attempt, by how many turns were said before.

The turns are prose of about 600 characters each. `make bench-guard` runs it and writes its table to docs/quality.md.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from serving_report import write_between

from builders import a_debate
from rostra.measures.segments import sentences
from rostra_orchestrator.guard import Guard

DOCUMENT = Path(__file__).parents[1] / "docs/quality.md"
BEFORE = (0, 25, 50, 100)
ATTEMPTS = 50
LENGTH = 400  # characters


def main() -> None:
    lines = ["| turns said before | an attempt | while it is spoken, in all |", "| --- | --- | --- |"]
    turns = _turns()
    for before in BEFORE:
        judged, running = _cost(turns, before)
        lines.append(f"| {before} | {judged:.2f} ms | {running:.2f} ms |")
    table = "\n".join(lines)
    print(table)
    write_between(DOCUMENT, "guard-cost", table)


def _cost(turns: Sequence[str], before: int) -> tuple[float, float]:
    """Milliseconds for an attempt that says something new: judged as a whole, and while its words come in."""
    guard = Guard(a_debate(guard="strict", language="en", turn={"max_characters": 600}))
    attempts, said = turns[:ATTEMPTS], turns[ATTEMPTS : ATTEMPTS + before]
    debater = guard.debate.debaters[0]
    for n, turn in enumerate(said):
        guard.hear(turn, f"d{1 + n % 2}")
    guard.judged(turns[-1], debater)  # what is loaded once
    began = time.process_time()
    for attempt in attempts:
        guard.judged(attempt, debater)
    middle = time.process_time()
    for attempt in attempts:
        for at in (100, 150, 225, 337):
            guard.hopeless(attempt[:at], debater)
    return (middle - began) * 1000 / len(attempts), (time.process_time() - middle) * 1000 / len(attempts)


def _turns() -> list[str]:
    """The prose of this repository's documents, in pieces of whole sentences."""
    prose = [file.read_text(encoding="utf-8") for file in sorted(DOCUMENT.parent.rglob("*.md"))]
    lines = [line for text in prose for line in text.splitlines() if line and line[0] not in "#|`<-"]
    pieces = [""]
    for sentence in sentences(" ".join(lines)):
        if len(pieces[-1]) + len(sentence) > LENGTH:
            pieces.append("")
        pieces[-1] += f" {sentence}"
    return pieces


if __name__ == "__main__":
    main()
