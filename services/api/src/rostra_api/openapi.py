"""`python -m rostra_api.openapi` writes docs/openapi.json, and `--check` tells whether it is up to date."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from rostra_api.app import create_app
from rostra_api.settings import Settings

PUBLISHED = Path("docs/openapi.json")


def document() -> str:
    """The contract as it is published; it depends on no setting."""
    return json.dumps(create_app(Settings()).openapi(), indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m rostra_api.openapi", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only compare; exit 1 when it is stale")
    if not parser.parse_args().check:
        PUBLISHED.parent.mkdir(exist_ok=True)
        PUBLISHED.write_text(document(), encoding="utf-8")
    elif not PUBLISHED.exists() or PUBLISHED.read_text(encoding="utf-8") != document():
        sys.exit(f"{PUBLISHED} is not what the API does: run `make openapi` and read the difference")


if __name__ == "__main__":
    main()
