"""What Prometheus is told. Each app has its own registry, so that two in one process do not mix."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping

from fastapi import FastAPI
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rostra.models import Status

# Most answers take milliseconds; those that wait for a debate's end take up to a minute.
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Metrics:
    """All meters of the API."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "rostra_http_requests",
            "Requests answered.",
            ["method", "route", "status"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            "rostra_http_request_seconds",
            "Seconds until the answer began.",
            ["method", "route"],
            buckets=SECONDS,
            registry=self._registry,
        )
        self._redis = self._gauge("rostra_redis_up", "1 if Redis answers.")
        self._queue = self._gauge("rostra_queue_length", "Debates that wait for a worker in the queue.")
        self._workers = self._gauge("rostra_workers", "Workers alive.")
        self._followers = self._gauge("rostra_followers", "Readers that follow a debate live or wait for its end.")
        self._webhooks = self._gauge("rostra_webhooks_waiting", "Debates with something to be sent to their webhook.")
        self._messages = Gauge(
            "rostra_webhook_messages",
            "Messages that were taken, attempts that failed, webhooks that were given up; kept in Redis.",
            ["outcome"],
            registry=self._registry,
        )
        self._debates = Gauge("rostra_debates", "Debates stored.", ["status"], registry=self._registry)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(name, text, registry=self._registry)

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)

    def set_followers(self, followers: int) -> None:
        self._followers.set(followers)

    def set_stored(self, debates: Mapping[Status, int], queue: int, workers: int) -> None:
        self._redis.set(1)
        self._queue.set(queue)
        self._workers.set(workers)
        for status, count in debates.items():
            self._debates.labels(status.value).set(count)

    def set_webhooks(self, waiting: int, messages: Mapping[str, int]) -> None:
        self._webhooks.set(waiting)
        for outcome, count in messages.items():
            self._messages.labels(outcome).set(count)

    def set_unknown(self) -> None:
        """Redis is away: old numbers would be wrong ones."""
        self._redis.set(0)
        self._queue.set(math.nan)
        self._workers.set(math.nan)
        self._webhooks.set(math.nan)
        self._messages.clear()
        self._debates.clear()

    def exposition(self) -> bytes:
        return generate_latest(self._registry)


class Measured:
    """Counts every answer by method, route and status. Routes by their pattern: paths are without number."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                seconds = time.perf_counter() - began
                self._metrics.answered(_method(scope), _route(scope), message["status"], seconds)
            await send(message)

        await self._app(scope, receive, counted)


def install(app: FastAPI, metrics: Metrics) -> None:
    app.add_middleware(Measured, metrics=metrics)


def _method(scope: Scope) -> str:
    return scope["method"] if scope["method"] in _METHODS else "other"


def _route(scope: Scope) -> str:
    return getattr(scope.get("route"), "path", "none")
