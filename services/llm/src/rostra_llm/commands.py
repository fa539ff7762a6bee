"""The tools beside the server: `python -m rostra_llm fetch` and `python -m rostra_llm requantise`."""

import argparse
import re
import sys
import urllib.parse
from collections.abc import Sequence
from pathlib import Path

from rostra_llm import logs
from rostra_llm.download import Names, Progress, fetch, logged
from rostra_llm.errors import CannotServe, NoModel
from rostra_llm.fingerprint import digest
from rostra_llm.requantise import TYPES, NotRequantised, best_type, named, requantise

MODELS = Path("models")  # where the server looks for a model unless it is told another folder

FETCH = """\
Fetches a model and keeps it under the last part of its address. Given again, the command goes on where an interrupted
transfer stopped. A file with another SHA-256 is not kept.
"""
REQUANTISE = """\
Makes another file of a model, of a type that this processor has fast kernels for. What the model has lost by being
quantised is not found again: where its original weights are at hand, make the type from those.
"""


def run(arguments: Sequence[str]) -> int:
    """Runs a command. Answers its exit status: 0, 1 with a sentence on stderr, 2 when it was not called rightly."""
    try:
        chosen = _parser().parse_args(arguments)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 2
    logs.configure("warning" if sys.stderr.isatty() else "info")
    try:
        if chosen.command == "fetch":
            say(_fetch(chosen.url, chosen.sha256, chosen.to))
        else:
            say(_requantise(chosen.source, chosen.target, chosen.type, chosen.force))
    except (CannotServe, NotRequantised) as reason:
        note(str(reason))
        return 1
    except KeyboardInterrupt:
        note("Stopped.")
        return 130
    return 0


def _fetch(url: str, sha256: str, folder: Path) -> str:
    target = folder / _last_part(url, sha256)
    if not target.exists():
        names = Names("URL", "--sha256", "--to")
        fetch(url, sha256, folder, names=names, progress=_progress()).rename(target)
    elif digest(target) != sha256:
        raise NoModel(f"{target} is another file. Move it away, or name another folder with --to.")
    return f"{target}, {_mib(target.stat().st_size)}, has the SHA-256 that it should have."


def _last_part(url: str, sha256: str) -> str:
    name = urllib.parse.unquote(urllib.parse.urlsplit(url).path).rpartition("/")[2]
    return name if name.endswith(".gguf") else f"{sha256}.gguf"


def _requantise(source: Path, target: Path | None, kind: str | None, force: bool) -> str:
    if not source.is_file():
        raise NotRequantised(f"There is no file {source}.")
    kind = kind or best_type(source)
    target = target or MODELS / named(source, kind)
    if target.is_dir():
        target /= named(source, kind)
    note(f"Making {kind.upper()} of {source}: seconds for a small model, minutes for a large one.")
    made = requantise(source, target, kind, force=force)
    return (
        f"{made.path}: {_mib(made.bytes_after)}, before {_mib(made.bytes_before)}; {made.seconds:.1f} s. "
        f"Where the models folder holds several models, ROSTRA_MODEL_FILE={made.path.name} serves this one."
    )


def _progress() -> Progress:
    """A line that is written over, on a terminal; else lines in the log."""
    return _show if sys.stderr.isatty() else logged()


def _show(have: int, total: int) -> None:
    of = f" of {_mib(total)}, {have / total:.0%}" if total else ""
    sys.stderr.write(f"\r{_mib(have)}{of}\x1b[K" + ("\n" if have == total else ""))
    sys.stderr.flush()


def _mib(size: int) -> str:
    return f"{size / (1 << 20):.0f} MiB"


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def note(line: str) -> None:
    over = "\r\x1b[K" if sys.stderr.isatty() else ""  # the line of the progress
    sys.stderr.write(f"{over}{line}\n")


def _sha256(text: str) -> str:
    if not re.fullmatch("[0-9a-fA-F]{64}", text):
        raise argparse.ArgumentTypeError("it has 64 hexadecimal digits")
    return text.lower()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m rostra_llm", description="Without a command: serves the model. The commands see to its file."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    fetching = commands.add_parser("fetch", help="fetch a model by its address", description=FETCH)
    fetching.add_argument("url", metavar="URL", help="address of a GGUF file")
    fetching.add_argument("--sha256", metavar="HEX", type=_sha256, required=True, help="what the file must hash to")
    fetching.add_argument("--to", metavar="DIR", type=Path, default=MODELS, help=f"folder to keep it in: {MODELS}")
    making = commands.add_parser("requantise", help="make a faster file of a model", description=REQUANTISE)
    making.add_argument("source", metavar="SOURCE", type=Path, help="a GGUF file; the first, of a model in parts")
    making.add_argument("target", metavar="TARGET", nargs="?", type=Path, help=f"file or folder to write: {MODELS}")
    making.add_argument("--type", type=str.lower, choices=sorted(TYPES), help="what to make; else what suits best here")
    making.add_argument("--force", action="store_true", help="replace an existing file")
    return parser
