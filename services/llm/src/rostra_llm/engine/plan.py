"""What an engine is told before it loads its model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Plan:
    """`context` is the tokens that one request has, `parallel` how many requests are generated at once (None: by
    memory), `chunk` how many tokens of prompts one batch reads, `cache_mib` the memory for prefixes beside those in the
    KV cache, `run` the shortest run of tokens that is reused behind a common prefix (0:
    none), `reach` the positions that the model was trained for."""

    name: str
    path: Path
    context: int
    parallel: int | None
    chunk: int
    threads: int
    gpu_layers: int
    cache_mib: int
    exact: bool
    run: int
    reach: int
    log_level: str
