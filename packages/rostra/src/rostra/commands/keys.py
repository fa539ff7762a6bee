"""`rostra keys`: who may use the API."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Iterator, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path

from pydantic import Field

from rostra import keys
from rostra.keys import Key, Scope
from rostra.settings import SharedSettings, read
from rostra.store import StorageDown, connect
from rostra.store.keys import Keys

# `rostra serve` tells here where its Redis is, which has another port and another password at each start.
ADDRESS_FILE = "redis-url"
# Somebody sits there and waits.
PATIENCE_SECONDS = 5.0


class KeysSettings(SharedSettings):
    """Where the API's Redis is."""

    data_dir: Path = Field(default=Path(".data"), description="Where `rostra serve` keeps debates and logs.")

    @property
    def address(self) -> str:
        file = self.data_dir / ADDRESS_FILE
        if "redis_url" in self.model_fields_set or not file.is_file():
            return self.redis_url
        return file.read_text("utf-8").strip()


def run(chosen: argparse.Namespace) -> int:
    """Runs what was chosen; answers the exit status. A new key is all that goes to standard output."""
    try:
        return asyncio.run(_run(chosen, read(KeysSettings).address))
    except StorageDown as error:
        return _refused(f"Redis cannot be used ({error}); is it the one in ROSTRA_REDIS_URL?")


async def _run(chosen: argparse.Namespace, address: str) -> int:
    redis = connect(address, patience=PATIENCE_SECONDS)
    async with aclosing(redis):
        kept = Keys(redis)
        if chosen.action == "create":
            return await _create(kept, chosen)
        if chosen.action == "revoke":
            return await _revoke(kept, chosen.id)
        print("\n".join(_table(await kept.all())))
        return 0


async def _create(kept: Keys, chosen: argparse.Namespace) -> int:
    now = datetime.now(UTC)
    try:
        scopes = [Scope(scope.strip()) for scope in chosen.scopes]
        key, token = keys.make(chosen.owner, scopes, now + chosen.expires if chosen.expires else None)
    except ValueError as error:
        return _refused(f"{error}", status=2)
    await kept.add(key)
    print(token)
    _say(f"Key {key.id} of {key.owner}: it is not shown again. Send it as `Authorization: Bearer …`.")
    return 0


async def _revoke(kept: Keys, key_id: str) -> int:
    if not await kept.revoke(key_id):
        return _refused(f"there is no key {key_id!r}; see `rostra keys list`")
    _say(f"Key {key_id} is revoked; it stops working within 10 seconds.")
    return 0


def _table(rows: Sequence[Key]) -> Iterator[str]:
    line = "{:<12}  {:<20}  {:<16}  {:<16}  {:<16}  {:<16}  {}".format
    yield line("ID", "OWNER", "SCOPES", "CREATED", "EXPIRES", "LAST USED", "STATE")
    for key in rows:
        times = [_shown(time) for time in (key.created_at, key.expires_at, key.used_at)]
        yield line(key.id, key.owner, ",".join(scope for scope in Scope if scope in key.scopes), *times, _state(key))


def _shown(time: datetime | None) -> str:
    return f"{time:%Y-%m-%d %H:%M}" if time else "never"


def _state(key: Key) -> str:
    if key.revoked_at:
        return "revoked"
    return "expired" if key.has_expired(datetime.now(UTC)) else "valid"


def _refused(reason: str, status: int = 1) -> int:
    _say(f"rostra: {reason}")
    return status


def _say(text: str) -> None:
    """To the terminal, so that `key=$(rostra keys create …)` holds the key alone."""
    print(text, file=sys.stderr)
