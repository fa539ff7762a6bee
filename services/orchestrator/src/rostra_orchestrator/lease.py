"""Holding a debate: the lease is renewed while it is played, and whatever should interrupt it is noticed."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Literal

import structlog

from rostra.store import RENEW_SECONDS, Claim, Fenced, Hint, StorageDown, Store
from rostra.tasks import stopped

log = structlog.stdlib.get_logger(__name__)

Interruption = Literal["cancel", "pause", "yield", "stop", "fenced"]


class Lease:
    """Renews a claim in the background; `interrupted` is done as soon as the debate should stop, and why.

    The process that plays renews, not the RQ worker above it: a process whose worker was killed still holds
    the debate and plays on.
    """

    def __init__(self, store: Store, claim: Claim) -> None:
        self._store = store
        self._claim = claim
        self.interrupted: asyncio.Future[Interruption] = asyncio.get_running_loop().create_future()
        self._renewing: asyncio.Task[None] | None = None

    def interrupt(self, reason: Interruption) -> None:
        """The first reason counts."""
        if not self.interrupted.done():
            self.interrupted.set_result(reason)

    def notice(self, wish: Hint) -> None:
        """What is wished of the debate, read along with every write."""
        if wish:
            self.interrupt(wish)

    async def __aenter__(self) -> Lease:
        self.notice(self._claim.wish)
        self._renewing = asyncio.create_task(self._renew())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._renewing is not None
        await stopped(self._renewing)

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            try:
                self.notice(await self._store.renew(self._claim))
            except Fenced:
                self.interrupt("fenced")
                return
            except StorageDown as error:
                log.warning("lease not renewed", error=str(error))
