"""Who wins or loses together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, cast

from pydantic import PlainSerializer, SerializationInfo

from rostra.fields import Stored
from rostra.models import Debate, Debater


def _shown(key: str, info: SerializationInfo) -> str:
    names = cast("Mapping[str, str]", info.context or {})
    return names.get(key, key)


# A side in what is stored. Written with `titles` as the context, it goes by the name that people gave.
SideKey = Annotated[str, PlainSerializer(_shown)]


class Side(Stored):
    """One side of a debate."""

    key: str
    title: str
    stance: str
    members: tuple[str, ...]  # debaters' ids


def sides(debate: Debate) -> tuple[Side, ...]:
    """The sides, in the order of their first debaters: the teams, and each debater who is in none."""
    members: dict[str, list[Debater]] = {}
    for debater in debate.debaters:
        members.setdefault(f"team:{debater.team}" if debater.team else debater.id, []).append(debater)
    return tuple(
        Side(key=key, title=_title(debate, key, own), stance=own[0].stance, members=tuple(d.id for d in own))
        for key, own in members.items()
    )


def _title(debate: Debate, key: str, members: Sequence[Debater]) -> str:
    """What people call it: the team's title, or who is in it."""
    name = key.removeprefix("team:")
    given = next((team.title for team in debate.format.teams if team.name == name), "")
    return given or ", ".join(member.name for member in members)


def side_of(debate: Debate, speaker: str) -> Side | None:
    """The side that a debater is on; a moderator is on none."""
    return next((side for side in sides(debate) if speaker in side.members), None)


def titles(debate: Debate) -> Mapping[str, str]:
    """What people call debaters and sides, by their keys."""
    return dict(debate.names) | {side.key: side.title for side in sides(debate)}
