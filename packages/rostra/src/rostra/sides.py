"""Who wins or loses together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, cast

from pydantic import PlainSerializer, SerializationInfo

from rostra.models import Debate, Stored


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
    """The sides, in the order of the debaters; each debater is one."""
    return tuple(Side(key=d.id, title=d.name, stance=d.stance, members=(d.id,)) for d in debate.debaters)


def side_of(debate: Debate, speaker: str) -> Side | None:
    """The side that a debater is on; a moderator is on none."""
    return next((side for side in sides(debate) if speaker in side.members), None)


def titles(debate: Debate) -> Mapping[str, str]:
    """What people call debaters and sides, by their keys."""
    return {d.id: d.name for d in debate.debaters} | {side.key: side.title for side in sides(debate)}
