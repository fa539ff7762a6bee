"""llama-cpp-python's own server, unchanged but for this: it counts the tokens that it evaluates and does not tell.

python benchmarks/serving_stock.py COUNTS [options of python -m llama_cpp.server]
"""

from __future__ import annotations

import mmap
import struct
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import llama_cpp
from llama_cpp.server.__main__ import main

_NUMBERS = struct.Struct("=QQ")


class Counts:
    """Prompt tokens evaluated and tokens generated, in a file that two processes share."""

    def __init__(self, file: Path) -> None:
        if not file.exists():
            file.write_bytes(bytes(_NUMBERS.size))
        with file.open("r+b") as opened:
            self._shared = mmap.mmap(opened.fileno(), _NUMBERS.size)

    def read(self) -> tuple[int, int]:
        evaluated, generated = _NUMBERS.unpack_from(self._shared)
        return evaluated, generated

    def add(self, *, evaluated: int = 0, generated: int = 0) -> None:
        before = self.read()
        _NUMBERS.pack_into(self._shared, 0, before[0] + evaluated, before[1] + generated)


def count(counts: Counts) -> None:
    """From here on each generation is counted: its first evaluation is the prompt's, the later ones are not."""
    evaluate, generate = llama_cpp.Llama.eval, llama_cpp.Llama.generate
    of_prompt = False

    def counted_eval(self: llama_cpp.Llama, tokens: Sequence[int]) -> None:
        nonlocal of_prompt
        counts.add(evaluated=len(tokens) if of_prompt else 0)
        of_prompt = False
        evaluate(self, tokens)

    def counted_generate(self: llama_cpp.Llama, *args: Any, **options: Any) -> Iterator[int]:
        nonlocal of_prompt
        of_prompt = True
        for token in generate(self, *args, **options):
            counts.add(generated=1)
            yield token

    llama_cpp.Llama.eval = counted_eval
    llama_cpp.Llama.generate = counted_generate


if __name__ == "__main__":
    count(Counts(Path(sys.argv.pop(1))))
    main()
