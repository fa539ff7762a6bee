"""`python -m rostra_api`: serves the API until it is told to stop."""

from __future__ import annotations

import resource
from contextlib import suppress

import structlog

from rostra.formats import BadFormat
from rostra.log import configure
from rostra.settings import read
from rostra_api.app import create_app
from rostra_api.server import Server
from rostra_api.settings import Settings

# For Redis, the model servers and what is loaded.
SPARE_DESCRIPTORS = 200


def main() -> None:
    settings = read(Settings)
    configure("api", settings.log_level, settings)
    if settings.reached_by_others:
        log = structlog.stdlib.get_logger(__name__)
        log.info("others can reach this address: a key is needed", address=settings.publish or settings.host)
    _allow_connections(settings.max_connections)
    try:
        app = create_app(settings)
    except BadFormat as error:
        raise SystemExit(f"ROSTRA_FORMATS_DIR: {error}") from None
    with suppress(KeyboardInterrupt):
        Server(app, settings).run()


def _allow_connections(most: int) -> None:
    """Each takes a file descriptor, and shells often allow 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = most + SPARE_DESCRIPTORS
    if soft < wanted:
        allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
        if allowed < wanted:
            log = structlog.stdlib.get_logger(__name__)
            log.warning("fewer connections than ROSTRA_MAX_CONNECTIONS can be open", descriptors=allowed)


if __name__ == "__main__":
    main()
