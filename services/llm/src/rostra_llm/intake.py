"""A request becomes work for an engine, or is refused by name before anything begins.

Once a stream has begun its status is 200, and an error can only cut it.
"""

from __future__ import annotations

import itertools
import json
import secrets
from typing import Any, cast

from llama_cpp.llama_grammar import JSON_GBNF, json_schema_to_gbnf

from rostra_llm.bodies import ChatRequest, Options, TextRequest
from rostra_llm.errors import Refused
from rostra_llm.served import Served
from rostra_llm.vocabulary import Vocabulary
from rostra_llm.work import Sampling, Work

_IDS = itertools.count(1)
# What of the request goes to the samplers as it is.
_PLAIN = (
    "temperature",
    "top_p",
    "min_p",
    "typical_p",
    "top_n_sigma",
    "repeat_penalty",
    "repeat_last_n",
    "presence_penalty",
    "frequency_penalty",
    "dry_multiplier",
    "dry_base",
    "dry_allowed_length",
    "dry_penalty_last_n",
    "xtc_probability",
    "xtc_threshold",
    "mirostat_tau",
    "mirostat_eta",
    "dynatemp_range",
    "dynatemp_exponent",
)
LARGEST_GRAMMAR = 1 << 17  # characters; schemas with long repetitions make megabytes of them
WIDEST_RANGE = 1000  # whole numbers of a schema that are named one by one
_LARGEST_SEED = 0xFFFF_FFFE  # the one above it is llama.cpp's sign for "any"


def chat_work(asked: ChatRequest, served: Served) -> Work:
    """Raises Refused."""
    messages = [message.for_template() for message in asked.messages]
    tokens = served.vocabulary.chat(messages, asked.chat_template_kwargs or {})
    most = asked.max_completion_tokens if asked.max_completion_tokens is not None else _most(asked)
    if asked.top_logprobs and not asked.logprobs:
        raise Refused("top_logprobs needs logprobs.", param="top_logprobs")
    return _work(asked, served, tokens, most, (asked.top_logprobs or 0) if asked.logprobs else None)


def text_work(asked: TextRequest, served: Served) -> Work:
    """Raises Refused."""
    return _work(asked, served, _prompt(asked, served.vocabulary), _most(asked), asked.logprobs)


def _prompt(asked: TextRequest, vocabulary: Vocabulary) -> list[int]:
    match asked.prompt:
        case str(text) | [str(text)] if text:
            return vocabulary.text(text)
        case [int(), *_] as tokens if vocabulary.has(tokens):
            return tokens
        case _:
            raise Refused("prompt: one text, or one list of the model's tokens, that is not empty", param="prompt")


def _most(asked: Options) -> int:
    return next((given for given in (asked.max_tokens, asked.n_predict) if given is not None), -1)


def _work(asked: Options, served: Served, tokens: list[int], most: int, alternatives: int | None) -> Work:
    room = served.context - len(tokens)
    if room <= 0:
        raise Refused(
            f"The prompt has {len(tokens)} tokens, but the context has {served.context}, the answer's included.",
            code="context_length_exceeded",
        )
    most = room if most < 0 else min(most, room)
    return Work(
        id=next(_IDS),
        tokens=tokens,
        most=most,
        least=min(asked.min_tokens, most),
        sampling=_sampling(asked, served.vocabulary),
        stop=_stop(asked),
        key=asked.prompt_cache_key,
        reuse=asked.cache_prompt,
        ignore_end=asked.ignore_eos,
        alternatives=alternatives,
    )


def _stop(asked: Options) -> tuple[str, ...]:
    given = [asked.stop] if isinstance(asked.stop, str) else asked.stop or []
    if "" in given:
        raise Refused("stop: an empty string would stop everything.", param="stop")
    return tuple(given)


def _sampling(asked: Options, vocabulary: Vocabulary) -> Sampling:
    given: dict[str, Any] = {name: value for name in _PLAIN if (value := getattr(asked, name)) is not None}
    if asked.top_k is not None:
        given["top_k"] = max(0, asked.top_k)
    if asked.dry_sequence_breakers is not None:
        given["dry_sequence_breakers"] = tuple(asked.dry_sequence_breakers)
    mirostat = asked.mirostat if asked.mirostat is not None else asked.mirostat_mode
    return Sampling(
        **given,
        mirostat=mirostat or 0,
        logit_bias=_biases(asked, vocabulary),
        grammar=_grammar(asked, vocabulary),
        seed=secrets.randbelow(_LARGEST_SEED) if asked.seed in (None, -1) else (asked.seed or 0) % _LARGEST_SEED,
    )


def _biases(asked: Options, vocabulary: Vocabulary) -> tuple[tuple[int, float], ...]:
    given = asked.logit_bias or {}
    if not vocabulary.has(given):
        raise Refused("logit_bias: keys are ids of the model's tokens.", param="logit_bias")
    return tuple((int(token), float("-inf") if bias is False else bias) for token, bias in given.items())


# ── grammars ────────────────────────────────────────────────────────────────────────────────────────────────


def _grammar(asked: Options, vocabulary: Vocabulary) -> str:
    wanted = [(name, text) for name, text in _grammars(asked) if text]
    if len(wanted) > 1:
        raise Refused(f"{wanted[0][0]} and {wanted[1][0]} cannot both be kept.", param=wanted[1][0])
    for name, text in wanted:
        if len(text) > LARGEST_GRAMMAR:
            raise Refused(f"The grammar has more than {LARGEST_GRAMMAR} characters.", param=name)
        if not vocabulary.takes_grammar(text):
            raise Refused("The grammar is not one that llama.cpp can read.", param=name)
    return wanted[0][1] if wanted else ""


def _grammars(asked: Options) -> list[tuple[str, str]]:
    return [
        ("grammar", asked.grammar or ""),
        ("json_schema", "" if asked.json_schema is None else _of_schema("json_schema", asked.json_schema)),
        ("response_format", _of_format(asked)),
    ]


def _of_format(asked: Options) -> str:
    wanted = asked.response_format
    match wanted and wanted.type:
        case "json_schema":
            schema = wanted.json_schema.schema_ if wanted and wanted.json_schema else wanted and wanted.schema_
            if schema is None:
                raise Refused("response_format: json_schema needs its schema.", param="response_format")
            return _of_schema("response_format", schema)
        case "json_object":
            schema = wanted.schema_ if wanted else None
            return _of_schema("response_format", schema) if schema else JSON_GBNF
        case _:
            return ""


def _of_schema(name: str, schema: dict[str, Any]) -> str:
    try:
        return json_schema_to_gbnf(json.dumps(_with_ranges_spelt_out(schema)))
    except Exception as error:  # the converter raises whatever it stumbles over
        raise Refused(f"The schema cannot be made a grammar: {error!r:.200}", param=name) from error


def _with_ranges_spelt_out(schema: object) -> object:
    """The converter passes over `minimum` and `maximum`: whole numbers within narrow bounds are named one by one."""
    match schema:
        case {"type": "integer", "minimum": int(least), "maximum": int(most)} if 0 <= most - least <= WIDEST_RANGE:
            return {"enum": list(range(least, most + 1))}
        case dict():
            return {key: _with_ranges_spelt_out(value) for key, value in cast("dict[str, object]", schema).items()}
        case list():
            return [_with_ranges_spelt_out(value) for value in cast("list[object]", schema)]
        case _:
            return schema
