"""Every way in which a model server may fail to answer, as a sentence that says what to do.

    Trouble                the server did not do what it was asked
    ├── NoServer           nothing there answers as a model server does, or it does not let us in
    ├── Refused            it will not do this; in its own words
    ├── Busy               it has no time, now and a moment later
    ├── Silent             it took the request, and nothing came
    └── Broken             the answer was cut, or is no chat completion

Neither the address nor the key stands in any of them.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import contextmanager

import httpx2 as httpx


class Trouble(Exception):
    """The server did not do what it was asked; the message is a sentence."""


class NoServer(Trouble):
    """Nothing there answers as a model server does, or it does not let us in."""


class Refused(Trouble):
    """It will not do this; `words` are the server's own."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(f"It refuses with status {status}" + (f": “{words}”." if words else "."))
        self.status = status
        self.words = words


class Busy(Trouble):
    """It has no time, now and a moment later."""


class Silent(Trouble):
    """It took the request, and nothing came."""


class Broken(Trouble):
    """The answer was cut, or is no chat completion."""


@contextmanager
def explained() -> Generator[None]:
    """Raises: Trouble, for whatever goes wrong with the connection."""
    try:
        yield
    except httpx.ConnectTimeout:
        raise NoServer(
            "No connection comes about: is the machine switched on, and does a firewall let us through?"
        ) from None
    except httpx.TimeoutException:
        raise Silent("It took the request and was silent until we gave up.") from None
    except httpx.ConnectError as error:
        raise NoServer(_why_no_connection(str(error))) from None
    except httpx.RemoteProtocolError as error:
        raise Broken(_why_no_http(str(error))) from None
    except httpx.LocalProtocolError:
        raise NoServer("The key holds characters that cannot be sent: is it the right one?") from None
    except httpx.TransportError:
        raise Broken("The connection was lost before the answer's end: does it crash, or want https://?") from None
    except httpx.RequestError:
        raise Broken("Its answer cannot be read.") from None


def _why_no_connection(said: str) -> str:
    if "CERTIFICATE" in said:
        return "Its certificate is not trusted here: have it signed by an authority that is."
    if "SSL" in said:
        return "It speaks no TLS there: use http://."
    if re.search(r"not known|nodename|name resolution|getaddrinfo", said, re.IGNORECASE):
        return "There is no machine of this name: is it spelt right?"
    return "Nothing listens there: is the server started, and is the port right?"


def _why_no_http(said: str) -> str:
    if "disconnected without" in said:
        return "It closes the connection without an answer: does it crash, or want https://?"
    if "without sending complete" in said:
        return "It broke off in the middle of an answer: does its log say why?"
    return "It speaks no HTTP there: is the port right, or does it want https://?"
