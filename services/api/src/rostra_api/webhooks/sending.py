"""One message on its way: to the address that was looked at, and to no other.

httpcore has the one seam that this needs: it asks its backend for a connection to a host. This backend looks the host
up, checks what it found, and connects to that; TLS is verified for the host's name above it. It follows no redirects
and knows no proxies. Nothing of an answer but its status goes any further: what it says may be somebody else's secret.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from ipaddress import ip_address
from typing import Any, cast

import httpcore2 as httpcore

from rostra_api.webhooks.addresses import IP, Allowed, Receiver, Unfit, check

# What the rules advise: 15 to 30.
SECONDS = 15.0
# An answer is read so far, that its sender need not find the connection reset.
_BODY_BYTES = 1024
_BODY_SECONDS = 1.0
# Of a host's addresses so many are tried.
_MOST_ADDRESSES = 4

# Answers a host's addresses, as they are written.
Resolver = Callable[[str, int], Awaitable[Sequence[str]]]

_lookups = ThreadPoolExecutor(64, "lookup")


class NotSent(Exception):
    """No answer came; the message says why in words of ours."""


async def looked_up(host: str, port: int) -> Sequence[str]:
    """As this machine resolves names. Raises: OSError."""
    found = await asyncio.get_running_loop().run_in_executor(
        _lookups, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    )
    return [str(address[0]) for *_, address in found]


class Sender:
    """Sends messages to addresses that it has checked."""

    def __init__(
        self,
        allowed: Allowed,
        *,
        resolver: Resolver = looked_up,
        trust: ssl.SSLContext | None = None,
        seconds: float = SECONDS,
    ) -> None:
        self._allowed = allowed
        self._resolver = resolver
        self._trust = trust or ssl.create_default_context()
        self._seconds = seconds

    async def send(self, to: Receiver, headers: Mapping[str, str], body: str) -> int:
        """POSTs the message; answers the status. Raises: NotSent."""
        try:
            async with asyncio.timeout(self._seconds):
                return await self._post(to, headers, body.encode())
        except TimeoutError:
            raise NotSent(f"it did not answer within {self._seconds:g} s") from None
        except Unfit as error:
            raise NotSent(f"its address {error}") from None
        except (httpcore.ConnectError, OSError) as error:
            raise NotSent(_unconnected(error)) from None
        except (httpcore.NetworkError, httpcore.ProtocolError):
            raise NotSent("it did not answer in HTTP") from None

    async def _post(self, to: Receiver, headers: Mapping[str, str], body: bytes) -> int:
        own = {"Host": to.place, "Content-Type": "application/json", "User-Agent": "Rostra", "Connection": "close"}
        url = httpcore.URL(scheme=to.scheme, host=to.host, port=to.port, target=to.target)
        backend = _Checked(to, self._allowed, self._resolver)
        async with (
            httpcore.AsyncConnectionPool(ssl_context=self._trust, network_backend=backend) as pool,
            pool.stream("POST", url, headers=list((own | dict(headers)).items()), content=body) as answer,
        ):
            await _read_a_little(answer)
            return answer.status


async def _read_a_little(answer: httpcore.Response) -> None:
    """What goes wrong here concerns nobody: the status has come."""
    read = 0
    with suppress(TimeoutError, httpcore.NetworkError, httpcore.ProtocolError):
        async with asyncio.timeout(_BODY_SECONDS):
            async for some in answer.aiter_stream():
                read += len(some)
                if read >= _BODY_BYTES:
                    return


class _Checked(httpcore.AsyncNetworkBackend):
    """Connects to a receiver's addresses, if they are such as one may connect to."""

    def __init__(self, to: Receiver, allowed: Allowed, resolver: Resolver) -> None:
        self._to = to
        self._allowed = allowed
        self._resolver = resolver
        self._backend: httpcore.AsyncNetworkBackend = cast("Any", httpcore.AnyIOBackend)()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        failed: Exception = OSError("its host has no address")
        for address in (await self._addresses())[:_MOST_ADDRESSES]:
            try:
                return await self._backend.connect_tcp(str(address), self._to.port, timeout=timeout)
            except httpcore.ConnectError as error:
                failed = error
        raise failed

    async def _addresses(self) -> Sequence[IP]:
        """Raises: Unfit, OSError."""
        found = [ip_address(address) for address in await self._resolver(self._to.host, self._to.port)]
        check(self._to, found, self._allowed)
        return found


def _unconnected(error: BaseException) -> str:
    """Why there is no connection, without what the other side may have said."""
    causes: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None:
        causes.append(cause)
        cause = cause.__cause__ or cause.__context__
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return "its certificate is not one for its host that can be trusted"
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return "it does not speak TLS as it must"
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return "its host is not known"
    return "it cannot be connected to"
