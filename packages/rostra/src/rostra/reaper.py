"""Nothing stays lost: debates that should run and that nobody plays are enqueued again.

Runs in the API and in every worker pool. Whoever plays a debate counts its beat up every 2 s; a reaper that has seen
the beat stand still for 8 s drops the lease and calls another worker. It measures that by its own monotonic clock and
only over looks that came in time, so a wall clock that is set, a Redis that was away, and a reaper that was stopped
itself make nobody dead. A wake-up call that was lost shows in a queue that is shorter than the number of debates that
wait. Where a person did not speak in time, by Redis' clock, a worker is called to go on without.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog
from redis import Redis

from rostra import queue
from rostra.store import Look, Running, StorageDown, Store

EVERY_SECONDS = 2.0
# Four renewals that did not come. A debate is played on 8 to 10 s after its player died without a word.
DEAD_SECONDS = 8.0
# A look that comes later than this after the one before proves nothing of the time between them.
_IN_TIME_SECONDS = 5.0

log = structlog.stdlib.get_logger(__name__)


@dataclass(slots=True)
class Watch:
    """What a reaper remembers from look to look; `clock` is monotonic. Pure but for that."""

    clock: Callable[[], float] = time.monotonic
    _looked: float = float("-inf")
    _beats: dict[str, tuple[int, float]] = field(default_factory=dict[str, tuple[int, float]])  # beat, since when
    _lost: frozenset[tuple[str, int]] = frozenset()
    _missing: int = 0

    def see(self, look: Look) -> None:
        """Takes a look in."""
        now = self.clock()
        known = self._beats if now - self._looked <= _IN_TIME_SECONDS else {}
        self._beats = {
            debate.id: known[debate.id] if known.get(debate.id, (None,))[0] == debate.beat else (debate.beat, now)
            for debate in look.running
            if debate.is_held
        }
        self._looked = now

    def dead(self) -> list[tuple[str, int]]:
        """Debates whose beat stands still, each with it."""
        return [(i, beat) for i, (beat, since) in self._beats.items() if self._looked - since >= DEAD_SECONDS]

    def lost(self, running: Sequence[Running]) -> list[tuple[str, int]]:
        """Debates that were at this look and at the one before without a player, each with its next fence: in between
        whoever dropped the lease has called a worker."""
        now = frozenset((debate.id, debate.fence + 1) for debate in running if not debate.is_held)
        found, self._lost = sorted(now & self._lost), now
        return found

    def uncalled(self, look: Look, calls: int) -> Sequence[str]:
        """Debates that wait though nobody was called to them: so many as were missing at this look and at the one
        before, since the API enqueues a moment after it stores."""
        missing = max(0, look.waiting - calls)
        found, self._missing = min(missing, self._missing), missing
        return look.oldest[:found]


async def reap(store: Store, rq: Redis, watch: Watch) -> list[str]:
    """One look; answers the ids of the debates that were enqueued."""
    look = await store.look()
    watch.see(look)
    buried = [(i, fence) for i, beat in watch.dead() if (fence := await store.bury(i, beat=beat)) is not None]
    lost = watch.lost(look.running)
    missed = await store.miss()
    return await asyncio.to_thread(_enqueue_all, rq, watch, look, [*buried, *lost, *missed])


def _enqueue_all(rq: Redis, watch: Watch, look: Look, playerless: Sequence[tuple[str, int]]) -> list[str]:
    called = queue.waiting(rq) if playerless else set[str]()
    needed = [(i, fence) for i, fence in playerless if i not in called]
    uncalled = watch.uncalled(look, queue.length(rq))
    for debate_id, fence in [*needed, *((i, 0) for i in uncalled)]:
        queue.enqueue(rq, debate_id, fence)
    return [*(i for i, _ in needed), *uncalled]


async def reap_forever(store: Store, rq: Redis) -> None:
    """Looks every `EVERY_SECONDS` until it is cancelled; Redis being away only makes it wait."""
    watch = Watch()
    while True:
        try:
            for debate_id in await reap(store, rq, watch):
                log.info("debate enqueued again", debate_id=debate_id)
        except StorageDown as error:
            log.warning("reaper cannot reach Redis", error=str(error))
        except Exception:  # debates that are lost depend on this one task
            log.exception("the reaper failed")
        await asyncio.sleep(EVERY_SECONDS)
