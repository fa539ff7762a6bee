"""What each kind of server can do with a debater's sampling."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from rostra.endpoints import RENAMED, SUPPORTED, Dialect, Endpoint, able, unsupported
from rostra.models import Sampling

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


def test_ollama_takes_no_logit_bias():
    assert list(unsupported([an_endpoint("ollama")], Sampling(temperature=0.5, logit_bias={"7": 1.0}))) == [
        "logit_bias"
    ]


def test_a_model_can_do_what_all_its_endpoints_can():
    endpoints = [an_endpoint("llama-server"), an_endpoint("vllm")]
    assert able(endpoints) == SUPPORTED["llama-server"] & SUPPORTED["vllm"]
    assert list(unsupported(endpoints, EVERYTHING)) == ["dry_sequence_breakers", "grammar", "min_tokens"]
