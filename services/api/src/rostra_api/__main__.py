"""`python -m rostra_api`: serves the API until it is told to stop."""

from __future__ import annotations

from contextlib import suppress

import structlog

from rostra.log import configure
from rostra.settings import read
from rostra_api.app import create_app
from rostra_api.server import Server
from rostra_api.settings import Settings


def main() -> None:
    settings = read(Settings)
    configure("api", settings.log_level)
    if settings.reached_by_others:
        log = structlog.stdlib.get_logger(__name__)
        log.info("others can reach this address: a key is needed", address=settings.publish or settings.host)
    with suppress(KeyboardInterrupt):
        Server(create_app(settings), settings.host, settings.port).run()


if __name__ == "__main__":
    main()
