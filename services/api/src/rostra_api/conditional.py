"""Answers that need not be sent twice: a strong ETag, and 304 to who has it already (RFC 9110, section 13)."""

from __future__ import annotations

import hashlib
from typing import Annotated

from fastapi import Header, Response

IfNoneMatch = Annotated[str | None, Header(alias="If-None-Match", description="ETags of what is known already.")]


def answer(content: str, media_type: str, if_none_match: str | None, **headers: str) -> Response:
    body = content.encode()
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    both = {"ETag": tag, "Cache-Control": "private, no-cache", **headers}
    if _is_known(tag, if_none_match or ""):
        return Response(status_code=304, headers=both)
    return Response(body, headers=both, media_type=media_type)


def _is_known(tag: str, if_none_match: str) -> bool:
    """Compared weakly, as the RFC wants it here."""
    tags = [one.strip().removeprefix("W/") for one in if_none_match.split(",")]
    return tag in tags or tags == ["*"]
