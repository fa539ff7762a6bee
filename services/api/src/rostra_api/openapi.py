"""`python -m rostra_api.openapi` writes what is published of the API and the formats: the contract, the schema of
formats, their pages and pictures. `--check` tells whether all of it is up to date."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path

from rostra.formats import library
from rostra.formats.drawing import drawn
from rostra.formats.schema import format_schema
from rostra_api.app import create_app
from rostra_api.format_pages import page
from rostra_api.settings import Settings

PUBLISHED = Path("docs/openapi.json")
SCHEMA = Path("docs/format.schema.json")
PAGES = Path("docs/formats")
PICTURES = Path("docs/images/formats")


def document() -> str:
    """The contract as it is published; it depends on no setting."""
    return _as_json(create_app(Settings()).openapi())


def _as_json(data: Mapping[str, object]) -> str:
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def documents() -> Mapping[Path, str]:
    """All that is published, by where it stands."""
    formats = library().items()
    return {
        PUBLISHED: document(),
        SCHEMA: _as_json(format_schema()),
        **{PAGES / f"{name}.md": page(each, PICTURES / f"{name}.svg") for name, each in formats},
        **{PICTURES / f"{name}.svg": drawn(each) for name, each in formats},
    }


def _stale(written: Mapping[Path, str]) -> list[Path]:
    """What is missing or differs, and pages and pictures of formats that are no more."""
    here = [path for folder in (PAGES, PICTURES) for path in folder.glob("*")]
    return [
        *(path for path, text in written.items() if not path.exists() or path.read_text(encoding="utf-8") != text),
        *(path for path in here if path not in written),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m rostra_api.openapi", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only compare; exit 1 when something is stale")
    written = documents()
    stale = _stale(written)
    if parser.parse_args().check:
        if stale:
            names = ", ".join(map(str, stale))
            sys.exit(f"{names}: not what the API and the formats are; run `make openapi` and read the difference")
        return
    for path in stale:
        if path in written:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(written[path], encoding="utf-8")
        else:
            path.unlink()


if __name__ == "__main__":
    main()
