"""What people are called who have no names of their own, by language; and when two names are the same."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from itertools import chain, count
from typing import NamedTuple, TypeVar

from rostra.fields import JOINERS, primary
from rostra.format import AUDIENCE, MODERATOR, Format, Team

T = TypeVar("T")


def name_key(name: str) -> str:
    """What makes two names the same one: compatibility form, case and joiners are ignored."""
    return "".join(c for c in unicodedata.normalize("NFKC", name).casefold().strip() if c not in JOINERS)


# Names and stances for a debate that gives none, by language.
_SIDES: dict[str, tuple[tuple[str, str], tuple[str, str]]] = {
    "en": (("Affirmative", "for the motion"), ("Negative", "against the motion")),
    "ja": (("肯定側", "論題に賛成"), ("否定側", "論題に反対")),
    "de": (("Pro", "für den Antrag"), ("Contra", "gegen den Antrag")),
    "zh": (("正方", "支持辩题"), ("反方", "反对辩题")),
    "ko": (("찬성 측", "논제에 찬성"), ("반대 측", "논제에 반대")),
    "fr": (("Proposition", "pour la motion"), ("Opposition", "contre la motion")),
    "es": (("Proposición", "a favor de la moción"), ("Oposición", "en contra de la moción")),
    "pt": (("Proposição", "a favor da moção"), ("Oposição", "contra a moção")),
    "it": (("Pro", "a favore della mozione"), ("Contro", "contro la mozione")),
    "ru": (("Утверждающая сторона", "за тезис"), ("Отрицающая сторона", "против тезиса")),
    "ar": (("المؤيد", "مع القضية المطروحة"), ("المعارض", "ضد القضية المطروحة")),
}

# What those are called who speak without being debaters.
HELPERS: Mapping[str, Mapping[str, str]] = {
    MODERATOR: {
        "en": "Moderator", "ja": "司会", "de": "Moderator", "zh": "主持人", "ko": "사회자", "fr": "Modérateur",
        "es": "Moderador", "pt": "Moderador", "it": "Moderatore", "ru": "Ведущий", "ar": "مدير المناظرة",
    },
    AUDIENCE: {
        "en": "Audience", "ja": "聴衆", "de": "Publikum", "zh": "观众", "ko": "청중", "fr": "Public",
        "es": "Público", "pt": "Público", "it": "Pubblico", "ru": "Публика", "ar": "الجمهور",
    },
}  # fmt: skip


def in_language(texts: Mapping[str, T], language: str | None) -> T:
    """The one in the language, in English where there is none."""
    return texts.get(primary(language) or "en", texts["en"])


class Unnamed(NamedTuple):
    """Who argues where nobody was named."""

    name: str
    stance: str = ""
    team: str | None = None


def unnamed(language: str | None, debate_format: Format) -> Sequence[Unnamed]:
    """Debaters for a debate that names none: one on every seat, or two, for and against; named in the debate's
    language where Rostra knows it."""
    sides = in_language(_SIDES, language)
    if debate_format.is_free:
        return [Unnamed(name, stance) for name, stance in sides]
    by_side: Mapping[str, tuple[str, str]] = dict(zip(("for", "against"), sides, strict=True))
    if sorted(team.side for team, _ in debate_format.seats()) == ["against", "for"]:
        return [Unnamed(*by_side[team.side], team.name) for team in debate_format.teams]
    seats = [(team, name) for team in debate_format.teams for name in _seat_names(team, by_side)]
    names = _distinct([name for _, name in seats], [in_language(names, language) for names in HELPERS.values()])
    return [Unnamed(name, team=team.name) for (team, _), name in zip(seats, names, strict=True)]


def _seat_names(team: Team, by_side: Mapping[str, tuple[str, str]]) -> Sequence[str]:
    if team.titles:
        return team.titles
    own = team.title or team.name.replace("_", " ").capitalize()
    name = own if team.title or team.side == "own" else by_side[team.side][0]
    return [name] if len(team.seats) == 1 else [f"{name} {n}" for n in range(1, len(team.seats) + 1)]


def _distinct(names: Sequence[str], taken: Sequence[str]) -> list[str]:
    """The names, with a number behind each that was had before."""
    known = {name_key(name) for name in taken}
    distinct: list[str] = []
    for name in names:
        shown = next(one for one in chain([name], (f"{name} {n}" for n in count(2))) if name_key(one) not in known)
        known.add(name_key(shown))
        distinct.append(shown)
    return distinct


def stance_of(team: str, debate_format: Format, language: str | None) -> str:
    """Of a debater who has none of their own: the team's side."""
    sides = in_language(_SIDES, language)
    side = next((each.side for each in debate_format.teams if each.name == team), "own")
    return {"for": sides[0][1], "against": sides[1][1], "own": ""}[side]
