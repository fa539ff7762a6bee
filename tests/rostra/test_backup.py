"""A backup holds what is worth keeping, and says when it does not."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import io
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Sized
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from builders import a_debate, a_turn, claimed
from conftest import as_user
from rostra.events import DebateReleased
from rostra.models import ForkedFrom, Status
from rostra.store import Claim, Store, connect
from rostra.store.backup import BackupError, Backups, checked
from rostra.store.webhooks import Webhooks
from rostra.transcript import fold

ROSTRA = Path(sys.executable).with_name("rostra")


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    """As the API enters, in whose container backups are made."""
    async with connect(as_user("api", redis_url)) as redis:
        yield redis


async def an_ended_debate(store: Store, owner: str = "") -> str:
    debate = a_debate(rounds=1)
    await store.create(debate, owner=owner)
    claim = await store.claim(debate.id, "worker:1")
    assert isinstance(claim, Claim)
    await store.append(claim, a_turn(1, "d1", "Tabs\u2028are 一つ byte."))
    await store.append(claim, a_turn(2, "d2"))
    await store.finish(claim, Status.COMPLETED)
    return debate.id


async def a_backup(redis: Redis) -> io.BytesIO:
    file = io.BytesIO()
    await Backups(redis).write(file)
    return file


# Sorted by Redis' second of an end, which may be the one after the debate's own: that one a backup has.
SECONDS = ("ended", "uncompressed")


async def snapshot(redis_url: str) -> dict[str, object]:
    """Everything under Rostra's name but what is counted in time, as one may compare it."""
    async with connect(redis_url) as anybody:
        kept: dict[str, object] = {}
        async for key in anybody.scan_iter("rostra:*"):
            read = {
                "hash": lambda key=key: anybody.hgetall(key),
                "stream": lambda key=key: anybody.xrange(key),
                "zset": lambda key=key: anybody.zrange(key, 0, -1, withscores=not key.endswith(SECONDS)),
                "set": lambda key=key: anybody.smembers(key),
                "string": lambda key=key: anybody.get(key),
            }[await anybody.type(key)]
            kept[key] = await read()
        return kept


async def forget_everything(redis_url: str) -> None:
    async with connect(redis_url) as anybody:
        await anybody.flushall()


async def test_what_comes_back_is_what_was_there(store: Store, redis: Redis, redis_url: str):
    await an_ended_debate(store)
    await an_ended_debate(store, owner="ada")
    paused = await claimed(store, a_debate())
    await store.append(paused, a_turn(1))
    await store.pause(paused.debate.id)
    await store.put_to_rest(paused)
    await store.create(a_debate(), owner="grace", key="once", request=b"{}")
    await redis.hset("rostra:key:1", mapping={"owner": "ada", "hash": "abc"})
    await redis.zadd("rostra:keys", {"1": 1700000000})
    before = await snapshot(redis_url)
    file = await a_backup(redis)
    await forget_everything(redis_url)
    assert await Backups(redis).restore(file) == (4, 0)
    assert await snapshot(redis_url) == {key: value for key, value in before.items() if not key.endswith("looked")}
    async with connect(redis_url) as anybody:
        (key,) = [key async for key in anybody.scan_iter("rostra:idempotency:*")]
        assert 23 * 3600 < await anybody.ttl(key) <= 24 * 3600


async def test_a_webhook_goes_on_from_where_it_was(store: Store, redis: Redis, redis_url: str):
    webhooks, rules = Webhooks(redis), {"url": "https://hooks.example/"}
    waits = (await claimed(store, a_debate(webhook=rules))).debate.id
    done = await claimed(store, a_debate(webhook=rules))
    await store.finish(done, Status.CANCELLED)
    assert set(await webhooks.claim(10, 60)) == {waits, done.debate.id}
    await webhooks.move(waits, "0-1", "0-2", taken=True, seconds=60)
    await webhooks.note_failure(done.debate.id, "0-1", 3, "it answered 410", None)
    before = {debate_id: (await store.get(debate_id)).delivery for debate_id in (waits, done.debate.id)}
    file = await a_backup(redis)
    await forget_everything(redis_url)
    await Backups(redis).restore(file)
    assert {debate_id: (await store.get(debate_id)).delivery for debate_id in before} == before
    assert await webhooks.claim(10, 60) == [waits]


async def test_a_compressed_debate_is_written_out_and_comes_back_as_it_reads(
    store: Store, redis: Redis, redis_url: str
):
    debate_id = await an_ended_debate(store)
    before = await store.events(debate_id)
    await store.compress(debate_id)
    file = await a_backup(redis)
    assert b'"archive"' not in gzip.decompress(file.getvalue())
    await forget_everything(redis_url)
    await Backups(redis).restore(file)
    assert await store.events(debate_id) == before
    assert await store.ended_before(2**40, uncompressed=True) == [debate_id]


