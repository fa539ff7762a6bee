"""Which kind of server an endpoint is, going by what takes effect there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, get_args

from rostra.doctor.report import Option
from rostra.endpoints import RENAMED, SUPPORTED, Dialect

# In this order the dialects are preferred that fit equally well: OpenAI's promises least.
_ORDER: Sequence[Dialect] = get_args(Dialect)
# An option that is dropped silently misleads; one that could be used and is not, is only missed.
_BROKEN = 4


class Fit(NamedTuple):
    """A dialect's promises beside what was seen: options that are promised and take no effect, and options that take
    effect and are not promised."""

    broken: tuple[str, ...]
    unused: tuple[str, ...]


def fit(dialect: Dialect, options: Mapping[str, Option]) -> Fit:
    names = RENAMED.get(dialect, {})
    promised = SUPPORTED[dialect]
    works = {name for name, o in options.items() if o.outcome == "works" and o.sent_as == names.get(name, name)}
    fails = {name for name, o in options.items() if o.outcome in {"ignored", "refused"}} | {
        name for name, o in options.items() if o.outcome == "works" and name not in works
    }
    return Fit(tuple(sorted(fails & promised)), tuple(sorted(works - promised)))


def best(options: Mapping[str, Option], looks_like: Dialect | None) -> Dialect | None:
    """The dialect that promises least that is wrong and most that is right; of equals the one that it looks like.

    None where nothing was seen of any option, and the server looks like none."""
    if not any(option.outcome in {"works", "ignored", "refused"} for option in options.values()):
        return looks_like

    def preference(dialect: Dialect) -> tuple[int, bool, int]:
        broken, unused = fit(dialect, options)
        return _BROKEN * len(broken) + len(unused), dialect != looks_like, -_ORDER.index(dialect)

    return min(_ORDER, key=preference)
