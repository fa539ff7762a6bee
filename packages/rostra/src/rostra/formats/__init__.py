"""The format library: every file beside this one is a format; its name is the file's."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from rostra.format import Format


@cache
def library() -> Mapping[str, Format]:
    """All formats by name, in alphabetical order."""
    entries = sorted(e.name for e in files("rostra.formats").iterdir() if e.name.endswith(".toml"))
    return {name.removesuffix(".toml"): _load(name) for name in entries}


def _load(file_name: str) -> Format:
    data = tomllib.loads((files("rostra.formats") / file_name).read_text(encoding="utf-8"))
    return Format.model_validate({"name": file_name.removesuffix(".toml"), **data}, extra="forbid")
