"""Every option that a debate can have comes to the engine, as it was sent, and has its place in the sampler chain."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, cast

import httpx2
import pytest

from builders import EVERY_OPTION
from rostra.endpoints import SUPPORTED, Endpoint
from rostra.measures.language import SCRIPTS, scripts
from rostra_llm.app import create_app
from rostra_llm.bodies import SAMPLERS
from rostra_llm.host import Engine
from rostra_llm.native import lib
from rostra_llm.native.model import Model
from rostra_llm.native.samplers import Sampler
from rostra_llm.served import Models, Served
from rostra_llm.vocabulary import Vocabulary
from rostra_llm.work import Figures, Piece, Sampling, Work
from rostra_orchestrator.scripts import grammar_for

from .asking import answer_of

NO_SAMPLER = {"stop", "max_tokens", "min_tokens"}


class Recording:
    """An engine that says nothing and remembers what it was asked."""

    def __init__(self) -> None:
        self.work: list[Work] = []

    async def generate(self, work: Work) -> AsyncGenerator[Piece, None]:
        self.work.append(work)
        yield Piece(work.id, "", reason="stop", figures=Figures(len(work.tokens), 0, 1, 0.0, 0.0))


@pytest.fixture
def engine() -> Recording:
    return Recording()


@pytest.fixture
def asked(engine: Recording, vocabulary: Vocabulary) -> httpx2.AsyncClient:
    served = Served("default", "model.gguf", 1024, vocabulary, cast("Engine", engine))
    transport = httpx2.ASGITransport(create_app(Models({"default": served}), None))
    return httpx2.AsyncClient(transport=transport, base_url="http://llm")


async def received(asked: httpx2.AsyncClient, engine: Recording, **options: Any) -> Work:
    """What the engine is told to do for a request with these options, as an orchestrator sends them."""
    body = {"messages": [{"role": "user", "content": "Tabs or spaces?"}], "stream": True}
    answer = await asked.post("/v1/chat/completions", json=body | Endpoint(url="http://llm").on_the_wire(options))
    assert answer.status_code == 200, answer.text
    return engine.work[-1]


def told(work: Work) -> dict[str, Any]:
    """The work in the words of the request."""
    sampling = {field.name: getattr(work.sampling, field.name) for field in fields(work.sampling)}
    return sampling | {
        "dry_sequence_breakers": list(work.sampling.dry_sequence_breakers),
        "logit_bias": {str(token): bias for token, bias in work.sampling.logit_bias},
        "stop": list(work.stop),
        "max_tokens": work.most,
        "min_tokens": work.least,
    }


def test_both_sides_know_the_same_options():
    assert SUPPORTED["rostra"] == set(SAMPLERS) == EVERY_OPTION.keys()
    assert {field.name for field in fields(Sampling)} == EVERY_OPTION.keys() - NO_SAMPLER


def test_no_value_to_try_is_a_default():
    defaults = {field.name: getattr(Sampling(), field.name) for field in fields(Sampling)}
    assert all(EVERY_OPTION[name] != default for name, default in defaults.items())


async def test_every_option_at_once(asked: httpx2.AsyncClient, engine: Recording):
    assert told(await received(asked, engine, **EVERY_OPTION)) == EVERY_OPTION


@pytest.mark.parametrize("option", EVERY_OPTION)
async def test_every_option_alone_changes_itself_only(asked: httpx2.AsyncClient, engine: Recording, option: str):
    usual = told(await received(asked, engine, seed=1))
    changed = told(await received(asked, engine, **{"seed": 1, option: EVERY_OPTION[option]}))
    assert changed == usual | {option: EVERY_OPTION[option]}


@pytest.mark.parametrize(
    "edge",
    [
        {"temperature": 0.0},
        {"temperature": 5.0},
        {"top_k": 0},
        {"top_k": 100_000},
        {"top_p": 0.0},
        {"top_p": 1.0},
        {"min_p": 0.0},
        {"typical_p": 0.0},
        {"top_n_sigma": -1.0},
        {"top_n_sigma": 100.0},
        {"repeat_penalty": 10.0},
        {"repeat_last_n": -1},
        {"repeat_last_n": 0},
        {"repeat_last_n": 1_000_000},
        {"presence_penalty": -2.0},
        {"frequency_penalty": 2.0},
        {"dry_multiplier": 100.0},
        {"dry_base": 1.0},
        {"dry_allowed_length": 0},
        {"dry_penalty_last_n": 0},
        {"dry_penalty_last_n": 1_000_000},
        {"dry_sequence_breakers": []},
        {"dry_sequence_breakers": ["x" * 100] * 32},
        {"xtc_probability": 1.0},
        {"mirostat": 0},
        {"mirostat": 1},
        {"mirostat_tau": 100.0},
        {"mirostat_eta": 0.0},
        {"dynatemp_range": 5.0},
        {"dynatemp_exponent": 0.0},
        {"logit_bias": {"0": 100.0, "49151": -100.0}},
        {"logit_bias": {}},
        {"seed": 0},
        {"seed": 2**31 - 1},
        {"stop": ["x" * 100] * 32},
        {"min_tokens": 0},
    ],
    ids=str,
)
async def test_what_may_be_asked_for_is_neither_refused_nor_bent(
    asked: httpx2.AsyncClient, engine: Recording, edge: dict[str, Any]
):
    work = told(await received(asked, engine, **edge))
    assert {option: work[option] for option in edge} == edge


# ── from there to llama.cpp ─────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def model(bundled: Path) -> Iterator[Model]:
    model = Model(bundled)
    yield model
    model.close()


def chain(model: Model, monkeypatch: pytest.MonkeyPatch, **sampling: Any) -> list[tuple[Any, ...]]:
    """The samplers that are made of these options: llama.cpp's function and what it is called with."""
    made: list[tuple[Any, ...]] = []

    def noted(name: str) -> Any:
        make = getattr(lib, name)

        def noting(*arguments: Any) -> Any:
            made.append((name.removeprefix("llama_sampler_init_"), *arguments))
            return make(*arguments)

        return noting

    with monkeypatch.context() as patched:
        for name in dir(lib):
            if name.startswith("llama_sampler_init_"):
                patched.setattr(lib, name, noted(name))
        Sampler(model, Sampling(**sampling), [1, 2, 3], 1024).close()
    return made


