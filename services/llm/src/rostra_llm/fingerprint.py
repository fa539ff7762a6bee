"""A model file's SHA-256, worked out once."""

import contextlib
import hashlib
import os
from pathlib import Path

from pydantic import BaseModel, TypeAdapter, ValidationError

REMEMBERED = "fingerprints.json"


class Known(BaseModel):
    """What a file was when it was hashed. One that is changed within its size and its time goes unnoticed."""

    size: int
    mtime_ns: int
    sha256: str


KNOWN = TypeAdapter(dict[str, Known])


def sha256_of(path: Path, cache_dir: Path) -> str:
    """In hexadecimals, of this file alone: the other parts of a model in parts have their own.

    Hashing a gigabyte takes 1 to 3 seconds, so the result is kept in `cache_dir`. Where that cannot be written, the
    file is hashed again next time.
    """
    path = path.resolve()
    stat = path.stat()
    known = _remembered(cache_dir)
    entry = known.get(str(path))
    if entry and (entry.size, entry.mtime_ns) == (stat.st_size, stat.st_mtime_ns):
        return entry.sha256
    sha256 = digest(path)
    _remember(cache_dir, known | {str(path): Known(size=stat.st_size, mtime_ns=stat.st_mtime_ns, sha256=sha256)})
    return sha256


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _remembered(cache_dir: Path) -> dict[str, Known]:
    try:
        return KNOWN.validate_json((cache_dir / REMEMBERED).read_bytes())
    except (OSError, ValidationError):
        return {}


def _remember(cache_dir: Path, known: dict[str, Known]) -> None:
    # Renamed when it is whole. Two services that write at once lose one's entry: a second hashing, no wrong hash.
    part = cache_dir / f"{REMEMBERED}.{os.getpid()}"
    with contextlib.suppress(OSError):
        cache_dir.mkdir(parents=True, exist_ok=True)
        part.write_bytes(KNOWN.dump_json(known))
        part.replace(cache_dir / REMEMBERED)
    with contextlib.suppress(OSError):
        part.unlink()  # there only when the disk was full
