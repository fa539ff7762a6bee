"""The model's words without its weights: renders chats and counts tokens beside a running generation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Any, cast

import llama_cpp
from jinja2 import TemplateError
from llama_cpp import ChatCompletionRequestMessage, Llama

from rostra_llm.errors import CannotServe, Refused
from rostra_llm.template import chat_formatter, chat_template

DEEPEST = 200


class Vocabulary:
    """Loaded on its own, in 0.1 s and 20 MiB, so that nothing here waits for an engine."""

    def __init__(self, model: Path, template: Path | None) -> None:
        try:
            self._llama = Llama(str(model), vocab_only=True, verbose=False)
        except ValueError as error:
            raise CannotServe(f"{model} is not a GGUF file that llama.cpp can load.") from error
        metadata: dict[str, str] = self._llama.metadata
        self.context_trained = int(metadata.get(f"{metadata.get('general.architecture')}.context_length", 0))
        self.chat_template = chat_template(metadata, template)
        self.formatter = chat_formatter(
            self.chat_template,
            bos=self._special(self._llama.token_bos()),
            eos=self._special(self._llama.token_eos()),
            eos_id=self._llama.token_eos(),
        )

    def _special(self, token: int) -> str:
        return "" if token < 0 else self._llama.detokenize([token], special=True).decode()

    def tokenize(self, text: str, *, add_special: bool = False, parse_special: bool = True) -> list[int]:
        return self._llama.tokenize(text.encode(), add_bos=add_special, special=parse_special)

    def has(self, tokens: Iterable[int | str]) -> bool:
        """Whether all are ids of the model's tokens; llama.cpp does not look before it reads."""
        size = self._llama.n_vocab()
        return all(str(token).isascii() and str(token).isdecimal() and int(token) < size for token in tokens)

    def detokenize(self, tokens: Sequence[int]) -> str:
        if not self.has(tokens):
            raise Refused("tokens: not all are ids of the model's tokens.", param="tokens")
        # Tokens may end within a character of several bytes.
        return self._llama.detokenize(list(tokens), special=True).decode(errors="replace")

    def chat(self, messages: Sequence[Mapping[str, str]], variables: Mapping[str, Any]) -> list[int]:
        """The chat as it is written down by the template, begun with the token that the model wants first."""
        try:
            written = self.formatter(messages=cast("list[ChatCompletionRequestMessage]", list(messages)), **variables)
        except (TemplateError, ValueError, TypeError) as error:
            raise Refused(f"The model's chat template refuses the messages: {error}", param="messages") from error
        tokens = self.tokenize(written.prompt)
        begins = self._llama.token_bos()
        return [begins, *tokens] if self._wants_bos and tokens[:1] != [begins] else tokens

    def text(self, text: str) -> list[int]:
        """The text as a model reads it that goes on with it."""
        return self.tokenize(text, add_special=True)

    @property
    def _wants_bos(self) -> bool:
        return self._llama.token_bos() >= 0 and llama_cpp.llama_vocab_get_add_bos(self._vocab)

    @property
    def _vocab(self) -> Any:
        return llama_cpp.llama_model_get_vocab(self._llama.model)

    @lru_cache(maxsize=64)  # noqa: B019  a vocabulary lives as long as the process
    def takes_grammar(self, grammar: str) -> bool:
        """Whether llama.cpp can read it; its parser's recursion is bounded by refusing what is nested deeply."""
        if grammar.count("(") > DEEPEST and _depth(grammar) > DEEPEST:
            return False
        sampler = llama_cpp.llama_sampler_init_grammar(self._vocab, grammar.encode(), b"root")
        if sampler:
            llama_cpp.llama_sampler_free(sampler)
        return bool(sampler)


def _depth(grammar: str) -> int:
    """How deep the parentheses are nested, those within quotes included."""
    return max(accumulate((character == "(") - (character == ")") for character in grammar))
