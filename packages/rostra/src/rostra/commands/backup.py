"""`rostra backup` and `rostra restore`: all debates, keys and idempotency keys to a file, and back."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Coroutine
from contextlib import aclosing
from pathlib import Path
from typing import IO

from pydantic import Field

from rostra.settings import RedisSettings, read
from rostra.store import StorageDown, connect
from rostra.store.backup import BackupError, Backups

# `rostra serve` tells here where its Redis is.
_ADDRESS_FILE = "redis-url"
_PATIENCE_SECONDS = 10.0


class BackupSettings(RedisSettings):
    """Where the Redis is that is backed up or restored."""

    data_dir: Path = Field(default=Path(".data"), description="Where `rostra serve` keeps debates and logs.")

    @property
    def address(self) -> str:
        """As it is set; else that of the `rostra serve` that runs."""
        file = self.data_dir / _ADDRESS_FILE
        if "redis_url" in self.model_fields_set or not file.is_file():
            return self.redis_url
        return file.read_text("utf-8").strip()


def backup(chosen: argparse.Namespace) -> int:
    """Writes a backup to the file, which is there once it is whole, or to standard output for `-`."""
    target: str = chosen.file
    if target == "-":
        return _run(_back_up(sys.stdout.buffer))
    partial = Path(f"{target}.part")
    try:
        with open(partial, "wb", opener=_for_this_user) as file:
            status = _run(_back_up(file))
            os.fsync(file.fileno())
        if status == 0:
            partial.rename(target)
    except OSError as error:
        return _refused(f"cannot write {target}: {error.strerror}")
    finally:
        partial.unlink(missing_ok=True)
    return status


def _for_this_user(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def restore(chosen: argparse.Namespace) -> int:
    """Puts back what the file, or standard input for `-`, has."""
    source: str = chosen.file
    if source == "-":
        return _run(_receive(sys.stdin.buffer, merge=chosen.merge))
    try:
        with Path(source).open("rb") as file:
            return _run(_restore(file, merge=chosen.merge))
    except OSError as error:
        return _refused(f"cannot read {source}: {error.strerror}")


async def _back_up(file: IO[bytes]) -> str:
    async with aclosing(connect(read(BackupSettings).address, patience=_PATIENCE_SECONDS)) as redis:
        return f"{await Backups(redis).write(file)} debates backed up"


async def _restore(file: IO[bytes], *, merge: bool) -> str:
    async with aclosing(connect(read(BackupSettings).address, patience=_PATIENCE_SECONDS)) as redis:
        return _told(*await Backups(redis).restore(file, merge=merge))


async def _receive(stream: IO[bytes], *, merge: bool) -> str:
    async with aclosing(connect(read(BackupSettings).address, patience=_PATIENCE_SECONDS)) as redis:
        return _told(*await Backups(redis).receive(stream, merge=merge))


def _told(restored: int, there: int) -> str:
    return f"{restored} debates restored" + (f", {there} were there" if there else "")


def _run(work: Coroutine[None, None, str]) -> int:
    try:
        said = asyncio.run(work)
    except BackupError as error:
        return _refused(str(error))
    except StorageDown as error:
        return _refused(f"Redis cannot be used ({error}); is it the one in ROSTRA_REDIS_URL?")
    print(said, file=sys.stderr)  # standard output may be the backup
    return 0


def _refused(why: str) -> int:
    print(f"rostra: {why}", file=sys.stderr)
    return 1
