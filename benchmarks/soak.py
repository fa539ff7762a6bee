"""Half an hour of everything at once against our model server, and whether it kept its promises.

Clients ask for answers of every sort, go away in the middle, ask for too much or for nonsense; every two minutes the
engine is killed. Promised is: each request ends, whole or with an explicit error, and errors of the server come only
with a killed engine; memory stays; /health answers at once. It writes benchmarks/results/soak.json and its part of
docs/performance.md, and its exit status is 1 where a promise was broken.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import httpx2 as httpx
from serving_play import NO_REUSE, percentile
from serving_processes import children, pss_mib, tree
from serving_report import table, threads, write_between
from serving_servers import Running, Setup, metrics, rostra, running
from serving_tokens import bundled_model
from soak_outcomes import BROKEN, EXCUSED, FAILED, LEFT, REFUSED, UNAVAILABLE, WHOLE, Outcome, outcome
from soak_requests import Asked, Client

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks/results/soak.json"
DOCUMENT = ROOT / "docs/performance.md"

# Seconds.
RECOVERY = 30.0
HEALTH_EVERY, MEMORY_EVERY = 0.25, 2.0

HEALTH_P99_MS = 1000
MEMORY_GROWTH = 0.05
# Memory is compared between these parts of the run: after warming up, and at the end.
EARLY, LATE = (0.2, 0.4), (0.8, 1.0)
SHOWN = 20  # broken promises, told in full


@dataclass
class Kills:
    """When the engine was killed, and how long until the next one was ready."""

    at: list[float] = field(default_factory=list)
    recovered: list[float] = field(default_factory=list)

    def explain(self, began: float) -> bool:
        """Whether an engine died, or was away, since then."""
        return any(kill > began - RECOVERY for kill in self.at)


@dataclass
class Soak:
    """One run and all that it saw."""

    up: Running
    options: argparse.Namespace
    began: float = field(default_factory=time.monotonic)
    kills: Kills = field(default_factory=Kills)
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    health_ms: list[float] = field(default_factory=list)
    memory: list[tuple[float, float, float]] = field(default_factory=list)  # second, server, engine

    @property
    def seconds(self) -> float:
        return self.options.minutes * 60

    def elapsed(self) -> float:
        return time.monotonic() - self.began

    async def run(self) -> None:
        async with httpx.AsyncClient(base_url=self.up.url, timeout=None, limits=NO_REUSE) as http:
            watching = [asyncio.create_task(watch) for watch in (self._health(http), self._memory(), self._kill(http))]
            await asyncio.gather(*(self._client(http, number) for number in range(self.options.clients)))
            for task in watching:
                task.cancel()
            for end in await asyncio.gather(*watching, return_exceptions=True):
                if isinstance(end, Exception):
                    self._tell(f"a watch ended: {end!r}")
            await self._at_rest(http)

    # ── load ────────────────────────────────────────────────────────────────────────────────────────────

    async def _client(self, http: httpx.AsyncClient, number: int) -> None:
        client = Client(Random(f"{self.options.seed} {number}"), self.options.context)
        while self.elapsed() < self.seconds:
            came = await self._ask(http, client.next())
            await asyncio.sleep(1.0 if came.how == UNAVAILABLE else client.random.uniform(0.0, 0.2))

    async def _ask(self, http: httpx.AsyncClient, asked: Asked) -> Outcome:
        began = time.monotonic()
        came = await outcome(http, asked, self.options.deadline)
        if came.how in EXCUSED and not self.kills.explain(began):
            came = Outcome(BROKEN, f"{came.how}, and no engine was killed: {came.detail}")
        if came.how == BROKEN:
            self._tell(f"{asked.kind}: {came.detail} ({_shortened(asked.body)})")
        self.outcomes[asked.kind, came.how] += 1
        return came

    async def _at_rest(self, http: httpx.AsyncClient) -> None:
        """Nothing runs any more, and as many answers as ever can be had at once."""
        await self._ready(http)
        told = metrics(self.up.url)
        busy = {name: n for name, n in told.items() if name.startswith(("rostra_llm_running", "rostra_llm_waiting"))}
        if any(busy.values()):
            self._tell(f"not at rest when all clients were gone: {busy}")
        body = {"messages": [{"role": "user", "content": "Say hello."}], "max_tokens": 8}
        last = [Asked("at rest", "/v1/chat/completions", body) for _ in range(2 * self.options.parallel)]
        await asyncio.gather(*(self._ask(http, asked) for asked in last))

    # ── faults ──────────────────────────────────────────────────────────────────────────────────────────

    async def _kill(self, http: httpx.AsyncClient) -> None:
        while self.options.kill_every:
            await asyncio.sleep(self.options.kill_every)
            if self.elapsed() > self.seconds - RECOVERY:
                return
            self.kills.at.append(time.monotonic())
            os.kill(self._engine(), signal.SIGKILL)
            await asyncio.sleep(0.05)
            await self._ready(http)
            self.kills.recovered.append(time.monotonic() - self.kills.at[-1])

    def _engine(self) -> int:
        """The server's child that holds the model."""
        return max(children(self.up.pid), key=pss_mib)

    async def _ready(self, http: httpx.AsyncClient) -> None:
        began = time.monotonic()
        while time.monotonic() < began + RECOVERY:
            if await self._healthy(http):
                return
            await asyncio.sleep(0.05)
        self._tell(f"no engine within {RECOVERY:.0f} s")

    # ── watching ────────────────────────────────────────────────────────────────────────────────────────

    async def _healthy(self, http: httpx.AsyncClient) -> bool:
        try:
            return (await http.get("/health", timeout=10)).is_success
        except httpx.TransportError as error:
            self._tell(f"/health: {error!r}")
            return False

    async def _health(self, http: httpx.AsyncClient) -> None:
        while True:
            began = time.monotonic()
            well = await self._healthy(http)
            self.health_ms.append((time.monotonic() - began) * 1000)
            if not well and not self.kills.explain(began):
                self._tell("/health is not well, and no engine was killed")
            await asyncio.sleep(HEALTH_EVERY)

    async def _memory(self) -> None:
        while True:
            server, *engine = tree(self.up.pid)
            self.memory.append((self.elapsed(), pss_mib(server), pss_mib(*engine)))
            await asyncio.sleep(MEMORY_EVERY)

    def _tell(self, broken: str) -> None:
        self.broken.append(broken)
        print(f"{self.elapsed():7.1f} s  {broken}", file=sys.stderr, flush=True)

    # ── verdict ─────────────────────────────────────────────────────────────────────────────────────────

    def verdict(self) -> dict[str, Any]:
        """All figures; `broken` is what was promised and not kept."""
        memory = {
            "server_mib": self._early_and_late(lambda sample: sample[1]),
            "all_mib": self._early_and_late(lambda sample: sample[1] + sample[2]),
        }
        p99 = percentile(self.health_ms, 99)
        broken = [*self.broken, *_grown(memory)]
        if p99 > HEALTH_P99_MS:
            broken.append(f"/health takes {p99:.0f} ms at the 99th percentile")
        return {
            "minutes": self.options.minutes,
            "clients": self.options.clients,
            "parallel": self.options.parallel,
            "threads": self.options.threads,
            "context": self.options.context,
            "cache_mib": self.options.cache_mib,
            "outcomes": {kind: dict(counts) for kind, counts in self._by_kind()},
            "requests": self.outcomes.total(),
            "kills": len(self.kills.at),
            "recovery_seconds_max": round(max(self.kills.recovered, default=0.0), 2),
            "health_p50_ms": round(percentile(self.health_ms, 50), 1),
            "health_p99_ms": round(p99, 1),
            "health_max_ms": round(max(self.health_ms), 1),
            **memory,
            "broken": len(broken),
            "broken_first": broken[:SHOWN],
        }

    def _by_kind(self) -> Iterator[tuple[str, Counter[str]]]:
        for kind in dict.fromkeys(kind for kind, _ in self.outcomes):
            yield kind, Counter({how: n for (of, how), n in self.outcomes.items() if of == kind})

    def _early_and_late(self, figure: Callable[[tuple[float, float, float]], float]) -> list[float]:
        """Near the top of what was seen: a killed engine takes its memory with it for a while."""
        parts = [
            [figure(sample) for sample in self.memory if begin <= sample[0] / self.seconds <= end]
            for begin, end in (EARLY, LATE)
        ]
        return [round(percentile(part, 95), 1) if part else 0.0 for part in parts]


