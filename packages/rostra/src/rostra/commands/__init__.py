"""The command line: `rostra serve`, `demo`, `doctor`, `keys`, `backup` and `restore`."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

# As `rostra.endpoints.Dialect` has them, which takes long to import.
DIALECTS = ("rostra", "llama-cpp-python", "llama-server", "vllm", "ollama", "openai")
_SPANS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; answers its exit status."""
    chosen = _parser().parse_args(arguments)
    # Imported here, so that `rostra --help` loads no web client and no terminal library.
    if chosen.command == "serve":
        from rostra.commands.serve import serve  # noqa: PLC0415

        return serve()
    if chosen.command == "doctor":
        from rostra.commands.doctor import doctor  # noqa: PLC0415

        return doctor(chosen.url, chosen.model, chosen.dialect, chosen.seconds, as_json=chosen.json)
    if chosen.command == "keys":
        from rostra.commands import keys  # noqa: PLC0415

        return keys.run(chosen)
    if chosen.command in {"backup", "restore"}:
        from rostra.commands.backup import backup, restore  # noqa: PLC0415

        return backup(chosen.file) if chosen.command == "backup" else restore(chosen.file, merge=chosen.merge)
    from rostra.commands.demo import demo  # noqa: PLC0415

    return demo(chosen.file)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="rostra", description="Self-hosted debates between local language models.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="run the whole stack here, without Docker, until Ctrl-C")
    demo = commands.add_parser("demo", help="run the whole stack and play one debate, live in this terminal")
    demo.add_argument("file", nargs="?", type=Path, help="a debate as JSON; a built-in one when left out")
    _add_doctor(commands.add_parser)
    _add_keys(commands.add_parser)
    _add_backup(commands.add_parser)
    return parser


def _add_backup(add_parser: Callable[..., argparse.ArgumentParser]) -> None:
    where = (
        "Works on the Redis in ROSTRA_REDIS_URL, and where that is not set on that of the `rostra serve` that runs in "
        "ROSTRA_DATA_DIR. In the containers: docker compose exec -T api rostra …"
    )
    backup = add_parser("backup", help="write all debates and keys to a file, while they go on", description=where)
    backup.add_argument("file", metavar="FILE", help="a file, or - for standard output")
    restore = add_parser("restore", help="put back what a backup has; what ran is played on", description=where)
    restore.add_argument("file", metavar="FILE", help="a file, or - for standard input")
    restore.add_argument("--merge", action="store_true", help="also where there are debates; those are left alone")


def _add_doctor(add_parser: Callable[..., argparse.ArgumentParser]) -> None:
    doctor = add_parser(
        "doctor",
        help="find out what a model server can do for debates",
        description="Finds out in under a minute what an OpenAI-compatible model server can do for debates: chat "
        "template, roles, streams, sampling options by their effect, bounds, speed. A key is taken from "
        "ROSTRA_LLM_API_KEY.",
        epilog="Exit status: 0 it is fit for debates; 1 it is usable, with faults that cost turns or their quality, or "
        "there was no time for all checks; 2 it is not usable, or not there.",
    )
    doctor.add_argument("url", type=_address, metavar="URL", help="its address, like http://127.0.0.1:8000")
    doctor.add_argument("--model", help="the name that it knows the model by; left out: the first that it lists")
    doctor.add_argument("--dialect", choices=DIALECTS, help="the kind of server that it is taken for in ROSTRA_MODELS")
    doctor.add_argument("--json", action="store_true", help="the report as JSON")
    doctor.add_argument("--seconds", type=_seconds, default=60.0, help="how long it may take at most (default: 60)")


def _add_keys(add_parser: Callable[..., argparse.ArgumentParser]) -> None:
    keys = add_parser(
        "keys",
        help="make, list and revoke the API's keys",
        description="Works on the Redis in ROSTRA_REDIS_URL, and where that is not set on that of the `rostra serve` "
        "that runs in ROSTRA_DATA_DIR. In the containers: docker compose exec api rostra keys …",
    ).add_subparsers(dest="action", required=True)
    create = keys.add_parser("create", help="make a key; it is shown this once")
    create.add_argument(
        "--owner", required=True, help="whose debates it begins and sees; an owner may have several keys"
    )
    create.add_argument(
        "--scopes",
        type=lambda text: text.split(","),
        default=["read", "write"],
        help="read, write (which includes read) or admin (everything, and everybody's); default: read,write",
    )
    create.add_argument("--expires", type=_span, metavar="TIME", help="30d, 12h, …; left out: never")
    keys.add_parser("list", help="all keys, without their secrets")
    revoke = keys.add_parser("revoke", help="take a key back: it stops working within 10 seconds")
    revoke.add_argument("id", metavar="ID", help="as `rostra keys list` shows it")


def _span(text: str) -> timedelta:
    found = re.fullmatch(r"([1-9][0-9]{0,4})([mhdw])", text)
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is no time like 90m, 12h, 30d or 4w")
    return timedelta(**{_SPANS[found[2]]: int(found[1])})


def _address(text: str) -> str:
    address = text if "://" in text else f"http://{text}"
    if not re.match(r"https?://[^/\s]+\S*$", address):
        raise argparse.ArgumentTypeError(f"{text!r} is no address like http://127.0.0.1:8000")
    return address.rstrip("/").removesuffix("/v1")


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 1 <= seconds <= 3600:
        raise argparse.ArgumentTypeError("1 to 3600")
    return seconds
