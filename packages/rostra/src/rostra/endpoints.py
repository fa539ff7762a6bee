"""Where models are served, and what each server can do.

People choose models by configured name, never by address. What an endpoint cannot do with a sampling
option is known here, so that it is refused when a debate is POSTed instead of being dropped silently.
A model may be served at several endpoints; then it can do what all of them can.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from rostra.rules import Sampling

Dialect = Literal["rostra", "llama-cpp-python", "llama-server", "vllm", "ollama", "openai"]

MAX_ENDPOINTS = 16

_COMMON = frozenset(
    {
        "temperature",
        "top_p",
        "presence_penalty",
        "frequency_penalty",
        "seed",
        "stop",
        "max_tokens",
        "logit_bias",
    }
)

# What each kind of server takes at /v1/chat/completions, read from its source: services/llm, our own;
# llama_cpp/server/types.py 0.3.36; llama.cpp tools/server; vLLM's ChatCompletionRequest; Ollama's openai/openai.go;
# OpenAI's reference. Some pass over what they do not know; of Ollama's two engines the newer one passes over penalties
# (github.com/ollama/ollama/issues/15783), and which one runs is not told.
SUPPORTED: Mapping[Dialect, frozenset[str]] = {
    "rostra": frozenset(Sampling.model_fields),
    "openai": _COMMON,
    "ollama": _COMMON - {"logit_bias", "presence_penalty", "frequency_penalty"},
    "llama-cpp-python": _COMMON
    | {
        "top_k",
        "min_p",
        "repeat_penalty",
        "mirostat",
        "mirostat_tau",
        "mirostat_eta",
        "grammar",
        "min_tokens",
    },
    "llama-server": frozenset(Sampling.model_fields) - {"min_tokens"},
    "vllm": _COMMON | {"top_k", "min_p", "repeat_penalty", "min_tokens"},
}

# Where a server calls an option by another name.
RENAMED: Mapping[Dialect, Mapping[str, str]] = {
    "llama-cpp-python": {"mirostat": "mirostat_mode"},
    "vllm": {"repeat_penalty": "repetition_penalty"},
}

# The least and the most that a server takes, where that is less than Rostra does; vLLM's top_p must be over 0.
BOUNDS: Mapping[Dialect, Mapping[str, tuple[float, float]]] = {
    "llama-cpp-python": {"mirostat_tau": (0, 10), "mirostat_eta": (0.001, 1)},
    "openai": {"temperature": (0, 2)},
    "vllm": {"temperature": (0, 2), "top_p": (0.0001, 1)},
}

# How many stop strings a server takes, where there is a bound.
MOST_STOPS: Mapping[Dialect, int] = {"openai": 4}

# How a server is told to answer by a JSON schema. Those that may not know it refuse; then they are asked in prose.
Form = Literal["json_schema", "json_object"]
STRUCTURED: Mapping[Dialect, Form] = {
    "rostra": "json_schema",
    "openai": "json_schema",
    "ollama": "json_schema",
    "llama-cpp-python": "json_object",
    "llama-server": "json_schema",
    "vllm": "json_schema",
}

# Servers that take OpenAI's `prompt_cache_key`: requests that have it in common begin alike.
TAKES_CACHE_KEY: frozenset[Dialect] = frozenset({"rostra"})


class Endpoint(BaseModel):
    """One model as it is served."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field(pattern=r"^https?://", description="Base address, without /v1.")
    api_key: SecretStr | None = None
    model: str = Field(default="default", description="The name that the server knows the model by.")
    dialect: Dialect = "rostra"
    context: int | None = Field(
        default=None, ge=256, description="Context size in tokens; asked from the server's /props when not given."
    )
    system_role: bool = Field(default=True, description="False merges the system text into the first user message.")
    layout: Literal["shared", "own_turns"] = Field(
        default="shared",
        description="How prompts show what was said: `shared`, the same for all debaters, or `own_turns`, a debater's "
        "own turns as the assistant's, as some models argue better; that costs more tokens.",
    )
    begins_answer: bool | None = Field(
        default=None,
        description="Whether the server continues a partial assistant message, so that answers can be begun with "
        "the debater's name; asked from the server's /props when not given.",
    )

    def unsupported(self, sampling: Sampling) -> dict[str, str]:
        """The options of `sampling` that this endpoint cannot do, each with the reason."""
        given = sampling.given()
        unknown = given.keys() - SUPPORTED[self.dialect]
        refused = {option: f"the model's server cannot do `{option}`" for option in unknown}
        refused |= dict(self._out_of_bounds(given))
        if self.dialect == "llama-cpp-python" and given.keys() >= {"logit_bias", "min_tokens"}:
            refused["min_tokens"] = "the model's server cannot do it together with `logit_bias`"
        if self.dialect == "llama-server" and sampling.dry_sequence_breakers == ():
            refused["dry_sequence_breakers"] = "the model's server takes at least one"
        return refused

    def _out_of_bounds(self, given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        for option, (least, most) in BOUNDS.get(self.dialect, {}).items():
            if option in given and not least <= given[option] <= most:
                yield option, f"the model's server takes {least:g} to {most:g}"
        most_stops = MOST_STOPS.get(self.dialect)
        if most_stops is not None and len(given.get("stop", ())) > most_stops:
            yield "stop", f"the model's server takes at most {most_stops}"

    def response_format(self, name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
        """What asks this endpoint's server for an answer that keeps to `schema`."""
        if STRUCTURED[self.dialect] == "json_object":
            return {"type": "json_object", "schema": schema}
        return {"type": "json_schema", "json_schema": {"name": name, "schema": schema}}

    def on_the_wire(self, options: Mapping[str, object]) -> dict[str, object]:
        """`options` under the names that this endpoint's server uses."""
        names = RENAMED.get(self.dialect, {})
        return {names.get(name, name): value for name, value in options.items()}


def _listed(value: object) -> object:
    """A lone endpoint as the list that it stands for."""
    return cast("object", value) if isinstance(value, list | tuple) else (value,)


# Where one model is served.
Endpoints = Annotated[tuple[Endpoint, ...], BeforeValidator(_listed), Field(min_length=1, max_length=MAX_ENDPOINTS)]


def able(endpoints: Sequence[Endpoint]) -> frozenset[str]:
    """The sampling options that all of a model's endpoints take."""
    return frozenset[str].intersection(*(SUPPORTED[endpoint.dialect] for endpoint in endpoints))


def unsupported(endpoints: Sequence[Endpoint], sampling: Sampling) -> dict[str, str]:
    """The options of `sampling` that one of a model's endpoints cannot do, each with the reason; alphabetically."""
    refused = {option: reason for each in endpoints for option, reason in each.unsupported(sampling).items()}
    return dict(sorted(refused.items()))
