"""The first thing that a request meets: who asks, and whether they may, and may so often and so much.

As a middleware and not as a dependency of each route, so that a route which is added is closed until somebody opens it.

- Where there are keys, all but `OPEN` and the page's files needs one. GET and HEAD need the scope `read`, everything
  else and `WRITERS_ONLY` the scope `write`.
- Where there are none, whoever is on this machine may do everything, if nobody else can reach it; else nobody may do
  anything. That a page in somebody's browser does not count as being on this machine is told by the names it uses.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address
from typing import cast
from urllib.parse import urlsplit

import structlog
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from rostra.keys import Key
from rostra.keys import Scope as Right
from rostra.store import StorageDown
from rostra_api import problems
from rostra_api.caller import ANYBODY, Caller
from rostra_api.intake import check_head, check_size
from rostra_api.parts import Parts
from rostra_api.problems import FOREIGN, MISSING_SCOPE, NO_KEY, NO_KEYS, OPENAI, Refusal
from rostra_api.settings import Settings
from rostra_api.site import FOLDER

# Nothing is told there, beside whether it works, and how the page looks.
OPEN = frozenset({"/healthz", "/readyz", "/"})

# Most proxies say so when they hand on somebody else's request.
_OF_PROXIES = ("forwarded", "via", "x-forwarded-for", "x-real-ip")
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
# What is told there lets its reader speak for Rostra: to begin debates takes as much.
WRITERS_ONLY = frozenset({"/v1/webhooks/secret"})
_CHALLENGE = "Bearer"
_MAKE = "rostra keys create --owner NAME"
_HOW = f"`{_MAKE}` makes a key (in the containers: `docker compose exec api {_MAKE}`)"


class Entry:
    """Lets requests in, each with its `Caller`, or answers with the problem."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._reached_by_others = settings.reached_by_others

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            check_head(scope)
            if not _is_open(scope["path"]):
                await self._let_in(scope)
        except (Refusal, StorageDown) as refused:
            await problems.told(refused, scope["path"])(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _let_in(self, scope: Scope) -> None:
        """Raises: Refusal, StorageDown."""
        parts = cast("Parts", scope["app"].state.parts)
        caller = await self._caller(scope, parts)
        parts.rate.take(caller)
        check_size(scope)
        scope.setdefault("state", {})["caller"] = caller

    async def _caller(self, scope: Scope, parts: Parts) -> Caller:
        """Raises: Refusal, StorageDown."""
        headers = Headers(scope=scope)
        token = _token(headers)
        # Clients of OpenAI's cannot be without a key, so where there are none they send something.
        if token and (not scope["path"].startswith(OPENAI) or await parts.lookout.keys_are_there()):
            key = await parts.keyring.key(token)
            structlog.contextvars.bind_contextvars(key=key.id)
            _check(key, _right(scope))
            await parts.keyring.note_use(key)
            return Caller(key.owner, key.id, key.may(Right.ADMIN))
        if await parts.lookout.keys_are_there():
            raise Refusal(NO_KEY, "Send a key as `Authorization: Bearer …`.", WWW_Authenticate=_CHALLENGE)
        if self._reached_by_others:
            raise Refusal(
                NO_KEYS, f"Others can reach this address, so it asks for a key: {_HOW}.", WWW_Authenticate=_CHALLENGE
            )
        _check_near(headers)
        return ANYBODY


def _is_open(path: str) -> bool:
    return path in OPEN or path.startswith(FOLDER)


def _token(headers: Headers) -> str:
    """What was sent as a key, or `""`. Raises Refusal where it was sent in another way."""
    sent = headers.getlist("authorization")
    if not sent:
        return ""
    scheme, _, token = sent[0].partition(" ")
    if len(sent) > 1 or scheme.lower() != "bearer" or not token.strip():
        raise Refusal(NO_KEY, "Send one key, as `Authorization: Bearer …`.", WWW_Authenticate=_CHALLENGE)
    return token.strip()


def _right(scope: Scope) -> Right:
    reads = scope["method"] in _READING and scope["path"] not in WRITERS_ONLY
    return Right.READ if reads else Right.WRITE


def _check(key: Key, right: Right) -> None:
    if not key.may(right):
        challenge = f'Bearer error="insufficient_scope", scope="{right}"'
        raise Refusal(MISSING_SCOPE, f"The key lacks the scope `{right}`.", WWW_Authenticate=challenge)


def _check_near(headers: Headers) -> None:
    """A name that leads to this machine may be anybody's (DNS rebinding), and a page of another site may send requests
    to a loopback address: both know no loopback name for the place that they come from. Raises: Refusal."""
    if not _is_loopback(_hostname("//", headers.getlist("host"))):
        raise Refusal(FOREIGN, f"Without keys it answers to a loopback name only. For others, {_HOW}.")
    if "origin" in headers and not _is_loopback(_hostname("", headers.getlist("origin"))):
        raise Refusal(FOREIGN, f"Without keys it takes no requests from pages of other sites. For them, {_HOW}.")
    if any(name in headers for name in _OF_PROXIES):
        raise Refusal(FOREIGN, f"Without keys it takes no requests that a proxy hands on. For them, {_HOW}.")


def _hostname(before: str, values: Sequence[str]) -> str:
    try:
        return urlsplit(before + values[0]).hostname or "" if len(values) == 1 else ""
    except ValueError:
        return ""


def _is_loopback(name: str) -> bool:
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"
