"""`rostra serve`: the whole stack in the foreground, until Ctrl-C."""

from __future__ import annotations

import argparse
import signal
import sys

from rostra.commands.stack import StackError, StackSettings, interrupt, running
from rostra.settings import read


def serve(_: argparse.Namespace) -> int:
    """Runs the stack; prints one line when it is ready. Exit status 0 after Ctrl-C or SIGTERM."""
    settings = read(StackSettings)
    signal.signal(signal.SIGTERM, interrupt)
    try:
        with running(settings) as stack:
            stack.until_ready()
            print(f"Rostra is ready at {stack.url} (data and logs in {stack.folder}; Ctrl-C stops it)", flush=True)
            stack.wait()
            print(f"rostra: the stack stopped by itself; see {stack.folder / 'logs'}", file=sys.stderr)
            return 1
    except StackError as error:
        print(f"rostra: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
