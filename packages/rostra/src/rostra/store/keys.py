"""Where API keys are kept.

    key:{id}     hash: what `rostra.keys.Key` holds; of the secret only its hash
    keys         sorted set of all ids by the second they were made; revoked and expired ones stay

A key that is revoked is not forgotten: an installation that has had keys asks for one from then on.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast

from redis.asyncio import Redis

from rostra.keys import Key, Scope
from rostra.store.records import moment

_INDEX = "rostra:keys"


def _name(key_id: str) -> str:
    return f"rostra:key:{key_id}"


class Keys:
    """API keys in Redis. Every method may raise `StorageDown`."""

    def __init__(self, redis: Redis) -> None:
        self._redis = cast("Any", redis)

    async def close(self) -> None:
        await self._redis.aclose()

    async def add(self, key: Key) -> None:
        pipe = self._redis.pipeline()
        pipe.hset(_name(key.id), mapping=_fields(key))
        pipe.zadd(_INDEX, {key.id: int(key.created_at.timestamp())})
        await self._redis.bounded(pipe.execute())

    async def get(self, key_id: str) -> Key | None:
        fields = await self._redis.hgetall(_name(key_id))
        return _key(key_id, fields) if "owner" in fields else None

    async def all(self) -> list[Key]:
        """Every key, the oldest first."""
        found = [await self.get(key_id) for key_id in await self._redis.zrange(_INDEX, 0, -1)]
        return [key for key in found if key]

    async def are_there(self) -> bool:
        """Whether a key was ever made."""
        return bool(await self._redis.exists(_INDEX))

    async def revoke(self, key_id: str) -> bool:
        """Takes a key back for good; False if there is none of this id."""
        if not await self._redis.exists(_name(key_id)):
            return False
        await self._redis.hsetnx(_name(key_id), "revoked_at", _text(datetime.now(UTC)))
        return True

    async def note_use(self, key_id: str) -> None:
        """Of a key that is still there: a Redis that lost it gets no half of one."""
        if await self._redis.exists(_name(key_id)):
            await self._redis.hset(_name(key_id), "used_at", _text(datetime.now(UTC)))


def _fields(key: Key) -> dict[str, str]:
    fields = {
        "owner": key.owner,
        "scopes": " ".join(sorted(key.scopes)),
        "hash": key.digest,
        "created_at": _text(key.created_at),
    }
    return fields | ({"expires_at": _text(key.expires_at)} if key.expires_at else {})


def _key(key_id: str, fields: Mapping[str, str]) -> Key:
    return Key(
        id=key_id,
        owner=fields["owner"],
        scopes=frozenset(Scope(scope) for scope in fields["scopes"].split()),
        digest=fields["hash"],
        created_at=datetime.fromisoformat(fields["created_at"]),
        expires_at=moment(fields.get("expires_at")),
        revoked_at=moment(fields.get("revoked_at")),
        used_at=moment(fields.get("used_at")),
    )


def _text(time: datetime) -> str:
    return time.isoformat(timespec="seconds")
