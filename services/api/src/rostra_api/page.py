"""The transcript as a page: one file that reads and prints well, loads nothing and runs nothing.

What people and models wrote is escaped by the template engine, wherever it stands, and is without the characters that
act instead of being shown. Should some markup get through in spite of it, the page's policy lets it do nothing.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from typing import Any, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from rostra import account, again, outcomes
from rostra.events import SCRIPTED, AttemptFailed, TurnTaken
from rostra.measures import DebateMeasures, TurnMeasures
from rostra.measures.segments import graphemes
from rostra.models import Debate
from rostra.plain import on_one_line, plain
from rostra.transcript import Course, Words, facts, measured, rounds
from rostra.version import ROSTRA
from rostra_api.charts import Bar, Chart, drawn
from rostra_api.headers import policy

_STYLE = files("rostra_api").joinpath("pages", "transcript.css").read_text(encoding="utf-8")
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_STYLE_ALLOWED = f"style-src 'sha256-{_STYLE_HASH}'"

POLICY = policy(_STYLE_ALLOWED, "sandbox")
# What of it a page that was saved can say for itself.
_OWN_POLICY = f"default-src 'none'; {_STYLE_ALLOWED}; base-uri 'none'; form-action 'none'"

# Languages and scripts that are written from right to left (Unicode CLDR 48, script metadata).
_LEFTWARDS = re.compile("ar|arz|ckb|dv|fa|glk|he|iw|ks|mzn|nqo|pnb|ps|sd|syr|ug|ur|yi")
_LEFTWARD_SCRIPTS = re.compile("adlm|arab|hebr|nkoo|rohg|syrc|thaa")

# What the style has a colour for; more debaters share them.
_COLOURS = ("d1", "d2", "d3", "d4", "d5", "d6")


def page(debate: Debate, course: Course, measures: DebateMeasures | None = None) -> str:
    """`measures` are `transcript.measured`, where they are known."""
    measures = measures or measured(debate, course)
    colours, failed = _colours(debate), account.failed_at(course)
    taken = {turn.seq: turn for turn in course.turns}
    found = list(outcomes.sections(debate, course.outcomes))
    charts = [(chart, drawn(chart)) for chart in _charts(course, measures, colours)]
    return _TEMPLATE.render(
        version=ROSTRA,
        language=debate.language or "en",
        direction=direction(debate.language),
        policy=_OWN_POLICY,
        style=Markup(_STYLE),
        title=on_one_line(debate.motion),
        debate=debate,
        colours=colours,
        contents=_contents([title for title, _ in found], figures=bool(charts)),
        rounds=[
            (title, [_shown_turn(words, taken.get(words.seq or 0), colours, failed) for words in said])
            for title, said in rounds(debate, course)
        ],
        unspoken=[told for seq, each in failed.items() if seq > len(course.turns) for told in _attempts(each)],
        outcomes=[(title, _anchor(title), told) for title, told in found],
        questions=[f"{each.question}: {account.why(each)}" for each in course.outcomes.failed],
        charts=charts,
        legend=[(debate.names[i], colours[i]) for i in dict.fromkeys(turn.debater for turn in course.turns)],
        table=_table(debate, course, measures),
        settings=account.settings(debate),
        debaters=list(account.debaters(debate)),
        request=again.as_written(debate),
        facts=[*facts(debate, course), *account.held_by(course)],
    )


def direction(language: str | None) -> str:
    """Where a text in `language` goes. Each text finds its own way; this is where the page begins."""
    primary, *subtags = (language or "").lower().split("-")
    script = next((subtag for subtag in subtags if len(subtag) == 4), None)
    leftwards = _LEFTWARD_SCRIPTS.fullmatch(script) if script else _LEFTWARDS.fullmatch(primary)
    return "rtl" if leftwards else "ltr"


def paragraphs(text: str) -> list[str]:
    return [part for part in plain(text).split("\n\n") if part.strip()]


def _colours(debate: Debate) -> Mapping[str, str]:
    """Each speaker's, by id."""
    debaters = {debater.id: _COLOURS[n % len(_COLOURS)] for n, debater in enumerate(debate.debaters)}
    return {speaker: debaters.get(speaker, "nobody") for speaker in debate.names}


