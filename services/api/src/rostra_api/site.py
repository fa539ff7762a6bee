"""The web page: its files, read once.

All but the first stand under a name made from what they hold together, so that a browser keeps them until one of them
changes, and never mixes two releases. They tell nothing of this installation, so that nobody needs a key for them: the
page asks for one where the API does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Path, Response

from rostra_api.conditional import IfNoneMatch, answer
from rostra_api.headers import policy
from rostra_api.problems import NOT_FOUND, Refusal

# No part of the API, so not in its contract.
router = APIRouter(include_in_schema=False)

FIRST = "index.html"
# Where the other files are; known to `rostra_api.entry`.
FOLDER = "/static/"
# What the first file calls the place of the others, and where it wants them named, to be fetched all at once.
_PLACE, _PRELOADS = "{{static}}", "{{preloads}}"

# Its own scripts and styles, its own API, and pictures that it was sent by it: nothing of anybody else's.
POLICY = policy("script-src 'self'", "style-src 'self'", "connect-src 'self'", "img-src 'self' data:")
_KEPT = "public, max-age=31536000, immutable"
# Not what the machine's own table says of them, which differs from one to the other.
_MEDIA_TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}


class File(NamedTuple):
    content: bytes
    media_type: str


def _read(folder: Traversable, above: str = "") -> Iterator[tuple[str, File]]:
    for entry in sorted(folder.iterdir(), key=lambda each: each.name):
        if entry.is_dir():
            yield from _read(entry, f"{above}{entry.name}/")
        else:
            yield above + entry.name, File(entry.read_bytes(), _MEDIA_TYPES[entry.name.rpartition(".")[2]])


FILES: Mapping[str, File] = dict(_read(files("rostra_api").joinpath("web")))


def _digest() -> str:
    every = hashlib.sha256()
    for name, file in FILES.items():
        every.update(f"{name}\n{len(file.content)}\n".encode() + file.content)
    return every.hexdigest()[:16]


DIGEST = _digest()


def _first() -> str:
    preloads = [f'<link rel="modulepreload" href="{_PLACE}/{name}">' for name in FILES if name.endswith(".js")]
    page = FILES[FIRST].content.decode().replace(_PRELOADS, "\n".join(preloads))
    return page.replace(_PLACE, FOLDER + DIGEST)


_PAGE = _first()


@router.get("/")
async def first(if_none_match: IfNoneMatch = None) -> Response:
    return answer(_PAGE, "text/html", if_none_match, **{"Content-Security-Policy": POLICY})


@router.get(FOLDER + "{digest}/{name:path}")
async def file(digest: Annotated[str, Path()], name: Annotated[str, Path()]) -> Response:
    found = FILES.get(name) if digest == DIGEST else None
    if found is None:
        raise Refusal(NOT_FOUND, "The page has no such file; load it anew.")
    return Response(found.content, headers={"Cache-Control": _KEPT}, media_type=found.media_type)