async def test_what_ran_waits_for_a_worker_and_is_played_on(store: Store, redis: Redis, redis_url: str):
    old = await claimed(store, a_debate(rounds=2))
    await store.append(old, a_turn(1))
    before = await store.events(old.debate.id)
    file = await a_backup(redis)
    await forget_everything(redis_url)
    await Backups(redis).restore(file)
    after = await store.events(old.debate.id)
    assert after[:-1] == before
    assert isinstance(after[-1].event, DebateReleased)
    assert (await store.get(old.debate.id)).status is Status.QUEUED
    heir = await store.claim_next("", "worker:2")
    assert isinstance(heir, Claim)
    assert (heir.debate, heir.fence, heir.stalls) == (old.debate, old.fence + 1, 1)
    await store.append(heir, a_turn(2, "d2"))


async def test_who_was_waited_for_is_asked_anew(store: Store, redis: Redis, redis_url: str):
    old = await claimed(store, a_debate(rounds=2))
    await store.wait_for(old, 1, "d1", 0)
    given = await claimed(store, a_debate(rounds=2))
    await store.wait_for(given, 1, "d1", 600)
    await store.give(given.debate.id, "Tabs.", 1)
    file = await a_backup(redis)
    await forget_everything(redis_url)
    await Backups(redis).restore(file)
    record = await store.get(old.debate.id)
    assert (record.status, record.awaits) == (Status.QUEUED, None)
    assert await store.miss() == []
    now = fold(recorded.event for recorded in await store.events(old.debate.id))
    assert (now.status, now.given, now.missed) == (Status.QUEUED, None, None)
    assert await store.give(given.debate.id, "Tabs.", 1) is None


async def test_a_fork_comes_back_without_the_debate_that_it_came_from(store: Store, redis: Redis, redis_url: str):
    original = await an_ended_debate(store)
    fork = a_debate(rounds=2).model_copy(update={"forked_from": ForkedFrom(id=original, after_turn=1)})
    await store.create(fork, carried=[a_turn(1, "d1", "Tabs\u2028are 一つ byte.")])
    await store.delete(original)
    before = await snapshot(redis_url)
    file = await a_backup(redis)
    await forget_everything(redis_url)
    assert await Backups(redis).restore(file) == (1, 0)
    assert await snapshot(redis_url) == before
    heir = await store.claim(fork.id, "worker:2")
    assert isinstance(heir, Claim)
    assert heir.debate == fork
    await store.append(heir, a_turn(2, "d2"))


async def test_a_backup_under_load_has_a_whole_beginning_of_every_debate(store: Store, redis: Redis, redis_url: str):
    claims = [await claimed(store, a_debate(rounds=50)) for _ in range(5)]

    async def play(claim: Claim) -> None:
        for seq in range(1, 101):
            await store.append(claim, a_turn(seq, f"d{2 - seq % 2}"))
        await store.finish(claim, Status.COMPLETED)

    playing = asyncio.gather(*(play(claim) for claim in claims))
    await asyncio.sleep(0.05)
    file = await a_backup(redis)
    await playing
    whole = {claim.debate.id: list(await store.events(claim.debate.id)) for claim in claims}
    await forget_everything(redis_url)
    assert (await Backups(redis).restore(file))[0] == 5
    for debate_id, events in whole.items():
        restored = await store.events(debate_id)
        record = await store.get(debate_id)
        known = restored if record.status is Status.COMPLETED else restored[:-1]
        assert known == events[: len(known)]
        assert record.turns_done == sum(type(r.event).__name__ == "TurnTaken" for r in known)


async def test_it_is_not_restored_over_what_is_there_unless_that_is_said(store: Store, redis: Redis, redis_url: str):
    debate_id = await an_ended_debate(store)
    file = await a_backup(redis)
    await store.delete(debate_id)
    other = await claimed(store, a_debate())
    with pytest.raises(BackupError, match="--merge"):
        await Backups(redis).restore(file)
    assert await Backups(redis).restore(file, merge=True) == (1, 0)
    assert await Backups(redis).restore(file, merge=True) == (0, 1)
    assert (await store.get(other.debate.id)).status is Status.RUNNING
    assert len((await store.page()).records) == 2


class Once(io.RawIOBase):
    """A stream, as a pipe is: it goes by once, a little at a time."""

    def __init__(self, content: bytes) -> None:
        self._rest = content

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._rest[: min(len(buffer), 1000)]
        self._rest = self._rest[len(piece) :]
        buffer[: len(piece)] = piece
        return len(piece)


async def put_back(redis: Redis, content: bytes, *, streamed: bool) -> tuple[int, int]:
    if streamed:
        return await Backups(redis).receive(io.BufferedReader(Once(content)))
    return await Backups(redis).restore(io.BytesIO(content))


