"""An engine's process as the HTTP side sees it: work goes in, pieces come out, and it is started again when it dies.

    starting ──▶ ready ──▶ down (it died) ──▶ starting …

Requests in flight fail when it dies, since what they had is gone; new ones are refused until it is ready again.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

import structlog

from rostra_llm import pipe
from rostra_llm.counts import Counts
from rostra_llm.engine.plan import Plan
from rostra_llm.errors import CannotServe, Refused, Unavailable
from rostra_llm.work import Cancel, CannotLoad, Meters, Piece, Ready, Step, Work

log = structlog.stdlib.get_logger()

# Seconds until an engine that died is started again; the next wait is twice as long while it dies at once again.
FIRST_PAUSE = 0.1
LONGEST_PAUSE = 30.0
# An engine that ran for so many seconds did not die at once.
STEADY = 60.0


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many requests may wait, and the longest waits in seconds."""

    queue: int = 64
    first_token: float = 300.0
    answer: float = 1800.0
    stall: float = 300.0


@dataclass(slots=True)
class _Asked:
    """A request in flight."""

    work: Work
    pieces: asyncio.Queue[Piece | Refused] = field(default_factory=asyncio.Queue[Piece | Refused])
    began: float = field(default_factory=time.monotonic)
    first: float | None = None


# llama.cpp's threads wait for one another at every layer. By default they spin for milliseconds meanwhile, and as soon
# as other programs want the same cores a token costs ten times as much; without spinning it takes two to three times as
# long on idle ones. A thousand rounds are the middle: as fast as the default where there is room, and nearly as sparing
# as none where there is not.
SHORT_WAITS = {"GOMP_SPINCOUNT": "1000"}


