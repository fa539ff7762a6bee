"""A report as one page of text for a person at a terminal."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rostra.doctor.report import Finding, Fitness, Grade, Option, Outcome, Report
from rostra.plain import plain

WIDTH = 100
_INDENT = 22
_REASONS = 3

_JUDGEMENT: Mapping[Fitness, str] = {
    "fit": "fit for debates",
    "usable": "usable for debates, with faults",
    "unfit": "not usable for debates",
}
_SIGNS: Mapping[Grade, str] = {
    "good": "✓",
    "note": "·",
    "warning": "!",
    "fault": "✗",
    "not shown": "?",
    "not checked": "-",
}
_OUTCOMES: Mapping[Outcome, str] = {
    "works": "✓ take effect",
    "ignored": "✗ are ignored",
    "refused": "✗ are refused",
    "not shown": "? could not be shown",
    "not checked": "- were not checked",
}


def page(report: Report, url: str, model: str) -> str:
    """Made plain: what a server and its model say must not drive the terminal."""
    return plain("\n".join(_lines(report, url, model))) + "\n"


def _lines(report: Report, url: str, model: str) -> Iterator[str]:
    yield f"{url}, model {model}: {_judgement(report)} (asked for {report.seconds:.0f} s)"
    yield ""
    yield from _findings(report.findings)
    if any(option.outcome != "not checked" for option in report.options):
        yield from _options(report)
    yield from _speed(report)
    yield from _advice(report.findings)
    if report.dialect and report.fitness != "unfit":
        yield from _configuration(report, url, model)


def _judgement(report: Report) -> str:
    if report.fitness == "usable" and not any(finding.grade == "warning" for finding in report.findings):
        return "usable for debates, as far as there was time to check"
    return _JUDGEMENT[report.fitness]


def _findings(findings: Sequence[Finding]) -> Iterator[str]:
    for finding in findings:
        if finding.grade != "not checked":
            yield _row(f"{_SIGNS[finding.grade]} {finding.title}", finding.says)
    if left := [finding.title for finding in findings if finding.grade == "not checked"]:
        yield _row(f"{_SIGNS['not checked']} Not checked", f"{', '.join(left)}: there was no time left (--seconds).")


def _row(head: str, text: str) -> str:
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=f"{head:<{_INDENT}}",
        subsequent_indent=" " * _INDENT,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _options(report: Report) -> Iterator[str]:
    yield ""
    yield "Sampling options"
    for outcome, head in _OUTCOMES.items():
        found = [option for option in report.options if option.outcome == outcome]
        if found:
            yield _row(head, ", ".join(_named(option) for option in found))
            yield from _why(found)


def _named(option: Option) -> str:
    return option.name if option.sent_as == option.name else f"{option.name} (as {option.sent_as})"


def _why(options: list[Option]) -> Iterator[str]:
    """Each reason once, with the options that it was given for; a few are enough, as they are much the same."""
    reasons = list(dict.fromkeys(option.says for option in options if option.says))
    for reason in reasons[:_REASONS]:
        names = [option.name for option in options if option.says == reason]
        yield _row("", f"({', '.join(names)}: {reason})" if len(names) < len(options) else f"({reason})")
    if len(reasons) > _REASONS:
        yield _row("", f"({len(reasons) - _REASONS} more of the kind: --json)")


def _speed(report: Report) -> Iterator[str]:
    speed = report.speed
    parts = [
        (speed.first_token_seconds, "first words after {:.2f} s"),
        (speed.tokens_per_second, "{:.0f} tokens a second"),
        (speed.prompt_tokens_per_second, "{:.0f} tokens of a prompt a second"),
    ]
    if told := [text.format(value) for value, text in parts if value is not None]:
        yield ""
        yield _row("Speed", ", ".join(told))


def _advice(findings: list[Finding]) -> Iterator[str]:
    advice = [finding for finding in findings if finding.advice]
    if advice:
        yield ""
        yield "What to do"
        for finding in advice:
            yield _row("  " + finding.title, finding.advice)


def _configuration(report: Report, url: str, model: str) -> Iterator[str]:
    endpoint: dict[str, Any] = {"url": url, "model": model, **report.configuration}
    yield ""
    yield "For debates (add `api_key` where it wants one):"
    models = json.dumps({"default": endpoint}).replace("'", "\\u0027")  # it would end the quotation
    yield f"ROSTRA_MODELS='{models}'"
