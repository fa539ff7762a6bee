"""A TCP proxy before Redis that does what networks do: it refuses, swallows, delays, and loses replies.

It runs in the loop of the test. A command is known by some bytes in it: redis-py sends each in one piece, so what is
read at once is a command.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Literal

_PIECE = 1 << 16

Loses = Literal["request", "reply"]
Then = Callable[[int], object]


def nothing(_: int) -> None:
    """What happens beside the loss."""


@dataclass
class Rule:
    """What happens to commands that hold all `needles`: the request is lost before the server has it, or the reply
    after the server ran it. `then` is called at that moment, with the client's port; the connection is cut."""

    needles: tuple[bytes, ...]
    loses: Loses
    then: Then
    times: int = 1
    met: asyncio.Event = field(default_factory=asyncio.Event)


class Proxy:
    """Listens on `port`, and passes on to `target` what it is not told to spoil."""

    def __init__(self, port: int, target: int) -> None:
        self.port = port
        self.delay = 0.0  # seconds, each way
        self.drops = 0.0  # the share of replies that are lost after the server ran the command
        self.random = Random(0)
        self.dropped = 0
        self._target = target
        self._passing = asyncio.Event()
        self._passing.set()
        self._rules: list[Rule] = []
        self._connections: set[_Connection] = set()
        self._server: asyncio.Server | None = None

    async def accept(self) -> None:
        """Takes connections, as at the beginning or after `refuse`."""
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def refuse(self) -> None:
        """Cuts all connections and takes no new ones."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.cut()
        await asyncio.sleep(0)

    def black_hole(self) -> None:
        """Connections stay, and nothing comes through. What is on its way then arrives after `heal`, as with TCP,
        even where its sender has given up."""
        self._passing.clear()

    def heal(self, *, forgetting: bool = False) -> None:
        """Lets everything through again; but nothing ever again in connections from before, where the network has
        forgotten them: nobody tells their ends."""
        if forgetting:
            for connection in self._connections:
                connection.forgotten = True
        self._passing.set()
        self.delay = self.drops = 0.0

    def cut(self) -> None:
        for connection in list(self._connections):
            connection.cut()

    def when(self, *needles: bytes, loses: Loses, then: Then = nothing, times: int = 1) -> Rule:
        """The next `times` commands with all `needles` in them are lost, see `Rule`."""
        rule = Rule(needles, loses, then, times)
        self._rules.append(rule)
        return rule

    def forget_rules(self) -> None:
        self._rules.clear()

    async def close(self) -> None:
        self.heal()
        await self.refuse()

    def rule_for(self, request: bytes) -> Rule | None:
        for rule in self._rules:
            if rule.times and all(needle in request for needle in rule.needles):
                rule.times -= 1
                return rule
        if self.drops and self.random.random() < self.drops:
            return Rule((), "reply", nothing)
        return None

    async def pause(self) -> None:
        if self.delay:
            await asyncio.sleep(self.delay)
        await self._passing.wait()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._passing.wait()
        try:
            upstream = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        connection = _Connection(self, (reader, writer), upstream)
        self._connections.add(connection)
        try:
            await connection.run()
        finally:
            self._connections.discard(connection)


Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class _Connection:
    """One client's way to the server and back."""

    def __init__(self, proxy: Proxy, client: Stream, server: Stream) -> None:
        self._proxy = proxy
        self._from_client, self._to_client = client
        self._from_server, self._to_server = server
        self._losing: Rule | None = None  # the next reply is lost
        self.forgotten = False

    async def run(self) -> None:
        there, back = asyncio.create_task(self._forward()), asyncio.create_task(self._backward())
        try:
            await asyncio.wait([there, back], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (there, back):
                task.cancel()
            await asyncio.gather(there, back, return_exceptions=True)
            self.cut()

    def cut(self) -> None:
        self._to_client.transport.abort()
        self._to_server.transport.abort()

    async def _forward(self) -> None:
        with contextlib.suppress(OSError):
            while request := await self._from_client.read(_PIECE):
                await self._proxy.pause()
                if self.forgotten:
                    continue
                rule = self._proxy.rule_for(request)
                if rule and rule.loses == "request":
                    self._lose(rule)
                    return
                self._losing = rule or self._losing
                self._to_server.write(request)
                await self._to_server.drain()

    async def _backward(self) -> None:
        with contextlib.suppress(OSError):
            while reply := await self._from_server.read(_PIECE):
                if self._losing:
                    self._lose(self._losing)
                    return
                await self._proxy.pause()
                if self.forgotten:
                    continue
                self._to_client.write(reply)
                await self._to_client.drain()

    def _lose(self, rule: Rule) -> None:
        self._proxy.dropped += 1
        rule.then(self._to_client.get_extra_info("peername")[1])
        rule.met.set()
