"""How natural what was said is to the model that said it: the mean log-probability of its tokens.

At temperature 1, without any sampler, so that an arrangement that reaches variety by nonsense shows. The model is read
in eight bits, which moves a token by 0.002 on average and takes half of the time.
"""

from __future__ import annotations

import os
import statistics
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

# Before libgomp is loaded: threads that spin for long make a token ten times as dear where cores are shared.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")

import llama_cpp
import numpy as np
from serving_layouts import chatml

from rostra.models import Debate

CONTEXT = 4096


@contextmanager
def scorer(model: Path | None, threads: int) -> Iterator[Scorer | None]:
    """None where there is no model to score with."""
    if model is None:
        yield None
        return
    with TemporaryDirectory() as folder:
        yield Scorer(_in_eight_bits(model, Path(folder)), threads)


def _in_eight_bits(model: Path, folder: Path) -> Path:
    target = folder / "scorer.gguf"
    options = llama_cpp.llama_model_quantize_default_params()
    options.ftype = llama_cpp.LLAMA_FTYPE_MOSTLY_Q8_0
    options.allow_requantize = True
    if llama_cpp.llama_model_quantize(str(model).encode(), str(target).encode(), options):
        raise SystemExit(f"{model} cannot be requantised")
    return target


class Scorer:
    """Reads what was said with the model; all scores are nats a token."""

    def __init__(self, model: Path, threads: int) -> None:
        self._llama = llama_cpp.Llama(
            str(model), n_ctx=CONTEXT, n_threads=threads, n_threads_batch=threads, logits_all=True, verbose=False
        )

    def each_alone(self, debate: Debate, texts: Sequence[str]) -> list[list[float]]:
        """Each turn's scores as an answer to the motion: nothing that was said before makes it probable."""
        prompt = chatml([("user", f"Speak on this motion: {debate.motion}")])
        return [self._scores([(prompt, False), (text, True)]) for text in texts]

    def in_context(self, debate: Debate, texts: Sequence[str]) -> float | None:
        """All turns behind one another: what was said before makes its repetition probable."""
        prompt = chatml([("user", f"Debate this motion: {debate.motion}")])
        return mean([self._scores([(prompt, False), *((piece, True) for text in texts for piece in (text, "\n"))])])

    def _scores(self, pieces: Sequence[tuple[str, bool]]) -> list[float]:
        """Of the tokens of the pieces that count; none where they do not fit into the context."""
        tokens, counted = list[int](), list[bool]()
        for text, counts in pieces:
            more = self._llama.tokenize(text.encode(), add_bos=False, special=True)
            tokens, counted = tokens + more, counted + [counts and text != "\n"] * len(more)
        if len(tokens) > CONTEXT:
            return []
        self._llama.reset()
        self._llama.eval(tokens)
        # The row of a token holds the logits of the one behind it.
        scores = _log_probabilities(self._llama.scores[: len(tokens) - 1], tokens[1:])
        return [float(score) for score, counts in zip(scores, counted[1:], strict=True) if counts]


def _log_probabilities(logits: Any, tokens: Sequence[int]) -> Any:
    highest = logits.max(axis=1, keepdims=True)
    log_sum = highest[:, 0] + np.log(np.exp(logits - highest).sum(axis=1))
    return logits[np.arange(len(logits)), tokens] - log_sum


def mean(scores: Sequence[Sequence[float]]) -> float | None:
    """Over all tokens of all turns; None where there are none."""
    values = [score for turn in scores for score in turn]
    return round(statistics.fmean(values), 4) if values else None
