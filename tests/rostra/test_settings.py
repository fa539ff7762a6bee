from __future__ import annotations

import json
from pathlib import Path

import pytest

from rostra.models import DebaterRequest
from rostra.settings import SharedSettings, read


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch):
    for name in SharedSettings.model_fields:
        monkeypatch.delenv(f"ROSTRA_{name.upper()}", raising=False)


def test_the_default_model_is_the_model_server(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ROSTRA_LLM_URL", "http://elsewhere:9")
    monkeypatch.setenv("ROSTRA_MODELS", '{"large": {"url": "http://large:8000", "dialect": "openai"}}')
    models = read(SharedSettings).models
    assert {name: [endpoint.url for endpoint in endpoints] for name, endpoints in models.items()} == {
        "default": ["http://elsewhere:9"],
        "large": ["http://large:8000"],
    }


def test_a_model_may_have_several_servers(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ROSTRA_LLM_URL", "http://one:8000, https://two:8000")
    monkeypatch.setenv("ROSTRA_LLM_API_KEY", "hush")
    monkeypatch.setenv("ROSTRA_MODELS", '{"large": [{"url": "http://a:1"}, {"url": "http://b:1", "dialect": "vllm"}]}')
    models = read(SharedSettings).models
    assert [(endpoint.url, endpoint.dialect) for endpoint in models["large"]] == [
        ("http://a:1", "rostra"),
        ("http://b:1", "vllm"),
    ]
    assert [endpoint.url for endpoint in models["default"]] == ["http://one:8000", "https://two:8000"]
    assert {endpoint.api_key.get_secret_value() for endpoint in models["default"] if endpoint.api_key} == {"hush"}


def test_the_model_server_may_know_the_default_model_by_another_name(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ROSTRA_MODEL_NAME", "smollm2")
    assert [endpoint.model for endpoint in read(SharedSettings).models["default"]] == ["smollm2"]


@pytest.mark.parametrize("name", ["qwen3-8b", "Qwen3-8B", "llama3:8b", "Qwen/Qwen3-8B"])
def test_a_model_goes_by_the_name_that_servers_give_it(monkeypatch: pytest.MonkeyPatch, name: str):
    monkeypatch.setenv("ROSTRA_MODELS", json.dumps({name: {"url": "http://gpu-box:8000"}}))
    assert name in read(SharedSettings).models
    assert DebaterRequest(name="Ada", model=name).model == name


@pytest.mark.parametrize(
    ("url", "with_password"),
    [
        ("redis://api@redis:6379/0", "redis://api:a%2Fb%40c@redis:6379/0"),
        ("redis://redis:6379/0", "redis://:a%2Fb%40c@redis:6379/0"),
        ("rediss://api:old@redis:6379/0?ssl_cert_reqs=none", "rediss://api:a%2Fb%40c@redis:6379/0?ssl_cert_reqs=none"),
        ("unix://api@/run/redis.sock", "unix://api:a%2Fb%40c@/run/redis.sock"),
    ],
)
def test_the_password_can_stand_in_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, url: str, with_password: str
):
    (tmp_path / "password").write_text("a/b@c\n")
    monkeypatch.setenv("ROSTRA_REDIS_URL", url)
    monkeypatch.setenv("ROSTRA_REDIS_PASSWORD_FILE", str(tmp_path / "password"))
    assert read(SharedSettings).redis_url == with_password


def test_the_model_servers_key_can_stand_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    (tmp_path / "key").write_text("hush\n")
    monkeypatch.setenv("ROSTRA_LLM_API_KEY_FILE", str(tmp_path / "key"))
    assert default_key() == "hush"
    monkeypatch.setenv("ROSTRA_LLM_API_KEY", "mine")
    assert default_key() == "mine"


def default_key() -> str:
    (endpoint,) = read(SharedSettings).models["default"]
    assert endpoint.api_key
    return endpoint.api_key.get_secret_value()


@pytest.mark.parametrize("name", ["ROSTRA_REDIS_PASSWORD_FILE", "ROSTRA_LLM_API_KEY_FILE"])
def test_a_secret_that_cannot_be_read_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str):
    monkeypatch.setenv(name, str(tmp_path / "none"))
    with pytest.raises(SystemExit, match=f"{name}: cannot be read: FileNotFoundError"):
        read(SharedSettings)


def test_a_blank_variable_is_an_unset_one(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ROSTRA_LOG_LEVEL", "")
    assert read(SharedSettings).log_level == "info"


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("ROSTRA_LOG_LEVEL", "loud", "ROSTRA_LOG_LEVEL: Input should be 'debug'"),
        ("ROSTRA_MODELS", "{hush", "must be JSON"),
        ("ROSTRA_MODELS", '{"two words": {"url": "http://hush"}}', "ROSTRA_MODELS.two words"),
        ("ROSTRA_MODELS", '{"large": {"url": 1, "api_key": "hush"}}', "ROSTRA_MODELS.large.0.url: "),
        ("ROSTRA_MODELS", '{"large": [{"url": "http://a"}, {"api_key": "hush"}]}', "ROSTRA_MODELS.large.1.url: Field"),
        ("ROSTRA_MODELS", '{"large": []}', "ROSTRA_MODELS.large: Value should have at least 1 item"),
        ("ROSTRA_MODELS", json.dumps({"large": [{"url": "http://a"}] * 17}), "ROSTRA_MODELS.large: "),
        ("ROSTRA_LLM_URL", "hush:8000", "ROSTRA_LLM_URL: must be an address like http://127.0.0.1:8000"),
        ("ROSTRA_LLM_URL", "http://one,,http://two", "ROSTRA_LLM_URL: must be"),
        ("ROSTRA_LLM_URL", ",".join(f"http://n{n}" for n in range(17)), "or up to 16 separated by commas"),
    ],
)
def test_one_that_cannot_be_used_is_named_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str
):
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as ended:
        read(SharedSettings)
    assert told in str(ended.value)
    assert "hush" not in str(ended.value)