def _grown(memory: Mapping[str, Sequence[float]]) -> Iterator[str]:
    for name, (early, late) in memory.items():
        if late > early * (1 + MEMORY_GROWTH):
            yield f"{name} grew from {early} to {late} MiB"


def _shortened(body: Mapping[str, Any]) -> str:
    text = json.dumps(body, ensure_ascii=False)
    return text if len(text) < 400 else f"{text[:200]} … {text[-200:]}"


# ── Telling ─────────────────────────────────────────────────────────────────────────────────────────────


def report(verdict: Mapping[str, Any]) -> str:
    hows = (WHOLE, REFUSED, LEFT, UNAVAILABLE, FAILED, BROKEN)
    kinds = [{"kind": kind, **counts} for kind, counts in verdict["outcomes"].items()]
    columns = [("requests", lambda row: row["kind"]), *((how, _count(how)) for how in hows)]
    promises = "All promises were kept." if not verdict["broken"] else f"Broken promises: {verdict['broken']}."
    return "\n\n".join(
        [
            "## Under load and faults: `make soak`",
            f"{verdict['minutes']:g} minutes, {verdict['clients']} clients, {verdict['parallel']} answers at once, "
            f"{threads(verdict['threads'])}; the engine was killed {verdict['kills']} times. *Unavailable* is 503, "
            f"*failed* an error in the stream: both only with a killed engine. {promises}",
            table(columns, kinds),
            table([("", lambda row: row[0]), ("", lambda row: row[1])], list(_figures(verdict))),
        ]
    )


