"""How one request chooses its tokens: llama.cpp's samplers, in llama.cpp's order."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from rostra_llm.native import lib
from rostra_llm.native.context import Context
from rostra_llm.native.model import Model
from rostra_llm.work import Sampling

_CANDIDATE = np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)])
_KEEP = 1  # tokens that a sampler leaves at least


class Ungrammatical(Exception):
    """A grammar that llama.cpp cannot read."""


class Sampler:
    """Chooses token after token for one request, and remembers them; freed with `close`."""

    def __init__(self, model: Model, sampling: Sampling, prompt: Sequence[int], context: int) -> None:
        self._model = model
        self._grammar = _grammar(model, sampling.grammar) if sampling.grammar else None
        self._chain = lib.llama_sampler_chain_init(lib.llama_sampler_chain_default_params())
        for sampler in _samplers(model, sampling, context):
            lib.llama_sampler_chain_add(self._chain, sampler)
        for token in prompt[-_remembered(sampling, context) :] if _remembered(sampling, context) else ():
            lib.llama_sampler_accept(self._chain, token)

    def choose(self, context: Context, output: int) -> int:
        """The next token, by the logits of that output of the last batch."""
        if self._grammar is None:
            return lib.llama_sampler_sample(self._chain, context.pointer, output)
        # To test each of 50,000 tokens against the grammar takes milliseconds: first only the one that is chosen
        # without it is tested.
        logits = context.logits(output)
        token = self._picked(_Candidates(logits))
        if not self._allows(token):
            candidates = _Candidates(logits)
            lib.llama_sampler_apply(self._grammar, candidates.reference)
            token = self._picked(candidates)
        lib.llama_sampler_accept(self._grammar, token)
        lib.llama_sampler_accept(self._chain, token)
        return token

    def _picked(self, candidates: _Candidates) -> int:
        lib.llama_sampler_apply(self._chain, candidates.reference)
        return candidates.selected

    def _allows(self, token: int) -> bool:
        one = _Candidates(np.zeros(1, np.float32), first=token)
        lib.llama_sampler_apply(self._grammar, one.reference)
        return bool(np.isfinite(one.rows["logit"][0]))

    def close(self) -> None:
        lib.llama_sampler_free(self._chain)
        if self._grammar is not None:
            lib.llama_sampler_free(self._grammar)


class _Candidates:
    """A llama_token_data_array over an array of ours."""

    def __init__(self, logits: Any, first: int = 0) -> None:
        self.rows = np.empty(len(logits), _CANDIDATE)
        self.rows["id"] = np.arange(first, first + len(logits), dtype=np.int32)
        self.rows["logit"] = logits
        self.rows["p"] = 0
        data = ctypes.cast(self.rows.ctypes.data, lib.llama_token_data_p)
        self._array = lib.llama_token_data_array(data=data, size=len(logits), selected=-1, sorted=False)
        self.reference = ctypes.byref(self._array)

    @property
    def selected(self) -> int:
        return self._array.data[self._array.selected].id


def _samplers(model: Model, s: Sampling, context: int) -> list[Any]:
    """As llama.cpp's common/sampling.cpp arranges them."""
    chain = [_biases(model, s)] if s.logit_bias or model.suppressed else []
    if s.mirostat:
        return [*chain, lib.llama_sampler_init_temp(s.temperature), _mirostat(model, s)]
    last = context if s.repeat_last_n < 0 else s.repeat_last_n
    chain.append(
        lib.llama_sampler_init_penalties(model.tokens, last, s.repeat_penalty, s.frequency_penalty, s.presence_penalty)
    )
    if s.dry_multiplier:
        chain.append(_dry(model, s, context))
    if s.temperature == 0 and not s.xtc_probability:
        return [*chain, lib.llama_sampler_init_greedy()]
    if s.top_n_sigma > 0:
        chain.append(lib.llama_sampler_init_top_n_sigma(s.top_n_sigma))
    chain += [
        lib.llama_sampler_init_top_k(s.top_k),
        lib.llama_sampler_init_typical(s.typical_p, _KEEP),
        lib.llama_sampler_init_top_p(s.top_p, _KEEP),
        lib.llama_sampler_init_min_p(s.min_p, _KEEP),
        lib.llama_sampler_init_xtc(s.xtc_probability, s.xtc_threshold, _KEEP, s.seed),
        lib.llama_sampler_init_temp_ext(s.temperature, s.dynatemp_range, s.dynatemp_exponent),
        lib.llama_sampler_init_dist(s.seed),
    ]
    return chain


def _biases(model: Model, s: Sampling) -> Any:
    biases = [*s.logit_bias, *((token, -np.inf) for token in model.suppressed)]
    array = (lib.llama_logit_bias * len(biases))()
    for place, (token, bias) in zip(array, biases, strict=True):
        place.token, place.bias = token, bias
    return lib.llama_sampler_init_logit_bias(model.tokens, len(biases), array)


def _mirostat(model: Model, s: Sampling) -> Any:
    if s.mirostat == 1:
        # The 100 most probable tokens estimate Zipf's exponent, as in the paper and in llama.cpp.
        return lib.llama_sampler_init_mirostat(model.tokens, s.seed, s.mirostat_tau, s.mirostat_eta, 100)
    return lib.llama_sampler_init_mirostat_v2(s.seed, s.mirostat_tau, s.mirostat_eta)


def _dry(model: Model, s: Sampling, context: int) -> Any:
    last = context if s.dry_penalty_last_n < 0 else s.dry_penalty_last_n
    template = _dry_template(model, s.dry_multiplier, s.dry_base, s.dry_allowed_length, last, s.dry_sequence_breakers)
    return lib.llama_sampler_clone(template.sampler)


class _Template:
    """A sampler to clone; freed when nobody has it any more."""

    def __init__(self, sampler: Any) -> None:
        self.sampler = sampler

    def __del__(self) -> None:
        lib.llama_sampler_free(self.sampler)


@lru_cache(maxsize=8)
def _dry_template(
    model: Model, multiplier: float, base: float, allowed: int, last: int, breakers: tuple[str, ...]
) -> _Template:
    """Looking through the vocabulary for the breakers takes 10 ms and more."""
    array = (ctypes.c_char_p * len(breakers))(*(breaker.encode() for breaker in breakers))
    sampler = lib.llama_sampler_init_dry(model.vocab, multiplier, base, allowed, last, array, len(breakers))
    return _Template(sampler)


def _grammar(model: Model, grammar: str) -> Any:
    sampler = lib.llama_sampler_init_grammar(model.vocab, grammar.encode(), b"root")
    if not sampler:
        raise Ungrammatical("The grammar is not one that llama.cpp can read.")
    return sampler


def _remembered(s: Sampling, context: int) -> int:
    """How many tokens of the prompt the samplers look back at."""
    penalises = s.repeat_penalty != 1 or s.frequency_penalty or s.presence_penalty
    windows = [s.repeat_last_n if penalises else 0, s.dry_penalty_last_n if s.dry_multiplier else 0]
    return max(context if window < 0 else window for window in windows)
