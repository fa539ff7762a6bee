"""How long the command line takes until it says something, also of an API that is not there.

Each is run 20 times, by turns with a Python that does nothing. Of the wall-clock times the median counts, which is what
somebody waits for, and the fastest, which is what it costs: what else the machine does makes a run only slower. `make
bench-command-line` runs it and writes its table to docs/performance.md.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from serving_report import write_between

from rostra.processes import free_port

ROOT = Path(__file__).parents[1]
DOCUMENT = ROOT / "docs/performance.md"
ROSTRA = str(Path(sys.executable).with_name("rostra"))
COMMANDS: Sequence[tuple[str, Sequence[str]]] = (
    ("`python -c pass`", [sys.executable, "-c", "pass"]),
    ("`rostra --help`", [ROSTRA, "--help"]),
    ("`rostra completion bash`", [ROSTRA, "completion", "bash"]),
    ("`rostra list`, nobody there", [ROSTRA, "list"]),
)
RUNS = 20


def main() -> None:
    environment = {**os.environ, "ROSTRA_URL": f"http://127.0.0.1:{free_port()}"}
    seconds: dict[str, list[float]] = {name: [] for name, _ in COMMANDS}
    for name, command in COMMANDS * RUNS:
        began = time.perf_counter()
        subprocess.run(command, env=environment, capture_output=True, check=False)
        seconds[name].append(time.perf_counter() - began)
    lines = ["| command | median | fastest |", "| --- | --- | --- |"]
    for name, times in seconds.items():
        lines.append(f"| {name} | {statistics.median(times) * 1000:.0f} ms | {min(times) * 1000:.0f} ms |")
    table = "\n".join(lines)
    print(table)
    write_between(DOCUMENT, "command-line", table)


if __name__ == "__main__":
    main()
