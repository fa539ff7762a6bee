"""`python -m rostra_orchestrator` runs the workers; with `healthcheck`, tells by its exit status if they live."""

from __future__ import annotations

import sys

from rostra_orchestrator.health import sign


def main(arguments: list[str]) -> int:
    if arguments == ["healthcheck"]:
        return 0 if sign.is_fresh() else 1
    # Imported here, so that a healthcheck every few seconds does not load AutoGen.
    from rostra_orchestrator.worker import start  # noqa: PLC0415

    start()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
