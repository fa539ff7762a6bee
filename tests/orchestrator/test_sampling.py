"""What people chose arrives at the model server, every option of it, and the turn says what was applied."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

import pytest

from builders import EVERY_OPTION
from playing import play_out
from rostra.endpoints import MOST_STOPS, SUPPORTED, Dialect, Endpoint
from rostra.models import derived_seed
from rostra.rules import Sampling
from rostra.store import Store
from rostra_orchestrator.settings import Settings
from scripted import ScriptedModel

# Written out again: the names under which servers know options that llama.cpp calls otherwise.
OTHER_NAMES: Mapping[str, Mapping[str, str]] = {
    "llama-cpp-python": {"mirostat": "mirostat_mode"},
    "vllm": {"repeat_penalty": "repetition_penalty"},
}
NO_OPTIONS = {"model", "messages", "stream", "stream_options", "prompt_cache_key"}


def debaters(**sampling: Any) -> list[dict[str, Any]]:
    return [{"name": "Ada", "stance": "for tabs", "sampling": sampling}, {"name": "Grace", "stance": "for spaces"}]


def options(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in NO_OPTIONS}


def test_every_option_has_a_value_to_try():
    assert EVERY_OPTION.keys() == Sampling.model_fields.keys()
    assert Sampling.model_validate(EVERY_OPTION).given() == {
        name: tuple(value) if isinstance(value, list) else value for name, value in EVERY_OPTION.items()
    }


@pytest.mark.parametrize("place", ["debater", "phase"])
@pytest.mark.parametrize("dialect", get_args(Dialect))
async def test_every_option_arrives_under_the_name_that_the_server_knows(
    store: Store, settings: Settings, model: ScriptedModel, dialect: Any, place: str
):
    endpoint = Endpoint(url=model.url, dialect=dialect, context=4096)
    served = settings.model_copy(update={"models": {"default": (endpoint,)}})
    chosen = {option: value for option, value in EVERY_OPTION.items() if option in SUPPORTED[dialect]}
    fields: dict[str, Any] = (
        {"debaters": debaters(**chosen)}
        if place == "debater"
        else {"debaters": debaters(temperature=1.1), "phases": {"debate": {"sampling": chosen}}}
    )
    ended = await play_out(store, served, rounds=1, guard="off", **fields)
    names = OTHER_NAMES.get(dialect, {})
    arrived = options(model.requests[0])
    applied = dict(ended.turns[0].sampling)
    assert arrived == {names.get(option, option): value for option, value in applied.items()}

    # Of the seed those of the turns are derived, and where a turn ends is said besides.
    assert applied["seed"] == derived_seed(EVERY_OPTION["seed"], 1, 1)
    assert list(applied["stop"])[:2] == EVERY_OPTION["stop"]
    assert len(applied["stop"]) == min(4, MOST_STOPS.get(dialect, 4))
    assert {o: v for o, v in applied.items() if o not in ("seed", "stop")} == {
        o: v for o, v in chosen.items() if o not in ("seed", "stop")
    }


async def test_what_is_not_chosen_is_llama_cpps_default_and_told(
    store: Store, settings: Settings, model: ScriptedModel
):
    ended = await play_out(store, settings, rounds=1, guard="off", debaters=debaters(top_k=7))
    first, second = (dict(turn.sampling) for turn in ended.turns)
    assert (first["top_k"], second["top_k"]) == (7, 40)
    for sampling in (first, second):
        assert (sampling["temperature"], sampling["top_p"], sampling["min_p"]) == (0.8, 0.85, 0.2)
        assert sampling["repeat_penalty"] == 1.05
        assert sampling["max_tokens"] == 300
    assert [options(body) for body in model.requests] == [first, second]


async def test_a_phase_has_the_last_word_for_all_its_debaters(store: Store, settings: Settings, model: ScriptedModel):
    phases = {"debate": {"sampling": {"temperature": 0.2, "stop": ["."]}}}
    own = debaters(temperature=0.9, top_k=7, stop=["!"])
    await play_out(store, settings, rounds=1, guard="off", debaters=own, phases=phases)
    first, second = (options(body) for body in model.requests)
    assert (first["temperature"], first["top_k"], first["stop"][0]) == (0.2, 7, ".")
    assert (second["temperature"], second["top_k"], second["stop"][0]) == (0.2, 40, ".")
    assert "!" not in first["stop"]


async def test_the_smaller_of_two_limits_counts(store: Store, settings: Settings, model: ScriptedModel):
    turn = {"max_tokens": 50}
    ended = await play_out(store, settings, rounds=1, guard="off", debaters=debaters(max_tokens=20), turn=turn)
    assert [body["max_tokens"] for body in model.requests] == [20, 50]
    assert [turn.sampling["max_tokens"] for turn in ended.turns] == [20, 50]
