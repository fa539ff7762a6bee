"""The four checks, after every fault: turns exactly 1..N, each once; a terminal state; nothing that was acknowledged is
lost; and whoever reads the events anew reads the transcript."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .watching import ENDED, Seen, Watched


async def came_out_whole(debate: Watched, *, seconds: float = 90, status: str = "completed") -> dict[str, Any]:
    """Waits for the debate's end and makes the four checks; its transcript."""
    transcript = await debate.until_ended(seconds)
    replay = await debate.replay()
    check_end(debate, transcript, replay, await debate.look(), status)
    check_turns(debate, transcript)
    check_acknowledged(debate, replay)
    check_replay(transcript, replay)
    return transcript


def check_end(
    debate: Watched, transcript: Mapping[str, Any], replay: Sequence[Seen], view: Mapping[str, Any], status: str
) -> None:
    """A terminal state, told alike by all who tell it, and once."""
    told = {view["status"], transcript["status"], *(event.data["status"] for event in replay if is_end(event))}
    assert told == {status}, f"{debate.id} should be {status} and is {told}: {view.get('reason')}"
    assert told <= ENDED
    assert transcript["complete"]
    assert [is_end(event) for event in replay].count(True) == 1, f"{debate.id} ended more than once"
    assert is_end(replay[-1]), f"{debate.id} has something behind its end: {replay[-1]}"


def check_turns(debate: Watched, transcript: Mapping[str, Any]) -> None:
    """Turns 1..N, each once, whole, by the debaters in their order; all of them in a completed debate."""
    turns: Sequence[Mapping[str, Any]] = transcript["turns"]
    numbers = [turn["seq"] for turn in turns]
    assert numbers == list(range(1, len(turns) + 1)), f"{debate.id} has the turns {numbers}"
    if transcript["status"] == "completed":
        assert len(turns) == debate.turns_planned, f"{debate.id} has {len(turns)} of {debate.turns_planned} turns"
    names = [debater["name"] for debater in transcript["debaters"]]
    assert [turn["debater"] for turn in turns] == [names[i % len(names)] for i in range(len(turns))]
    cut = [turn["text"] for turn in turns if not debate.front.is_whole(turn["text"])]
    assert not cut, f"{debate.id} has turns that were cut: {cut}"


def check_acknowledged(debate: Watched, replay: Sequence[Seen]) -> None:
    """What its reader was shown, across all breaks, is what stands there: without a gap, without a repeat."""
    shown = [event.id for event in debate.seen]
    assert len(shown) == len(set(shown)), f"{debate.id} was shown something twice: {shown}"
    assert debate.seen == list(replay)[: len(shown)], (
        f"{debate.id} was shown {shown} and holds {[event.id for event in replay]}"
    )


def check_replay(transcript: Mapping[str, Any], replay: Sequence[Seen]) -> None:
    """The events, read anew, tell the transcript."""
    ids = [tuple(map(int, event.id.split("-"))) for event in replay]
    assert ids == sorted(set(ids)), "the events are not in their order"
    told = [(e.data["seq"], e.data["debater"], e.data["text"]) for e in replay if e.kind == "turn_taken"]
    assert told == [(turn["seq"], turn["debater"], turn["text"]) for turn in transcript["turns"]]


def is_end(event: Seen) -> bool:
    return event.kind == "debate_ended"


def claims(debate: Watched) -> int:
    """How often a worker took the debate up, of what was shown."""
    return sum(event.kind == "debate_claimed" for event in debate.seen)
