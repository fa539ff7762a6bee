"""Everything that is worth keeping, as lines that no version of Redis is needed to read.

    {"kind": "rostra-backup", "v": 1, "at": …}                       the head
    {"kind": "debate", "id": …, "fields": {…}, "webhook": {…}, "events": [[id, event], …]}
    {"kind": "hash", "key": …, "fields": {…}, "expires_at": …}         API keys, idempotency keys
    {"kind": "sorted_set", "key": …, "members": {…}}                   the index of API keys
    {"kind": "end", "lines": n, "sha256": …}                          over all lines before it

gzipped. Each debate is read in one transaction, so it is whole, at one moment; others go on meanwhile. Indexes are not
in it: restoring makes them anew, by the functions that the other scripts use.

Errors:

    BackupError     the file is not a whole backup, or the store is not empty
"""

from __future__ import annotations

import gzip
import hashlib
import json
import time
import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from importlib.resources import files
from typing import IO, Any, cast

from redis.asyncio import Redis

from rostra.events import DebateReleased, encode
from rostra.models import ENDED, Status
from rostra.store import NotFound, Store, archive, records

VERSION = 1
_P = "rostra:"
_BATCH = 100
# What is kept beside debates: hashes by the beginning of their names, and the sorted set that indexes one kind.
_REQUESTS = f"{_P}idempotency:"
_HASHES = (f"{_P}key:", _REQUESTS)
_INDEXES = (f"{_P}keys",)


class BackupError(Exception):
    """This cannot be restored, or not here; the message says why."""


Line = dict[str, Any]


class Backups:
    """Reads and writes whole stores. Every method may raise `StorageDown`."""

    def __init__(self, redis: Redis) -> None:
        self._redis = cast("Any", redis)
        folder = files("rostra.store")
        source = (folder / "prelude.lua").read_text("utf-8") + (folder / "restore.lua").read_text("utf-8")
        self._script = self._redis.register_script(source)

    async def write(self, file: IO[bytes]) -> int:
        """Writes a backup; answers how many debates it has."""
        debates = lines = 0
        digest = hashlib.sha256()
        with gzip.GzipFile(fileobj=file, mode="wb", mtime=0) as packed:
            async for line in self._lines():
                text = _text(line)
                packed.write(text)
                digest.update(text)
                lines += 1
                debates += line["kind"] == "debate"
            packed.write(_text({"kind": "end", "lines": lines, "sha256": digest.hexdigest()}))
        file.flush()
        return debates

    async def _lines(self) -> AsyncIterator[Line]:
        yield {"kind": "rostra-backup", "v": VERSION, "at": datetime.now(UTC).isoformat(timespec="milliseconds")}
        written: set[str] = set()
        async for debate_id in self._ids():
            if line := await self._debate(debate_id):
                written.add(debate_id)
                yield line
        for index in _INDEXES:
            if members := await self._redis.zrange(index, 0, -1, withscores=True):
                yield {"kind": "sorted_set", "key": index, "members": dict(members)}
        for beginning in _HASHES:
            async for key in self._redis.scan_iter(f"{beginning}*", count=1000):
                line = await self._hash(key)
                # A request that became a debate only now: sent again after a restore, it must become one.
                if line and not (beginning == _REQUESTS and line["fields"]["id"] not in written):
                    yield line

    async def _ids(self) -> AsyncIterator[str]:
        """All debates, the oldest first; those that begin meanwhile are among them."""
        behind = "-"
        while ids := await self._redis.zrangebylex(f"{_P}debates", behind, "+", 0, _BATCH):
            for debate_id in ids:
                yield debate_id
            behind = f"({ids[-1]}"

    async def _debate(self, debate_id: str) -> Line | None:
        key = f"{_P}debate:{debate_id}"
        pipe = self._redis.pipeline(transaction=True)
        pipe.hgetall(key).xrange(f"{key}:events").get(f"{key}:archive").hgetall(f"{_P}webhook:{debate_id}")
        fields, rows, kept, webhook = await self._redis.bounded(pipe.execute())
        if not fields:  # deleted since its id was read
            return None
        events = [[row_id, row["event"]] for row_id, row in rows or (archive.unpacked(kept) if kept else [])]
        of_webhook = {"webhook": webhook} if webhook else {}
        return {"kind": "debate", "id": debate_id, "fields": fields, **of_webhook, "events": events}

    async def _hash(self, key: str) -> Line | None:
        pipe = self._redis.pipeline(transaction=True)
        pipe.hgetall(key).pttl(key)
        fields, left = await self._redis.bounded(pipe.execute())
        if not fields:
            return None
        expires = {"expires_at": time.time() + left / 1000} if left >= 0 else {}
        return {"kind": "hash", "key": key, "fields": fields, **expires}

    async def restore(self, file: IO[bytes], *, merge: bool = False) -> tuple[int, int]:
        """Puts back what the file has; answers how many debates, and how many were there and so were left alone.

        The file is read twice: nothing is written unless all of it is there.

        Raises:
            BackupError: it is no whole backup; or there are debates, and `merge` is not said.
        """
        file.seek(0)
        for _ in checked(file):
            pass
        await self._check_empty(merge)
        restored = there = 0
        file.seek(0)
        for line in checked(file):
            done = await self._restore_line(line)
            restored, there = restored + (done is True), there + (done is False)
        return restored, there

    async def receive(self, stream: IO[bytes], *, merge: bool = False) -> tuple[int, int]:
        """As `restore`, from what can be read but once and need fit nowhere.

        Ended debates are put back as they come. What somebody would work with at once, debates that have not ended and
        keys, waits in memory until all was there. If not all was, what had been put back is taken away again.
        """
        await self._check_empty(merge)
        restored: list[str] = []
        there, waiting = 0, list[bytes]()
        try:
            for line in checked(stream):
                if line["kind"] != "debate" or Status(line["fields"]["status"]) not in ENDED:
                    waiting.append(zlib.compress(_text(line)))
                elif await self._restore_debate(line):
                    restored.append(line["id"])
                else:
                    there += 1
        except BackupError:
            await self._take_away(restored)
            raise
        for packed in waiting:
            line = _line(zlib.decompress(packed))
            done = await self._restore_line(line)
            restored += [line["id"]] if done else []
            there += done is False
        return len(restored), there

    async def _take_away(self, debate_ids: list[str]) -> None:
        store = Store(self._redis)
        for debate_id in debate_ids:
            with suppress(NotFound):  # somebody deleted it meanwhile
                await store.delete(debate_id)

    async def _check_empty(self, merge: bool) -> None:
        if not merge and await self._redis.exists(f"{_P}debates", *_INDEXES):
            raise BackupError(
                "there are debates or keys here already; --merge keeps them, and adds those of the backup"
            )

    async def _restore_line(self, line: Line) -> bool | None:
        """Whether the debate that it holds was put back now; None where it holds none."""
        match line["kind"]:
            case "debate":
                return await self._restore_debate(line)
            case "hash":
                await self._restore_hash(line)
            case "sorted_set":
                await self._redis.zadd(line["key"], line["members"], nx=True)
            case _:
                pass
        return None

    async def _restore_debate(self, line: Line) -> bool:
        fields: dict[str, str] = line["fields"]
        status, event = Status(fields["status"]), ""
        if status in {Status.RUNNING, Status.WAITING}:  # a person is asked anew, with all of their time
            status, event = Status.QUEUED, encode(DebateReleased(reason="restored from a backup"))
        # `move` makes the status; the player is gone with the old store.
        ended = records.moment(fields.get("ended_at"))
        kept = {name: value for name, value in fields.items() if name not in {"status", "lease", "awaits"}}
        words: list[str | int] = [line["id"], status.value, int(ended.timestamp()) if ended else "", event, len(kept)]
        words += [word for pair in kept.items() for word in pair]
        webhook: dict[str, str] = line.get("webhook", {})
        words += [len(webhook), *(word for pair in webhook.items() for word in pair)]
        words += [word for row in line["events"] for word in row]
        return (await self._script(args=words))[0] == "done"

    async def _restore_hash(self, line: Line) -> None:
        key, expires = line["key"], line.get("expires_at")
        if (expires and expires <= time.time()) or await self._redis.exists(key):
            return
        pipe = self._redis.pipeline(transaction=True)
        pipe.hset(key, mapping=line["fields"])
        if expires:
            pipe.pexpireat(key, int(expires * 1000))
        await self._redis.bounded(pipe.execute())


