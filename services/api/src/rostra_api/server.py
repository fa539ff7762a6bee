"""The HTTP server, which ends the live streams before it waits for its connections."""

from __future__ import annotations

import gc
import socket

import uvicorn

from rostra_api.app import Api, end_streams
from rostra_api.connections import within
from rostra_api.intake import MAX_HEAD
from rostra_api.settings import Settings

# What is left after this many seconds is cut.
GRACE_SECONDS = 10


class Server(uvicorn.Server):
    """uvicorn stops the app only when the last connection is gone, and a live stream ends with its debate."""

    def __init__(self, app: Api, settings: Settings) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                host=settings.host,
                port=settings.port,
                http=within(settings),
                h11_max_incomplete_event_size=MAX_HEAD,  # for heads that do not end; its own bound is 64 KiB
                ws="none",
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=GRACE_SECONDS,
            )
        )
        self._app = app

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        # What is there now stays: a full collection that looked through it held every request up for 75 ms.
        gc.collect()
        gc.freeze()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        end_streams(self._app)
        await super().shutdown(sockets)
