"""Who asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Request


@dataclass(frozen=True, slots=True)
class Caller:
    """The owner whose debates are reached, and the key that says so."""

    owner: str
    key_id: str
    sees_all: bool


# Without keys there is nobody else.
ANYBODY = Caller(owner="", key_id="", sees_all=False)


async def caller_of(request: Request) -> Caller:
    """As `rostra_api.entry` let them in."""
    return cast("Caller", request.state.caller)


CallerNeeded = Annotated[Caller, Depends(caller_of)]
