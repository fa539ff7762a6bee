"""`rostra formats` and `rostra models`: what one can choose from."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable

from pydantic import BaseModel

from rostra.commands.reading import row
from rostra.commands.terminal import DONE, a_client, as_line, command, screen
from rostra.doctor import page
from rostra.plain import json_line, on_one_line, plain
from rostra.views import FormatSummary, FormatView, ModelReport, ModelView


@command
def formats(chosen: argparse.Namespace) -> int:
    with a_client() as client:
        if chosen.name:
            found = client.formats.get(chosen.name)
            as_line(found) if chosen.json else _show_format(found)
        else:
            summaries = client.formats.list()
            _as_one(summaries) if chosen.json else _list_formats(summaries)
    return DONE


def _list_formats(summaries: Iterable[FormatSummary]) -> None:
    console = screen()
    line = "{:<20}  {:>5}  {:>5}  {:>7}  {}".format
    row(console, line("NAME", "SEATS", "TURNS", "MINUTES", "WHAT IT IS"))
    for each in summaries:
        minutes = f"{each.minutes:g}" if each.minutes else ""
        turns = each.turns if each.turns is not None else ""
        row(console, line(each.name, each.seats or "any", turns, minutes, on_one_line(each.summary)))


def _show_format(found: FormatView) -> None:
    console = screen()
    for text in (f"{found.title} ({found.name})", found.summary):
        console.print(plain(text), markup=False)
    print()
    for text in plain(found.picture).split("\n"):
        row(console, text)


@command
def models(chosen: argparse.Namespace) -> int:
    with a_client() as client:
        if chosen.name:
            report = client.models.report(chosen.name, fresh=chosen.fresh)
            as_line(report) if chosen.json else _show_report(report)
        else:
            found = client.models.list()
            _as_one(found) if chosen.json else _list_models(found)
    return DONE


def _list_models(found: Iterable[ModelView]) -> None:
    console = screen()
    line = "{:<24}  {:>7}  {:<24}  {}".format
    row(console, line("NAME", "CONTEXT", "SERVERS", "SAMPLING"))
    for each in found:
        row(console, line(each.name, each.context or "asked", ", ".join(each.dialects), ", ".join(each.sampling)))


def _show_report(report: ModelReport) -> None:
    for server in report.data:
        print(page(server, f"server {server.number}", report.name))


def _as_one(found: Iterable[BaseModel]) -> None:
    lines = (json_line(json.loads(each.model_dump_json())) for each in found)
    print(f"[{', '.join(lines)}]")
