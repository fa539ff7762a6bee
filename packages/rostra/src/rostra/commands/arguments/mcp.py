"""`rostra mcp`."""

from __future__ import annotations

import argparse
import re

from rostra.commands.arguments.kinds import AddParser


def add(add_parser: AddParser) -> None:
    mcp = add_parser(
        "mcp",
        help="give agents debates as tools (Model Context Protocol)",
        description="Serves tools and resources over standard input and output, or over HTTP at /mcp. They ask the API "
        "at ROSTRA_URL, with the key in ROSTRA_API_KEY. Beyond loopback each HTTP request must carry a key of its own.",
    )
    mcp.add_argument("--http", type=_listener, metavar="HOST:PORT", help="serve over HTTP, as 127.0.0.1:8090")
    mcp.set_defaults(run="rostra.commands.mcp:mcp", extra="mcp")


def _listener(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not re.fullmatch(r"[0-9]{1,5}", port) or not 0 < int(port) < 65536:
        raise argparse.ArgumentTypeError(f"{text!r} is no HOST:PORT like 127.0.0.1:8090")
    return host.strip("[]") or "127.0.0.1", int(port)
