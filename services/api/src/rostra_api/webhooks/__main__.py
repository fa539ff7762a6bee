"""`python -m rostra_api.webhooks` delivers webhooks; with `healthcheck`, tells by its exit status if that works."""

from __future__ import annotations

import sys

from rostra_api.webhooks.health import sign


def main(arguments: list[str]) -> int:
    if arguments == ["healthcheck"]:
        return 0 if sign.is_fresh() else 1
    # Imported here, so that a healthcheck every few seconds loads no more than it needs.
    from rostra_api.webhooks.process import start  # noqa: PLC0415

    start()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