async def test_from_a_stream_comes_back_what_comes_back_from_a_file(store: Store, redis: Redis, redis_url: str):
    await an_ended_debate(store, "ada")
    await an_ended_debate(store)
    await claimed(store, a_debate())
    await store.create(a_debate(), key="once", request=b"{}")
    content = (await a_backup(redis)).getvalue()
    found = []
    for streamed in (False, True):
        await forget_everything(redis_url)
        assert await put_back(redis, content, streamed=streamed) == (4, 0)
        found.append(without_times(await snapshot(redis_url)))
    assert found[0] == found[1]
    assert await Backups(redis).receive(Once(content), merge=True) == (0, 4)


def without_times(kept: dict[str, object]) -> dict[str, object]:
    """But for the event that says when a debate was restored."""
    return {n: len(v) if n.endswith(":events") and isinstance(v, Sized) else v for n, v in kept.items()}


def changed(file: io.BytesIO, old: bytes, new: bytes) -> bytes:
    text = gzip.decompress(file.getvalue())
    assert old in text
    return gzip.compress(text.replace(old, new, 1))


@pytest.mark.parametrize("streamed", [False, True])
async def test_what_is_not_whole_is_refused_and_nothing_of_it_stays(
    store: Store, redis: Redis, redis_url: str, streamed: bool
):
    await an_ended_debate(store)
    await store.create(a_debate())
    file = await a_backup(redis)
    await forget_everything(redis_url)
    lines = gzip.decompress(file.getvalue()).splitlines(keepends=True)
    broken = {
        "cut short": file.getvalue()[:-20],
        "without its end": gzip.compress(b"".join(lines[:-1])),
        "a line missing": gzip.compress(lines[0] + lines[-1]),
        "a letter changed": changed(file, b"Tabs beat spaces", b"Tabs beat spades"),
        "something behind the end": gzip.compress(b"".join([*lines, lines[1]])),
        "no backup": gzip.compress(b'{"kind": "debate"}\n'),
        "no JSON": gzip.compress(b"hello\n"),
        "no gzip": b"hello",
        "nothing": b"",
        "of a newer release": changed(file, b'"v":1', b'"v":2'),
    }
    taken = []
    for what, content in broken.items():
        try:
            await put_back(redis, content, streamed=streamed)
        except BackupError:
            continue
        taken.append(what)
    assert taken == []
    assert await snapshot(redis_url) == {}


async def test_idempotency_keys_that_have_expired_meanwhile_stay_away(store: Store, redis: Redis, redis_url: str):
    await store.create(a_debate(), key="once", request=b"{}")
    head, debate, key = checked(io.BytesIO((await a_backup(redis)).getvalue()))
    key["expires_at"] = 1_700_000_000
    await forget_everything(redis_url)
    lines = [json.dumps(line).encode() + b"\n" for line in (head, debate, key)]
    end = {"kind": "end", "lines": 3, "sha256": hashlib.sha256(b"".join(lines)).hexdigest()}
    whole = gzip.compress(b"".join(lines) + json.dumps(end).encode() + b"\n")
    assert await Backups(redis).restore(io.BytesIO(whole)) == (1, 0)
    assert not [name for name in await snapshot(redis_url) if "idempotency" in name]


class TestCommands:
    def run(self, redis_url: str, *arguments: str | Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        environment = {**os.environ, "ROSTRA_REDIS_URL": redis_url}
        return subprocess.run([ROSTRA, *arguments], env=environment, input=stdin, capture_output=True, check=False)

    async def test_to_a_file_and_back(self, store: Store, redis_url: str, tmp_path: Path):
        debate_id = await an_ended_debate(store)
        before = await store.events(debate_id)
        file = tmp_path / "rostra.jsonl.gz"
        assert self.run(redis_url, "backup", file).returncode == 0
        assert file.stat().st_mode & 0o077 == 0
        assert os.listdir(tmp_path) == [file.name]
        again = self.run(redis_url, "restore", file)
        assert again.returncode == 1
        assert b"--merge" in again.stderr
        await forget_everything(redis_url)
        assert self.run(redis_url, "restore", file).stderr == b"1 debates restored\n"
        assert await store.events(debate_id) == before

    async def test_through_pipes(self, store: Store, redis_url: str):
        debate_id = await an_ended_debate(store)
        before = await store.events(debate_id)
        written = self.run(redis_url, "backup", "-")
        await forget_everything(redis_url)
        assert self.run(redis_url, "restore", "-", stdin=written.stdout).returncode == 0
        assert await store.events(debate_id) == before

    def test_what_cannot_be_is_said(self, redis_url: str, tmp_path: Path):
        assert b"cannot write" in self.run(redis_url, "backup", tmp_path / "none" / "file").stderr
        assert b"cannot read" in self.run(redis_url, "restore", tmp_path / "none").stderr
        (tmp_path / "file").write_bytes(b"hello")
        refused = self.run(redis_url, "restore", tmp_path / "file")
        assert refused.returncode == 1
        assert refused.stderr.startswith(b"rostra: ")
