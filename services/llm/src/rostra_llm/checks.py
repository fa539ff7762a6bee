"""What the stock server would ignore, answer with nothing, or not survive: refused before it begins.

Once a stream has begun its status is 200, and an error can only cut it.
"""

import json
from typing import Any

from llama_cpp.llama_grammar import json_schema_to_gbnf
from llama_cpp.server.types import CreateChatCompletionRequest, CreateCompletionRequest

from rostra_llm.errors import Refused
from rostra_llm.served import Served
from rostra_llm.vocabulary import Vocabulary

Completion = CreateChatCompletionRequest | CreateCompletionRequest

# Ignored, or failed at when the stream has begun; with the value that asks for nothing.
NOT_DONE: dict[str, Any] = {
    "best_of": 1,
    "n": 1,
    "logprobs": False,
    "top_logprobs": None,
    "suffix": None,
    "functions": None,
    "function_call": None,
    "tools": None,
    "tool_choice": None,
}


def check(asked: Completion, served: Served) -> None:
    """Raises Refused; a request that names no model is given the one there is."""
    _model(asked, served.name)
    _options(asked)
    _length(asked, served)
    _grammars(asked, served.vocabulary)
    _biases(asked, served.vocabulary)
    asked.model = served.name


def _model(asked: Completion, name: str) -> None:
    if asked.model not in (None, name):
        raise Refused(
            f"There is no model {asked.model!r} here, only {name!r}.",
            status=404,
            param="model",
            code="model_not_found",
        )


def _options(asked: Completion) -> None:
    for name, nothing in NOT_DONE.items():
        if getattr(asked, name, nothing) not in (nothing, None):
            raise Refused(f"{name} is not supported.", param=name, code="unsupported_parameter")


def _length(asked: Completion, served: Served) -> None:
    tokens = _count(asked, served.vocabulary)
    if tokens >= served.context:
        raise Refused(
            f"The prompt has {tokens} tokens, but the context has {served.context}, the answer's included.",
            code="context_length_exceeded",
        )


def _count(asked: Completion, vocabulary: Vocabulary) -> int:
    if isinstance(asked, CreateChatCompletionRequest):
        if not asked.messages:
            raise Refused("messages: none", param="messages")
        return vocabulary.count_chat(asked.messages)
    if not isinstance(asked.prompt, str) or not asked.prompt:
        raise Refused("prompt: one string that is not empty", param="prompt")
    return len(vocabulary.tokenize(asked.prompt, add_special=True))


def _grammars(asked: Completion, vocabulary: Vocabulary) -> None:
    # A grammar that llama.cpp cannot read ends the whole process: the bindings use the null pointer it gives.
    if asked.grammar is not None and not vocabulary.takes_grammar(asked.grammar):
        raise Refused("The grammar is not one that llama.cpp can read.", param="grammar")
    wanted = asked.response_format if isinstance(asked, CreateChatCompletionRequest) else None
    if wanted and "schema" in wanted and not _takes_schema(wanted["schema"], vocabulary):
        raise Refused("The schema cannot be made a grammar.", param="response_format")


def _takes_schema(schema: object, vocabulary: Vocabulary) -> bool:
    try:
        return vocabulary.takes_grammar(json_schema_to_gbnf(json.dumps(schema)))
    except Exception:  # the converter raises whatever it stumbles over, and the stock server goes on without
        return False


def _biases(asked: Completion, vocabulary: Vocabulary) -> None:
    if not asked.logit_bias:
        return
    if asked.min_tokens:
        raise Refused("logit_bias and min_tokens cancel each other.", param="min_tokens")
    if asked.logit_bias_type != "tokens" and not vocabulary.has(asked.logit_bias):
        raise Refused("logit_bias: keys are ids of the model's tokens.", param="logit_bias")
