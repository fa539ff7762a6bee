"""Shows out those who follow with a key that has stopped working: they came in hours ago, perhaps."""

from __future__ import annotations

import asyncio

import structlog

from rostra.store import StorageDown
from rostra_api.following import Following
from rostra_api.keyring import Keyring

EVERY_SECONDS = 2.0

log = structlog.stdlib.get_logger(__name__)


async def show_out_forever(following: Following, keyring: Keyring) -> None:
    """Looks every `EVERY_SECONDS` until it is cancelled; while Redis is away nobody is shown out."""
    while True:
        await asyncio.sleep(EVERY_SECONDS)
        try:
            for key_id in following.keys:
                if not await keyring.works(key_id):
                    following.show_out(key_id)
        except StorageDown as error:
            log.warning("cannot look after the keys of those who follow", error=repr(error))
        except Exception:  # whether a revoked key ends hangs on this one task
            log.exception("cannot look after the keys of those who follow")
