"""What a debate looks like in a terminal while it goes on, and in figures when it is over."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from rostra.plain import on_one_line

_COLOURS = ("cyan", "magenta", "green", "yellow", "blue", "red")


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
    console.print(f"{len(turns)} of {transcript['turns_planned']} turns in {seconds:.1f} s.", markup=False)
