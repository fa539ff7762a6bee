"""One answer while it is generated: its text, its log-probabilities, when it ends."""

from __future__ import annotations

import numpy as np

from rostra_llm.engine.text import Writing
from rostra_llm.native.context import Context, Floats
from rostra_llm.native.model import Model
from rostra_llm.native.samplers import Sampler
from rostra_llm.work import Chosen, Figures, Piece, Reason, Work


class Answer:
    """Freed with `close`."""

    def __init__(self, work: Work, model: Model, context: Context, reused: int, now: float) -> None:
        self.work = work
        self._model = model
        self._context = context
        self._sampler = Sampler(model, work.sampling, work.tokens, context.tokens)
        self._writing = Writing(work.stop)
        self._ends = list(model.ends)
        self._generated = 0
        self._reused = reused
        self._untold: list[Chosen] = []
        self._shown = self._told = 0  # bytes
        self._began, self._read = now, now

    def close(self) -> None:
        self._sampler.close()

    def choose(self, output: int) -> int:
        """The next token, by the logits of that output of the last batch."""
        logprobs = _log_softmax(self._context.logits(output)) if self.work.alternatives is not None else None
        if self.work.ignore_end or self._generated < self.work.least:
            self._context.logits(output)[self._ends] = -np.inf
        token = self._sampler.choose(self._context, output)
        if logprobs is not None and token not in self._model.ends:
            self._untold.append(self._chosen(token, logprobs))
        return token

    def written(self, token: int, now: float) -> Piece | None:
        """What the token adds to what is shown; a piece with a reason ends the answer, None shows nothing yet."""
        if not self._generated:
            self._read = now
        self._generated += 1
        text = "" if token in self._model.ends else self._writing.write(self._model.piece(token))
        reason = self._reason(token)
        if reason is None:
            return Piece(self.work.id, text, self._tell(text)) if text else None
        text += self._writing.end()
        return Piece(self.work.id, text, self._tell(text, last=not self._writing.stopped), reason, self._figures(now))

    def _reason(self, token: int) -> Reason | None:
        if token in self._model.ends or self._writing.stopped:
            return "stop"
        return "length" if self._generated >= self.work.most else None

    def _figures(self, now: float) -> Figures:
        return Figures(
            prompt=len(self.work.tokens),
            reused=self._reused,
            generated=self._generated,
            prompt_seconds=self._read - self._began,
            answer_seconds=now - self._read,
        )

    def _chosen(self, token: int, logprobs: Floats) -> Chosen:
        most = self.work.alternatives or 0
        best = np.argpartition(-logprobs, most)[:most] if most else np.empty(0, int)
        best = best[np.argsort(-logprobs[best])]
        alternatives = tuple((self._model.piece(int(t)), float(logprobs[t])) for t in best)
        return Chosen(self._model.piece(token), float(logprobs[token]), alternatives)

    def _tell(self, text: str, *, last: bool = False) -> tuple[Chosen, ...]:
        """The tokens that the text shown so far has begun with; of a stop string nothing is told."""
        if not self._untold:
            return ()
        self._shown += len(text.encode())
        told: list[Chosen] = []
        while self._untold and (last or self._told < self._shown):
            told.append(self._untold.pop(0))
            self._told += len(told[-1].piece)
        return tuple(told)


def _log_softmax(logits: Floats) -> Floats:
    shifted = logits - logits.max()
    return shifted - np.log(np.exp(shifted).sum())
