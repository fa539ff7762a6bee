"""Kinds of arguments that commands share, and how shells complete them."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Mapping
from datetime import timedelta

AddParser = Callable[..., argparse.ArgumentParser]

# As shtab has them, which only `rostra completion` loads.
FILE: Mapping[str, str] = {
    "bash": "_shtab_compgen_files",
    "zsh": "_files",
    "fish": "(__fish_complete_path (commandline -ct))",
}
DIRECTORY: Mapping[str, str] = {
    "bash": "_shtab_compgen_dirs",
    "zsh": "_files -/",
    "fish": "(__fish_complete_directories)",
}

_SPANS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def completed(action: argparse.Action, by: Mapping[str, str]) -> None:
    """Shells complete the argument with files or folders."""
    vars(action)["complete"] = by


def span(text: str) -> timedelta:
    found = re.fullmatch(r"([1-9][0-9]{0,4})([mhdw])", text)
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is no time like 90m, 12h, 30d or 4w")
    return timedelta(**{_SPANS[found[2]]: int(found[1])})


def address(text: str) -> str:
    given = text if "://" in text else f"http://{text}"
    if not re.match(r"https?://[^/\s]+\S*$", given):
        raise argparse.ArgumentTypeError(f"{text!r} is no address like http://127.0.0.1:8000")
    return given.rstrip("/").removesuffix("/v1")


def seconds(text: str) -> float:
    number = float(text)
    if not 1 <= number <= 3600:
        raise argparse.ArgumentTypeError("1 to 3600")
    return number


def positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("1 or more")
    return number


def event(text: str) -> str:
    if not re.fullmatch("[0-9]{1,18}-[0-9]{1,18}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no event's id like 3-0")
    return text


def pair(text: str) -> tuple[str, str]:
    """`key=value`."""
    key, equals, value = text.partition("=")
    if not (key and equals):
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form key=value")
    return key, value
