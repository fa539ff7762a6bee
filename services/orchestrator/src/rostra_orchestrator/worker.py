"""The processes of an orchestrator: RQ workers forked from one that has AutoGen loaded, and a keeper.

    pool ── worker ── job     RQ forks a process for each job, which plays one debate
         ├─ worker ── job
         └─ keeper            the reaper, and the report that the workers are alive

AutoGen takes half a second and 45 MiB to import; forked processes share it. No process makes a connection,
a loop or a thread before it forks.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import time
import uuid
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from types import FrameType
from typing import Any

import structlog
from rq import Worker
from rq.executions import Execution
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.worker_pool import WorkerPool

from rostra import log as logging
from rostra import queue
from rostra.housekeeping import tidy_forever
from rostra.processes import die_with_parent
from rostra.queue import QUEUE, DebateJob
from rostra.reaper import reap_forever
from rostra.settings import read
from rostra.store import StorageDown, Store, connect
from rostra.store.pools import Pools
from rostra_orchestrator import health, jobs
from rostra_orchestrator.settings import Settings

log = structlog.stdlib.get_logger(__name__)

# How long a worker's question for a job may stay open, and the grace that its answer has: a connection that went dead
# meanwhile, without a word, is found out after both at the latest. (RQ's own are 405 and 10 s.)
_BLOCK_SECONDS = 2
_GRACE_SECONDS = 5
# Seconds of RQ's worker record in Redis; it goes by itself when the worker is gone.
_WORKER_TTL = 30
# Where Redis refuses a worker its work, it tries again after this many seconds.
_AGAIN_SECONDS = 2.0
# Who is told to stop gives its debate back, for which Redis may be away; what is still there after so many seconds is
# killed. Nothing is lost by it, and containers are given 30 s.
_PARTING_SECONDS = 12.0
_REPORT_SECONDS = 2.0

_fork = get_context("fork")


class DebateWorker(Worker):
    """An RQ worker whose job is told when it should stop, that takes no commands through Redis, and that finds its way
    back to a Redis that was away."""

    redis_url: str = ""
    told_to_stop: bool = False
    max_connection_wait_time = 2.0  # RQ's is a minute

    @property
    def dequeue_timeout(self) -> int:
        return _BLOCK_SECONDS

    @property
    def connection_timeout(self) -> int:
        return _BLOCK_SECONDS + _GRACE_SECONDS

    def handle_warm_shutdown_request(self) -> None:
        """RQ would let the job run to its end; a debate is given back instead, within a turn's cancelling."""
        self.told_to_stop = True
        # What remains to be said is of little use to anybody, and Redis may be away.
        self.connection = queue.connect(self.redis_url, patience=1)
        if self.horse_pid:
            self.kill_horse(signal.SIGTERM)

    def kill_horse(self, sig: signal.Signals = signal.SIGKILL) -> None:
        """RQ signals the job's process group, which is the whole pool's until the job has made its own."""
        with suppress(ProcessLookupError):
            os.kill(self.horse_pid, sig)

    def set_shutdown_requested_date(self) -> None:
        """Nobody asks RQ when it was told to stop."""

    def maintain_heartbeats(self, job: Job, execution: Execution) -> None:
        """RQ's record of the job; a worker that gave up over it would leave its player without one."""
        with suppress(StorageDown):
            super().maintain_heartbeats(job, execution)

    def register_death(self) -> None:
        """RQ's record goes by itself; that Redis is away or full keeps no worker from its end."""
        with suppress(StorageDown):
            super().register_death()

    def handle_work_horse_killed(self, job: Job, retpid: int, ret_val: int, rusage: Any) -> None:
        """A process that is known to be dead need not be waited for until its beat is missed."""
        try:
            jobs.bury(retpid, self.redis_url)
        except StorageDown as error:
            log.warning("cannot tell Redis that a debate's process died; the reaper will", error=str(error))

    def subscribe(self) -> None:
        """RQ's command channel costs a thread before every fork, and offers a shutdown to any Redis client."""

    def unsubscribe(self) -> None:
        pass


