"""A loaded model and its tokens."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

from rostra_llm.native import lib

# Longer pieces do not exist in any known vocabulary; llama.cpp says so if one is.
_LONGEST_PIECE = 256


class Unloadable(Exception):
    """llama.cpp did not take the file, or there is no memory for it."""


class Model:
    """Weights and vocabulary; freed with `close`."""

    def __init__(self, path: Path, *, gpu_layers: int = 0) -> None:
        params = lib.llama_model_default_params()
        params.n_gpu_layers = gpu_layers
        pointer = lib.llama_model_load_from_file(str(path).encode(), params)
        if not pointer:
            raise Unloadable(f"{path.name} could not be loaded")
        if lib.llama_model_has_encoder(pointer) or not lib.llama_model_has_decoder(pointer):
            raise Unloadable(f"{path.name} does not generate text token by token: it is an encoder")
        self.pointer: Any = pointer
        self.vocab: Any = lib.llama_model_get_vocab(pointer)
        self.tokens: int = lib.llama_vocab_n_tokens(self.vocab)
        self.ends = frozenset(t for t in range(self.tokens) if lib.llama_vocab_is_eog(self.vocab, t))
        self.suppressed = self._suppressed()
        self._pieces: dict[int, bytes] = {}

    def _suppressed(self) -> tuple[int, ...]:
        """Tokens that the model's file asks never to choose."""
        count = ctypes.c_int32(0)
        tokens = lib.llama_vocab_get_suppress_tokens(self.vocab, ctypes.byref(count))
        return tuple(tokens[i] for i in range(count.value))

    def piece(self, token: int) -> bytes:
        """The token's bytes, which may be a part of a character; none for a control token."""
        found = self._pieces.get(token)
        if found is None:
            buffer = ctypes.create_string_buffer(_LONGEST_PIECE)
            size = lib.llama_token_to_piece(self.vocab, token, buffer, _LONGEST_PIECE, 0, False)
            if size < 0:
                buffer = ctypes.create_string_buffer(-size)
                size = lib.llama_token_to_piece(self.vocab, token, buffer, -size, 0, False)
            found = self._pieces[token] = buffer.raw[:size]
        return found

    @property
    def cell_bytes(self) -> int:
        """About how many bytes of KV cache a token takes, at 16 bits a number."""
        model = self.pointer
        width = lib.llama_model_n_embd(model) // max(1, lib.llama_model_n_head(model))
        return lib.llama_model_n_layer(model) * lib.llama_model_n_head_kv(model) * width * 2 * 2

    def close(self) -> None:
        lib.llama_model_free(self.pointer)
