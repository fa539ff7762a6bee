"""What a process asks of the kernel."""

from __future__ import annotations

import ctypes
import errno
import random
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress

_PR_SET_PDEATHSIG = 1
# Below those that kernels give to outgoing connections (Linux: from 32,768), one of which could hold the port when who
# listens there is started again.
_PORTS = range(20_000, 32_768)


def die_with_parent() -> None:
    """Sends this process SIGTERM when the one that started it dies, where the kernel can (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def free_port(among: Sequence[int] = _PORTS) -> int:
    """A port of 127.0.0.1 that nobody listens on.

    Raises:
        OSError: none was found.
    """
    for port in random.sample(among, min(100, len(among))):
        with suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError(errno.EADDRINUSE, "no free port was found")
