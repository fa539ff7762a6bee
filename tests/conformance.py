"""Whether a debate was held as its format says, told from its transcript alone (the JSON that the API answers with).

It finds who spoke out of turn and who spoke too long; and whose words show that they heard what was not for them:
another team's notes, or a turn of the same simultaneous round.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rostra.agenda import Slot, agenda
from rostra.format import Format
from rostra.formats import library
from rostra.lengths import longest
from rostra.models import Debate, DebateRequest, debate_from

Turn = Mapping[str, Any]

# Shorter runs of characters are figures of speech, that two speakers can find by themselves.
RUN = 40


def debate_of(transcript: Mapping[str, Any]) -> Debate:
    """The debate that the transcript is of."""
    settings = transcript["settings"]
    kept = ("language", "opening", "turn", "seed", "speakers")
    request = DebateRequest.model_validate(
        {
            "motion": transcript["motion"],
            "debaters": [
                {name: debater[name] or None for name in ("name", "team") if name in debater}
                for debater in transcript["debaters"]
            ],
            **{name: settings[name] for name in kept},
        }
    )
    played = {"name": settings["format"], "title": settings["format"]} | {
        name: settings[name] for name in ("teams", "phases")
    }
    return debate_from(request, Format.model_validate(played))


def departures(transcript: Mapping[str, Any]) -> list[str]:
    """What was done otherwise than the format says, a sentence each."""
    debate = debate_of(transcript)
    slots, turns = agenda(debate), transcript["turns"]
    found = [*_another_format(debate.format), *_sits_elsewhere(debate, transcript["settings"]["seats"])]
    if len(turns) != len(slots):
        found.append(f"{len(turns)} turns were spoken in {len(slots)} slots")
    for slot, turn in zip(slots, turns, strict=False):
        found += _out_of_turn(debate, slot, turn)
        found += _too_long(debate, slot, turn)
    return [*found, *_overheard(debate, slots, turns, _written(transcript))]


def _another_format(played: Format) -> Iterator[str]:
    """Only the number of rounds may differ from the library's format of the name."""
    if known := library().get(played.name):
        rounds = [phase.rounds for phase in played.phases if phase.order]
        phases = [
            phase.model_copy(update={"rounds": rounds.pop(0)}) if phase.order and rounds else phase
            for phase in known.phases
        ]
        if (played.teams, played.phases) != (known.teams, tuple(phases)):
            yield f"what was played is not `{played.name}` as it is in the library"


def _sits_elsewhere(debate: Debate, seats: Mapping[str, str]) -> Iterator[str]:
    for seat, debater in debate.seats.items():
        if seats.get(seat) != _name(debate, debater):
            yield f"on the seat {seat} sits {seats.get(seat)}, not {_name(debate, debater)}"


def _name(debate: Debate, speaker: str) -> str:
    return debate.speaker(speaker).name


def _out_of_turn(debate: Debate, slot: Slot, turn: Turn) -> Iterator[str]:
    expected = {
        "seq": slot.seq,
        "phase": slot.phase,
        "round": slot.round,
        "slot": slot.name,
        "kind": slot.kind,
        "to": _name(debate, slot.to) if slot.to else None,
        "heard_by": slot.team or None,
    }
    for field, value in expected.items():
        if turn[field] != value:
            yield f"turn {turn['seq']}: its {field} is {turn[field]}, not {value}"
    if slot.debater is not None and turn["debater"] != _name(debate, slot.debater):
        yield f"turn {turn['seq']}: {turn['debater']} speaks instead of {_name(debate, slot.debater)}"


def _too_long(debate: Debate, slot: Slot, turn: Turn) -> Iterator[str]:
    most = longest(debate, slot).characters
    spoken = len(unicodedata.normalize("NFC", turn["text"]))
    if turn["finish_reason"] != "scripted" and most is not None and spoken > most:
        yield f"turn {turn['seq']}: {spoken} characters, of {most}"


# ── words that only hidden ones can have told ───────────────────────────────────────────────────────────


def _overheard(debate: Debate, slots: Sequence[Slot], turns: Sequence[Turn], written: str) -> Iterator[str]:
    spoken = list(zip(slots, turns, strict=False))
    for n, (slot, turn) in enumerate(spoken):
        own_team = debate.debater(slot.debater).team if slot.debater in {d.id for d in debate.debaters} else ""
        heard = _runs(written)
        hidden: list[tuple[str, Turn]] = []
        for earlier, told in spoken[:n]:
            if earlier.team and earlier.team != own_team:
                hidden.append(("the notes of another team", told))
            elif slot.simultaneous and (earlier.phase, earlier.round) == (slot.phase, slot.round):
                if told["debater"] != turn["debater"]:
                    hidden.append(("a turn of the same round", told))
            else:
                heard |= _runs(told["text"])
        for what, told in hidden:
            if _runs(turn["text"]) & _runs(told["text"]) - heard:
                yield f"turn {turn['seq']}: {turn['debater']} says what stands in {what}, {told['seq']}"


def _written(transcript: Mapping[str, Any]) -> str:
    """What everyone was told before the debate began."""
    about = (text for each in transcript["debaters"] for text in (each.get("stance", ""), each.get("persona", "")))
    return "\n".join([transcript["motion"], transcript["settings"]["opening"], *about])


def _runs(text: str) -> set[str]:
    words = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    return {words[n : n + RUN] for n in range(len(words) - RUN + 1)}
