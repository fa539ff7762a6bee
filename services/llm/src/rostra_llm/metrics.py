"""What Prometheus is told: by model, from what the engines said last, so that it never waits for one.

Sums of an engine begin at zero again when it is started again, as Prometheus' counters may.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from rostra_llm.counts import BOUNDS
from rostra_llm.host import Engine

Figure = Callable[[Engine], float]
Family = CounterMetricFamily | GaugeMetricFamily | HistogramMetricFamily

_COUNTERS: Sequence[tuple[str, str, Figure]] = (
    ("rostra_llm_prompt_tokens", "Tokens of prompts that were evaluated.", lambda e: e.meters.prompt_tokens),
    ("rostra_llm_prompt_tokens_reused", "Tokens of prompts found in memory.", lambda e: e.meters.reused_tokens),
    ("rostra_llm_generated_tokens", "Tokens of answers.", lambda e: e.meters.generated_tokens),
    ("rostra_llm_batches", "Batches computed.", lambda e: e.meters.batches),
    ("rostra_llm_refused", "Requests refused: the queue was full, or no engine ready.", lambda e: e.counts.refused),
    ("rostra_llm_engine_restarts", "Engines that died.", lambda e: e.counts.restarts),
)
_GAUGES: Sequence[tuple[str, str, Figure]] = (
    ("rostra_llm_up", "1 if the engine is ready.", lambda e: int(e.ready is not None)),
    ("rostra_llm_slots", "Requests that are generated at once.", lambda e: e.ready.parallel if e.ready else 0),
    ("rostra_llm_running", "Requests that are being generated.", lambda e: e.running),
    ("rostra_llm_waiting", "Requests that wait.", lambda e: e.in_flight - e.running),
    ("rostra_llm_kept_prefixes", "Prefixes kept beside the KV cache.", lambda e: e.meters.kept_prefixes),
    ("rostra_llm_kept_tokens", "Tokens in these prefixes.", lambda e: e.meters.kept_tokens),
)
# decode: evaluating the model. sample: choosing tokens. move: saving and loading prefixes. python: everything else.
_PARTS: Sequence[tuple[str, Figure]] = (
    ("decode", lambda e: e.meters.decode_seconds),
    ("sample", lambda e: e.meters.sample_seconds),
    ("move", lambda e: e.meters.move_seconds),
    ("python", lambda e: e.meters.python_seconds),
)


class Metrics(Collector):
    """All meters of the model server."""

    def __init__(self, engines: Iterable[Engine]) -> None:
        self._engines = list(engines)
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def text(self) -> bytes:
        """Prometheus' text format."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Family]:
        for name, meaning, figure in _COUNTERS:
            yield self._filled(CounterMetricFamily(name, meaning, labels=["model"]), figure)
        for name, meaning, figure in _GAUGES:
            yield self._filled(GaugeMetricFamily(name, meaning, labels=["model"]), figure)
        yield self._seconds()
        yield self._ended()
        yield self._first_token()

    def _filled(self, family: CounterMetricFamily | GaugeMetricFamily, figure: Figure) -> Family:
        for engine in self._engines:
            family.add_metric([engine.plan.name], figure(engine))
        return family

    def _seconds(self) -> Family:
        family = CounterMetricFamily(
            "rostra_llm_engine_seconds", "Where the engine's time went, without its waits.", labels=["model", "part"]
        )
        for engine in self._engines:
            for part, figure in _PARTS:
                family.add_metric([engine.plan.name, part], figure(engine))
        return family

    def _ended(self) -> Family:
        family = CounterMetricFamily("rostra_llm_requests", "Requests that ended, and how.", labels=["model", "reason"])
        for engine in self._engines:
            for reason, count in engine.counts.ended.items():
                family.add_metric([engine.plan.name, reason], count)
        return family

    def _first_token(self) -> Family:
        family = HistogramMetricFamily(
            "rostra_llm_first_token_seconds", "Seconds until the first token.", labels=["model"]
        )
        for engine in self._engines:
            waits = engine.counts.first_token
            buckets = list(zip([*map(str, BOUNDS), "+Inf"], map(float, waits.counts), strict=True))
            family.add_metric([engine.plan.name], buckets, waits.total)
        return family
