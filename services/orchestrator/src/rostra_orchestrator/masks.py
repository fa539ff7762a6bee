"""A debate as those read it who must not know who is who: sides have letters, and names are replaced. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from string import ascii_uppercase

import regex

from rostra.models import Debate
from rostra.sides import Side, sides
from rostra_orchestrator.prose import Prose, prose_for
from rostra_orchestrator.slots import Line

# Scripts that put no spaces between words; of those, where a name ends is told by the change of script.
_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}ー"
_KATAKANA = r"[\p{Katakana}ー]"
_HAN = r"\p{Han}"
_SPACED = rf"[[\p{{L}}\p{{M}}\p{{N}}_]--[{_UNSPACED}\p{{Hangul}}]]"
# Behind one Chinese character that is a name: what people are called by.
_TITLES = "[氏様君殿さ]"


@dataclass(frozen=True)
class Mask:
    """Which side has which letter, for one reading. `order` holds the sides as they are named, A first."""

    debate: Debate
    order: tuple[Side, ...]
    names_hidden: bool = True

    @property
    def letters(self) -> Mapping[str, str]:
        """The sides' keys by their letters."""
        return {ascii_uppercase[n]: side.key for n, side in enumerate(self.order)}

    @cached_property
    def labels(self) -> Mapping[str, str]:
        """What each side is called, by its key."""
        prose = prose_for(self.debate)
        return {side.key: self._label(prose, ascii_uppercase[n], side) for n, side in enumerate(self.order)}

    def _label(self, prose: Prose, letter: str, side: Side) -> str:
        label = prose("side", letter=letter)
        return label if self.names_hidden else prose("named", label=label, name=side.title)

    @cached_property
    def shown(self) -> Debate:
        """The debate, its debaters called by their sides, in the order of the sides."""
        by_id = {debater.id: debater for debater in self.debate.debaters}
        debaters = [
            by_id[member].model_copy(
                update={"name": self.labels[side.key], "stance": self.hide(by_id[member].stance), "persona": ""}
            )
            for side in self.order
            for member in side.members
        ]
        return self.debate.model_copy(
            update={"debaters": tuple(debaters), "opening": self.hide(self.debate.opening), "speakers": ()}
        )

    def lines(self, lines: Sequence[Line]) -> list[Line]:
        """What was said, without names."""
        return [Line(line.speaker, self.hide(line.text)) for line in lines]

    def hide(self, text: str) -> str:
        """`text` with each name in it replaced by its side's label. It is taken in its compatibility form (NFKC) where
        that shows more names, as in half-width katakana."""
        if not self.names_hidden:
            return text
        hidden, found = self._labelled.put(text)
        other, more = self._labelled.put(unicodedata.normalize("NFKC", text))
        return other if more > found else hidden

    def unhide(self, text: str) -> str:
        """A judge's words with the sides' own names in the place of their labels."""
        return self._titled.put(text)[0]

    @cached_property
    def _labelled(self) -> _Words:
        by_id = {debater.id: debater.name for debater in self.debate.debaters}
        named = {side.title: self.labels[side.key] for side in self.order}
        return _Words(named | {by_id[m]: self.labels[side.key] for side in self.order for m in side.members})

    @cached_property
    def _titled(self) -> _Words:
        return _Words({self.labels[side.key]: side.title for side in self.order})


class _Words:
    """Words and what to put in their place."""

    def __init__(self, places: Mapping[str, str]) -> None:
        longest_first = sorted(places, key=len, reverse=True)
        self._places = {f"w{n}": places[word] for n, word in enumerate(longest_first)}
        words = (f"(?P<w{n}>{_whole(word)})" for n, word in enumerate(longest_first))
        self._pattern = regex.compile("|".join(words), flags=regex.V1 | regex.IGNORECASE)

    def put(self, text: str) -> tuple[str, int]:
        """`text` with the words replaced, and how many there were."""
        return self._pattern.subn(lambda match: self._places[match.lastgroup or ""], text)


def mask(debate: Debate, *, swapped: bool = False, names_hidden: bool = True) -> Mask:
    """With the sides in the order of the debaters, or `swapped`: the other way round, letters and all."""
    order = sides(debate)
    return Mask(debate, order[::-1] if swapped else order, names_hidden)


def _whole(name: str) -> str:
    """A pattern for `name` as a word of its own: not in the middle of one, as far as its script tells."""
    escaped = r"\s+".join(regex.escape(part, special_only=True) for part in name.split())
    return f"{_before(name)}{escaped}{_behind(name)}"


def _before(name: str) -> str:
    first = name[0]
    if regex.match(_KATAKANA, first):
        return rf"(?<!{_KATAKANA})"
    if regex.match(rf"[{_UNSPACED}]", first):
        return rf"(?<!{_HAN})" if len(name) == 1 else ""
    return r"(?<!\p{Hangul})" if regex.match(r"\p{Hangul}", first) else rf"(?<!{_SPACED})"


def _behind(name: str) -> str:
    last = name[-1]
    if regex.match(_KATAKANA, last):
        return rf"(?!{_KATAKANA})"
    if regex.match(rf"[{_UNSPACED}]", last):
        return rf"(?=$|[^{_HAN}]|{_TITLES})" if len(name) == 1 else ""
    # A Korean name has its particles joined to it.
    return "" if regex.match(r"\p{Hangul}", last) else rf"(?!{_SPACED})"
