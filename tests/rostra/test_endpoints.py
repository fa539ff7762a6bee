"""What each kind of server can do with a debater's sampling."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from builders import EVERY_OPTION
from rostra.endpoints import RENAMED, SUPPORTED, Dialect, Endpoint, able, unsupported
from rostra.rules import Sampling

EVERYTHING = Sampling.model_validate(
    {
        "temperature": 0.8,
        "dry_sequence_breakers": ["\n"],
        "logit_bias": {"7": 1.0},
        "grammar": 'root ::= "yes"',
        "stop": ["\n"],
        "min_tokens": 5,
    }
)


def an_endpoint(dialect: Any = "rostra") -> Endpoint:
    return Endpoint(url="http://gpu-box:8000", dialect=dialect)


@pytest.mark.parametrize("dialect", get_args(Dialect))
def test_every_kind_of_server_is_known_to_take_something_and_nothing_else(dialect: Any):
    assert {"temperature", "top_p", "seed", "stop", "max_tokens"} <= SUPPORTED[dialect] <= set(Sampling.model_fields)
    assert RENAMED.get(dialect, {}).keys() <= SUPPORTED[dialect]


def test_our_own_server_takes_everything_by_its_name():
    assert able([Endpoint(url="http://llm:8000")]) == set(Sampling.model_fields)
    assert an_endpoint().unsupported(EVERYTHING) == {}
    assert an_endpoint().on_the_wire(EVERYTHING.given()) == EVERYTHING.given()


@pytest.mark.parametrize("dialect", get_args(Dialect))
def test_what_a_server_can_do_is_refused_by_nobody(dialect: Any):
    asked = {option: value for option, value in EVERY_OPTION.items() if option in SUPPORTED[dialect]}
    if dialect == "llama-cpp-python":
        del asked["min_tokens"]
    assert an_endpoint(dialect).unsupported(Sampling.model_validate(asked)) == {}


@pytest.mark.parametrize(
    ("dialect", "option", "value"),
    [
        ("llama-cpp-python", "mirostat_tau", 10.5),
        ("llama-cpp-python", "mirostat_eta", 0),
        ("llama-server", "dry_sequence_breakers", []),
        ("openai", "temperature", 2.5),
        ("openai", "stop", list("12345")),
        ("vllm", "temperature", 2.5),
        ("vllm", "top_p", 0),
    ],
)
def test_a_value_that_a_server_would_refuse_or_drop_is_refused(dialect: Any, option: str, value: object):
    sampling = Sampling.model_validate({option: value})
    assert list(an_endpoint(dialect).unsupported(sampling)) == [option]
    assert an_endpoint().unsupported(sampling) == {}


def test_ollama_takes_no_logit_bias_and_may_pass_over_penalties():
    asked = Sampling(temperature=0.5, logit_bias={"7": 1.0}, presence_penalty=0.5, frequency_penalty=0.5)
    assert list(unsupported([an_endpoint("ollama")], asked)) == ["frequency_penalty", "logit_bias", "presence_penalty"]


def test_a_model_can_do_what_all_its_endpoints_can():
    endpoints = [an_endpoint("llama-server"), an_endpoint("vllm")]
    assert able(endpoints) == SUPPORTED["llama-server"] & SUPPORTED["vllm"]
    assert list(unsupported(endpoints, EVERYTHING)) == ["dry_sequence_breakers", "grammar", "min_tokens"]
