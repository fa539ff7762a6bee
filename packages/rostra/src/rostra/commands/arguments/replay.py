"""`rostra replay`."""

from __future__ import annotations

import argparse

from rostra.commands.arguments.kinds import FILE, AddParser, completed


def add(add_parser: AddParser) -> None:
    replay = add_parser(
        "replay",
        help="play an exported debate again in this terminal, without a model or a server",
        description="Plays a debate again from its log (transcript.ndjson) or its transcript (transcript.json), in the "
        "time that it took, without waits for workers and people, and pauses.",
    )
    completed(replay.add_argument("file", metavar="FILE", help="a file, or - for standard input"), FILE)
    replay.add_argument("--speed", type=_speed, default=1.0, metavar="X", help="so many times as fast; 0: all at once")
    replay.add_argument("--json", action="store_true", help="the events as JSON, a line each, at the same pace")
    replay.set_defaults(run="rostra.commands.replay:replay")


def _speed(text: str) -> float:
    speed = float(text)
    if not (speed == 0 or 0.001 <= speed <= 1_000_000):
        raise argparse.ArgumentTypeError("0, or 0.001 to 1000000")
    return speed
