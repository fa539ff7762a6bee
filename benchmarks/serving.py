"""What debates cost a model server: ours, llama-cpp-python's own and llama.cpp's, side by side in one run.

For each number of debates at once and each layout of the prompt, the servers come right after one another, each
started for that cell alone. Before that each server's settings are tried at 8 debates, and the cheapest is kept for
its layout. `make bench-serving` runs it, with LLAMA_SERVER=program for llama.cpp's server; it writes
benchmarks/results/serving.json, docs/images/serving.svg and its part of docs/performance.md.
"""

from __future__ import annotations

import argparse
import json
import signal
import statistics
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from serving_play import Bench, Load, Row
from serving_report import plot, report, write_between
from serving_servers import Server, Setup, servers
from serving_tokens import Tokenizer, bundled_model

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks/results/serving.json"
DOCUMENT = ROOT / "docs/performance.md"
PLOT = ROOT / "docs/images/serving.svg"

TRIED_AT, TRIED_TURNS = 8, 6
CHAT_TURNS = 4
# Turns, and tokens of each.
GROWTH = ((12, 16), (50, 16), (200, 16))
GROWTH_CONTEXT = 8192
QUICK = {"turns": 4, "debates": [1, 4], "chats": [1, 4], "tokens": 16, "bound": 60.0}


@dataclass(frozen=True)
class Plan:
    """Everything to measure; the servers by name, each with its settings to try."""

    bench: Bench
    servers: Mapping[str, Sequence[Server]]
    options: argparse.Namespace

    def rows(self) -> Iterator[Row]:
        yield from self._layout("rostra", self.options.debates, self.options.turns)
        yield from self._layout("autogen", self.options.debates, self.options.turns)
        yield from self._layout("chat", self.options.chats, CHAT_TURNS)
        if "rostra" in self.servers:
            yield from self._growth(self.servers["rostra"][0])

    def _layout(self, layout: str, sizes: Sequence[int], turns: int) -> Iterator[Row]:
        chosen = [self._chosen(settings, layout, turns) for settings in self.servers.values()]
        for size in sizes:
            load = self._load(layout, size, turns)
            rounds = [[self._measured(server, load) for server, _ in chosen] for _ in range(self.options.repeats)]
            for column, (_, tried) in zip(zip(*rounds, strict=True), chosen, strict=True):
                yield {**median(column), "variants_tried": tried}

    def _chosen(self, settings: Sequence[Server], layout: str, turns: int) -> tuple[Server, Mapping[str, float]]:
        """The cheapest settings, or else those that a server comes with; and what each of them cost."""
        if len(settings) == 1:
            return settings[0], {}
        load = self._load(layout, min(TRIED_AT, max(self.options.debates)), min(turns, TRIED_TURNS))
        tried = {server.variant: self._measured(server, load)["cpu_ms_per_token"] for server in settings}
        return min(settings, key=lambda server: (not server.shipped, tried[server.variant])), tried

    def _growth(self, server: Server) -> Iterator[Row]:
        """One debate of several lengths, and several of the shortest at once."""
        lengths = GROWTH[:1] if self.options.quick else GROWTH
        loads = [Load("growth", 1, turns, tokens, 3 * self.options.bound) for turns, tokens in lengths]
        long = replace(self.bench, setup=replace(self.bench.setup, context=GROWTH_CONTEXT))
        at_once = (self.bench, replace(loads[0], debates=TRIED_AT))
        for bench, load in [*((long, load) for load in loads), at_once]:
            yield {**self._measured(server, load, bench), "variants_tried": {}}

    def _load(self, layout: str, size: int, turns: int) -> Load:
        return Load(layout, size, turns, self.options.tokens, self.options.bound)

    def _measured(self, server: Server, load: Load, bench: Bench | None = None) -> Row:
        row = (bench or self.bench).measure(server, load)
        print(_line(row), file=sys.stderr, flush=True)
        return row


def median(rows: Sequence[Row]) -> Row:
    """Of each figure, over the repeats."""
    return {name: _middle([row[name] for row in rows]) for name in rows[0]}


def _middle(values: Sequence[Any]) -> Any:
    return statistics.median(values) if all(isinstance(v, int | float) for v in values) else values[0]


def _line(row: Row) -> str:
    return (
        f"{row['server']:>12} {row['variant'] or '-':<24} {row['layout']:>7} × {row['debates']:<2} "
        f"{row['turns_done']:>4} turns, evaluated {row['tokens_evaluated']:>6} of {row['tokens_sent']:>6} "
        f"(at least {row['tokens_lower_bound']}), {row['cpu_ms_per_token']:>6.2f} ms a token, "
        f"{row['turns_per_minute']:>6.1f} turns a minute, first token {row['ttft_p50_ms']} / {row['ttft_p95_ms']} ms, "
        f"{row['rss_mib']} MiB"
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--servers", nargs="+", default=["rostra", "stock", "llama-server"], help="which to measure")
    parser.add_argument("--debates", type=int, nargs="+", default=[1, 4, 8, 16], help="debates at once")
    parser.add_argument("--chats", type=int, nargs="+", default=[1, 2, 4, 8, 16], help="short chats at once")
    parser.add_argument("--turns", type=int, default=12, help="turns of a debate")
    parser.add_argument("--tokens", type=int, default=32, help="tokens of a turn")
    parser.add_argument("--threads", type=int, default=1, help="of each server")
    parser.add_argument("--context", type=int, default=2048, help="tokens a request, a multiple of 256")
    parser.add_argument("--repeats", type=int, default=1, help="of each cell; the median counts")
    parser.add_argument("--bound", type=float, default=100.0, help="seconds after which a cell begins no more turns")
    parser.add_argument("--quick", action="store_true", help="a small run that writes nothing, unless --out is given")
    parser.add_argument("--out", type=Path, help="write the rows here, and leave the documents alone")
    parser.add_argument("--render", action="store_true", help="measure nothing: documents anew from the last results")
    options = parser.parse_args()
    if options.quick:
        vars(options).update(QUICK)
    return options


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that no server is left behind
    options = _options()
    if options.render:
        return publish(json.loads(RESULTS.read_text()))
    rows = measured(options)
    if options.out or not options.quick:
        file = options.out or RESULTS
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(rows, indent=1) + "\n")
    if not options.out and not options.quick:
        publish(rows)


def measured(options: argparse.Namespace) -> list[Row]:
    model = bundled_model()
    bench = Bench(Setup(model, 1, options.context, options.threads), Tokenizer(model))
    return list(Plan(bench, servers(options.servers), options).rows())


def publish(rows: Sequence[Row]) -> None:
    PLOT.parent.mkdir(parents=True, exist_ok=True)
    PLOT.write_text(plot(rows))
    write_between(DOCUMENT, "serving", report(rows, str(PLOT.relative_to(DOCUMENT.parent))))


if __name__ == "__main__":
    main()
