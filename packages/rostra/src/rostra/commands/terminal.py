"""How the commands talk to their terminal: what they say, their exit statuses, which debate is meant.

Wrong    what was asked for cannot be done as it was said; a command raises it with the reason
"""

from __future__ import annotations

import argparse
import json
import math
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from itertools import islice
from typing import Any, cast

from pydantic import BaseModel
from rich.console import Console
from rich.text import Text

from rostra.client import (
    Client,
    NotRostra,
    RostraError,
    TooMuch,
    Unavailable,
    Unreachable,
)
from rostra.plain import json_line, plain

DONE, ENDED_OTHERWISE, WRONG, NOT_NOW, INTERRUPTED = 0, 1, 2, 3, 130

LATEST = "@latest"
# Among how many of the newest debates a shortened id is looked for.
KNOWN = 500
_WHOLE_ID = re.compile(r"[0-9a-f]{28}")
_PART = re.compile(r"[0-9a-f]{4,27}")


class Wrong(Exception):
    """What was asked for cannot be done as it was said."""


def command(work: Callable[[argparse.Namespace], int]) -> Callable[[argparse.Namespace], int]:
    """Says in a sentence what went wrong, on standard error, and answers the exit status for it."""

    @wraps(work)
    def run(chosen: argparse.Namespace) -> int:
        try:
            return work(chosen)
        except (RostraError, Wrong) as error:
            complain(str(error))
            return status_of(error)
        except KeyboardInterrupt:
            return INTERRUPTED
        except BrokenPipeError:
            nobody_reads()
            return DONE

    return run


def nobody_reads() -> None:
    """Whoever read has seen enough: what is still to be written goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def status_of(error: Exception) -> int:
    return NOT_NOW if isinstance(error, Unreachable | NotRostra | Unavailable | TooMuch) else WRONG


def complain(text: str) -> None:
    errors().print(Text(plain(f"rostra: {text}"), style="red"), soft_wrap=True)


def note(text: str) -> None:
    """Beside what was asked for, so on standard error."""
    errors().print(Text(plain(text), style="dim"), soft_wrap=True)


def screen() -> Console:
    return Console(highlight=False)


def errors() -> Console:
    return Console(stderr=True, highlight=False)


def a_client(retries: int = 2) -> Client:
    """Somebody sits there and waits: what cannot be had now is told soon."""
    try:
        return Client(retries=retries)
    except ValueError as error:
        raise Wrong(str(error)) from None


def found(client: Client, text: str) -> str:
    """The id that was meant. Raises Wrong where none or several may be."""
    if _WHOLE_ID.fullmatch(text):
        return text
    if text == LATEST:
        newest = next(iter(client.debates.list()), None)
        if newest is None:
            raise Wrong("there is no debate yet")
        return newest.id
    if not _PART.fullmatch(text):
        raise Wrong(f"{text!r} is no debate's id, nor 4 or more characters from its beginning or end, nor {LATEST}")
    known = (debate.id for debate in islice(client.debates.list(), KNOWN))
    meant = [one for one in known if one.startswith(text) or one.endswith(text)]
    if len(meant) != 1:
        raise Wrong(f"{len(meant) or 'none'} of the newest {KNOWN} debates have {text!r} at an end of their id")
    return meant[0]


def as_line(data: Mapping[str, Any] | BaseModel) -> None:
    """One line of JSON, for scripts."""
    print(json_line(data.model_dump(mode="json") if isinstance(data, BaseModel) else data), flush=True)


Json = dict[str, Any]


def fields(pairs: Iterable[tuple[str, str]]) -> Json:
    """`a.b=1` and so on as a JSON object. Raises Wrong."""
    whole: Json = {}
    for path, text in pairs:
        *outer, last = path.split(".")
        place = whole
        for name in outer:
            inner = place.setdefault(name, {})
            if not isinstance(inner, dict):
                raise Wrong(f"{path}: {name} has a value already")
            place = cast("Json", inner)
        place[last] = value(text)
    return whole


def value(text: str) -> Any:
    """As JSON, where it is; else as it stands."""
    try:
        return json.loads(text, parse_constant=_no_number, parse_float=_finite)
    except (ValueError, RecursionError):
        return text


def metadata_value(text: str) -> Any:
    """As JSON, where that is written as `text`, by which the debate is looked for: 1.10 is text."""
    known = value(text)
    return known if json.dumps(known, ensure_ascii=False) == text else text


def _no_number(name: str) -> Any:
    """NaN and Infinity are none in JSON. Raises ValueError."""
    raise ValueError(name)


def _finite(text: str) -> float:
    """Raises ValueError."""
    number = float(text)
    return number if math.isfinite(number) else _no_number(text)


def merged(base: Json, more: Json) -> Json:
    """`base` with `more` laid over it, object by object."""
    whole = dict(base)
    for name, given in more.items():
        inner = whole.get(name)
        both = isinstance(inner, dict) and isinstance(given, dict)
        whole[name] = merged(cast("Json", inner), cast("Json", given)) if both else given
    return whole
