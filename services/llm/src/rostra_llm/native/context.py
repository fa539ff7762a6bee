"""The KV cache and what is computed with it: sequences that grow, are cut, saved and loaded."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from rostra_llm.native import lib
from rostra_llm.native.model import Model, Unloadable

Floats = npt.NDArray[np.float32]


class Row(NamedTuple):
    """Tokens that come next in a sequence, from `position` on; `chooses` asks for the logits behind the last one."""

    sequence: int
    position: int
    tokens: Sequence[int]
    chooses: bool


@dataclass(frozen=True, slots=True)
class Shape:
    """`sequences` with `tokens` of context each; at most `chunk` tokens of prompts in a batch."""

    sequences: int
    tokens: int
    chunk: int
    threads: int
    gpu: bool = False

    @property
    def batch(self) -> int:
        return self.chunk + self.sequences


class Context:
    """Every sequence has cells of its own: attention looks at nothing else, and neighbouring sequences are computed
    together. (In one unified cache each token would pass over the cells of all sequences.)"""

    def __init__(self, model: Model, shape: Shape) -> None:
        params = lib.llama_context_default_params()
        params.n_ctx = shape.tokens * shape.sequences
        params.n_seq_max = shape.sequences
        params.n_batch = params.n_ubatch = shape.batch
        params.n_outputs_max = shape.sequences
        params.n_threads = params.n_threads_batch = shape.threads
        params.kv_unified = False
        params.swa_full = True  # a prefix can be gone on from only if all of it is there
        # On a processor it is slower to write with (by 40% at 8 sequences of 1,000 tokens), on a GPU faster.
        params.flash_attn_type = lib.LLAMA_FLASH_ATTN_TYPE_AUTO if shape.gpu else lib.LLAMA_FLASH_ATTN_TYPE_DISABLED
        params.no_perf = True
        pointer = lib.llama_init_from_model(model.pointer, params)
        if not pointer:
            raise Unloadable(f"there is no memory for {shape.sequences} requests with {shape.tokens} tokens each")
        self.pointer = pointer
        self.tokens = lib.llama_n_ctx_seq(pointer)
        self._vocab_size = model.tokens
        self._memory = lib.llama_get_memory(pointer)
        self._batch = _Batch(shape.batch)
        self._outputs: dict[int, int] = {}

    def compute(self, rows: Sequence[Row]) -> None:
        """Reads the rows' tokens; `logits` are there then for those that choose."""
        self._outputs = self._batch.fill(rows)
        status = lib.llama_decode(self.pointer, self._batch.native)
        if status:
            raise RuntimeError(f"llama_decode gave {status} for {[(row.sequence, len(row.tokens)) for row in rows]}")

    def output(self, sequence: int) -> int:
        """Where in the last batch the sequence's logits are."""
        return self._outputs[sequence]

    def logits(self, output: int) -> Floats:
        """The logits themselves, not a copy: what is written to them is what gets sampled."""
        pointer = lib.llama_get_logits_ith(self.pointer, output)
        return np.ctypeslib.as_array(pointer, shape=(self._vocab_size,))

    def cut(self, sequence: int, begin: int, end: int = -1) -> bool:
        """Takes away what stands from the position `begin` to before `end`, or to the last; False if this kind of model
        cannot: all is gone then."""
        if lib.llama_memory_seq_rm(self._memory, sequence, begin, end):
            return True
        lib.llama_memory_seq_rm(self._memory, sequence, -1, -1)
        return False

    def saved(self, sequence: int) -> Any:
        """All that the sequence holds, as bytes in a buffer."""
        size = lib.llama_state_seq_get_size(self.pointer, sequence)
        buffer = (ctypes.c_uint8 * size)()
        written = lib.llama_state_seq_get_data(self.pointer, buffer, size, sequence)
        if written != size:
            raise RuntimeError(f"llama_state_seq_get_data wrote {written} of {size} bytes")
        return buffer

    def load(self, sequence: int, buffer: Any) -> bool:
        """The sequence holds what was saved; False if there was no room: it holds nothing then."""
        lib.llama_memory_seq_rm(self._memory, sequence, -1, -1)
        if lib.llama_state_seq_set_data(self.pointer, buffer, len(buffer), sequence):
            return True
        lib.llama_memory_seq_rm(self._memory, sequence, -1, -1)
        return False

    def close(self) -> None:
        lib.llama_free(self.pointer)


class _Batch:
    """A llama_batch over arrays of ours, filled by whole rows."""

    def __init__(self, size: int) -> None:
        self._token = np.zeros(size, np.int32)
        self._position = np.zeros(size, np.int32)
        self._sequence = np.zeros(size, np.int32)
        self._output = np.zeros(size, np.int8)
        self._counts = np.ones(size, np.int32)
        step = self._sequence.itemsize
        addresses = self._sequence.ctypes.data + step * np.arange(size, dtype=np.uintp)
        self._sequences = addresses
        self.native = lib.llama_batch()
        self.native.token = _as(self._token, ctypes.c_int32)
        self.native.embd = None
        self.native.pos = _as(self._position, ctypes.c_int32)
        self.native.n_seq_id = _as(self._counts, ctypes.c_int32)
        self.native.seq_id = _as(self._sequences, ctypes.POINTER(ctypes.c_int32))
        self.native.logits = _as(self._output, ctypes.c_int8)

    def fill(self, rows: Sequence[Row]) -> dict[int, int]:
        """Answers where the rows that choose have their logits, by sequence."""
        outputs: dict[int, int] = {}
        end = 0
        for row in rows:
            begin, end = end, end + len(row.tokens)
            self._token[begin:end] = row.tokens
            self._position[begin:end] = range(row.position, row.position + len(row.tokens))
            self._sequence[begin:end] = row.sequence
            self._output[begin:end] = 0
            if row.chooses:
                self._output[end - 1] = 1
                outputs[row.sequence] = end - 1
        self.native.n_tokens = end
        return outputs


def _as(array: npt.NDArray[Any], kind: Any) -> Any:
    pointer_to: Any = ctypes.POINTER
    return ctypes.cast(array.ctypes.data, pointer_to(kind))
