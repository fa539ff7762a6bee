"""`rostra demo`: one real debate on this machine, live in the terminal."""

from __future__ import annotations

import argparse
import json
import signal
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from rostra.client import Client, Refused, RostraError
from rostra.commands.stack import StackError, StackSettings, interrupt, running
from rostra.commands.terminal import complain
from rostra.commands.watch import Watching
from rostra.plain import on_one_line
from rostra.processes import free_port
from rostra.settings import read

# Short turns: the bundled model has 135 million parameters and is there to show the machinery.
DEBATE: Mapping[str, Any] = {
    "motion": "Every town should ban cars from its centre",
    "language": "en",
    "rounds": 3,
    "opening": "Good evening. State your case in a sentence or two, and answer your opponent.",
    "debaters": [
        {
            "name": "Rosa",
            "stance": "for the motion",
            "persona": "A cyclist and mother of two who wants quiet, safe streets.",
        },
        {
            "name": "Victor",
            "stance": "against the motion",
            "persona": "A baker whose customers and deliveries come by car.",
        },
    ],
    "turn": {"max_characters": 300, "max_tokens": 90},
    "seed": 42,
}


def demo(chosen: argparse.Namespace) -> int:
    """Plays a debate to its end; exit status 0 if it was completed."""
    console = Console()
    file: Path | None = chosen.file
    signal.signal(signal.SIGTERM, interrupt)
    try:
        debate = json.loads(file.read_text(encoding="utf-8")) if file else DEBATE
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        complain(on_one_line(f"cannot read {file}: {why}"))
        return 2
    try:
        with tempfile.TemporaryDirectory(prefix="rostra-demo-") as folder:
            return _play(console, Path(folder), debate)
    except Refused as error:
        complain(f"the debate was refused: {error}")
        return 2
    except (StackError, RostraError) as error:
        complain(on_one_line(str(error)))
        return 1
    except KeyboardInterrupt:
        console.print("stopped")
        return 130


def _play(console: Console, folder: Path, debate: Mapping[str, Any]) -> int:
    began = time.monotonic()
    own = {"data_dir": folder, "host": "127.0.0.1", "port": free_port()}
    with running(read(StackSettings).model_copy(update=own)) as stack:
        with console.status("starting Redis, the model, the workers and the API …"):
            stack.until_ready()
        console.print(f"ready in {time.monotonic() - began:.1f} s: {stack.url}", style="dim", markup=False)
        return _watch(console, stack.url, debate)


def _watch(console: Console, url: str, debate: Mapping[str, Any]) -> int:
    with Client(url, key="") as client:
        status = Watching(client, client.debates.create(debate), console).to_the_end()
    console.print("Now your own: `make serve`, then `rostra debate MOTION` (see README.md).", markup=False)
    return status
