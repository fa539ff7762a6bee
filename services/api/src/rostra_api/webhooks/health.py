"""Whether a deliverer lives: it touches a file whenever Redis told it what is to be delivered, and its age tells."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

_STALE_SECONDS = 15.0


def _file() -> Path:
    return Path(tempfile.gettempdir()) / "rostra-webhooks.alive"


def report() -> None:
    _file().touch()


def forget() -> None:
    _file().unlink(missing_ok=True)


def is_healthy() -> bool:
    try:
        return time.time() - _file().stat().st_mtime < _STALE_SECONDS
    except FileNotFoundError:
        return False
