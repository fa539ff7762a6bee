"""What a debate looks like in a terminal while it goes on, and in figures when it is over."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from rostra.outcomes import beside_the_verdict
from rostra.plain import on_one_line
from rostra.views import TranscriptView

# Of the formats whose turns go round and round.
_FREE_PHASE = "debate"
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
        self._phase = ""
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
        """Shows an event of the stream; of one that is not known here, nothing."""
        if kind == "delta":
            same = self._words[:2] == (data["debater"], data["attempt"]) and not data.get("whole")
            heard = self._words[2] if same else ""
            self._words = (data["debater"], data["attempt"], heard + data["text"])
        elif kind in {"turn_taken", "attempt_failed", "debate_ended"}:
            self._words = ("", 0, "")
        if kind == "turn_taken":
            self._done = data["seq"]
            self._enter(data.get("phase", ""))
        for line in self._told(kind, data):
            self._console.print(line)
        self._live.update(self._below())

    def read(self, transcript: TranscriptView) -> None:
        """Shows all that was said, and how it ended."""
        told = transcript.model_dump(mode="json")
        for turn in told["turns"]:
            self._asked(told["questions"], turn["seq"] - 1)
            self._enter(turn["phase"])
            self._console.print(Text("\n") + self._speech(turn))
        self._asked(told["questions"], len(told["turns"]))
        if told["verdict"]:
            self._console.print(verdict(told["verdict"]))
        conclude(self._console, transcript)

    def _asked(self, questions: Sequence[Mapping[str, Any]], after: int) -> None:
        """What a human moderator put behind this turn."""
        for question in questions:
            if question["after"] == after:
                self._console.print(self._question(question))

    def _enter(self, phase: str) -> None:
        """The only phase of a free format has nothing to be told apart from."""
        if phase not in (self._phase, _FREE_PHASE):
            self._console.print(Text("\n") + Text(f"── {on_one_line(phase).replace('_', ' ')} ──", style="bold"))
        self._phase = phase

    def _told(self, kind: str, data: Mapping[str, Any]) -> Iterator[Text | Panel]:
        match kind:
            case "turn_taken":
                yield Text("\n") + self._speech(data)
            case "attempt_failed":
                yield Text(f"  attempt {data['attempt']}: {on_one_line(data['detail'])}", style="dim red")
            case "question_failed":
                yield Text(on_one_line(f"  {data['question']}: {data['detail'] or data['reason']}"), style="dim red")
            case "turn_awaited":
                awaited = f" is awaited for turn {on_one_line(str(data['seq']))}"
                yield Text("\n") + self._name(data["debater"]) + Text(awaited, style="dim")
            case "turn_missed":
                yield Text(on_one_line(f"  {data['debater']} said nothing in time"), style="dim")
            case "question_put":
                yield self._question(data)
            case "reading_given":
                found = data.get("failed") or f"for {', then '.join(data.get('ranking') or ['nobody'])}"
                yield Text(on_one_line(f"  judge {data['judge']}, reading {data['reading']}: {found}"), style="dim")
            case "vote_cast":
                found = data.get("failed") or ", ".join(data.get("ballot") or ["nothing"])
                yield Text(on_one_line(f"  voter {data['voter']} ({data['moment']}): {found}"), style="dim")
            case "verdict_given":
                yield verdict(data["verdict"])
            case "debate_paused" | "debate_resumed" | "debate_released":
                yield Text(f"  {kind.removeprefix('debate_')}", style="dim")
            case _:
                return

    def _speech(self, data: Mapping[str, Any]) -> Text:
        to = Text(f" to {on_one_line(data['to'])}", style="dim") if data.get("to") else Text()
        if data.get("finish_reason") == "skipped":
            return self._name(data["debater"]) + Text(" said nothing in time", style="dim")
        return self._name(data["debater"]) + to + Text(": " + on_one_line(data["text"]))

    def _question(self, data: Mapping[str, Any]) -> Text:
        to = f" {on_one_line(data['to'])}" if data.get("to") else ""
        return Text("\n") + Text(f"the moderator asks{to}: ", style="bold") + Text(on_one_line(data["text"]))

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


def verdict(found: Mapping[str, Any]) -> Panel:
    """What the judges found, in a frame."""
    match found["outcome"]:
        case "winner":
            said = f"{found['winner']} wins, by {found['agreement']:.0%} of the judges"
        case "ranking":
            said = ", ".join(f"{place}. {side}" for place, side in enumerate(found["ranking"], 1))
        case _:
            said = f"no verdict: {found['reason']}"
    totals = ", ".join(f"{side} {total:g}" for side, total in found.get("totals", {}).items())
    return Panel(Text(on_one_line(f"{said} ({totals})" if totals else said), justify="center"), title="the verdict")


def conclude(console: Console, transcript: TranscriptView, seconds: float | None = None) -> None:
    """What votes and baselines came to, and who spoke how much."""
    made = transcript.decision
    names = {side: side for side in made.tally} if made else {}  # a transcript has names already
    for title, lines in beside_the_verdict(transcript.audience, made, transcript.baselines, names):
        console.print(Panel(Text("\n".join(map(on_one_line, lines))), title=title.lower()))
    summarise(console, transcript.model_dump(mode="json"), seconds)


def summarise(console: Console, transcript: Mapping[str, Any], seconds: float | None = None) -> None:
    """Who spoke how much; in `seconds`, where it was watched."""
    turns = transcript["turns"]
    reason = f": {on_one_line(transcript['reason'])}" if transcript["reason"] else ""
    table = Table(title=Text(f"\n{on_one_line(str(transcript['status']))}{reason}"))
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
    took = f" in {seconds:.1f} s" if seconds is not None else ""
    console.print(f"{len(turns)} of {transcript['turns_planned']} turns{took}.", markup=False)