def _count(how: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda row: f"{row.get(how, 0):,}"


def _figures(verdict: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "longest until a new engine was ready", f"{verdict['recovery_seconds_max']} s"
    health = " / ".join(f"{verdict[f'health_{part}_ms']:.0f}" for part in ("p50", "p99", "max"))
    yield "`/health`, p50 / p99 / longest", f"{health} ms"
    for name, key in (("memory, server and engine", "all_mib"), ("memory, server alone", "server_mib")):
        early, late = verdict[key]
        yield f"{name}: after warming up / at the end", f"{early:.0f} / {late:.0f} MiB"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=30.0, help="how long")
    parser.add_argument("--clients", type=int, default=12, help="requests at once")
    parser.add_argument("--parallel", type=int, default=8, help="answers that the server generates at once")
    parser.add_argument("--threads", type=int, default=1, help="of the server")
    parser.add_argument("--context", type=int, default=1024, help="tokens a request, a multiple of 256")
    parser.add_argument("--cache-mib", type=int, default=64, help="of prefixes; so few that they are full at once")
    parser.add_argument("--kill-every", type=float, default=120.0, help="seconds between kills of the engine; 0: none")
    parser.add_argument("--deadline", type=float, default=120.0, help="seconds within which each request must end")
    parser.add_argument("--seed", type=int, default=40, help="of what is asked")
    parser.add_argument("--out", type=Path, help="write the figures here, and leave the documents alone")
    parser.add_argument("--log", type=Path, help="keep the server's log here")
    return parser.parse_args()


@contextmanager
def _server(options: argparse.Namespace) -> Iterator[Running]:
    setup = Setup(bundled_model(), options.parallel, options.context, options.threads)
    with running(rostra(options.cache_mib), setup, options.log) as up:
        yield up


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that no server is left behind
    options = _options()
    with _server(options) as up:
        soak = Soak(up, options)
        asyncio.run(soak.run())
    verdict = soak.verdict()
    file = options.out or RESULTS
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(verdict, indent=1) + "\n")
    if not options.out:
        write_between(DOCUMENT, "soak", report(verdict))
    print(report(verdict))
    sys.exit(1 if verdict["broken"] else 0)


if __name__ == "__main__":
    main()
