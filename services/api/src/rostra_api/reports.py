"""What the models' servers can do: asked for in the background, one at a time, and kept."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta

import structlog

from rostra.doctor import Report, examine
from rostra.endpoints import Dialect, Endpoint, Endpoints
from rostra.tasks import stopped
from rostra.views import EndpointReport, ModelReport

# A report that is younger is not made anew.
FRESH = timedelta(minutes=1)
# One of a server that was away says little, and soon nothing that is true.
AWAY = timedelta(seconds=5)

log = structlog.stdlib.get_logger(__name__)

Examine = Callable[[Endpoint, Dialect], Awaitable[Report]]


class Reports:
    """The newest report of each model. An examination keeps a model server busy, so there is never more than one."""

    def __init__(self, models: Mapping[str, Endpoints], examine: Examine = examine) -> None:
        self._models = models
        self._examine = examine
        self._kept: dict[str, ModelReport] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._one = asyncio.Lock()

    def of(self, name: str, *, fresh: bool) -> ModelReport | None:
        """The report; None while it is made, which begins when it is first asked for, or asked for `fresh`."""
        if name not in self._running:
            kept = self._kept.get(name)
            if kept and not _is_old(kept, fresh=fresh):
                return kept
            self._running[name] = asyncio.create_task(self._make(name))
        return None

    async def _make(self, name: str) -> None:
        try:
            async with self._one:
                reports = [await self._examine(endpoint, endpoint.dialect) for endpoint in self._models[name]]
            self._kept[name] = _report(name, reports)
        except Exception:
            log.exception("model not examined", model=name)
        finally:
            del self._running[name]

    async def close(self) -> None:
        await stopped(*self._running.values())


def _is_old(report: ModelReport, *, fresh: bool) -> bool:
    age = datetime.now(UTC) - report.checked_at
    return age > FRESH if fresh else age > AWAY and not all(map(_was_reached, report.data))


def _was_reached(report: Report) -> bool:
    return not any(finding.name == "reachable" and finding.grade == "fault" for finding in report.findings)


def _report(name: str, reports: list[Report]) -> ModelReport:
    numbered = [EndpointReport(number=n, **report.model_dump()) for n, report in enumerate(reports, 1)]
    return ModelReport(name=name, checked_at=datetime.now(UTC), data=numbered)
