"""What can be configured."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import SecretStr, ValidationError

from rostra_llm.__main__ import context_size
from rostra_llm.settings import Settings

ROOT = Path(__file__).parents[2]
NAMES = {f"ROSTRA_{name.upper()}" for name in Settings.model_fields}


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROSTRA_MODEL_URL", "")
    monkeypatch.setenv("ROSTRA_THREADS", "")
    assert Settings().model_url is None
    assert Settings().threads is None


def test_an_address_without_a_hash_is_refused() -> None:
    with pytest.raises(ValidationError, match="ROSTRA_MODEL_SHA256"):
        Settings(model_url="https://example.org/model.gguf")


def test_the_key_can_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("secret\n")
    assert Settings(llm_api_key_file=tmp_path / "key").api_key() == "secret"
    assert Settings(llm_api_key=SecretStr("secret")).api_key() == "secret"
    assert Settings().api_key() is None
    assert Settings(llm_api_key=SecretStr("mine"), llm_api_key_file=tmp_path / "key").api_key() == "mine"


@pytest.mark.parametrize(
    ("wanted", "trained", "context"),
    [(4096, 8192, 4096), (4096, 2048, 2048), (1000, 8192, 768), (4096, 0, 4096), (4096, 100, 256)],
)
def test_the_context_is_what_the_model_can_and_llama_cpp_does_not_round(
    wanted: int, trained: int, context: int
) -> None:
    assert context_size(wanted, trained) == context


def test_a_further_model_is_as_the_first_but_for_what_is_said_of_it() -> None:
    further = {"judge": {"file": "judge.gguf", "context": 1024}}
    settings = Settings.model_validate(
        {"llm_models": further, "context": 512, "threads": 3, "chat_template": "a.jinja"}
    )
    judge = settings.of("judge")
    assert (judge.model_file, judge.context, judge.threads, judge.chat_template) == ("judge.gguf", 1024, 3, None)
    assert settings.of("default") is settings


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ({}, "a file of the models folder, or a url"),
        ({"file": "a.gguf", "url": "https://example.org/a.gguf"}, "a file of the models folder, or a url"),
        ({"url": "https://example.org/a.gguf"}, "sha256"),
        ({"file": "a.gguf", "contxt": 3}, "contxt"),
    ],
)
def test_a_further_model_that_cannot_be_is_refused(model: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Settings.model_validate({"llm_models": {"judge": model}})


def test_two_models_cannot_have_one_name() -> None:
    with pytest.raises(ValidationError, match="both name 'default'"):
        Settings.model_validate({"llm_models": {"default": {"file": "a.gguf"}}})


@pytest.mark.parametrize("name", sorted(NAMES - {"ROSTRA_LLM_PORT"}))
def test_every_setting_reaches_the_container(name: str) -> None:
    stack: Any = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    assert name in stack["services"]["llm"]["environment"]
