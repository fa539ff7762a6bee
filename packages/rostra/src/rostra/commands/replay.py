"""`rostra replay`: a debate that was written down, held again in the terminal, without a model or a server."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from rich.console import Console

from rostra.commands.recording import Happened, Recording, Unreadable, read
from rostra.commands.scene import Scene, summarise
from rostra.plain import json_line, on_one_line

Sleep = Callable[[float], None]

# Before these nobody spoke: the debate waited for a worker, for a person, or until it was resumed.
_AFTER_A_WAIT = frozenset(
    {"debate_claimed", "debate_resumed", "debate_released", "debate_paused", "turn_given", "turn_missed"}
)
_DELTA_SECONDS = 0.1
# Clocks that jump make waits that nobody had.
_LONGEST_WAIT = timedelta(hours=1).total_seconds()


def replay(chosen: argparse.Namespace) -> int:
    """Plays the file, or standard input for `-`; exit status 2 where it is no debate."""
    source, speed = chosen.file, chosen.speed
    try:
        recording = read(sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes())
        if chosen.json:
            _write(recording, speed)
        else:
            _show(recording, speed)
    except (Unreadable, OSError) as error:
        why = (error.strerror or type(error).__name__) if isinstance(error, OSError) else str(error)
        print(on_one_line(f"rostra: cannot play {source}: {why}"), file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


def _write(recording: Recording, speed: float) -> None:
    for kind, data in paced(recording.events, speed, time.sleep):
        if kind != "delta":
            print(json_line(data), flush=True)


def _show(recording: Recording, speed: float) -> None:
    console = Console()
    scene = Scene(console, recording.head)
    with scene.live():
        for kind, data in paced(recording.events, speed, time.sleep):
            _shown(scene, kind, data)
    summarise(console, summary(recording), seconds(recording))


def _shown(scene: Scene, kind: str, data: Mapping[str, Any]) -> None:
    """Raises: Unreadable."""
    try:
        scene.show(kind, data)
    except (LookupError, TypeError, ValueError, AttributeError):
        raise Unreadable(f"an event `{on_one_line(kind)}` is not what it must be") from None


def paced(events: Sequence[Happened], speed: float, sleep: Sleep) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The events in their own time, `speed` times as fast, with the words of a turn spread over the time that it took;
    all at once where it is 0."""
    before = events[0].at if events else None
    for event in events:
        if speed and before is not None and event.type not in _AFTER_A_WAIT:
            wait = min(max((event.at - before).total_seconds(), 0.0), _LONGEST_WAIT) / speed
            yield from _spoken(event, wait, sleep)
        before = event.at
        yield event.type, event.data


def _spoken(event: Happened, wait: float, sleep: Sleep) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Waits; meanwhile the words of a turn, or of an attempt at one, come as they came when it was spoken."""
    text = event.data["text"] if event.type in {"turn_taken", "attempt_failed"} else ""
    pieces = min(len(text), int(wait / _DELTA_SECONDS))
    for n in range(pieces):
        words = text[len(text) * n // pieces : len(text) * (n + 1) // pieces]
        yield "delta", {**_whose(event.data), "text": words}
        sleep(wait / pieces)
    if not pieces:
        sleep(wait)


def _whose(data: Mapping[str, Any]) -> Mapping[str, Any]:
    attempt = data["attempt"] if "attempt" in data else data["attempts"]
    return {"seq": data["seq"], "attempt": attempt, "debater": data["debater"]}


def summary(recording: Recording) -> Mapping[str, Any]:
    """What became of it, as far as it was written down."""
    ended = next((event.data for event in recording.events if event.type == "debate_ended"), None)
    return {
        **recording.head,
        "status": ended["status"] if ended else "not ended yet",
        "reason": ended["reason"] if ended else "",
        "turns": [event.data for event in recording.events if event.type == "turn_taken"],
    }


def seconds(recording: Recording) -> float:
    """How long the debate took, from when a worker took it up."""
    claimed = (event.at for event in recording.events if event.type == "debate_claimed")
    begun = next(claimed, recording.events[0].at)
    return max(0.0, (recording.events[-1].at - begun).total_seconds())
