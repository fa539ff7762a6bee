"""An answer's body as it comes over the network, in pieces, read with a bound."""

from __future__ import annotations

from collections.abc import AsyncIterator

LONGEST_LINE = 1 << 20


class TooLong(ValueError):
    """A line has over 1 MiB."""


async def lines(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The body's lines, of which the last may lack its end. JSON may hold what Unicode takes for a line's end (U+2028,
    U+0085), and an event stream does not end lines there.

    Raises: TooLong.
    """
    rest = b""
    async for piece in pieces:
        *complete, rest = (rest + piece).split(b"\n")
        for line in complete:
            yield line
        if len(rest) > LONGEST_LINE:
            raise TooLong
    if rest:
        yield rest


async def beginning(pieces: AsyncIterator[bytes], most: int) -> bytes:
    """At most so many bytes; what comes behind them is not waited for."""
    body = b""
    async for piece in pieces:
        body += piece
        if len(body) >= most:
            break
    return body[:most]
