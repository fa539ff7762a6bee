"""Debates from a program: `Client`, and `AsyncClient` for event loops.

    errors         what can go wrong, and what to do then
    calls          what is asked, and how answers are read
    patience       when to ask again
    live           events as they are told, and how a reader who was cut off goes on
    tasks          what takes more than one call
    blocking       the client that waits
    asynchronous   the client for event loops

All but the last two are pure; those send what the others say.
"""

from rostra.client.asynchronous import AsyncClient
from rostra.client.blocking import Client
from rostra.client.errors import (
    ApiError,
    Conflict,
    Fault,
    NotEnded,
    NotFound,
    NotLetIn,
    NotRostra,
    Refused,
    RostraError,
    TooMuch,
    Unavailable,
    Unreachable,
)
from rostra.client.live import LiveEvent, Told

__all__ = [
    "ApiError",
    "AsyncClient",
    "Client",
    "Conflict",
    "Fault",
    "LiveEvent",
    "NotEnded",
    "NotFound",
    "NotLetIn",
    "NotRostra",
    "Refused",
    "RostraError",
    "Told",
    "TooMuch",
    "Unavailable",
    "Unreachable",
]
