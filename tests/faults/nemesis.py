"""Faults drawn from a seed, several at a time, on debates that never stop coming; and whether one was harmed.

    make nemesis MINUTES=60 SEED=40           against processes on this machine
    make nemesis WHERE=compose MINUTES=10     against the containers

A seed repeats which faults and requests are made, in which order and for how long; the machine's own timing it cannot.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random
from typing import Any, Protocol

from . import checks
from .watching import ENDED, Front, Watched, begin, moment, patiently

# A debate that has not ended so long after the last fault is stuck: it may have many turns to go.
PEACE_SECONDS = 120.0


class World(Front, Protocol):
    """Where it happens."""

    faults: Sequence[Any]
    rounds: int  # of a debate, at most
    wishes: Mapping[str, Any]  # what else is asked of a debate

    async def suffer(self, fault: Any, random: Random) -> None:
        """Lets one of its faults happen; returns when it is over."""
        ...


@dataclass
class Nemesis:
    """One run and all that it saw."""

    world: World
    seed: int
    seconds: float
    debates_at_once: int = 6
    faults_at_once: int = 2
    say: Callable[[str], None] = lambda _: None
    began: float = field(default_factory=time.monotonic)
    suffered: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    turns: int = 0
    standstills: list[float] = field(default_factory=list)  # the longest of each debate, in seconds
    broken: Counter[str] = field(default_factory=Counter)  # lost, doubled, stuck, other
    told: list[str] = field(default_factory=list)
    accepted: set[str] = field(default_factory=set)
    under_way: set[str] = field(default_factory=set)  # parts that something happens to

    async def run(self) -> Mapping[str, Any]:
        """Everything at once until the time is up, then peace; the verdict."""
        clients = [asyncio.create_task(self._client(number)) for number in range(self.debates_at_once)]
        async with asyncio.TaskGroup() as tasks:
            for number in range(self.faults_at_once):
                tasks.create_task(self._spite(number))
        self.say(f"{self.elapsed:7.1f} s  peace")
        await asyncio.gather(*clients)
        try:
            await self._count()
        except AssertionError as error:
            self._tell("stuck", str(error))
        return self.verdict()

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self.began

    @property
    def over(self) -> bool:
        return self.elapsed >= self.seconds

    # ── faults ──────────────────────────────────────────────────────────────────────────────────────────

    async def _spite(self, number: int) -> None:
        random = Random(f"{self.seed} fault {number}")
        while not self.over:
            await asyncio.sleep(random.choice((0.2, random.uniform(0.5, 6))))
            (fault,) = random.choices(self.world.faults, [fault.weight for fault in self.world.faults])
            own = Random(random.random())
            if fault.part in self.under_way or self.over:
                continue
            self.under_way.add(fault.part)
            self.suffered[fault.name] += 1
            self.say(f"{self.elapsed:7.1f} s  {fault.name}")
            try:
                await self.world.suffer(fault, own)
            except Exception as error:  # a part that does not stop or start as it should: a finding, not the run's end
                self._tell("other", f"{fault.name}: {error!r}")
            finally:
                self.under_way.discard(fault.part)

    # ── debates ─────────────────────────────────────────────────────────────────────────────────────────

    async def _client(self, number: int) -> None:
        random = Random(f"{self.seed} client {number}")
        count = 0
        while not self.over:
            count += 1
            await self._hold(f"{self.seed}-{number}-{count}", Random(random.random()))

    async def _hold(self, key: str, random: Random) -> None:
        """One debate, from its request to the checks."""
        try:
            debate = await begin(self.world, key=key, rounds=random.randint(1, self.world.rounds), **self.world.wishes)
        except AssertionError as error:
            self._tell("stuck", str(error))
            return
        self.accepted.add(debate.id)
        cancelled = await self._meddle(debate, random)
        try:
            await self._check(debate, cancelled=cancelled)
        finally:
            await debate.leave()

    async def _meddle(self, debate: Watched, random: Random) -> bool:
        """What people do to debates: one in four is paused and resumed, one in eight cancelled, which it tells."""
        whim = random.random()
        if whim > 0.375:
            return False
        with contextlib.suppress(AssertionError):  # told by the check, which waits for the same
            await debate.until_turns(random.randint(0, debate.turns_planned), 30)
        if whim < 0.125:
            return await self._ask(debate, "cancel")
        if await self._ask(debate, "pause"):
            await asyncio.sleep(random.uniform(0, 5))
            await self._ask(debate, "resume")
        return False

    async def _ask(self, debate: Watched, for_what: str) -> bool:
        """Whether it was granted; a debate that has ended grants nothing."""
        try:
            await patiently(self.world, "POST", f"{debate.path}/{for_what}")
        except AssertionError as refused:
            if "409" not in str(refused):
                self._tell("other", str(refused))
            return False
        return True

    async def _check(self, debate: Watched, *, cancelled: bool) -> None:
        left = max(0.0, self.seconds - self.elapsed) + PEACE_SECONDS
        try:
            transcript = await debate.until_ended(left)
            replay = await debate.replay()
            view = await debate.look()
        except (AssertionError, TimeoutError) as error:
            self._tell("lost" if debate.lost else "stuck", f"{debate.id}: {error}")
            return
        self.ended[view["status"]] += 1
        self.turns += len(transcript["turns"])
        self.standstills.append(_longest_standstill(transcript))
        self._try("doubled", checks.check_turns, debate, transcript)
        self._try("lost", checks.check_acknowledged, debate, replay)
        self._try("other", checks.check_replay, transcript, replay)
        self._try("other", checks.check_end, debate, transcript, replay, view, _due(view, cancelled))

    def _try(self, kind: str, check: Callable[..., None], *told: Any) -> None:
        try:
            check(*told)
        except AssertionError as error:
            self._tell(kind, str(error))

    def _tell(self, kind: str, what: str) -> None:
        self.broken[kind] += 1
        self.told.append(f"{kind}: {what}"[:2000])
        self.say(f"{self.elapsed:7.1f} s  BROKEN, {kind}: {what}")

    async def _count(self) -> None:
        """The debates that are there are those that were accepted."""
        there: list[str] = []
        after = ""
        while True:
            page = await patiently(self.world, "GET", f"/v1/debates?limit=100{after}")
            there += [view["id"] for view in page["data"]]
            if not page["next_cursor"]:
                break
            after = f"&after={page['next_cursor']}"
        if missing := self.accepted - set(there):
            self._tell("lost", f"accepted and not there: {missing}")
        if len(there) != len(set(there)) or set(there) - self.accepted:
            self._tell("doubled", f"there and not accepted: {set(there) - self.accepted}")

    # ── verdict ─────────────────────────────────────────────────────────────────────────────────────────

    def verdict(self) -> Mapping[str, Any]:
        still = sorted(self.standstills)
        return {
            "seed": self.seed,
            "seconds": round(self.seconds),
            "debates": len(self.accepted),
            "ended": dict(self.ended),
            "turns": self.turns,
            "faults": dict(self.suffered.most_common()),
            "lost": self.broken["lost"],
            "doubled": self.broken["doubled"],
            "stuck": self.broken["stuck"],
            "otherwise_wrong": self.broken["other"],
            "standstill_seconds": [round(still[int(share * (len(still) - 1))], 1) for share in (0.5, 0.95, 1)]
            if still
            else [],
            "told": self.told[:20],
        }


def _due(view: Mapping[str, Any], cancelled: bool) -> str:
    """How the debate should have ended. A cancel that came with the last turn may be too late."""
    all_said = view["turns_done"] == view["turns_planned"]
    return "cancelled" if cancelled and not (all_said and view["status"] in ENDED - {"failed"}) else "completed"


def _longest_standstill(transcript: Mapping[str, Any]) -> float:
    begun = [moment(turn["started_at"]) for turn in transcript["turns"]]
    return max((later - earlier for earlier, later in pairwise(begun)), default=0.0)
