"""Debates that are followed in the terminal: by `rostra watch`, and by `rostra debate` and `rostra demo`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Collection, Mapping
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.text import Text

from rostra.client import Client, Refused, RostraError, Told
from rostra.commands.scene import Scene, conclude
from rostra.commands.terminal import (
    DONE,
    ENDED_OTHERWISE,
    INTERRUPTED,
    Wrong,
    a_client,
    as_line,
    command,
    complain,
    found,
    note,
    screen,
)
from rostra.models import Status
from rostra.naming import name_key
from rostra.plain import on_one_line
from rostra.views import CreatedView, DebateView


@command
def watch(chosen: argparse.Namespace) -> int:
    """Exit status 0 when the debate was completed, 1 when it ended otherwise."""
    with a_client() as client:
        debate = client.debates.get(found(client, chosen.id))
        known = {name_key(debater.name) for debater in debate.debaters}
        if strangers := [name for name in chosen.human if name_key(name) not in known]:
            raise Wrong(f"no debater is called {', '.join(sorted(strangers))}")
        if chosen.json:
            return lines(client, debate.id, chosen.after)
        return Watching(client, debate, screen(), chosen.human, chosen.after).until_left()


def lines(client: Client, debate_id: str, after: str | None = None) -> int:
    """Each event as a line of JSON, as the transcript's `.ndjson` has it."""
    for told in client.debates.stream(debate_id, after, deltas=False):
        as_line({"id": told.id, **told.data})
    return status_of(client.debates.get(debate_id).status)


def status_of(status: Status) -> int:
    """The exit status for a debate that was watched to its end."""
    return DONE if status is Status.COMPLETED else ENDED_OTHERWISE


class Watching:
    """Somebody who watches a debate, and speaks as `humans` where they debate."""

    def __init__(
        self,
        client: Client,
        debate: DebateView,
        console: Console,
        humans: Collection[str] = (),
        after: str | None = None,
    ) -> None:
        self._client = client
        self._debate = debate
        self._console = console
        self._humans = set(map(name_key, humans))
        self._after = after
        self._scene = Scene(console, debate.model_dump(mode="json"))

    def until_left(self) -> int:
        """As `to_the_end`; but Ctrl-C asks what is to become of the debate."""
        while True:
            try:
                return self.to_the_end()
            except KeyboardInterrupt:
                if not self._stays():
                    return INTERRUPTED

    def to_the_end(self) -> int:
        """Shows the debate from where it was left to its end; answers the exit status for it."""
        self._follow()
        transcript = self._client.debates.transcript(self._debate.id)
        conclude(self._console, transcript, self._scene.seconds)
        return status_of(transcript.status)

    def _follow(self) -> None:
        with self._scene.live() as live:
            for told in self._client.debates.stream(self._debate.id, self._after):
                self._scene.show(told.kind, told.data)
                if self._debate.ended_at is None and _is_moderated(told):
                    self._hint(f'You may moderate: rostra ask {self._debate.id} "…", from another terminal.')
                if self._is_awaited(told):
                    self._ask(told.data, live)
                self._after = told.id or self._after  # who is interrupted before is asked again

    def _ask(self, awaited: Mapping[str, Any], live: Live) -> None:
        if name_key(awaited["debater"]) not in self._humans:
            self._hint(f'To speak: rostra say {self._debate.id} "…", from another terminal.')
            return
        live.stop()
        while not self._speak(awaited):
            pass
        live.start(refresh=True)

    def _is_awaited(self, told: Told) -> bool:
        """Whether it is a person's turn that is still to be spoken: all is told from the beginning."""
        if told.kind != "turn_awaited":
            return False
        awaits = self._client.debates.get(self._debate.id).awaits
        return awaits is not None and awaits.seq == told.data["seq"]

    def _hint(self, text: str) -> None:
        """In the display: a note beside it would be drawn over."""
        self._console.print(Text(f"  {text}", style="dim"))

    def _speak(self, awaited: Mapping[str, Any]) -> bool:
        """Whether that was all: words that the API refuses can be said otherwise."""
        self._console.print(Text("Your turn. An empty line ends it; Ctrl-D leaves it to others.", style="dim"))
        text = written()
        if not text:
            if text is None:
                self._humans.discard(name_key(awaited["debater"]))
            note(f'Say it later: rostra say {self._debate.id} "…"')
            return True
        try:
            self._client.debates.speak(self._debate.id, text, seq=awaited["seq"])
        except Refused as error:
            complain(str(error))
            return False
        except RostraError as error:
            complain(str(error))
        return True

    def _stays(self) -> bool:
        """What whoever pressed Ctrl-C wants; the debate goes on, unless it is cancelled."""
        answer = ""
        if sys.stdin.isatty():
            self._console.print(
                Text("\nThe debate goes on without you. Leave it (Enter), cancel it (c), watch on (w)?")
            )
            answer = _answer()
        if answer == "w":
            return True
        if answer == "c":
            self._client.debates.cancel(self._debate.id)
            note("cancelled")
        else:
            note(f"It goes on. rostra watch {self._debate.id} shows it, rostra cancel {self._debate.id} ends it.")
        return False


def _is_moderated(told: Told) -> bool:
    """Whether this is the beginning of a debate that a person moderates."""
    moderator = told.event.debate.settings.moderator if isinstance(told.event, CreatedView) else None
    return moderator is not None and moderator.human


def written() -> str | None:
    """What is typed, up to an empty line or the end of the input; None where no more can come."""
    typed: list[str] = []
    while (line := sys.stdin.readline()) and line.strip():
        typed.append(line)
    over = not line and not typed and not sys.stdin.isatty()
    return None if over else "".join(typed).strip()


def _answer() -> str:
    try:
        return on_one_line(sys.stdin.readline())[:1].lower()
    except KeyboardInterrupt:
        return ""
