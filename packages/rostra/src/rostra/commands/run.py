"""`rostra run`: the debates in files, by the hundred."""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from rostra.client import AsyncClient, RostraError
from rostra.client.calls import Form
from rostra.commands.files import Asked, asked
from rostra.commands.terminal import DONE, WRONG, Wrong, as_line, command, complain, errors, status_of
from rostra.commands.watch import status_of as status_of_debate
from rostra.plain import on_one_line
from rostra.views import DebateView

# Where many are begun, some meet full queues; there is time.
_RETRIES = 10


@command
def run(chosen: argparse.Namespace) -> int:
    """The worst exit status of all its debates."""
    if chosen.out and not chosen.wait:
        raise Wrong("--out writes transcripts, so it needs --wait")
    debates = list(asked(chosen.files))
    names = [one.name for one in debates]
    if chosen.out and len(set(names)) < len(names):
        raise Wrong("two debates would be written under one name; name their files differently")
    return asyncio.run(_run(chosen, debates))


async def _run(chosen: argparse.Namespace, debates: Sequence[Asked]) -> int:
    try:
        client = AsyncClient(retries=_RETRIES)
    except ValueError as error:
        raise Wrong(str(error)) from None
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("debates"), TimeElapsedColumn())
    async with client:
        with Progress(*columns, console=errors(), transient=True) as progress:
            batch = Batch(client, chosen, progress)
            return await batch.of(debates)


class Batch:
    """Debates that are begun side by side, and waited for where that is wanted."""

    def __init__(self, client: AsyncClient, chosen: argparse.Namespace, progress: Progress) -> None:
        self._client = client
        self._waits: bool = chosen.wait
        self._as_json: bool = chosen.json
        self._name: str | None = chosen.batch
        self._out: Path | None = chosen.out
        self._form: Form = chosen.form
        self._room = asyncio.Semaphore(chosen.jobs)
        self._progress = progress

    async def of(self, debates: Sequence[Asked]) -> int:
        task = self._progress.add_task("", total=len(debates))
        statuses = [DONE]
        each = [self._one(*one) for one in zip(debates, self._keys(debates), strict=True)]
        for coming in asyncio.as_completed(each):
            statuses.append(await coming)
            self._progress.advance(task)
        return max(statuses)

    async def _one(self, debate: Asked, key: str | None) -> int:
        async with self._room:
            try:
                view = await self._client.debates.create(self._request(debate), idempotency_key=key)
                if self._waits:
                    view = await self._client.debates.wait(view.id)
                    await self._write(debate, view)
            except (RostraError, OSError, ValueError) as error:
                complain(f"{debate.name}: {error}")
                return status_of(error) if isinstance(error, RostraError) else WRONG
        self._tell(debate, view)
        return status_of_debate(view.status) if self._waits else DONE

    def _request(self, debate: Asked) -> dict[str, object]:
        if not self._name:
            return debate.request
        given = debate.request.get("metadata")
        return {**debate.request, "metadata": {**(given if isinstance(given, dict) else {}), "batch": self._name}}

    def _keys(self, debates: Sequence[Asked]) -> Iterator[str | None]:
        """The same for the same debate of the same batch, and another for each that is there again; of no batch, drawn
        by the client."""
        met: Counter[str] = Counter()
        for debate in debates:
            same = json.dumps([self._name, debate.name, debate.request], sort_keys=True, default=str)  # TOML has dates
            again = f" {met[same]}" if met[same] else ""
            met[same] += 1
            yield hashlib.sha256(f"{same}{again}".encode()).hexdigest() if self._name else None

    async def _write(self, debate: Asked, view: DebateView) -> None:
        if self._out:
            text = await self._client.debates.export(view.id, self._form)
            self._out.mkdir(parents=True, exist_ok=True)
            (self._out / f"{debate.name}.{self._form}").write_bytes(text.encode())

    def _tell(self, debate: Asked, view: DebateView) -> None:
        """One line for each, also while the bar moves on standard error."""
        if self._as_json:
            as_line({"name": debate.name, **view.model_dump(mode="json")})
        else:
            print(on_one_line(f"{view.id} {view.status} {debate.name}"), flush=True)
