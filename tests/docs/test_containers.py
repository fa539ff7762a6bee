"""The override files are what they say, as Compose understands them. No engine is needed, only its client."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

import rostra_api.settings
from rostra.endpoints import Endpoint
from rostra.settings import SharedSettings

ROOT = Path(__file__).parents[2]
OVERRIDES = sorted(path.name for path in ROOT.glob("compose.*.yml"))
OTHER_SERVERS = ["compose.llama-server.yml", "compose.vllm.yml"]
WEBHOOKS = "compose.webhooks.yml"
THE_FILE = {"ROSTRA_MODEL_FILE": "qwen3-8b.gguf"}


def compose(*overrides: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """What `docker compose config` says, whatever the person's own configuration is."""
    files = [word for name in ("docker-compose.yml", *overrides) for word in ("-f", name)]
    own = {name: value for name, value in os.environ.items() if not name.startswith(("ROSTRA_", "COMPOSE_"))}
    command = ["docker", "compose", "--env-file", os.devnull, *files, "config", "--format", "json"]
    return subprocess.run(command, cwd=ROOT, env=own | variables, capture_output=True, text=True, check=False)


def stack(*overrides: str, **variables: str) -> dict[str, Any]:
    done = compose(*overrides, **(THE_FILE | variables))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(autouse=True, scope="module")
def _a_client() -> None:
    try:
        subprocess.run(["docker", "compose", "version"], capture_output=True, check=True)
    except (FileNotFoundError, subprocess.CalledProcessError):
        pytest.skip("there is no Docker Compose")


