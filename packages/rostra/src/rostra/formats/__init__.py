"""The format library: every file beside this one is a format, and every file of a folder that people keep their own in;
a format's name is its file's."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path

from pydantic import ValidationError

from rostra.format import Format
from rostra.formats import checking


class BadFormat(Exception):
    """A file of people's own cannot be a format; the message names the file, the place in it and what is wrong."""


@cache
def library() -> Mapping[str, Format]:
    """All formats by name, in alphabetical order."""
    entries = sorted(e.name for e in files("rostra.formats").iterdir() if e.name.endswith(".toml"))
    return {name.removesuffix(".toml"): _load(name) for name in entries}


def own(folder: Path) -> Mapping[str, Format]:
    """The formats of people's own, by name; none where there is no such folder.

    Raises:
        BadFormat: a file cannot be read, is no format that can be played, or has the name of one of the library.
    """
    return {file.stem: _own(file) for file in sorted(folder.glob("*.toml"))}


def _load(file_name: str) -> Format:
    return _parsed(file_name.removesuffix(".toml"), (files("rostra.formats") / file_name).read_text(encoding="utf-8"))


def _own(file: Path) -> Format:
    if file.stem in library():
        raise BadFormat(f"{file}: the library has a format of this name; call it otherwise")
    try:
        read = _parsed(file.stem, file.read_text(encoding="utf-8"))
    except ValidationError as error:
        found = error.errors()[0]
        raise BadFormat(f"{file}: {_place(found['loc'])}: {found['msg']}") from None
    except (OSError, ValueError) as error:
        raise BadFormat(f"{file}: cannot be read: {error}") from None
    if wrong := checking.faults(read):
        raise BadFormat(f"{file}: {_place(wrong[0].place)}: {wrong[0].detail}")
    return read


def _parsed(name: str, text: str) -> Format:
    return Format.model_validate({"name": name, **tomllib.loads(text)}, extra="forbid")


def _place(steps: tuple[str | int, ...]) -> str:
    return "/".join(map(str, steps)) or "the whole"
