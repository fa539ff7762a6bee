"""What is wrong with a format that each of its fields by itself does not show. Pure.

A fault says where: the steps from the format's root to the field, as in `("phases", 1, "slots", 0, "speaker")`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from rostra.format import AUDIENCE, MODERATOR, Format, Phase, Speech

Place = tuple[str | int, ...]

# The fields that a kind of slot needs, and those that mean nothing in it.
_NEEDS: Mapping[str, tuple[str, ...]] = {
    "speech": ("speaker",),
    "cross_examination": ("speaker", "questioner"),
    "crossfire": ("speakers",),
    "question": ("questioner", "speakers"),
    "preparation": ("speaker",),
}
_WHO = ("speaker", "questioner", "speakers", "points", "exchanges")
_MAY_HAVE: Mapping[str, tuple[str, ...]] = {
    "speech": ("points",),
    "cross_examination": ("exchanges",),
    "crossfire": ("exchanges",),
    "question": ("exchanges",),
    "preparation": (),
}


class Fault(NamedTuple):
    """One thing that is wrong, in a sentence for people that names the slot."""

    place: Place
    detail: str


def faults(debate_format: Format) -> list[Fault]:
    """Everything that keeps it from being played."""
    return [*_teams(debate_format), *_phases(debate_format), *_answers(debate_format)]


def _teams(debate_format: Format) -> Iterator[Fault]:
    if len(debate_format.teams) == 1:
        yield Fault(("teams",), "one team has nobody to debate with")
    teams, seats = set[str](), set[str]()
    for n, team in enumerate(debate_format.teams):
        if team.name in teams:
            yield Fault(("teams", n, "name"), f"there is a team `{team.name}` already")
        teams.add(team.name)
        if team.titles and len(team.titles) != len(team.seats):
            yield Fault(("teams", n, "titles"), f"has {len(team.titles)} titles for {len(team.seats)} seats")
        for k, seat in enumerate(team.seats):
            if seat in seats:
                yield Fault(("teams", n, "seats", k), f"there is a seat `{seat}` already")
            if seat in (MODERATOR, AUDIENCE):
                yield Fault(("teams", n, "seats", k), f"`{seat}` is no debater")
            seats.add(seat)


def _phases(debate_format: Format) -> Iterator[Fault]:
    phases, slots = set[str](), set[str]()
    for n, phase in enumerate(debate_format.phases):
        if phase.name in phases:
            yield Fault(("phases", n, "name"), f"there is a phase `{phase.name}` already")
        phases.add(phase.name)
        yield from _kind_of_phase(n, phase)
        if phase.until_agreed and (phase is not debate_format.phases[-1] or debate_format.decision != "consensus"):
            told = (
                f"the phase `{phase.name}` goes on until all agree: it is the last, and the `decision` is `consensus`"
            )
            yield Fault(("phases", n, "until_agreed"), told)
        for k, speech in enumerate(phase.slots):
            if speech.name in slots:
                yield Fault(("phases", n, "slots", k, "name"), f"there is a slot `{speech.name}` already")
            slots.add(speech.name)
            yield from _slot(debate_format, ("phases", n, "slots", k), speech)


def _kind_of_phase(n: int, phase: Phase) -> Iterator[Fault]:
    place = ("phases", n)
    if phase.order and phase.slots:
        yield Fault((*place, "order"), f"the phase `{phase.name}` has slots: their order is the one that they stand in")
    if not phase.order and not phase.slots:
        yield Fault(place, f"the phase `{phase.name}` has neither `slots` nor an `order` in which debaters speak")
    if phase.slots and phase.minutes is not None:
        yield Fault((*place, "minutes"), f"belongs to each slot of the phase `{phase.name}`")
    if phase.slots and phase.until_agreed:
        yield Fault((*place, "until_agreed"), f"the phase `{phase.name}` has slots, no rounds in an order")


def _slot(debate_format: Format, place: Place, speech: Speech) -> Iterator[Fault]:
    missing = [name for name in _NEEDS[speech.kind] if not getattr(speech, name)]
    for name in missing:
        yield Fault((*place, name), f"the slot `{speech.name}` is a {speech.kind} and needs a `{name}`")
    for name in _WHO:
        if getattr(speech, name) and name not in (*_NEEDS[speech.kind], *_MAY_HAVE[speech.kind]):
            yield Fault((*place, name), f"means nothing in the slot `{speech.name}`, a {speech.kind}")
    unknown = list(_unknown(debate_format, place, speech))
    yield from unknown
    if not missing and not unknown:
        yield from _opposed(debate_format, place, speech)
    yield from _points(place, speech)


def _unknown(debate_format: Format, place: Place, speech: Speech) -> Iterator[Fault]:
    """Seats that no team has."""
    known = [seat for _, seat in debate_format.seats()]
    asks = [MODERATOR, AUDIENCE] if speech.kind == "question" else known
    named: list[tuple[Place, str, Sequence[str]]] = []
    if speech.speaker:
        named.append((("speaker",), speech.speaker, known))
    if speech.questioner:
        named.append((("questioner",), speech.questioner, asks))
    named += [(("speakers", n), seat, known) for n, seat in enumerate(speech.speakers)]
    for where, seat, allowed in named:
        if seat not in allowed:
            who = f"one of {', '.join(allowed)}" if allowed else "there, since the format has no teams"
            yield Fault((*place, *where), f"the slot `{speech.name}` names `{seat}`, which is not {who}")


def _opposed(debate_format: Format, place: Place, speech: Speech) -> Iterator[Fault]:
    """Nobody examines one's own side."""
    if speech.kind == "cross_examination":
        assert speech.questioner is not None
        assert speech.speaker is not None
        asks, answers = debate_format.team_of(speech.questioner), debate_format.team_of(speech.speaker)
        if not debate_format.are_opposed(asks, answers):
            yield Fault(
                (*place, "questioner"),
                f"in the slot `{speech.name}` `{speech.questioner}` examines its own side: `{speech.speaker}` is in "
                f"the team `{answers.name}`" + (", and so is it" if asks == answers else ", for the same side"),
            )
    if speech.kind == "crossfire":
        teams = [debate_format.team_of(seat) for seat in speech.speakers]
        following = [*teams[1:], teams[0]]
        for n, (one, other) in enumerate(zip(teams, following, strict=True)):
            if not debate_format.are_opposed(one, other):
                asked = speech.speakers[(n + 1) % len(teams)]
                yield Fault(
                    (*place, "speakers", n),
                    f"in the slot `{speech.name}` `{speech.speakers[n]}` asks `{asked}`, who is on its own side",
                )
    if speech.points and speech.speaker:
        own = debate_format.team_of(speech.speaker)
        if not any(debate_format.are_opposed(own, other) for other in debate_format.teams):
            yield Fault((*place, "points"), f"nobody is there to offer points in the slot `{speech.name}`")


