"""The commands that hold, watch, read and steer debates on a running Rostra."""

from __future__ import annotations

import argparse
from pathlib import Path

from rostra.commands.arguments.kinds import DIRECTORY, FILE, AddParser, completed, event, pair, positive

STATUSES = ("queued", "running", "paused", "waiting", "completed", "collapsed", "failed", "cancelled")
FORMS = ("md", "html", "json", "ndjson", "csv")

_EXIT = (
    "Exit status: 0 done, and what was watched to its end was completed; 1 a debate ended otherwise; 2 it cannot be "
    "had as it was asked for; 3 no Rostra answers at ROSTRA_URL, or it cannot do it now; 130 Ctrl-C."
)
_ID = "a debate's id, or a beginning or end of it that no other of the newest 500 has; @latest is the newest debate"


def add(add_parser: AddParser) -> None:
    _add_debate(add_parser)
    _add_run(add_parser)
    _add_list(add_parser)
    _add_watch(add_parser)
    _add_show(add_parser)
    _add_export(add_parser)
    _add_steering(add_parser)
    _add_speaking(add_parser)
    _add_fork(add_parser)


def _command(add_parser: AddParser, name: str, does: str, run: str, *, with_id: bool = True) -> argparse.ArgumentParser:
    command = add_parser(name, help=does, description=f"{does[0].upper()}{does[1:]}.", epilog=_EXIT)
    if with_id:
        command.add_argument("id", metavar="ID", help=_ID)
    command.add_argument("--json", action="store_true", help="for scripts: JSON, one value or a line each")
    command.set_defaults(run=f"rostra.commands.{run}")
    return command


def _add_debate(add_parser: AddParser) -> None:
    debate = _command(add_parser, "debate", "hold a debate, live in this terminal", "debate:debate", with_id=False)
    debate.add_argument("motion", metavar="MOTION", help='the sentence debated, like "Tabs beat spaces"')
    debate.add_argument("--format", metavar="NAME", help="who speaks when: a name of `rostra formats`")
    debate.add_argument("--language", metavar="TAG", help="like ja or pt-BR; left out: the motion's")
    debate.add_argument("--rounds", type=int, metavar="N", help="of the free phases of the format")
    debate.add_argument(
        "--debater", action="append", default=[], metavar='"NAME: STANCE"', help="who argues, and for what; repeatable"
    )
    debate.add_argument(
        "--human", action="append", default=[], metavar="NAME", help="a debater who speaks in this terminal; repeatable"
    )
    debate.add_argument("--model", metavar="NAME", help="of all debaters: a name of `rostra models`")
    debate.add_argument("--opening", metavar="TEXT", help="what the moderator says first")
    debate.add_argument("--characters", type=int, metavar="N", help="the longest turn, in characters")
    debate.add_argument("--tokens", type=int, metavar="N", help="most tokens of one attempt at a turn")
    debate.add_argument("--seed", type=int, metavar="N", help="what is drawn follows from it; left out: drawn")
    debate.add_argument("--guard", choices=("off", "lenient", "strict"), help="how strictly attempts are checked")
    debate.add_argument("--judge", type=positive, nargs="?", const=1, metavar="N", help="a verdict, by N judges (1)")
    debate.add_argument(
        "--set",
        type=pair,
        action="append",
        default=[],
        metavar="PATH=VALUE",
        help="any other field of a request: limits.seconds=600, judge.swap=false; VALUE is JSON, or else text",
    )
    debate.add_argument("--metadata", type=pair, action="append", default=[], metavar="KEY=VALUE", help="to find it by")
    debate.add_argument("--detach", action="store_true", help="only begin it, and say its id")


def _add_run(add_parser: AddParser) -> None:
    run = _command(add_parser, "run", "begin the debates in files", "run:run", with_id=False)
    files = run.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="JSON (a debate, or a list of them), ndjson (a debate a line) or TOML; a folder stands for those in it, - "
        "for JSON or ndjson from standard input",
    )
    completed(files, FILE)
    run.add_argument("--wait", action="store_true", help="wait for their ends, with at most --jobs of them unfinished")
    run.add_argument("--jobs", type=positive, default=8, metavar="N", help="how many at once (default: 8)")
    run.add_argument(
        "--batch",
        metavar="NAME",
        help="begin each debate of these files once under this name, within a day: run the same again after an "
        "interruption; the name becomes the debates' metadata `batch`",
    )
    out = run.add_argument("--out", type=Path, metavar="FOLDER", help="with --wait: write each transcript there")
    completed(out, DIRECTORY)
    run.add_argument("--form", choices=FORMS, default="json", help="in this form (default: json)")


def _add_list(add_parser: AddParser) -> None:
    listed = _command(add_parser, "list", "list debates, newest first", "reading:listed", with_id=False)
    listed.add_argument("--status", choices=STATUSES, help="only those with this status")
    listed.add_argument(
        "--metadata", type=pair, action="append", default=[], metavar="KEY=VALUE", help="only those with it; repeatable"
    )
    listed.add_argument("--limit", type=int, default=20, metavar="N", help="how many at most (default: 20); 0: all")


def _add_watch(add_parser: AddParser) -> None:
    watch = _command(add_parser, "watch", "watch a debate from its beginning, live", "watch:watch")
    watch.add_argument(
        "--after", type=event, metavar="EVENT", help="only what comes behind the event with this id, like 3-0"
    )
    watch.add_argument(
        "--as",
        dest="human",
        action="append",
        default=[],
        metavar="NAME",
        help="speak as this human debater; repeatable",
    )


def _add_show(add_parser: AddParser) -> None:
    _command(add_parser, "show", "show what was said in a debate", "reading:show")


def _add_export(add_parser: AddParser) -> None:
    export = _command(add_parser, "export", "write a debate's transcript to a file", "reading:export")
    export.add_argument("--form", choices=FORMS, help="left out: as FILE ends, or md")
    out = export.add_argument("-o", "--out", default="-", metavar="FILE", help="left out, or -: standard output")
    completed(out, FILE)


def _add_steering(add_parser: AddParser) -> None:
    for name, does in (
        ("cancel", "end a debate"),
        ("pause", "let a debate stand still until it is resumed"),
        ("resume", "let a paused debate go on"),
        ("delete", "forget an ended debate and all that was said in it"),
    ):
        _command(add_parser, name, does, "steering:steer")


def _add_speaking(add_parser: AddParser) -> None:
    say = _command(add_parser, "say", "speak a human debater's turn", "steering:say")
    say.add_argument("text", metavar="TEXT", help="what is said; - takes it from standard input")
    say.add_argument("--seq", type=positive, metavar="N", help="the turn's number; left out: the one that is awaited")
    ask = _command(add_parser, "ask", "put a question as the human moderator", "steering:ask")
    ask.add_argument("text", metavar="TEXT", help="the question; - takes it from standard input")
    ask.add_argument("--to", metavar="NAME", help="the debater who is asked; left out: all")


def _add_fork(add_parser: AddParser) -> None:
    fork = _command(
        add_parser, "fork", "begin a debate that has the first turns of another and goes on otherwise", "steering:fork"
    )
    fork.add_argument(
        "--after", type=int, metavar="N", help="how many of its turns are kept; all that are finished when left out"
    )
    fork.add_argument(
        "--set",
        type=pair,
        action="append",
        default=[],
        metavar="PATH=VALUE",
        help="what is different: seed=7, turn.max_characters=80; VALUE is JSON, or else text; null takes a field away",
    )
