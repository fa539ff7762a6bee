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
from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

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
_COLOURS = ("cyan", "magenta", "green", "yellow", "blue", "red")


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


class Scene:
    """What the terminal shows: finished turns above, the turn in flight and the progress below.

    What people and models wrote is shown as `Text`, which knows no markup, and plain, so that it drives no terminal.
    """

    def __init__(self, console: Console, view: Mapping[str, Any]) -> None:
        self._console = console
        names = [debater["name"] for debater in view["debaters"]]
        self._colour = {name: _COLOURS[i % len(_COLOURS)] for i, name in enumerate(names)}
        self._planned = view["turns_planned"]
        self._done = 0
        self._words: tuple[str, int, str] = ("", 0, "")  # debater, attempt, what was heard
        self._began = time.monotonic()
        console.print(Panel(Text(on_one_line(view["motion"]), justify="center"), title="the motion", style="bold"))
        for debater in view["debaters"]:
            console.print(self._name(debater["name"]) + Text(f"  {on_one_line(debater['stance'])}", style="dim"))

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began

    def live(self) -> Live:
        self._live = Live(self._below(), console=self._console, refresh_per_second=10, transient=True)
        return self._live

    def show(self, kind: str, data: Mapping[str, Any]) -> None:
        if kind == "delta":
            same = self._words[:2] == (data["debater"], data["attempt"])
            heard = self._words[2] if same else ""
            self._words = (data["debater"], data["attempt"], heard + data["text"])
        elif kind == "turn_taken":
            self._done = data["seq"]
            self._words = ("", 0, "")
            self._console.print(Text("\n") + self._name(data["debater"]) + Text(": " + on_one_line(data["text"])))
        elif kind == "attempt_failed":
            self._words = ("", 0, "")
            self._console.print(Text(f"  attempt {data['attempt']}: {on_one_line(data['detail'])}", style="dim red"))
        self._live.update(self._below())

    def _below(self) -> Group:
        debater, _, heard = self._words
        words = Text("\n") + self._name(debater) + Text(f": {on_one_line(heard)}▌", style="dim") if debater else Text()
        progress = Table.grid(padding=(0, 1))
        progress.add_row(
            ProgressBar(total=self._planned, completed=self._done, width=30), f"turn {self._done} of {self._planned}"
        )
        return Group(words, progress)

    def _name(self, name: str) -> Text:
        return Text(on_one_line(name), style=f"bold {self._colour.get(name, 'white')}")


def summarise(console: Console, transcript: Mapping[str, Any], seconds: float) -> None:
    turns = transcript["turns"]
    reason = f": {on_one_line(transcript['reason'])}" if transcript["reason"] else ""
    table = Table(title=Text(f"\n{transcript['status']}{reason}"))
    for column in ("debater", "turns", "attempts", "characters", "tokens"):
        table.add_column(column, justify="left" if column == "debater" else "right")
    for debater in transcript["debaters"]:
        own = [turn for turn in turns if turn["debater"] == debater["name"]]
        table.add_row(
            Text(on_one_line(debater["name"])),
            str(len(own)),
            str(sum(turn["attempts"] for turn in own)),
            str(sum(len(turn["text"]) for turn in own)),
            str(sum(turn["usage"]["completion_tokens"] for turn in own)),
        )
    console.print(table)
    console.print(
        f"{len(turns)} of {transcript['turns_planned']} turns in {seconds:.1f} s. "
        "Now your own: `make serve`, then POST a file of examples/ with curl (see README.md).",
        markup=False,
    )