class Pool(WorkerPool):
    """RQ's pool of workers, with ours in it and a keeper beside them. Dead ones are replaced."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._keeper: BaseProcess | None = None
        self._told_to_stop_at = 0.0
        super().__init__(  # pyright: ignore[reportUnknownMemberType]
            [QUEUE],
            connection=queue.connect(settings.redis_url),
            num_workers=settings.workers,
            worker_class=DebateWorker,
            job_class=DebateJob,
        )

    def get_worker_process(self, name: str, *_: Any, **__: Any) -> BaseProcess:
        return _fork.Process(target=_work, args=(self._settings, name), name=f"worker {name}")

    def check_workers(self, respawn: bool = True) -> None:
        super().check_workers(respawn)
        if self._keeper is None or not self._keeper.is_alive():
            self._keeper = _fork.Process(target=_keep, args=(self._settings,), name="keeper")
            self._keeper.start()

    def request_stop(self, signum: int | None = None, frame: FrameType | None = None) -> None:
        self._told_to_stop_at = self._told_to_stop_at or time.monotonic()
        super().request_stop(signum, frame)  # pyright: ignore[reportUnknownMemberType]

    def all_workers_have_stopped(self) -> bool:
        """Asked every second; in the end it sees to it."""
        if super().all_workers_have_stopped():
            return True
        if time.monotonic() - self._told_to_stop_at > _PARTING_SECONDS:
            for worker in list(self.worker_dict.values()):
                self.stop_worker(worker, signal.SIGTERM)  # told twice, a worker kills its job and goes
        return False

    def stop_keeper(self) -> None:
        if self._keeper is not None:
            self._keeper.terminate()
            self._keeper.join(5)


def run(settings: Settings) -> None:
    """Runs the pool until SIGTERM or SIGINT; debates in play are given back first."""
    jobs.prepare(settings)
    gc.collect()
    gc.freeze()  # what is loaded now stays shared: no collection in a child touches, and so copies, it
    pool = Pool(settings)
    log.info("pool started", workers=settings.workers)
    try:
        pool.start(logging_level=settings.log_level.upper())
    finally:
        pool.stop_keeper()
        health.sign.forget()


def _work(settings: Settings, name: str) -> None:
    """A worker process: works until it is told to stop, whatever Redis does meanwhile."""
    die_with_parent()
    while not _is_done(settings, name):
        log.warning("the worker begins anew: Redis was away, or refused it its work")
        time.sleep(_AGAIN_SECONDS)
        name = uuid.uuid4().hex  # RQ takes the old one for taken


def _is_done(settings: Settings, name: str) -> bool:
    """Works; whether that was all: it was told to stop, or failed with its player still at work, whom the pool's next
    worker leaves alone."""
    _die_when_told()
    redis = queue.connect(settings.redis_url, block=_BLOCK_SECONDS)
    worker = DebateWorker(
        [queue.queue(redis)],
        name=name,
        connection=redis,
        job_class=DebateJob,
        serializer=JSONSerializer,
        worker_ttl=_WORKER_TTL,
        log_job_description=False,
    )
    worker.redis_url = settings.redis_url
    try:
        worker.work(logging_level=settings.log_level.upper())
    except StorageDown as error:
        log.warning("the worker cannot work", error=str(error))
    finally:
        _die_when_told()
        redis.close()
    return worker.told_to_stop or bool(worker.horse_pid)


def _die_when_told() -> None:
    """Instead of the pool's handlers, which a worker is forked with, until RQ has told Redis of it and sets its own."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


def _keep(settings: Settings) -> None:
    """The keeper process."""
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    asyncio.run(_keep_forever(settings))


async def _keep_forever(settings: Settings) -> None:
    redis = connect(settings.redis_url)
    store = Store(redis)
    rq = queue.connect(settings.redis_url)
    await _upgraded(store)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(reap_forever(store, rq))
        tasks.create_task(
            tidy_forever(store, compress_after=settings.compress_after, forget_after=settings.forget_after)
        )
        tasks.create_task(_report_forever(Pools(redis), settings.workers))


async def _upgraded(store: Store) -> None:
    """What an older release stored is brought up to date before anybody looks at it."""
    while True:
        try:
            if changed := await store.upgrade():
                log.info("storage upgraded", debates=changed)
        except StorageDown as error:
            log.warning("cannot reach Redis", error=str(error))
            await asyncio.sleep(_REPORT_SECONDS)
        else:
            return


async def _report_forever(pools: Pools, workers: int) -> None:
    name = f"{socket.gethostname()}:{os.getppid()}"
    while True:
        try:
            await pools.report(name, workers)
            health.sign.give()
        except StorageDown as error:
            log.warning("cannot report to Redis", error=str(error))
        await asyncio.sleep(_REPORT_SECONDS)


def start() -> None:
    """Reads the settings and runs the pool: what `python -m rostra_orchestrator` does."""
    settings = read(Settings)
    logging.configure("orchestrator", settings.log_level, settings)
    run(settings)
