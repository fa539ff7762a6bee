"""A model quantised anew, for the kernels of the processor it runs on."""

import contextlib
import ctypes
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import llama_cpp

from rostra_llm import kernels

# By the names that llama.cpp gives to files of these types.
TYPES = {
    "q4_0": llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_0,
    "iq4_nl": llama_cpp.LLAMA_FTYPE_MOSTLY_IQ4_NL,
    "q4_k_s": llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_K_S,
    "q4_k_m": llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_K_M,
    "q5_k_s": llama_cpp.LLAMA_FTYPE_MOSTLY_Q5_K_S,
    "q5_k_m": llama_cpp.LLAMA_FTYPE_MOSTLY_Q5_K_M,
    "q6_k": llama_cpp.LLAMA_FTYPE_MOSTLY_Q6_K,
    "q8_0": llama_cpp.LLAMA_FTYPE_MOSTLY_Q8_0,
}

PART = re.compile(r"-\d{5}-of-\d{5}$")
TYPE = re.compile(r"[-._](I?Q\d\w*|BF16|F16|F32)$", re.IGNORECASE)
REASON = re.compile(r"(?:failed to quantize|error loading model): (.+)")


class NotRequantised(Exception):
    """The file was not made; the message says what to do about it."""


@dataclass(frozen=True)
class Requantised:
    path: Path
    bytes_before: int
    bytes_after: int
    seconds: float


def requantise(source: Path, target: Path, kind: str, *, force: bool = False) -> Requantised:
    """Makes `target`, of that file type, from `source` or all of its parts; what is said in its metadata stays.

    What the source has lost is not found again: from the model's original weights, the same type is more accurate.
    An existing file is replaced only by `force`, and only when the new one is whole. Raises NotRequantised.
    """
    _check(source, target, force)
    part = target.with_name(f"{target.name}.part")
    begun = time.monotonic()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        part.touch()
        _in_its_own_process(source, part, kind)
        part.replace(target)
    except OSError as error:
        raise NotRequantised(
            f"{target} could not be written ({error.strerror}). Name a file in a folder that can be."
        ) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink()
    before = sum(file.stat().st_size for file in kernels.parts(source))
    return Requantised(target, before, target.stat().st_size, time.monotonic() - begun)


def best_type(source: Path) -> str:
    """The file type that suits this processor and is near the source's in size. Raises NotRequantised, NoModel."""
    kind = kernels.replacement(kernels.matrices(source), kernels.features())
    if not kind:
        raise NotRequantised(
            f"{source} is fast on this processor, or nothing near its size is. To make another type of it all the "
            "same, name it with --type."
        )
    return kind


def named(source: Path, kind: str) -> str:
    """What to call the file made of `source`: `model.Q4_1.gguf` becomes `model.IQ4_NL.gguf`."""
    return f"{TYPE.sub('', PART.sub('', source.stem))}.{kind.upper()}.gguf"


def _check(source: Path, target: Path, force: bool) -> None:
    if not source.is_file():
        raise NotRequantised(f"There is no file {source}.")
    if not target.exists():
        return
    if target.samefile(source):
        raise NotRequantised(f"{target} would replace the file that it is made from. Name another one.")
    if not force:
        raise NotRequantised(f"{target} exists. Name another file, or replace it with --force.")


def _in_its_own_process(source: Path, target: Path, kind: str) -> None:
    """So that llama.cpp may crash on a broken file, and say all it likes on the way."""
    command = [sys.executable, "-m", "rostra_llm.requantise", str(source), str(target), kind]
    child = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if child.returncode:
        why = reason(child.returncode, child.stderr.decode(errors="replace"))
        raise NotRequantised(f"llama.cpp could not make {kind.upper()} of {source}: {why}.")


def reason(status: int, said: str) -> str:
    """Why the process ended with that status, from what llama.cpp said."""
    if status < 0:
        return f"it crashed ({signal.Signals(-status).name}), as it may on a damaged file"
    found = REASON.findall(said)
    if found and "iostream error" in found[-1]:
        return "the file could not be written, perhaps for want of room"
    return found[-1].strip().rstrip(".") if found else f"it ended with status {status}"


def main(source: str, target: str, kind: str) -> int:
    """The other process: makes the file, and looks whether llama.cpp takes it. 0: it does."""
    wanted = llama_cpp.llama_model_quantize_default_params()
    wanted.ftype = TYPES[kind]
    wanted.allow_requantize = True
    if llama_cpp.llama_model_quantize(os.fsencode(source), os.fsencode(target), ctypes.pointer(wanted)):
        return 1
    loading = llama_cpp.llama_model_default_params()
    loading.vocab_only = True  # looks at all of the file but the weights' values, which were looked at when written
    return 0 if llama_cpp.llama_model_load_from_file(os.fsencode(target), loading) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
