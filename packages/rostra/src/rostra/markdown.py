"""The transcript as Markdown: to read, to keep and to publish. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from rostra import account, again, outcomes
from rostra.models import Debate
from rostra.plain import on_one_line
from rostra.transcript import Course, Words, facts, rounds

_MARKUP = re.compile(r"([\\`*_\[\]<>#|~&$^])")
_AT_START = re.compile(r"^(\d+(?=[.)]))?([.)+=-])")  # a list, or an underline that makes a heading
# What renderers make links of without being asked: addresses with a scheme, `//host`, bare hosts, mail addresses; and
# some send a message to who stands behind an @.
_SCHEME = re.compile(r"(?i)(https?|ftps?|mailto|xmpp)(?=:)")
_SLASHES = re.compile(r"/(?=/)")
_DOT = re.compile(r"(?<=[^\s.\d])\.(?=[^\s.])|(?<=\d)\.(?=[^\s.\d])")
_AT_SIGN = re.compile(r"@(?=\S)")
_JOINER = "\u2060"


def neutral(text: str) -> str:
    """`text` as Markdown that shows just these characters: no markup, no HTML, no link made of an address.

    What models and people write is data: it must not become a heading, an image or a script in a page
    that shows the transcript, nor drive a terminal. Word joiners keep renderers from linking bare addresses: on both
    sides of a dot or an @, since some take a joiner before it for a part of a name, and some one behind it.
    """
    escaped = _MARKUP.sub(r"\\\1", _unlinked(on_one_line(text)))
    return _AT_START.sub(r"\g<1>\\\2", escaped)


def _unlinked(text: str) -> str:
    text = _SLASHES.sub(f"/{_JOINER}", _SCHEME.sub(rf"\1{_JOINER}", text))
    return _AT_SIGN.sub(f"{_JOINER}@{_JOINER}", _DOT.sub(f"{_JOINER}.{_JOINER}", text))


def as_markdown(debate: Debate, course: Course) -> str:
    """The transcript to read, keep or publish."""
    return (
        "\n\n".join(
            part
            for part in (
                _heading(debate),
                *_spoken(debate, course),
                *found(debate, course),
                *_settings(debate),
                *_failures(debate, course),
                *_again(debate),
                _closing(debate, course),
            )
            if part
        )
        + "\n"
    )


def _heading(debate: Debate) -> str:
    return "\n\n".join([f"# {neutral(debate.motion)}", *beginning(debate)])


def beginning(debate: Debate) -> Iterable[str]:
    """Who debates, and what they were told."""
    yield "\n".join(
        f"- **{neutral(d.name)}**" + (f": {neutral(d.stance)}" if d.stance else "") for d in debate.debaters
    )
    if debate.opening:
        yield f"> {neutral(debate.opening)}"


def _spoken(debate: Debate, course: Course) -> Iterable[str]:
    for title, said in rounds(debate, course):
        if title:
            yield heading(title)
        yield from map(speech, said)


def heading(title: str) -> str:
    """Of a phase, or of a round of it."""
    return f"## {neutral(title)}"


def speech(words: Words) -> str:
    """A turn, or a question between two."""
    return f"**{neutral(words.speaker)}:** {neutral(words.text)}"


def found(debate: Debate, course: Course) -> Iterable[str]:
    """What judges, audience, votes and baselines came to."""
    for title, told in outcomes.sections(debate, course.outcomes):
        yield f"## {title}"
        yield "\n".join(f"- {neutral(line)}" for line in told)


def _settings(debate: Debate) -> Iterable[str]:
    yield "## Settings"
    yield _rows(account.settings(debate))
    for name, rows in account.debaters(debate):
        yield f"### {neutral(name)}"
        yield _rows(rows)


def _failures(debate: Debate, course: Course) -> Iterable[str]:
    lines = [f"- {neutral(line)}" for line in account.failures(debate, course)]
    if lines:
        yield "## Failed attempts"
        yield "\n".join(lines)


def _again(debate: Debate) -> Iterable[str]:
    # A string of JSON never fills a line alone, so no text can end the block.
    yield "## Once more"
    yield f"POST this to /v1/debates.\n\n```json\n{again.as_written(debate)}\n```"


def _closing(debate: Debate, course: Course) -> str:
    return f"---\n\n{_rows([*facts(debate, course), *account.held_by(course)])}"


def _rows(rows: Iterable[account.Row]) -> str:
    return "\n".join(f"- {neutral(label)}: {neutral(value)}" for label, value in rows)
