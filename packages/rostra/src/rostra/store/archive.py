"""The events of an ended debate, compressed: a debate of 12 turns takes a fifth of its stream's memory.

An archive is text, as everything that this client reads: base64 of zlib of a JSON list of [id, event].
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping, Sequence

Row = tuple[str, Mapping[str, str]]  # as XRANGE has it


def packed(rows: Sequence[Row]) -> str:
    """The rows of a stream."""
    pairs = [[row_id, fields["event"]] for row_id, fields in rows]
    return base64.b64encode(zlib.compress(json.dumps(pairs, ensure_ascii=False).encode(), 9)).decode()


def unpacked(archive: str, after: str = "0-0", limit: int | None = None) -> list[Row]:
    """The rows behind the id `after`, in order, at most `limit`."""
    pairs: list[tuple[str, str]] = json.loads(zlib.decompress(base64.b64decode(archive)))
    behind: list[Row] = [(row_id, {"event": event}) for row_id, event in pairs if _place(row_id) > _place(after)]
    return behind[:limit]


def _place(row_id: str) -> tuple[int, int]:
    turn, _, place = row_id.partition("-")
    return int(turn), int(place or 0)