def _points(place: Place, speech: Speech) -> Iterator[Fault]:
    points = speech.points
    if points and not points.after < min(points.until, speech.minutes):
        yield Fault(
            (*place, "points"),
            f"the slot `{speech.name}` has {speech.minutes:g} minutes, and no time for points in them",
        )


# ── who answers what ────────────────────────────────────────────────────────────────────────────────────


def _answers(debate_format: Format) -> Iterator[Fault]:
    """A slot answers earlier ones only; of slots that answer each other it is said that they do."""
    order = [speech.name for phase in debate_format.phases for speech in phase.slots]
    answers = {speech.name: speech.responds_to for phase in debate_format.phases for speech in phase.slots}
    for n, phase in enumerate(debate_format.phases):
        for k, speech in enumerate(phase.slots):
            for i, name in enumerate(speech.responds_to):
                place = ("phases", n, "slots", k, "responds_to", i)
                if name not in answers:
                    yield Fault(place, f"the slot `{speech.name}` responds to `{name}`, which is no slot of the format")
                elif cycle := _cycle(answers, speech.name, name):
                    yield Fault(place, f"slots respond to each other in a circle: {' → '.join(cycle)}")
                elif order.index(name) >= order.index(speech.name):
                    yield Fault(place, f"the slot `{speech.name}` responds to `{name}`, which comes after it")


def _cycle(answers: Mapping[str, Sequence[str]], begin: str, name: str) -> list[str]:
    """The way from `begin` by `name` back to `begin`; empty where there is none."""
    ways = [[begin, name]]
    seen = set[str]()
    while ways:
        way = ways.pop()
        if way[-1] == begin:
            return way
        if way[-1] not in seen:
            seen.add(way[-1])
            ways += [[*way, following] for following in answers.get(way[-1], ())]
    return []
