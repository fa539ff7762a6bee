"""Tokens' bytes become text that can be shown: whole characters, and nothing of a stop string. Pure."""

from __future__ import annotations

import codecs
from collections.abc import Sequence


class Writing:
    """An answer as it is written. Text that may turn out to begin a stop string is held back until that is decided."""

    def __init__(self, stop: Sequence[str] = ()) -> None:
        self._stop = tuple(stop)
        self._longest = max(map(len, self._stop), default=0)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._held: str = ""
        self.stopped = False

    def write(self, piece: bytes) -> str:
        """What can be shown now. Once `stopped`, the text ends before the stop string."""
        return self._shown(self._decoder.decode(piece))

    def end(self) -> str:
        """What is left at the end; a character that was never finished becomes U+FFFD."""
        if self.stopped:
            return ""
        shown = self._shown(self._decoder.decode(b"", final=True))
        held = self._held
        self._held = ""
        return shown + ("" if self.stopped else held)

    def _shown(self, text: str) -> str:
        if not self._stop:
            return text
        text = self._held + text
        if found := [at for at in (text.find(stop) for stop in self._stop) if at >= 0]:
            self.stopped = True
            self._held = ""
            return text[: min(found)]
        undecided = self._undecided(text)
        self._held = text[len(text) - undecided :]
        return text[: len(text) - undecided]

    def _undecided(self, text: str) -> int:
        """How many characters at the end may begin a stop string."""
        for length in range(min(self._longest - 1, len(text)), 0, -1):
            end = text[-length:]
            if any(stop.startswith(end) for stop in self._stop):
                return length
        return 0
