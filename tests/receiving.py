"""Somebody who takes webhooks: a small HTTP server, which verifies what comes as its library does."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

from standardwebhooks import Webhook

Taken = dict[str, Any]


@dataclass
class Receiver:
    """What came, in order; `answers` are the statuses that are still to be given, and then 200."""

    secret: str
    port: int = 0
    answers: list[int] = field(default_factory=list)
    seconds: float = 0.0  # until it answers
    location: str = ""
    came: list[tuple[dict[str, str], Taken]] = field(default_factory=list)
    hosts: list[str] = field(default_factory=list)
    released: Event = field(default_factory=Event)

    @property
    def types(self) -> list[str]:
        return [body["type"] for _, body in self.came]

    @property
    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.came]

    def until(self, done: Callable[[Receiver], bool], seconds: float = 20) -> None:
        end = time.monotonic() + seconds
        while not done(self):
            assert time.monotonic() < end, f"only {self.types} came"
            time.sleep(0.02)


@contextmanager
def receiving(
    secret: str, *answers: int, port: int = 0, seconds: float = 0.0, tls: ssl.SSLContext | None = None
) -> Iterator[Receiver]:
    receiver = Receiver(secret, answers=list(answers), seconds=seconds)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.came.append((headers, Webhook(receiver.secret).verify(body, headers)))
            receiver.hosts.append(headers["host"])
            receiver.released.wait(receiver.seconds)
            self.send_response(receiver.answers.pop(0) if receiver.answers else 200)
            if receiver.location:
                self.send_header("Location", receiver.location)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        allow_reuse_address = True

        def handle_error(self, *_: object) -> None:  # a sender that went away
            pass

    server = Server(("127.0.0.1", port), Handler)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    receiver.port = server.server_address[1]
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.released.set()
        server.shutdown()
        server.server_close()
        thread.join(5)