class Engine:
    """Use as an async context manager: inside it the engine is ready, or on its way to be so again."""

    def __init__(self, plan: Plan, bounds: Bounds | None = None) -> None:
        self.plan = plan
        self.meters = Meters()
        self.counts = Counts()
        self._bounds = bounds or Bounds()
        self._asked: dict[int, _Asked] = {}
        self._ready: Ready | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._last_step = 0.0
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Engine:
        """Raises CannotServe when the model cannot be loaded."""
        reader = await self._start()
        self._tasks = [asyncio.create_task(self._run(reader)), asyncio.create_task(self._watch())]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._fail_all(Unavailable("The server is stopping."))
        await self._stop()

    @property
    def ready(self) -> Ready | None:
        """What the engine said of itself; None while there is none."""
        return self._ready

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def running(self) -> int:
        """Requests that are being generated; none while the engine is started again."""
        return min(self.meters.running, len(self._asked)) if self._ready else 0

    @property
    def in_flight(self) -> int:
        return len(self._asked)

    # ── requests ────────────────────────────────────────────────────────────────────────────────────────

    async def generate(self, work: Work) -> AsyncGenerator[Piece, None]:
        """The answer's pieces; the last one has a reason. Closing it frees the engine within a token.

        Raises: Refused.
        """
        asked = self._submit(work)
        reason = "gone"
        try:
            while True:
                piece = await asked.pieces.get()
                if isinstance(piece, Refused):
                    reason = "failed"
                    raise piece
                reason = piece.reason or reason
                yield piece
                if piece.reason:
                    return
        finally:
            self.counts.ended[reason] += 1
            del self._asked[work.id]
            if reason in ("gone", "failed"):
                self._send(Cancel(work.id))

    def _submit(self, work: Work) -> _Asked:
        if self._ready is None:
            self.counts.refused += 1
            raise Unavailable("The engine is being started again.")
        if len(self._asked) >= self._ready.parallel + self._bounds.queue:
            self.counts.refused += 1
            raise Unavailable(f"{len(self._asked)} requests are running and waiting; that is the limit.")
        asked = self._asked[work.id] = _Asked(work)
        if len(self._asked) == 1:
            self._last_step = time.monotonic()
        self._send(work)
        return asked

    def _send(self, message: object) -> None:
        if self._writer and not self._writer.is_closing():
            self._writer.write(pipe.framed(message))

    def _fail(self, id: int, refused: Refused) -> None:
        if asked := self._asked.get(id):
            asked.pieces.put_nowait(refused)

    def _fail_all(self, refused: Refused) -> None:
        for id in list(self._asked):
            self._fail(id, refused)

    # ── the process ─────────────────────────────────────────────────────────────────────────────────────

    async def _start(self) -> asyncio.StreamReader:
        """A new process with its model loaded. Raises CannotServe."""
        began = time.monotonic()
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "rostra_llm.engine",
                str(theirs.fileno()),
                pass_fds=[theirs.fileno()],
                env=SHORT_WAITS | os.environ,
            )
        reader, self._writer = await asyncio.open_unix_connection(sock=ours, limit=1 << 26)
        self._send(self.plan)
        try:
            answer = await pipe.read(reader)
        except asyncio.IncompleteReadError:
            status = await self._process.wait()
            raise CannotServe(
                f"{self.plan.path.name}: the engine died while it loaded the model ({_died(status)}). Is there memory "
                "for it? A smaller ROSTRA_CONTEXT or ROSTRA_PARALLEL needs less."
            ) from None
        if isinstance(answer, CannotLoad):
            raise CannotServe(
                f"{self.plan.path}: {answer.message}. Is there memory for it? A smaller ROSTRA_CONTEXT or "
                "ROSTRA_PARALLEL needs less."
            )
        self._ready = answer
        self._last_step = time.monotonic()
        log.info(
            "engine_ready",
            model=self.plan.name,
            file=self.plan.path.name,
            context=answer.context,
            parallel=answer.parallel,
            kv_mib=answer.kv_mib,
            threads=self.plan.threads,
            seconds=round(time.monotonic() - began, 1),
            pid=self._process.pid,
        )
        return reader

    async def _run(self, reader: asyncio.StreamReader) -> None:
        """Hands on what the engine says; starts another when it dies."""
        pause = FIRST_PAUSE
        while True:
            began = time.monotonic()
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                await self._listen(reader)
            await self._bury()
            pause = FIRST_PAUSE if time.monotonic() - began > STEADY else min(2 * pause, LONGEST_PAUSE)
            reader = await self._start_again(pause)

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        while True:
            step = await pipe.read(reader)
            assert isinstance(step, Step)
            self.meters = step.meters
            self._last_step = time.monotonic()
            for piece in step.pieces:
                self._hand_on(piece)
            for failed in step.failures:
                self._fail(failed.id, Refused(failed.message))

    def _hand_on(self, piece: Piece) -> None:
        asked = self._asked.get(piece.id)
        if asked is None:
            return
        if asked.first is None:
            asked.first = self._last_step
            self.counts.first_token.add(asked.first - asked.began)
        asked.pieces.put_nowait(piece)

    async def _bury(self) -> None:
        assert self._process
        self._ready = None
        self._fail_all(Unavailable("The engine died while it generated; it is being started again."))
        await self._stop()
        self.counts.restarts += 1
        log.error("engine_died", model=self.plan.name, how=_died(self._process.returncode))

    async def _start_again(self, pause: float) -> asyncio.StreamReader:
        while True:
            await asyncio.sleep(pause)
            try:
                return await self._start()
            except (CannotServe, OSError) as error:
                pause = min(2 * pause, LONGEST_PAUSE)
                log.error("engine_does_not_start", model=self.plan.name, reason=str(error), again_in=pause)

    async def _stop(self) -> None:
        if self._writer:
            self._writer.close()
        if self._process and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()  # it keeps nothing that could be lost
            await self._process.wait()

    # ── deadlines ───────────────────────────────────────────────────────────────────────────────────────

    async def _watch(self) -> None:
        """Looks every second for requests that take too long, and for an engine that has stopped computing."""
        while True:
            await asyncio.sleep(1)
            now = time.monotonic()
            for id, asked in list(self._asked.items()):
                if late := self._late(asked, now):
                    self._fail(id, late)
            if self._asked and self._ready and now - self._last_step > self._bounds.stall and self._process:
                log.error("engine_stalled", model=self.plan.name, seconds=round(now - self._last_step))
                self._process.kill()

    def _late(self, asked: _Asked, now: float) -> Refused | None:
        waited = now - asked.began
        if asked.first is None and waited > self._bounds.first_token:
            return Unavailable(f"There was no token within {self._bounds.first_token:g} s.")
        if waited > self._bounds.answer:
            return Unavailable(f"The answer took longer than {self._bounds.answer:g} s.")
        return None


def _died(status: int | None) -> str:
    return f"signal {-status}" if status is not None and status < 0 else f"exit status {status}"
