"""Which debater sits where: the seats of a format's teams, and who was given to hold it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rostra.format import Format


class Unseated(ValueError):
    """The debaters do not fit the format; `place` is the debater's number, from 0, or None where it is all of them."""

    def __init__(self, place: int | None, detail: str) -> None:
        super().__init__(detail)
        self.place = place
        self.detail = detail


def seated(debate_format: Format, teams: Sequence[str | None]) -> tuple[Sequence[str], Mapping[str, int]]:
    """Each debater's team, and each seat's debater by number, from 0; `teams` are those that were asked for.

    Debaters who name no teams are seated as they come, where they are as many as seats or as teams. A team of fewer
    debaters than seats shares them out: its first sits on the first seat, and again when all have one.

    Raises: Unseated.
    """
    if debate_format.is_free:
        return [team or "" for team in teams], {}
    chosen = _chosen(debate_format, teams)
    members = {team.name: [n for n, name in enumerate(chosen) if name == team.name] for team in debate_format.teams}
    seats: dict[str, int] = {}
    for team in debate_format.teams:
        own = members[team.name]
        if not own:
            raise Unseated(None, f"nobody is in the team `{team.name}` of the format `{debate_format.name}`")
        if len(own) > len(team.seats):
            raise Unseated(own[len(team.seats)], f"the team `{team.name}` has {len(team.seats)} seats")
        seats |= {seat: own[n % len(own)] for n, seat in enumerate(team.seats)}
    return chosen, seats


def _chosen(debate_format: Format, teams: Sequence[str | None]) -> Sequence[str]:
    """Each debater's team, by name."""
    if not any(teams):
        return _in_order(debate_format, len(teams))
    known = [team.name for team in debate_format.teams]
    for place, team in enumerate(teams):
        if team not in known:
            raise Unseated(place, f"must name its team, one of {', '.join(known)}, as others do")
    return [team or "" for team in teams]


def _in_order(debate_format: Format, debaters: int) -> Sequence[str]:
    by_seat = [team.name for team, _ in debate_format.seats()]
    by_team = [team.name for team in debate_format.teams]
    if debaters == len(by_seat):
        return by_seat
    if debaters == len(by_team):
        return by_team
    raise Unseated(
        None,
        f"the format `{debate_format.name}` has {len(by_seat)} seats in {len(by_team)} teams: give {len(by_team)} "
        f"debaters, each of them a whole team, or {len(by_seat)}, or tell each one's `team`",
    )
