"""What the store answers with, and how it is read from Redis' replies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, cast

from redis.exceptions import OutOfMemoryError, RedisError

from rostra.events import Delta, Recorded, TurnAwaited, Usage, decode
from rostra.models import Debate, Status

Wish = Literal["", "cancel", "pause"]  # of people
Hint = Wish | Literal["yield"]  # or of the store itself, which shares the workers between owners

StorageDown = RedisError
StorageFull = OutOfMemoryError  # one way of being down: what is there can be read and deleted


class StoreError(Exception):
    """Something that the store refuses to do."""


class NotFound(StoreError):
    """There is no such debate."""


class KeyReused(StoreError):
    """The idempotency key was used for another request."""


class QueueFull(StoreError):
    """As many debates wait as may, of this owner (`own`) or in all."""

    def __init__(self, most: int, *, own: bool) -> None:
        super().__init__(f"{most} debates wait already")
        self.most = most
        self.own = own


class QuestionsFull(StoreError):
    """The moderator has put as many questions as may be."""


class Fenced(StoreError):
    """Another process has taken the debate over, or it was ended, paused or deleted meanwhile."""


# The debate does not wait for these words; has `other` ones for the turn; or had them last, `again`, and waits for the
# next turn: which one is meant is not said.
WhyUnawaited = Literal["unawaited", "other", "again"]


class Unawaited(StoreError):
    """A person's words are not taken."""

    def __init__(self, why: WhyUnawaited, status: Status) -> None:
        super().__init__(f"{why}: the debate is {status.value}")
        self.why: WhyUnawaited = why
        self.status = status


class Conflict(StoreError):
    """The debate's status does not allow that."""

    def __init__(self, status: Status) -> None:
        super().__init__(f"the debate is {status.value}")
        self.status = status


@dataclass(frozen=True, slots=True)
class Delivery:
    """How far a debate's webhook is: the last event that it is done with, how many messages were taken, how often the
    next one was tried in vain, and why it was not taken last."""

    status: Literal["pending", "delivered", "failed"] = "pending"
    cursor: str = "0-0"
    taken: int = 0
    tries: int = 0
    error: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """A debate and the derived fields that lists show."""

    debate: Debate
    owner: str
    status: Status
    reason: str
    turns_done: int
    turns_planned: int
    started_at: datetime | None
    ended_at: datetime | None
    usage: Usage
    wish: Wish
    awaits: TurnAwaited | None = None
    delivery: Delivery | None = None  # where the debate has a webhook


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to play a debate, as long as the lease is renewed. `stalls` counts claims since the last
    turn or answer."""

    debate: Debate
    fence: int
    process: str
    stalls: int
    wish: Wish


@dataclass(frozen=True, slots=True)
class Running:
    """A debate that runs: the fence of its last claim, whether somebody holds it, and the beat of the lease, which
    stands still when its holder does."""

    id: str
    fence: int
    is_held: bool
    beat: int


@dataclass(frozen=True, slots=True)
class Look:
    """How many debates wait, the oldest of them, and all that run."""

    waiting: int
    oldest: Sequence[str]
    running: Sequence[Running]


@dataclass(frozen=True, slots=True)
class Page:
    """Some debates, newest first; `next_cursor` is None on the last page."""

    records: Sequence[Record]
    next_cursor: str | None


# ── Redis' replies ──────────────────────────────────────────────────────────────────────────────────────


def debate(spec: str) -> Debate:
    """A stored debate; what a newer release added to it, at any depth, is passed over."""
    return Debate.model_validate_json(spec, extra="ignore")


def record(fields: Mapping[str, str]) -> Record:
    return Record(
        debate=debate(fields["spec"]),
        owner=fields.get("owner", ""),
        status=Status(fields["status"]),
        reason=fields.get("reason", ""),
        turns_done=int(fields["turns_done"]),
        turns_planned=int(fields["turns_planned"]),
        started_at=moment(fields.get("started_at")),
        ended_at=moment(fields.get("ended_at")),
        usage=Usage(
            prompt_tokens=int(fields.get("prompt_tokens", 0)),
            completion_tokens=int(fields.get("completion_tokens", 0)),
        ),
        wish=cast("Wish", fields.get("wish", "")),
        awaits=TurnAwaited.model_validate_json(fields["awaits"]) if fields.get("awaits") else None,
    )


def delivery(fields: Mapping[str, str]) -> Delivery:
    return Delivery(
        status=cast("Any", fields["status"]),
        cursor=fields["cursor"],
        taken=int(fields.get("taken", 0)),
        tries=int(fields.get("tries", 0)),
        error=fields.get("error", ""),
    )


def claim(answer: Sequence[Any], process: str) -> Claim | str:
    outcome, *rest = answer
    if outcome != "claimed":
        return str(outcome)
    fence, stalls, wish, spec = rest
    return Claim(debate(spec), int(fence), process, int(stalls), wish)


def look(answer: Sequence[Any]) -> Look:
    waiting, oldest, running = answer
    return Look(
        int(waiting), oldest, [Running(i, int(fence), bool(held), int(beat)) for i, fence, held, beat in running]
    )


def fullness(memory: Mapping[str, Any]) -> float:
    """What counts against `maxmemory`: all but the buffers of the log and of replicas."""
    most = int(memory.get("maxmemory", 0))
    counted = int(memory["used_memory"]) - int(memory.get("mem_not_counted_for_evict", 0))
    return counted / most if most else 0.0


def moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def carries(debate: Debate, wanted: Mapping[str, str]) -> bool:
    """Whether the debate's metadata hold all of these values, compared as text."""
    return all(key in debate.metadata and _as_text(debate.metadata[key]) == value for key, value in wanted.items())


def _as_text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def recorded(row: tuple[str, Mapping[str, str]]) -> Recorded:
    return Recorded(id=row[0], event=decode(row[1]["event"]))


def delta(row: tuple[str, Mapping[str, str]]) -> Delta:
    return Delta.model_validate({"id": row[0], **row[1]})


def joined(deltas: Iterable[Delta]) -> Delta | None:
    """All words of the last attempt among these."""
    words = None
    for one in deltas:
        words = one.behind(words)
    return words


def rows_by_key(answer: Any) -> list[tuple[str, list[tuple[str, Mapping[str, str]]]]]:
    """XREAD's answer: a list of pairs in RESP2, a mapping of nested lists in RESP3."""
    if not answer:
        return []
    if isinstance(answer, Mapping):
        pairs = cast("Mapping[str, Any]", answer).items()
        return [(key, rows[0] if rows and isinstance(rows[0], list) else rows) for key, rows in pairs]
    return answer
