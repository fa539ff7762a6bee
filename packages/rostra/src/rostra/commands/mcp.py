"""`rostra mcp`: debates as tools for agents."""

from __future__ import annotations

import argparse

from rostra.commands.terminal import nobody_reads
from rostra.mcp import server


def mcp(chosen: argparse.Namespace) -> int:
    """Serves until its reader is gone, or until Ctrl-C."""
    if chosen.http:
        server.serve_http(*chosen.http)
    else:
        try:
            server.server().run("stdio")
        except* BrokenPipeError:
            nobody_reads()
    return 0
