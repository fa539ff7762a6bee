"""Runs whose figures are kept: each is added to those before it, as a list of a file in benchmarks/results/.

Needs nothing but Python, as the containers' script does, which adds its runs here too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parents[2] / "benchmarks" / "results"
LAST = 3  # runs of what tries the same each time


def kept(file: Path) -> list[dict[str, Any]]:
    """The runs so far, the oldest first."""
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else []


def add(file: Path, figures: Mapping[str, Any], *, most: int = 0) -> None:
    """Puts a run behind the others; where they are more than `most` (0: any number may be), the oldest go."""
    at = datetime.now(UTC).isoformat(timespec="minutes")
    write(file, [*kept(file), {"at": at, **figures}][-most:])


def write(file: Path, runs: Sequence[Mapping[str, Any]]) -> None:
    new = file.with_suffix(".new")
    new.write_text(json.dumps(runs, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    new.replace(file)  # whole or not at all: the runs before it are nowhere else
