"""Whether a debate was held as its format says, told from its transcript alone (the JSON that the API answers with).

It finds who spoke out of turn and who spoke too long; and whose words show that they heard what was not for them:
another team's notes, or a turn of the same simultaneous round.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rostra.agenda import Slot, agenda
from rostra.format import Format, Phase
from rostra.formats import library
from rostra.lengths import longest
from rostra.models import Debate, DebateRequest, debate_from

Turn = Mapping[str, Any]

# Shorter runs of characters are figures of speech, that two speakers can find by themselves.
RUN = 40


def debate_of(transcript: Mapping[str, Any], debate_format: Format | None = None) -> Debate:
    """The debate that the transcript is of; `debate_format` where it is none of the library's."""
    settings = transcript["settings"]
    known = debate_format or library()[settings["format"]]
    phases = [Phase.model_validate(phase) for phase in settings["phases"]]
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
    return debate_from(request, known.model_copy(update={"phases": tuple(phases)}))


def departures(transcript: Mapping[str, Any], debate_format: Format | None = None) -> list[str]:
    """What was done otherwise than the format says, a sentence each."""
    debate = debate_of(transcript, debate_format)
    slots, turns = agenda(debate), transcript["turns"]
    found = [f"{len(turns)} turns were spoken in {len(slots)} slots"] if len(turns) != len(slots) else []
    for slot, turn in zip(slots, turns, strict=False):
        found += _out_of_turn(debate, slot, turn)
        found += _too_long(debate, slot, turn)
    return [*found, *_overheard(debate, slots, turns, _written(transcript))]


def _name(debate: Debate, speaker: str) -> str:
    return debate.speaker(speaker).name


def _out_of_turn(debate: Debate, slot: Slot, turn: Turn) -> Iterator[str]:
    for field in ("seq", "phase", "round"):
        if turn[field] != getattr(slot, field):
            yield f"turn {turn['seq']}: its {field} is {turn[field]}, not {getattr(slot, field)}"
    if slot.debater is not None and turn["debater"] != _name(debate, slot.debater):
        yield f"turn {turn['seq']}: {turn['debater']} speaks instead of {_name(debate, slot.debater)}"


def _too_long(debate: Debate, slot: Slot, turn: Turn) -> Iterator[str]:
    most = longest(debate, slot).characters
    spoken = len(unicodedata.normalize("NFC", turn["text"]))
    if slot.kind != "announcement" and most is not None and spoken > most:
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
