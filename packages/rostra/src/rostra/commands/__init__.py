"""The command line: `rostra serve`, `rostra demo` and `rostra doctor`."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Sequence
from pathlib import Path

# As `rostra.endpoints.Dialect` has them, which takes long to import.
DIALECTS = ("rostra", "llama-cpp-python", "llama-server", "vllm", "ollama", "openai")


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
    from rostra.commands.demo import demo  # noqa: PLC0415

    return demo(chosen.file)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="rostra", description="Self-hosted debates between local language models.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="run the whole stack here, without Docker, until Ctrl-C")
    demo = commands.add_parser("demo", help="run the whole stack and play one debate, live in this terminal")
    demo.add_argument("file", nargs="?", type=Path, help="a debate as JSON; a built-in one when left out")
    _add_doctor(commands.add_parser)
    return parser


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
