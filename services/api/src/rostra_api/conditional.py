"""Answers that need not be sent twice: a strong ETag, and 304 to who has it already (RFC 9110, section 13)."""

from __future__ import annotations

import hashlib
from typing import Annotated

from fastapi import Header, Response

IfNoneMatch = Annotated[str | None, Header(alias="If-None-Match", description="ETags of what is known already.")]


def answer(content: str, media_type: str, if_none_match: str | None, **headers: str) -> Response:
    both = {"ETag": _tag(content), "Cache-Control": "private, no-cache", **headers}
    if is_known(content, if_none_match or ""):
        return Response(status_code=304, headers=both)
    return Response(content.encode(), headers=both, media_type=media_type)


def _tag(content: str) -> str:
    return f'"{hashlib.sha256(content.encode()).hexdigest()[:32]}"'


def is_known(content: str, if_none_match: str) -> bool:
    """Whether the header names it. Compared weakly, as the RFC wants it here."""
    tag = _tag(content)
    tags = [one.strip().removeprefix("W/") for one in if_none_match.split(",")]
    return tag in tags or tags == ["*"]
