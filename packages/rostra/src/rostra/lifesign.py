"""Whether a process lives that answers nobody: it touches a file while it works, and the file's age tells.

For the health checks of containers, every few seconds: it loads next to nothing.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

_STALE_SECONDS = 15.0


class LifeSign:
    """One such process' file."""

    def __init__(self, name: str) -> None:
        self._name = name

    @property
    def _file(self) -> Path:
        return Path(tempfile.gettempdir()) / f"{self._name}.alive"

    def give(self) -> None:
        self._file.touch()

    def forget(self) -> None:
        self._file.unlink(missing_ok=True)

    def is_fresh(self) -> bool:
        """Whether the last one is younger than 15 s."""
        try:
            return time.time() - self._file.stat().st_mtime < _STALE_SECONDS
        except FileNotFoundError:
            return False