def _contents(found: Sequence[str], *, figures: bool) -> list[tuple[str, str]]:
    """Where the page's parts are."""
    parts = [*((_anchor(title), title) for title in found), *([("figures", "Figures")] if figures else [])]
    return [*parts, ("settings", "Settings"), ("again", "Once more"), ("about", "About")]


def _anchor(title: str) -> str:
    return title.lower().replace(" ", "-")


# ── turns ───────────────────────────────────────────────────────────────────────────────────────────────


class ShownTurn(NamedTuple):
    """A turn as the page has it: `marks` are what is to be known of it besides. `seq` None: no turn, but a question
    that was put between two."""

    seq: int | None
    speaker: str
    colour: str
    paragraphs: Sequence[str]
    marks: str
    failed: Sequence[tuple[AttemptFailed, str]]


def _shown_turn(
    words: Words, turn: TurnTaken | None, colours: Mapping[str, str], failed: Mapping[int, Sequence[AttemptFailed]]
) -> ShownTurn:
    return ShownTurn(
        words.seq,
        words.speaker,
        colours[turn.debater] if turn else "nobody",
        paragraphs(words.text),
        ", ".join(_marks(turn)) if turn else "",
        _attempts(failed.get(turn.seq, ())) if turn else (),
    )


def _marks(turn: TurnTaken) -> Iterator[str]:
    yield from turn.faults
    if turn.shortened:
        yield "shortened"
    if turn.chosen_by == "fallback":
        yield "speaker found by fallback"
    if turn.finish_reason not in {"stop", "length", "enough", SCRIPTED}:
        yield turn.finish_reason


def _attempts(failed: Sequence[AttemptFailed]) -> list[tuple[AttemptFailed, str]]:
    return [(attempt, account.why(attempt)) for attempt in failed]


# ── figures ─────────────────────────────────────────────────────────────────────────────────────────────


def _charts(course: Course, measures: DebateMeasures | None, colours: Mapping[str, str]) -> Iterator[Chart]:
    if not course.turns:
        return
    kinds = {turn.seq: colours[turn.debater] for turn in course.turns}
    yield Chart("length", "Length: characters", [_bar(turn, graphemes(turn.text), kinds) for turn in course.turns])
    if measures:
        title = "Repetition: the share of a turn that stands in one earlier turn"
        bars = [Bar(each.seq, each.containment, kinds[each.seq]) for each in measures.turns]
        yield Chart("repetition", title, bars, most=1.0)
    spent = [_bar(turn, turn.usage.completion_tokens, kinds) for turn in course.turns]
    yield Chart("tokens", "Tokens: generated for the attempt that became the turn", spent)


def _bar(turn: TurnTaken, value: float, kinds: Mapping[int, str]) -> Bar:
    return Bar(turn.seq, value, kinds[turn.seq])


class Table(NamedTuple):
    """The figures in numbers."""

    names: Sequence[str]
    rows: Sequence[tuple[int, str, Sequence[Any]]]


def _table(debate: Debate, course: Course, measures: DebateMeasures | None) -> Table:
    names = ["turn", "debater", "characters", "prompt tokens", "tokens", "attempts"]
    names += ["repetition", "language", "flags"] if measures else []
    found = {each.seq: each for each in measures.turns} if measures else {}
    rows = [
        (turn.seq, debate.names[turn.debater], [*_spent(turn), *(_measured(found.get(turn.seq)) if measures else ())])
        for turn in course.turns
    ]
    return Table(names, rows)


def _spent(turn: TurnTaken) -> tuple[int, ...]:
    return graphemes(turn.text), turn.usage.prompt_tokens, turn.usage.completion_tokens, turn.attempts


def _measured(found: TurnMeasures | None) -> tuple[str, ...]:
    if found is None:
        return "", "", ""
    return f"{found.containment:.2f}", found.language or "", " ".join(found.flags).replace("_", "-")


def _shown(value: Any) -> Any:
    return plain(value) if isinstance(value, str) and not isinstance(value, Markup) else value


_TEMPLATE = Environment(
    loader=PackageLoader("rostra_api", "pages"),
    autoescape=True,
    undefined=StrictUndefined,
    finalize=_shown,
    trim_blocks=True,
    lstrip_blocks=True,
).get_template("transcript.html")
