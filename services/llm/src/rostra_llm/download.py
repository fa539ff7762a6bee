"""A model file fetched by its address: whole and as promised, or not at all."""

import hashlib
import http.client
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

import structlog

from rostra_llm.errors import NoModel

log = structlog.stdlib.get_logger()

CHUNK = 1 << 20
TIMEOUT = 60.0  # seconds without a byte
ATTEMPTS = 5  # in a row without progress
PAUSE = 2.0  # seconds before the second attempt, doubled for each further one
REPORT_EVERY = 10.0  # seconds

Progress = Callable[
    [int, int], None
]  # bytes that are here, bytes of the file; the latter 0 where the host does not say


class Names(NamedTuple):
    """What whoever asks calls what they gave."""

    url: str = "ROSTRA_MODEL_URL"
    sha256: str = "ROSTRA_MODEL_SHA256"
    folder: str = "ROSTRA_MODEL_CACHE_DIR"


SETTINGS = Names()


def fetch(
    url: str,
    sha256: str,
    folder: Path,
    *,
    pause: float = PAUSE,
    names: Names = SETTINGS,
    progress: Progress | None = None,
) -> Path:
    """The file at `url`, kept in `folder` under its hash; an interrupted transfer goes on where it stopped.

    How far it is goes to `progress`, else to the log. Raises NoModel, in those names, when the address does not answer,
    or answers with another file.
    """
    if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
        raise NoModel(f"{names.url} must begin with https:// or http://.")
    target = folder / f"{sha256}.gguf"
    if target.exists():  # only a file whose hash was right gets this name
        return target
    part = target.with_suffix(".part")
    wrong = target.with_suffix(".wrong")
    # A service that is started again and again must not fetch it again and again.
    if wrong.exists() and wrong.read_text(encoding="utf-8") == url:
        raise NoModel(
            f"The file at {names.url} was not the one that {names.sha256} names. Correct one of them; "
            f"or delete {wrong} to fetch it once more."
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _fetch_all(url, part, pause, names, progress or logged())
        _check(part, sha256, url, names)
        part.rename(target)
    except OSError as error:
        raise NoModel(
            f"The model could not be kept in {folder} ({error}). Set {names.folder} to a folder that "
            "can be written and has room for it."
        ) from error
    log.info("model_fetched", file=str(target), mib=target.stat().st_size >> 20)
    return target


def logged() -> Progress:
    """Tells the log, every ten seconds."""
    reported = time.monotonic()

    def log_progress(have: int, total: int) -> None:
        nonlocal reported
        if time.monotonic() - reported > REPORT_EVERY:
            reported = time.monotonic()
            log.info("model_fetching", mib=have >> 20, of_mib=total >> 20)

    return log_progress


def _fetch_all(url: str, part: Path, pause: float, names: Names, progress: Progress) -> None:
    attempt = 0
    while True:
        before = _size(part)
        try:
            return _fetch_rest(url, part, progress)
        except (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError) as error:
            attempt = 0 if _size(part) > before else attempt + 1
            refused = isinstance(error, urllib.error.HTTPError) and error.code < 500
            if refused or attempt == ATTEMPTS:
                raise NoModel(
                    f"{names.url} does not give the model: {error}. {_size(part) >> 20} MiB are kept; "
                    "the next attempt goes on from there."
                ) from error
            log.warning("model_fetch_interrupted", error=str(error), mib=_size(part) >> 20)
            time.sleep(pause * 2**attempt)


def _fetch_rest(url: str, part: Path, progress: Progress) -> None:
    have = _size(part)
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        answer = cast(http.client.HTTPResponse, urllib.request.urlopen(request, timeout=TIMEOUT))
    except urllib.error.HTTPError as error:
        if have and error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # nothing is missing
        raise
    # A server that cannot resume answers 200 and sends the file from its beginning.
    resumes = answer.status == http.HTTPStatus.PARTIAL_CONTENT
    rest = int(answer.headers.get("Content-Length") or 0)
    with answer, part.open("ab" if resumes else "wb") as file:
        _copy(answer, file, (have if resumes else 0) + rest if rest else 0, progress)


def _copy(answer: http.client.HTTPResponse, file: BinaryIO, total: int, progress: Progress) -> None:
    while chunk := answer.read(CHUNK):
        file.write(chunk)
        progress(file.tell(), total)
    if file.tell() < total:
        raise ConnectionError(f"the transfer ended at {file.tell()} of {total} bytes")


def _check(part: Path, sha256: str, url: str, names: Names) -> None:
    with part.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256:
        part.unlink()
        part.with_suffix(".wrong").write_text(url, encoding="utf-8")
        raise NoModel(
            f"The file at {names.url} has the SHA-256 {found}, not the one in {names.sha256}. "
            "It was not kept. Check both against the page that publishes the model."
        )


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0
