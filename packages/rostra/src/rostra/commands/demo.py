"""`rostra demo`: one real debate on this machine, live in the terminal."""

from __future__ import annotations

import json
import signal
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx2 as httpx
from rich.console import Console
from rich.text import Text

from rostra.commands.scene import Scene, summarise
from rostra.commands.stack import StackError, StackSettings, interrupt, running
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


def demo(file: Path | None) -> int:
    """Plays a debate to its end; exit status 0 if it was completed."""
    console = Console()
    signal.signal(signal.SIGTERM, interrupt)
    try:
        debate = json.loads(file.read_text(encoding="utf-8")) if file else DEBATE
    except (OSError, ValueError) as error:
        console.print(Text(on_one_line(f"rostra: cannot read {file}: {error}"), style="red"))
        return 2
    try:
        with tempfile.TemporaryDirectory(prefix="rostra-demo-") as folder:
            return _play(console, Path(folder), debate)
    except (StackError, httpx.HTTPError) as error:
        console.print(Text(on_one_line(f"rostra: {error}"), style="red"))
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
        with httpx.Client(base_url=stack.url, timeout=60) as http:
            return _watch(console, http, debate)


def _watch(console: Console, http: httpx.Client, debate: Mapping[str, Any]) -> int:
    answer = http.post("/v1/debates", json=debate)
    if answer.is_client_error:
        console.print(Text(on_one_line(f"rostra: the debate was refused: {answer.text}"), style="red"))
        return 2
    view = answer.raise_for_status().json()
    scene = Scene(console, view)
    with scene.live():
        for kind, data in events(http, view["id"]):
            scene.show(kind, data)
    transcript = http.get(f"/v1/debates/{view['id']}/transcript.json").raise_for_status().json()
    summarise(console, transcript, scene.seconds)
    console.print("Now your own: `make serve`, then POST a file of examples/ with curl (see README.md).", markup=False)
    return 0 if transcript["status"] == "completed" else 1


def events(http: httpx.Client, debate_id: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The debate's events as they happen; a dropped connection is taken up where it broke."""
    last = ""
    while True:
        headers = {"Last-Event-ID": last} if last else {}
        try:
            with http.stream("GET", f"/v1/debates/{debate_id}/events", headers=headers) as response:
                response.raise_for_status()
                for event in _sse(response.iter_bytes()):
                    last = event.get("id") or last
                    if event["event"] == "end":
                        return
                    yield event["event"], json.loads(event["data"])
        except httpx.TransportError:
            pass
        time.sleep(0.5)


def _sse(body: Iterator[bytes]) -> Iterator[dict[str, str]]:
    """Server-sent events (WHATWG HTML, section 9.2), as far as Rostra sends them: a field a line, ended by line feeds
    only. A turn may hold what else Unicode takes for a line's end."""
    rest = b""
    for piece in body:
        *blocks, rest = (rest + piece).split(b"\n\n")
        for block in blocks:
            fields = (line.partition(": ") for line in block.decode().split("\n"))
            event = {name: value for name, _, value in fields}
            if "data" in event:
                yield event
