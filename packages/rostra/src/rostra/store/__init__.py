"""Where debates are kept: Redis. The only package that reads Redis' raw replies.

Each change is one Lua script, so that it happens whole or not at all, and once: a client that lost the
reply may send it again. Keys, all under `rostra:`:

    debate:{id}           hash: the spec, what lists show (status, turns_done, …), whose it is, and who plays it
    debate:{id}:events    stream: what happened; turns at {seq}-0
    debate:{id}:archive   string: the same, compressed, some time after the end
    debate:{id}:deltas    stream: words while they are spoken; capped, expires
    debates, status:{s}   sorted sets of ids, which sort by age
    owner:{o}:debates     the same of one owner, also owner:{o}:{s}; debates that were begun without a key are owner ''s
    waiting               set of owners of queued debates
    served, claims        sorted set: owners by the claim that they last got; how many claims there were
    most_running          how many debates one owner may have played at once, as workers last said
    awaited               sorted set: debates that wait for a person, by the second until which they do
    ended, uncompressed   sorted sets of ended debates by the second of their end
    idempotency:{hash}    hash: which request became which debate; expires
    workers, pools        worker pools that are alive: rostra.store.pools
    key:{id}, keys        API keys: rostra.store.keys
    webhook:{id}, webhooks    how far webhooks are: rostra.store.webhooks
    version               the version of this layout; `upgrade` brings an older one to it

Nothing here hangs on a clock that somebody can set, but what may expire early or late without harm.

Errors:

    StoreError
    ├── NotFound       no such debate
    ├── Conflict       the debate's status does not allow that; `.status` tells which it has
    ├── Unawaited      a person's words are not waited for, or others were given for the turn; `.why` tells
    ├── KeyReused      the idempotency key was used for another request
    ├── QueueFull      too many debates wait
    ├── QuestionsFull  the moderator has put as many questions as may be
    └── Fenced         another process has taken the debate over; stop playing it
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any, cast

from redis.asyncio import Redis

from rostra.agenda import turns_planned
from rostra.events import (
    Answered,
    DebateClaimed,
    DebateCreated,
    DebateEnded,
    DebatePaused,
    DebateReleased,
    DebateResumed,
    Delta,
    Event,
    QuestionPut,
    Recorded,
    TurnAwaited,
    TurnGiven,
    TurnMissed,
    TurnTaken,
    Usage,
    encode,
)
from rostra.models import ENDED, Debate, Status
from rostra.store import archive, records
from rostra.store.connection import connect
from rostra.store.records import (
    Claim,
    Conflict,
    Delivery,
    Fenced,
    Hint,
    KeyReused,
    Look,
    NotFound,
    Page,
    QuestionsFull,
    QueueFull,
    Record,
    Running,
    StorageDown,
    StorageFull,
    StoreError,
    Unawaited,
    WhyUnawaited,
    Wish,
)
from rostra.store.scripts import Scripts
from rostra.version import ROSTRA

__all__ = [
    "RENEW_SECONDS",
    "Claim",
    "Conflict",
    "Delivery",
    "Fenced",
    "Hint",
    "KeyReused",
    "Look",
    "NotFound",
    "Page",
    "QuestionsFull",
    "QueueFull",
    "Record",
    "Running",
    "StorageDown",
    "StorageFull",
    "Store",
    "StoreError",
    "Unawaited",
    "Wish",
    "connect",
]

PREFIX = "rostra:"
VERSION = 2
# How often a lease is renewed. Reapers take a process for dead after four renewals that did not come (rostra.reaper).
RENEW_SECONDS = 2.0
IDEMPOTENCY_SECONDS = 24 * 3600
DELTAS_KEPT = 2000
# A human moderator's, in one debate: each stands in the prompts of those who speak behind it, and in every reading.
MOST_QUESTIONS = 500
# So many debates are read for one page at most, whatever is looked for among them.
MOST_READ = 2000
DELTAS_SECONDS = 600


def _key(debate_id: str, part: str = "") -> str:
    return f"{PREFIX}debate:{debate_id}" + (f":{part}" if part else "")


def _index(owner: str | None, status: Status | None) -> str:
    if owner is not None:
        return f"{PREFIX}owner:{owner}:{status.value if status else 'debates'}"
    return f"{PREFIX}status:{status.value}" if status else f"{PREFIX}debates"


def _hash_of(owner: str, key: str) -> str:
    """Of an idempotency key, in which no line ends, so that no owner's is another's."""
    return hashlib.sha256((f"{owner}\n{key}" if owner else key).encode()).hexdigest() if key else ""


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


class Store:
    """Debates in Redis. Every method may raise `StorageDown` when Redis stays unreachable or refuses writes."""

    def __init__(self, redis: Redis) -> None:
        # redis-py's types allow bytes everywhere; this client decodes, and nothing raw leaves this module.
        self._redis = cast("Any", redis)
        self._run = Scripts(redis).run

    async def close(self) -> None:
        await self._redis.aclose()

    # ── for the API ─────────────────────────────────────────────────────────────────────────────────────

    async def create(
        self,
        debate: Debate,
        *,
        owner: str = "",
        key: str = "",
        request: bytes = b"",
        most: tuple[int, int] = (0, 0),
        carried: Sequence[Event] = (),
    ) -> tuple[str, bool]:
        """Stores a new debate, once for each of an owner's idempotency keys; answers its id and whether it is new.

        `most` bounds the debates that wait, this owner's and all (0: any number). `carried` are the events of another
        debate that it begins with, in order; what they cost was spent there.

        Raises:
            KeyReused: `key` was used within a day for another request.
            QueueFull: so many wait already.
        """
        outcome, debate_id = await self._run(
            "create",
            debate.id,
            debate.model_dump_json(exclude_none=True),
            turns_planned(debate),
            debate.created_at.isoformat(timespec="milliseconds"),
            encode(DebateCreated(at=debate.created_at, forked_from=debate.forked_from)),
            owner,
            _hash_of(owner, key),
            hashlib.sha256(request).hexdigest(),
            IDEMPOTENCY_SECONDS,
            *most,
            int(debate.webhook is not None),
            *chain.from_iterable((_seq(event), encode(event)) for event in carried),
        )
        if outcome == "other":
            raise KeyReused(debate_id)
        _check_room(outcome, most)
        return debate_id, outcome == "created"

    async def known(self, key: str, *, owner: str = "", request: bytes = b"") -> str | None:
        """The id of the debate that this request began before under this idempotency key, if it did; changes nothing.

        Raises:
            KeyReused: `key` was used within a day for another request.
        """
        asked, debate_id = await self._redis.hmget(f"{PREFIX}idempotency:{_hash_of(owner, key)}", "request", "id")
        if asked and asked != hashlib.sha256(request).hexdigest():
            raise KeyReused(debate_id)
        return debate_id

    async def get(self, debate_id: str) -> Record:
        """Raises: NotFound."""
        fields = await self._redis.hgetall(_key(debate_id))
        if not fields:
            raise NotFound(debate_id)
        (record,) = await self._with_deliveries([records.record(fields)])
        return record

    async def _with_deliveries(self, found: list[Record]) -> list[Record]:
        """The same, each with how far its webhook is, if it has one."""
        if not any(record.debate.webhook for record in found):
            return found
        pipe = self._redis.pipeline(transaction=False)
        for record in found:
            pipe.hgetall(f"{PREFIX}webhook:{record.debate.id}")
        answers = await self._redis.bounded(pipe.execute())
        deliveries = [records.delivery(fields) if fields else None for fields in answers]
        return [replace(record, delivery=how) for record, how in zip(found, deliveries, strict=True)]

    async def owner(self, debate_id: str) -> str:
        """Whose the debate is. Raises: NotFound."""
        status, owner = await self._redis.hmget(_key(debate_id), "status", "owner")
        if status is None:
            raise NotFound(debate_id)
        return owner or ""

    async def page(
        self,
        *,
        owner: str | None = None,
        status: Status | None = None,
        metadata: Mapping[str, str] | None = None,
        after: str | None = None,
        limit: int = 20,
    ) -> Page:
        """Debates, of one owner or all, newest first, behind the id `after`.

        `metadata` keeps those that carry all of these values (compared as text); it is matched by reading, and no more
        than `MOST_READ` are read for a page, which may be short then.
        """
        index = _index(owner, status)
        found: list[Record] = []
        read = 0
        async for record in self._newest_first(index, after):
            read += 1
            if records.carries(record.debate, metadata or {}):
                found.append(record)
            if len(found) > limit:
                return Page(found[:limit], found[limit - 1].debate.id)
            if read == MOST_READ:
                return Page(found, record.debate.id)
        return Page(found, None)

    async def _newest_first(self, index: str, after: str | None, batch: int = 100) -> AsyncIterator[Record]:
        upper = f"({after}" if after else "+"
        while ids := await self._redis.zrevrangebylex(index, upper, "-", 0, batch):
            pipe = self._redis.pipeline(transaction=False)
            for debate_id in ids:
                pipe.hgetall(_key(debate_id))
            read = await self._redis.bounded(pipe.execute())
            # Some may have been deleted between the two reads.
            for record in await self._with_deliveries([records.record(fields) for fields in read if fields]):
                yield record
            upper = f"({ids[-1]}"

    async def cancel(self, debate_id: str, reason: str = "cancelled by request") -> bool:
        """Ends the debate, at once or as soon as its worker notices. False if it was cancelled before.

        Raises:
            NotFound: no such debate.
            Conflict: it has ended otherwise.
        """
        event = DebateEnded(status=Status.CANCELLED, reason=reason)
        (outcome, *_) = await self._run("cancel", debate_id, _now(), encode(event), reason)
        return _changed(outcome, unless=Status.CANCELLED, debate_id=debate_id)

    async def pause(self, debate_id: str) -> bool:
        """Stops the debate until it is resumed. False if it is paused already.

        Raises:
            NotFound: no such debate.
            Conflict: it has ended.
        """
        (outcome, *_) = await self._run("pause", debate_id, encode(DebatePaused()))
        return _changed(outcome, unless=Status.PAUSED, debate_id=debate_id)

    async def resume(self, debate_id: str, *, most: tuple[int, int] = (0, 0)) -> int | None:
        """Lets a paused debate go on. Answers the fence to enqueue it under, or None if it runs anyway. `most` bounds
        the debates that wait, its owner's and all (0: any number).

        Raises:
            NotFound: no such debate.
            Conflict: it has ended.
            QueueFull: so many wait already.
        """
        outcome, *fence = await self._run("resume", debate_id, encode(DebateResumed()), *most)
        if outcome == "missing":
            raise NotFound(debate_id)
        _check_room(outcome, most)
        if outcome in {status.value for status in ENDED}:
            raise Conflict(Status(outcome))
        return int(fence[0]) if outcome == "done" else None

    async def give(self, debate_id: str, text: str, seq: int = 0) -> int | None:
        """What a person says in the turn that the debate waits for, `seq` (0: whichever that is).

        Answers the fence to enqueue the debate under, or None if the same words were given for the turn before; without
        `seq`, if they were the last that were given and it waits for none.

        Raises:
            NotFound: no such debate.
            Unawaited: it does not wait for this turn, or has other words for it, or which turn is meant is not clear.
        """
        event = TurnGiven(seq=seq, debater="", text=text)  # the script puts turn and debater in
        outcome, *rest = await self._run("give", debate_id, seq, encode(event))
        if outcome == "missing":
            raise NotFound(debate_id)
        if outcome in {"other", "again", "unawaited"}:
            raise Unawaited(cast("WhyUnawaited", outcome), Status(rest[0]))
        return int(rest[0]) if outcome == "given" else None

    async def ask(self, debate_id: str, text: str, to: str | None = None) -> None:
        """Puts a question of the human moderator's, to a debater or to all, behind the last turn; there the same one
        again is the same.

        Raises:
            NotFound: no such debate.
            Conflict: it has ended.
            QuestionsFull: it has `MOST_QUESTIONS`.
        """
        event = QuestionPut(seq=0, text=text, to=to)  # the script puts the turn in
        (outcome,) = await self._run("ask", debate_id, encode(event), MOST_QUESTIONS)
        if outcome == "missing":
            raise NotFound(debate_id)
        if outcome == "full":
            raise QuestionsFull(f"{MOST_QUESTIONS} questions were put already")
        if outcome != "done":
            raise Conflict(Status(outcome))

    async def delete(self, debate_id: str) -> None:
        """Forgets an ended debate.

        Raises:
            NotFound: no such debate.
            Conflict: it has not ended.
        """
        (outcome,) = await self._run("delete", debate_id)
        if outcome == "missing":
            raise NotFound(debate_id)
        if outcome != "done":
            raise Conflict(Status(outcome))

    async def counts(self) -> dict[Status, int]:
        """How many debates have each status."""
        pipe = self._redis.pipeline(transaction=False)
        for status in Status:
            pipe.zcard(f"{PREFIX}status:{status.value}")
        return dict(zip(Status, await self._redis.bounded(pipe.execute()), strict=True))

    async def check_writable(self) -> None:
        """Raises StorageDown if Redis does not take writes."""
        await self._redis.set(f"{PREFIX}writable", 1, px=1000)

    # ── for the worker ──────────────────────────────────────────────────────────────────────────────────

    async def claim(self, debate_id: str, process: str) -> Claim | str:
        """Takes this debate up as `process`, or says in a word why not: `leased`, `missing`, its status."""
        event = DebateClaimed(fence=0, process=process, rostra=ROSTRA)  # the script puts the fence in
        return records.claim(await self._run("claim", debate_id, process, _now(), encode(event)), process)

    async def claim_next(self, named: str, process: str, *, most: int = 0) -> Claim | str:
        """Takes up the debate that is due, or says `idle`.

        That is `named`, if it has lost its player; else the oldest one that waits, of the owner who has fewest played
        at the moment, and not more than `most` (0: any number).
        """
        event = DebateClaimed(fence=0, process=process, rostra=ROSTRA)
        return records.claim(await self._run("next", named, process, _now(), encode(event), most), process)

    async def renew(self, claim: Claim) -> Wish:
        """Keeps the lease; answers what people wish of the debate. Raises: Fenced."""
        return _wish(await self._run("renew", *_identity(claim)))

    async def append(self, claim: Claim, event: Event, *, usage: Usage | None = None) -> Hint:
        """Adds an event (a turn at its `seq`), and keeps the lease. Sending it twice adds it once.

        Answers what is wished of the debate: after a turn also `yield`, where others have nothing played and this
        debate's owner has several.

        Raises: Fenced.
        """
        seq = _seq(event)
        answered = isinstance(event, Answered)
        spent = usage or Usage()
        tokens = (spent.prompt_tokens, spent.completion_tokens)
        return _hint(await self._run("append", *_identity(claim), seq, int(answered), encode(event), *tokens))

    async def finish(self, claim: Claim, status: Status, reason: str = "") -> None:
        """Ends the debate with its last event. Raises: Fenced."""
        event = DebateEnded(status=status, reason=reason)
        answer = await self._run("finish", *_identity(claim), status.value, reason, _now(), encode(event))
        _not_fenced(answer)

    async def release(self, claim: Claim, reason: str) -> None:
        """Gives the debate back, to be gone on with by another worker. Raises: Fenced."""
        event = DebateReleased(reason=reason)
        _not_fenced(await self._run("release", *_identity(claim), Status.QUEUED.value, encode(event)))

    async def wait_for(self, claim: Claim, seq: int, debater: str, seconds: int) -> Wish:
        """Gives the debate back until somebody speaks as `debater` in the turn `seq`, for so long at most. Where
        something is wished of the debate it is kept, and the wish answered.

        Raises: Fenced.
        """
        now, microseconds = await self._redis.time()
        until = datetime.fromtimestamp(now, UTC) + timedelta(seconds=seconds, microseconds=microseconds)
        event = TurnAwaited(seq=seq, debater=debater, until=until)
        answer = await self._run("wait", *_identity(claim), str(until.timestamp()), encode(event))
        outcome, *wish = _not_fenced(answer)
        return cast("Wish", wish[0]) if outcome == "unwanted" else ""

    async def put_to_rest(self, claim: Claim) -> Wish:
        """Pauses the debate that this process plays, if that is still wished for: answers the wish that counts.

        Raises: Fenced.
        """
        outcome, *wish = _not_fenced(
            await self._run("release", *_identity(claim), Status.PAUSED.value, encode(DebatePaused()))
        )
        return cast("Wish", wish[0]) if outcome == "unwanted" else "pause"

    async def speak(self, claim: Claim, *, seq: int, attempt: int, debater: str, text: str) -> Wish:
        """Shows some words of an attempt to those who watch. They expire; only the turn counts.

        Answers what people wish of the debate, so that a cancel is noticed within words, not seconds.

        Raises: Fenced.
        """
        said = (seq, attempt, debater, text)
        return _wish(await self._run("speak", claim.debate.id, claim.fence, DELTAS_KEPT, DELTAS_SECONDS, *said))

    async def bury(self, debate_id: str, process: str = "", *, beat: int | None = None) -> int | None:
        """Drops the lease of a process that is dead, by the beginning of its name, or by the beat at which it stopped.

        Answers the fence to enqueue the debate under, or None if that process does not hold it. The claim
        still counts as one that ended without a turn.
        """
        fence = await self._run("bury", debate_id, process, "" if beat is None else beat)
        return int(fence[0]) if fence else None

    async def bury_all(self, process: str) -> list[tuple[str, int]]:
        """`bury` for whatever that process held: the debates' ids and next fences."""
        held = [debate.id for debate in (await self.look()).running if debate.is_held]
        return [(debate_id, fence) for debate_id in held if (fence := await self.bury(debate_id, process)) is not None]

    async def fullness(self) -> float:
        """The share of Redis' `maxmemory` that is taken, from 0 to 1 and a little more; 0 where there is no bound."""
        return records.fullness(await self._redis.info("memory"))

    # ── for the reaper, and for those who tidy up ───────────────────────────────────────────────────────

    async def look(self) -> Look:
        """What waits and what runs. Raises StorageDown also where Redis is full, since nobody can renew then."""
        return records.look(await self._run("look"))

    async def miss(self) -> list[tuple[str, int]]:
        """Lets debates go on whose person gave no words in time: their ids and next fences."""
        missed = await self._run("miss", encode(TurnMissed(seq=0, debater="")))
        return [(debate_id, int(fence)) for debate_id, fence in missed]

    async def ended_before(self, seconds: float, *, uncompressed: bool = False, limit: int = 2000) -> list[str]:
        """Ids of debates that ended before this second since 1970, the oldest first."""
        index = f"{PREFIX}{'uncompressed' if uncompressed else 'ended'}"
        return await self._redis.zrangebyscore(index, "-inf", f"({seconds}", 0, limit)

    async def compress(self, debate_id: str) -> None:
        """Keeps an ended debate's events compressed from now on; readers notice nothing."""
        rows = await self._redis.xrange(_key(debate_id, "events"))
        if rows:
            await self._run("archive", debate_id, len(rows), archive.packed(rows))

    async def upgrade(self) -> int:
        """Brings what an older release stored to this layout; answers how many debates were changed. Harmless when
        several do it at once, or again."""
        if int(await self._redis.get(f"{PREFIX}version") or 1) >= VERSION:
            return 0
        ids: list[str] = await self._redis.zrange(f"{PREFIX}debates", 0, -1)
        for debate_id in ids:
            ended = records.moment(await self._redis.hget(_key(debate_id), "ended_at"))
            await self._run("upgrade", debate_id, int(ended.timestamp()) if ended else "")
        await self._redis.delete(f"{PREFIX}live")
        await self._redis.set(f"{PREFIX}version", VERSION)
        return len(ids)

    # ── for readers ─────────────────────────────────────────────────────────────────────────────────────

    async def events(self, debate_id: str, after: str = "0-0", limit: int | None = None) -> list[Recorded]:
        """The events behind the id `after`, in order."""
        rows = await self._redis.xrange(_key(debate_id, "events"), f"({after}", "+", limit)
        if not rows and (kept := await self._redis.get(_key(debate_id, "archive"))):
            rows = archive.unpacked(kept, after, limit)
        return [records.recorded(row) for row in rows]

    async def newest(self, debate_id: str) -> Recorded | None:
        """The last event."""
        rows = await self._redis.xrevrange(_key(debate_id, "events"), count=1)
        return records.recorded(rows[0]) if rows else None

    async def newest_words(self, debate_id: str) -> Delta | None:
        """All words of the last attempt so far, under the id of the last ones."""
        rows = await self._redis.xrevrange(_key(debate_id, "deltas"), count=DELTAS_KEPT)
        return records.joined(records.delta(row) for row in reversed(rows))

    async def news(
        self, positions: Mapping[str, tuple[str, str]], block_ms: int
    ) -> dict[str, tuple[list[Recorded], list[Delta]]]:
        """Waits up to `block_ms` for something new in any of these debates.

        `positions` holds, by debate id, the last event's and the last delta's id that are known.
        """
        streams: dict[str, str] = {}
        for debate_id, (event_id, delta_id) in positions.items():
            streams[_key(debate_id, "events")] = event_id
            streams[_key(debate_id, "deltas")] = delta_id
        answer = await self._redis.xread(cast("Any", streams), count=500, block=block_ms)
        rows = dict(records.rows_by_key(answer))
        return {
            debate_id: (
                [records.recorded(row) for row in rows.get(_key(debate_id, "events"), [])],
                [records.delta(row) for row in rows.get(_key(debate_id, "deltas"), [])],
            )
            for debate_id in positions
            if _key(debate_id, "events") in rows or _key(debate_id, "deltas") in rows
        }


def _check_room(outcome: str, most: tuple[int, int]) -> None:
    if outcome in {"full of own", "full"}:
        own = outcome == "full of own"
        raise QueueFull(most[0] if own else most[1], own=own)


def _seq(event: Event) -> int:
    """Where a turn stands in the stream; 0 of what stands behind the last one."""
    return event.seq if isinstance(event, TurnTaken) else 0


def _identity(claim: Claim) -> tuple[str, int, str]:
    return claim.debate.id, claim.fence, claim.process


def _not_fenced(answer: list[Any]) -> list[Any]:
    if answer[0] == "fenced":
        raise Fenced("another process has taken the debate over")
    return answer


def _wish(answer: list[Any]) -> Wish:
    return cast("Wish", _not_fenced(answer)[1])


def _hint(answer: list[Any]) -> Hint:
    return cast("Hint", _not_fenced(answer)[1])


def _changed(outcome: str, *, unless: Status, debate_id: str) -> bool:
    if outcome == "missing":
        raise NotFound(debate_id)
    if outcome in {"asked", "done"}:
        return True
    if outcome == unless.value:
        return False
    raise Conflict(Status(outcome))
