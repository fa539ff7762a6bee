"""How the HTTP side and an engine send one another objects: each pickled, behind its length in four bytes.

Both ends are this program; nothing from outside is unpickled.
"""

from __future__ import annotations

import pickle
import select
import socket
import struct
from asyncio import StreamReader
from typing import Any

_LENGTH = struct.Struct("!I")


def framed(message: object) -> bytes:
    body = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    return _LENGTH.pack(len(body)) + body


async def read(reader: StreamReader) -> Any:
    """The next message. Raises asyncio.IncompleteReadError when the other end is gone."""
    (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
    return pickle.loads(await reader.readexactly(length))


class Gone(Exception):
    """The other end has closed the pipe."""


class Pipe:
    """The engine's end: blocking, one message at a time."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end

    def send(self, message: object) -> None:
        """Raises OSError when the other end is gone."""
        self._end.sendall(framed(message))

    def receive(self) -> Any:
        """The next message. Raises Gone."""
        (length,) = _LENGTH.unpack(self._exactly(_LENGTH.size))
        return pickle.loads(self._exactly(length))

    def waiting(self, *, wait: bool) -> list[Any]:
        """All messages that are there; with `wait`, at least one. Raises Gone."""
        messages: list[Any] = []
        while select.select([self._end], [], [], None if wait and not messages else 0)[0]:
            messages.append(self.receive())
        return messages

    def _exactly(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            piece = self._end.recv(size - len(data))
            if not piece:
                raise Gone
            data += piece
        return bytes(data)