def _text(line: Line) -> bytes:
    return json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def checked(file: IO[bytes]) -> Iterator[Line]:
    """The lines of a backup, which need not be seekable; that it is whole is known at the last one.

    Raises:
        BackupError: it is none, a newer release wrote it, or a part of it is missing or changed.
    """
    digest, count, ended = hashlib.sha256(), 0, False
    try:
        with gzip.GzipFile(fileobj=file, mode="rb") as unpacked:
            for text in unpacked:
                line = _line(text)
                if ended:
                    raise BackupError("something stands behind the backup's end")
                if count == 0:
                    _check_head(line)
                if line["kind"] == "end":
                    ended = True
                    if line["lines"] != count or line["sha256"] != digest.hexdigest():
                        raise BackupError("the backup was changed or a part of it is missing")
                    continue
                digest.update(text)
                count += 1
                yield line
    except (OSError, EOFError, zlib.error) as error:
        raise BackupError(f"the backup cannot be read to its end: {error}") from None
    if not ended:
        raise BackupError("the backup has no end: a part of it is missing")


def _line(text: bytes) -> Line:
    try:
        line = json.loads(text)
        if isinstance(line, dict) and isinstance(line["kind"], str):
            return cast("Line", line)
    except (ValueError, KeyError):
        pass
    raise BackupError("this is no backup of Rostra's")


def _check_head(line: Line) -> None:
    if line["kind"] != "rostra-backup":
        raise BackupError("this is no backup of Rostra's")
    if line["v"] > VERSION:
        raise BackupError(f"a newer release wrote this backup (version {line['v']}; this one reads {VERSION})")
