"""An examination: the checks in their order, each bounded, and all of them together."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from rostra.doctor import probes
from rostra.doctor.asking import Server
from rostra.doctor.case import Case, Check, Said
from rostra.doctor.checks import bounds, meeting, messages, replay, schemas, streams
from rostra.doctor.dialects import best, fit
from rostra.doctor.report import Finding, Option, Report, Speed, fitness
from rostra.doctor.sampling import Bench
from rostra.doctor.troubles import NoServer, Trouble
from rostra.endpoints import Dialect, Endpoint

SECONDS = 60.0
# The part of the time by which the sampling options are done, so that the checks behind them have their turn.
_SAMPLING = 0.75
_OPTION_SECONDS = 12.0

# What matters most comes first. Prompts that are too long come last: a server may be busy with one for a while.
_BEFORE: Sequence[Check] = (*meeting.BEFORE, *streams.BEFORE, *messages.CHECKS, *bounds.BEFORE)
_BEHIND: Sequence[Check] = (*schemas.CHECKS, *replay.CHECKS, *streams.BEHIND, *meeting.BEHIND, *bounds.CHECKS)


async def examine(endpoint: Endpoint, dialect: Dialect | None = None, seconds: float = SECONDS) -> Report:
    """What the endpoint can and cannot do for debates, found out by asking it; at most so many seconds.

    `dialect` is what it is taken for, if it is. Never raises for what the endpoint does."""
    try:
        server = Server(endpoint)
    except Trouble as trouble:
        return _nowhere(str(trouble))
    async with server:
        return await _Examination(Case(server, dialect), seconds).report()


async def served(endpoint: Endpoint) -> list[str]:
    """The models that the endpoint lists; none where it cannot be asked."""
    with suppress(Trouble):
        async with Server(endpoint) as server:
            return [str(row["id"]) for row in meeting.listed(await server.get("/v1/models")) if row.get("id")]
    return []


class _Examination:
    def __init__(self, case: Case, seconds: float) -> None:
        self._case = case
        self._clock = asyncio.get_running_loop().time
        self._began = self._clock()
        self._seconds = seconds
        self._findings: list[Finding] = []

    async def report(self) -> Report:
        if await self._went_well(_BEFORE):
            await self._try_options()
            self._findings += _promises(self._case)
            await self._went_well(_BEHIND)
        return self._concluded()

    async def _went_well(self, checks: Sequence[Check]) -> bool:
        """Makes the checks; False where there was a fault, and the rest was left."""
        for check in checks:
            said = await self._said(check)
            self._findings.append(
                Finding(name=check.name, title=check.title, grade=said.grade, says=said.says, advice=said.advice)
            )
            if said.grade == "fault":
                return False
        return True

    async def _said(self, check: Check) -> Said:
        until = min(self._clock() + check.seconds, self._began + self._seconds)
        try:
            async with asyncio.timeout_at(until):
                return await check.run(self._case)
        except NoServer as away:
            return Said("fault", str(away))
        except Trouble as trouble:
            return Said("fault" if check.essential else "not shown", str(trouble))
        except TimeoutError:
            if check.essential:
                return Said("fault", "It did not answer in time.", "Look at its log, or give it more time.")
            if self._clock() >= self._began + self._seconds:
                return Said("not checked", "There was no time left.")
            return Said("not shown", f"It took longer than {check.seconds:g} s.")

    async def _try_options(self) -> None:
        bench = Bench(self._case)
        end = self._began + self._seconds * _SAMPLING
        for name in probes.PROBES:
            until = min(self._clock() + _OPTION_SECONDS, end)
            try:
                async with asyncio.timeout_at(until):
                    self._case.options[name] = await probes.tried(name, bench)
            except TimeoutError:
                if self._clock() >= end:
                    return
                self._case.options[name] = Option(name=name, outcome="not shown", sent_as=name, says="it took too long")
            except NoServer:  # as the next check will say
                return

    def _concluded(self) -> Report:
        case = self._case
        return Report(
            seconds=round(self._clock() - self._began, 1),
            fitness=fitness(self._findings),
            server=case.looks_like,
            dialect=best(case.options, case.looks_like),
            context=case.context,
            speed=case.speed,
            findings=self._findings,
            options=[case.options.get(name) or _unchecked(name) for name in probes.PROBES],
            configuration=_configuration(case),
        )


def _nowhere(says: str) -> Report:
    return Report(
        fitness="unfit",
        server=None,
        dialect=None,
        context=None,
        speed=Speed(),
        findings=[Finding(name="reachable", title="Reachable", grade="fault", says=says)],
        options=[_unchecked(name) for name in probes.PROBES],
        configuration={},
    )


def _unchecked(name: str) -> Option:
    return Option(name=name, outcome="not checked", sent_as=name)


def _promises(case: Case) -> Iterator[Finding]:
    """What the dialect promises, the given one or else the best, beside what was seen."""
    better = best(case.options, case.looks_like)
    dialect = case.dialect or better
    if dialect is None:
        return
    broken, unused = fit(dialect, case.options)
    said = Said("good", f"All that the dialect `{dialect}` promises takes effect, as far as it was shown.")
    if broken:
        said = Said(
            "warning",
            f"The dialect `{dialect}` promises what takes no effect here: {', '.join(broken)}.",
            f"Take the dialect `{better}`." if better != dialect else "Leave these options out of debates.",
        )
    elif unused and better != dialect:
        said = Said(
            "note",
            f"The dialect `{dialect}` knows nothing of what works here: {', '.join(unused)}.",
            f"Take the dialect `{better}`.",
        )
    yield Finding(name="dialect", title="Dialect", grade=said.grade, says=said.says, advice=said.advice)


def _configuration(case: Case) -> dict[str, Any]:
    told = {"dialect": best(case.options, case.looks_like), "context": case.context}
    given = {name: value for name, value in told.items() if value is not None}
    if not case.system_role:
        given["system_role"] = False
    if case.begins_answer or case.props.get("continues_answer"):
        given["begins_answer"] = case.begins_answer
    return given