def test_every_option_reaches_llama_cpp(model: Model, monkeypatch: pytest.MonkeyPatch):
    every = {name: value for name, value in EVERY_OPTION.items() if name not in NO_SAMPLER | {"mirostat"}}
    every |= {"logit_bias": ((7, -1.5),), "dry_sequence_breakers": ("#", "。")}
    made = chain(model, monkeypatch, **every)
    called = {name: arguments for name, *arguments in made}
    assert [name for name, *_ in made] == [
        "grammar", "logit_bias", "penalties", "dry", "top_n_sigma", "top_k", "typical", "top_p", "min_p", "xtc",
        "temp_ext", "dist",
    ]  # fmt: skip
    assert called["grammar"][1] == b"root ::= [a-zA-Z0-9 .]+"
    (bias,) = called["logit_bias"][2]
    assert (bias.token, bias.bias) == (7, -1.5)
    assert called["penalties"][1:] == [65, 1.12, 0.14, 0.13]
    assert called["dry"][1:5] == [0.75, 1.76, 3, 66]
    assert list(called["dry"][-2]) == [b"#", "。".encode()]
    assert called["top_n_sigma"] == [1.5]
    assert called["top_k"] == [41]
    assert called["typical"] == [0.92, 1]
    assert called["top_p"] == [0.91, 1]
    assert called["min_p"] == [0.06, 1]
    assert called["xtc"] == [0.16, 0.17, 1, 4711]
    assert called["temp_ext"] == [0.71, 0.19, 1.2]
    assert called["dist"] == [4711]


@pytest.mark.parametrize("version", [1, 2])
def test_mirostat_stands_for_the_others(model: Model, monkeypatch: pytest.MonkeyPatch, version: int):
    options = {"mirostat": version, "mirostat_tau": 5.1, "mirostat_eta": 0.18, "temperature": 0.71, "seed": 4711}
    temperature, (name, *arguments) = chain(model, monkeypatch, **options, top_k=41)
    assert temperature == ("temp", 0.71)
    assert (name, arguments[-3:] if version == 2 else arguments[1:4]) == (
        "mirostat_v2" if version == 2 else "mirostat",
        [4711, 5.1, 0.18],
    )


# ── grammars of scripts ─────────────────────────────────────────────────────────────────────────────────

SCRIPTED = [language for language in (*SCRIPTS, "sr-Cyrl") if grammar_for(language)]


@pytest.mark.parametrize("language", SCRIPTED)
def test_llama_cpp_reads_the_grammar_of_every_script(vocabulary: Vocabulary, language: str):
    assert vocabulary.takes_grammar(grammar_for(language, ("Ada", 'O"Neill \\ Co')) or "")


@pytest.mark.parametrize("language", ["ja", "ko", "ru"])
@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_under_its_grammar_nothing_else_is_said(client: httpx2.AsyncClient, language: str, seed: int):
    asked = {"grammar": grammar_for(language), "max_tokens": 60, "temperature": 0.8, "seed": seed}
    text = await answer_of(client, text="Tabs or spaces?", **asked)
    said = scripts(re.sub("[A-Z]+", "", text))
    assert said
    assert said.keys() <= SCRIPTS[language]
