"""A stack of real processes for each test, and a report of all of them.

`make faults` runs them; `--faults-report FILE` is where it has the figures added.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from pathlib import Path
from typing import Any

import pytest

from . import runs
from .cluster import Cluster
from .report import Report

REPORT = pytest.StashKey[Report]()

Start = Callable[..., Awaitable[Cluster]]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--faults-report", type=Path, default=None, help="add what was tried to the runs in this file")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[REPORT] = Report()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    made = yield
    fault = item.get_closest_marker("fault")
    if fault and (made.when == "call" or made.outcome != "passed"):
        name = item.name.removeprefix("test_").replace("_", " ")
        item.config.stash[REPORT].tried(str(fault.args[0]), name, made.outcome, made.duration)
    return made


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """A process of pytest-xdist has ended, and hands over what it tried."""
    if told := getattr(node, "workeroutput", {}).get("faults"):
        node.config.stash[REPORT].merge(told)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["faults"] = session.config.stash[REPORT].figures()
        return
    file = session.config.getoption("--faults-report", default=None)
    if file and exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):  # else it was no whole run
        runs.add(file, session.config.stash[REPORT].figures(), most=runs.LAST)


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Report:
    return request.config.stash[REPORT]


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    """Starts a stack: `await start("redis", "model", "api", "pool", proxied=True, ROSTRA_WORKERS="1")`."""
    clusters: list[Cluster] = []

    async def start(*names: str, **options: object) -> Cluster:
        cluster = Cluster(tmp_path, **options)
        clusters.append(cluster)
        await cluster.start(*names)
        return cluster

    yield start
    for cluster in clusters:
        await cluster.close()


@pytest.fixture
async def cluster(start: Start) -> Cluster:
    """A stack with one pool of two workers."""
    return await start("redis", "model", "api", "pool")