def endpoints(service: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> tuple[Endpoint, ...]:
    """Where the service will ask the model `default`, by its environment in the container."""
    for name, value in service["environment"].items():
        if value is not None and not name.endswith("_FILE"):
            monkeypatch.setenv(name, value)
    return SharedSettings().models["default"]


@pytest.mark.parametrize("override", OVERRIDES)
def test_each_override_file_makes_a_stack(override: str):
    beside = {"webhooks"} if override == WEBHOOKS else set[str]()
    assert {"secrets", "redis", "llm", "orchestrator", "api"} | beside == stack(override)["services"].keys()


@pytest.mark.parametrize("service", ["redis", "llm", "orchestrator", "api", "webhooks"])
def test_each_service_sees_its_own_secrets_and_cannot_change_them(service: str):
    seen = [v for v in stack(WEBHOOKS)["services"][service]["volumes"] if v["target"].startswith("/secrets")]
    assert [(v["source"], v["target"], v["read_only"]) for v in seen] == [
        (f"{service}-secrets", f"/secrets/{service}", True)
    ]


@pytest.mark.parametrize("override", OTHER_SERVERS)
def test_another_model_server_takes_the_place_of_ours(override: str):
    plain, other = stack()["services"]["llm"], stack(override)["services"]["llm"]
    assert "build" not in other
    assert not [name for name in other["environment"] if name.startswith("ROSTRA_")]
    assert other["healthcheck"]["test"][-1] == "http://127.0.0.1:8000/health"
    assert [(v["target"], v["read_only"]) for v in other["volumes"]] == [("/models", True)]
    kept = ("read_only", "cap_drop", "security_opt", "init", "networks")
    assert {name: other[name] for name in kept} == {name: plain[name] for name in kept}


@pytest.mark.parametrize("override", OTHER_SERVERS)
def test_another_model_server_has_no_way_out(override: str):
    configured = stack(override)
    assert list(configured["services"]["llm"]["networks"]) == ["inside"]
    assert configured["networks"]["inside"]["internal"] is True


@pytest.mark.parametrize("service", ["orchestrator", "api"])
def test_llama_server_is_asked_in_its_own_words(service: str, monkeypatch: pytest.MonkeyPatch):
    services = stack("compose.llama-server.yml", ROSTRA_MODEL_NAME="qwen3-8b")["services"]
    assert "--model /models/qwen3-8b.gguf --alias qwen3-8b" in " ".join(services["llm"]["command"])
    (endpoint,) = endpoints(services[service], monkeypatch)
    assert (endpoint.url, endpoint.model, endpoint.dialect) == ("http://llm:8000", "qwen3-8b", "llama-server")
    assert endpoint.begins_answer


@pytest.mark.parametrize("service", ["orchestrator", "api"])
def test_vllm_is_asked_in_its_own_words(service: str, monkeypatch: pytest.MonkeyPatch):
    services = stack("compose.vllm.yml", ROSTRA_VLLM_MODEL="qwen3-8b", ROSTRA_CONTEXT="32768")["services"]
    command = services["llm"]["command"]
    assert command[0] == "/models/qwen3-8b"
    assert {"--served-model-name=default", "--max-model-len=32768"} <= set(command)
    (endpoint,) = endpoints(services[service], monkeypatch)
    assert (endpoint.url, endpoint.model, endpoint.dialect) == ("http://llm:8000", "default", "vllm")
    assert endpoint.context == 32768


@pytest.mark.parametrize("override", OTHER_SERVERS)
def test_models_of_ones_own_go_before_those_of_the_file(override: str, monkeypatch: pytest.MonkeyPatch):
    own = '{"default": [{"url": "http://a:8000"}, {"url": "http://b:8000"}]}'
    orchestrator = stack(override, ROSTRA_MODELS=own)["services"]["orchestrator"]
    assert [endpoint.url for endpoint in endpoints(orchestrator, monkeypatch)] == ["http://a:8000", "http://b:8000"]


@pytest.mark.parametrize(
    ("asked", "others"), [("", False), ("127.0.0.1", False), ("[::1]", False), ("0.0.0.0", True), ("192.0.2.1", True)]
)
def test_the_api_knows_who_can_reach_it(asked: str, others: bool, monkeypatch: pytest.MonkeyPatch):
    api = stack(ROSTRA_PUBLISH=asked)["services"]["api"]
    for name in ("ROSTRA_HOST", "ROSTRA_PUBLISH"):
        monkeypatch.setenv(name, api["environment"][name])
    (port,) = api["ports"]
    assert port["host_ip"] == api["environment"]["ROSTRA_PUBLISH"].strip("[]")
    assert rostra_api.settings.Settings().reached_by_others is others


class TestWebhooks:
    def test_what_delivers_them_is_shut_in_as_the_others_are(self):
        services = stack(WEBHOOKS)["services"]
        kept = ("read_only", "cap_drop", "security_opt", "init", "tmpfs", "pids_limit", "restart")
        assert {name: services["webhooks"][name] for name in kept} == {name: services["api"][name] for name in kept}
        assert "ports" not in services["webhooks"]
        assert services["webhooks"]["build"]["dockerfile"] == services["api"]["build"]["dockerfile"]

    def test_it_has_a_way_out_and_reaches_redis_alone(self):
        configured = stack(WEBHOOKS)
        networks = {name: set(service.get("networks", ())) for name, service in configured["services"].items()}
        assert networks["webhooks"] == {"webhooks", "outside"}
        assert {name for name, own in networks.items() if own & networks["webhooks"]} == {"webhooks", "redis"}
        assert networks["redis"] == {"inside", "webhooks"}
        internal = {name for name, network in configured["networks"].items() if network.get("internal")}
        assert internal == {"inside", "webhooks"}

    def test_only_with_it_the_api_takes_any(self, monkeypatch: pytest.MonkeyPatch):
        plain, api = stack()["services"]["api"]["environment"], stack(WEBHOOKS)["services"]["api"]["environment"]
        assert not [name for name in plain if name.startswith("ROSTRA_WEBHOOK")]
        assert (api["ROSTRA_WEBHOOKS"], api["ROSTRA_WEBHOOK_SECRET_FILE"]) == ("true", "/secrets/api/webhook-secret")

    def test_what_is_allowed_is_known_to_both(self):
        services = stack(WEBHOOKS, ROSTRA_WEBHOOK_ALLOW="hooks.lan")["services"]
        allowed = [services[name]["environment"]["ROSTRA_WEBHOOK_ALLOW"] for name in ("api", "webhooks")]
        assert allowed == ["hooks.lan"] * 2


def test_llama_server_is_not_started_without_a_file():
    refused = compose("compose.llama-server.yml")
    assert refused.returncode != 0
    assert "ROSTRA_MODEL_FILE" in refused.stderr


@pytest.mark.parametrize(
    "overrides", [["compose.gpu.yml"], ["compose.vllm.yml"], ["compose.gpu.yml", "compose.llama-server.yml"]]
)
def test_the_gpus_that_are_asked_for_are_reserved(overrides: list[str]):
    llm = stack(*overrides, ROSTRA_GPUS="2")["services"]["llm"]
    (device,) = llm["deploy"]["resources"]["reservations"]["devices"]
    assert (device["driver"], device["count"], device["capabilities"]) == ("nvidia", 2, ["gpu"])
    assert "vllm" not in overrides[0] or "--tensor-parallel-size=2" in llm["command"]
