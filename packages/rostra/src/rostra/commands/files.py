"""Debates as people keep them in files: JSON, lines of JSON, TOML, folders of them."""

from __future__ import annotations

import json
import sys
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from rostra.commands.terminal import Wrong

ENDINGS = (".json", ".ndjson", ".jsonl", ".toml")
STDIN = "-"


@dataclass(frozen=True, slots=True)
class Asked:
    """A debate that a file asks for. `name` tells it from the others, and names what is written for it."""

    name: str
    request: dict[str, Any]


def asked(paths: Iterable[str]) -> Iterator[Asked]:
    """All debates in the files, in order. Raises Wrong where a file cannot be read."""
    for path in paths:
        if path == STDIN:
            yield from _named("stdin", read("stdin", sys.stdin.read()))
        elif Path(path).is_dir():
            within = sorted(file for file in Path(path).rglob("*") if file.suffix in ENDINGS)
            if not within:
                raise Wrong(f"{path} holds no file that ends in {', '.join(ENDINGS)}")
            for file in within:
                yield from _named(str(file.relative_to(path).with_suffix("")).replace("/", "-"), contents(file))
        else:
            yield from _named(Path(path).stem, contents(Path(path)))


def contents(file: Path) -> Sequence[dict[str, Any]]:
    """The debates in a file. Raises Wrong."""
    try:
        return read(str(file), file.read_text(encoding="utf-8"))
    except OSError as error:
        raise Wrong(f"cannot read {file}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise Wrong(f"cannot read {file}: {error}") from None


def read(name: str, text: str) -> Sequence[dict[str, Any]]:
    """The debates that a text holds. Raises Wrong."""
    try:
        if name.endswith(".toml"):
            return [tomllib.loads(text)]
        if name.endswith((".ndjson", ".jsonl")):
            return _debates([json.loads(line) for line in text.split("\n") if line.strip()], name)
        return _debates(_json(text), name)
    except ValueError as error:
        raise Wrong(f"cannot read {name}: {error}") from None


def _json(text: str) -> Any:
    """One value; or where it is not one, a value a line."""
    try:
        return json.loads(text)
    except ValueError:
        lines = [line for line in text.split("\n") if line.strip()]
        if len(lines) < 2:
            raise
        return [json.loads(line) for line in lines]


def _debates(value: Any, name: str) -> Sequence[dict[str, Any]]:
    found = cast("list[Any]", value) if isinstance(value, list) else [value]
    if not all(isinstance(one, dict) for one in found):
        raise Wrong(f"{name} holds something that is no debate: a debate is an object, or a list of them")
    return cast("list[dict[str, Any]]", found)


def _named(name: str, debates: Sequence[dict[str, Any]]) -> Iterator[Asked]:
    for number, request in enumerate(debates, 1):
        yield Asked(name if len(debates) == 1 else f"{name}-{number}", request)
