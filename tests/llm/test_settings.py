"""What can be configured."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import SecretStr, ValidationError

from rostra_llm.engine import context_size, threads
from rostra_llm.settings import Settings

ROOT = Path(__file__).parents[2]
NAMES = {f"ROSTRA_{name.upper()}" for name in Settings.model_fields}


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROSTRA_MODEL_URL", "")
    monkeypatch.setenv("ROSTRA_THREADS", "")
    assert Settings().model_url is None
    assert threads(Settings()) >= 1


def test_an_address_without_a_hash_is_refused() -> None:
    with pytest.raises(ValidationError, match="ROSTRA_MODEL_SHA256"):
        Settings(model_url="https://example.org/model.gguf")


def test_the_key_can_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("secret\n")
    assert Settings(llm_api_key_file=tmp_path / "key").api_key() == "secret"
    assert Settings(llm_api_key=SecretStr("secret")).api_key() == "secret"
    assert Settings().api_key() is None
    with pytest.raises(ValidationError, match="not both"):
        Settings(llm_api_key=SecretStr("secret"), llm_api_key_file=tmp_path / "key")


@pytest.mark.parametrize(
    ("wanted", "trained", "context"),
    [(4096, 8192, 4096), (4096, 2048, 2048), (1000, 8192, 768), (4096, 0, 4096), (4096, 100, 256)],
)
def test_the_context_is_what_the_model_can_and_llama_cpp_does_not_round(
    wanted: int, trained: int, context: int
) -> None:
    assert context_size(wanted, trained) == context


@pytest.mark.parametrize("name", sorted(NAMES - {"ROSTRA_LLM_PORT", "ROSTRA_LLM_API_KEY_FILE"}))
def test_every_setting_reaches_the_container(name: str) -> None:
    stack: Any = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    assert name in stack["services"]["llm"]["environment"]
