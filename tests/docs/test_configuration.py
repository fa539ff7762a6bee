"""Every setting can be found: in .env.example with its default, in docs/configuration.md with its meaning."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

import rostra_api.settings
import rostra_api.webhooks.settings
import rostra_llm.settings
import rostra_orchestrator.settings
from rostra.client.settings import ClientSettings
from rostra.commands.stack import StackSettings

ROOT = Path(__file__).parents[2]
EXAMPLE = (ROOT / ".env.example").read_text(encoding="utf-8")
DOCUMENTED = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
COMPOSE = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
OVERRIDES = "".join(path.read_text(encoding="utf-8") for path in sorted(ROOT.glob("compose.*.yml")))

SERVICES: list[type[BaseSettings]] = [
    rostra_api.settings.Settings,
    rostra_api.webhooks.settings.DelivererSettings,
    rostra_llm.settings.Settings,
    rostra_orchestrator.settings.Settings,
    StackSettings,
    ClientSettings,
]
SETTINGS = [
    pytest.param(f"ROSTRA_{name.upper()}", field, id=f"{kind.__module__}:{name}")
    for kind in SERVICES
    for name, field in kind.model_fields.items()
]


def default(field: FieldInfo) -> str:
    if field.default_factory:
        return "{}"
    if isinstance(field.default, bool):
        return str(field.default).lower()
    return "" if field.default is None else str(field.default)


@pytest.mark.parametrize(("name", "field"), SETTINGS)
def test_each_setting_stands_in_the_example_with_its_default(name: str, field: FieldInfo):
    defaults = re.findall(rf"^#{name}=(.*)$", EXAMPLE, re.MULTILINE)
    assert len(defaults) == 1
    # Compose takes a folder without a slash for a volume.
    assert defaults[0].removeprefix("./") == default(field) or not default(field)


@pytest.mark.parametrize(("name", "field"), SETTINGS)
def test_each_setting_is_documented_in_its_own_words(name: str, field: FieldInfo):
    assert f"| `{name}` | {f'`{default(field)}`' if default(field) else ''} | {field.description} |" in DOCUMENTED


def test_the_example_holds_no_setting_that_nothing_reads():
    known = {name for name, _ in (setting.values for setting in SETTINGS)}
    assert set(re.findall(r"^#(ROSTRA_\w+)=", EXAMPLE, re.MULTILINE)) == known | read_by_compose()


def read_by_compose() -> set[str]:
    return set(re.findall(r"\$\{(ROSTRA_\w+)", COMPOSE + OVERRIDES))


@pytest.mark.parametrize("name", sorted(read_by_compose()))
def test_what_only_the_containers_read_is_documented(name: str):
    assert f"`{name}`" in DOCUMENTED


@pytest.mark.parametrize(("name", "value"), re.findall(r"\$\{(ROSTRA_(?:VLLM|LLAMA_SERVER)_\w+):-([^}]*)\}", OVERRIDES))
def test_the_defaults_of_other_model_servers_stand_in_the_example_and_the_document(name: str, value: str):
    assert f"#{name}={value}\n" in EXAMPLE
    assert f"| `{name}` | {f'`{value}`' if value else ''} |" in DOCUMENTED


def test_the_defaults_of_the_containers_stand_in_the_example():
    # Some differ between a container and a machine: where it listens, and where the others are.
    for name, value in re.findall(r"\$\{(ROSTRA_(?:\w+_LIMIT|REDIS_MEMORY|WHEELS|PORT|PUBLISH)):-([^}]*)\}", COMPOSE):
        assert f"#{name}={value}" in EXAMPLE
