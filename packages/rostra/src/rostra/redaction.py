"""Secrets stay out of the log. Pure.

A written line is searched, not the values that it is made of: so whatever it came from, a field, a message, a
traceback, nothing gets by. `rostra_llm.redaction` is the same, as that service knows nothing of this package.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast
from urllib.parse import quote, unquote

from pydantic import BaseModel, SecretStr

HIDDEN = "***"
# A shorter one would be found in many a word.
_SHORTEST = 4

# In a line of JSON, where quotes inside of strings are escaped. Rather too much is hidden than too little.
_LIKE_SECRETS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?i)\b(bearer|basic)(\s+)[A-Za-z0-9._~+/=-]{6,}"), rf"\1\2{HIDDEN}"),
    (re.compile(r"\b(rostra_[0-9a-f]+|rk)_[A-Za-z0-9_-]{6,}"), rf"\1_{HIDDEN}"),
    (re.compile(r"([a-z][a-z0-9+.-]*://[^\s/:@\"'<>\\]*:)[^\s\"'<>]*@"), rf"\1{HIDDEN}@"),
    (re.compile(r"([a-z][a-z0-9+.-]*://)[^\s/:@\"'<>\\]+@"), rf"\1{HIDDEN}@"),
    (
        re.compile(
            r"(?i)((?:api[_-]?key|access[_-]?key|authorization|cookie|passw(?:or)?d|secret|[?&]key|[?&]token)"
            r"[a-z_-]*(?:\\*[\"'])?\s*(?:=\s*b?\\*[\"']?|[:,]\s*b?\\*[\"']))"
            r"(?:(?:bearer|basic)\s+)?[^\s\"'\\&,;)}\]]+"
        ),
        rf"\1{HIDDEN}",
    ),
)


class Redaction:
    """Hides these secrets in a line, and whatever looks like one."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        forms = {form for secret in secrets if len(secret) >= _SHORTEST for form in _forms(secret)}
        longest_first = sorted(forms, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, longest_first))) if forms else None

    def __call__(self, line: str) -> str:
        if self._known:
            line = self._known.sub(HIDDEN, line)
        for pattern, hidden in _LIKE_SECRETS:
            line = pattern.sub(hidden, line)
        return line


def _forms(secret: str) -> set[str]:
    """As it is, in an address and as a repr; in JSON, and in JSON that is shown in JSON."""
    forms = {secret, quote(secret, safe=""), repr(secret)[1:-1]}
    for _ in range(2):
        forms |= {json.dumps(form, ensure_ascii=False)[1:-1] for form in forms}
    return forms


_PASSWORD_IN_ADDRESS = re.compile(r"://[^\s/:@]*:([^\s/@]+)@")


def secrets_of(value: Any) -> Iterator[str]:
    """The secrets among settings: what is typed as one, and the passwords in addresses."""
    if isinstance(value, SecretStr):
        yield value.get_secret_value()
    elif isinstance(value, str):
        yield from map(unquote, _PASSWORD_IN_ADDRESS.findall(value))
    else:
        for each in _inside(value):
            yield from secrets_of(each)


def _inside(value: object) -> Iterable[object]:
    if isinstance(value, BaseModel):
        return value.__dict__.values()
    if isinstance(value, Mapping):
        return cast("Mapping[object, object]", value).values()
    return cast("Iterable[object]", value) if isinstance(value, list | tuple) else ()
