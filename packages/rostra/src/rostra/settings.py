"""The settings that more than one service has, read from `ROSTRA_…` in the environment."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar
from urllib.parse import quote, urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from rostra.endpoints import MAX_ENDPOINTS, Endpoint, Endpoints
from rostra.fields import ModelName

PREFIX = "ROSTRA_"

LogLevel = Literal["debug", "info", "warning", "error"]


def _addresses(urls: str) -> list[str]:
    return [url.strip() for url in urls.split(",")]


def _are_addresses(urls: str) -> str:
    addresses = _addresses(urls)
    if len(addresses) > MAX_ENDPOINTS or not all(re.match(r"https?://\S+$", url) for url in addresses):
        raise PydanticCustomError(
            "addresses",
            "must be an address like http://127.0.0.1:8000, or up to {most} separated by commas",
            {"most": MAX_ENDPOINTS},
        )
    return urls


def _is_readable(file: Path) -> Path:
    try:
        _secret(file)
    except (OSError, ValueError) as error:
        raise PydanticCustomError("secret_file", "cannot be read: {why}", {"why": type(error).__name__}) from None
    return file


def _secret(file: Path) -> str:
    return file.read_text(encoding="utf-8").strip()


# A secret in a file shows neither in the process' environment nor in what a container's engine tells of it.
SecretFile = Annotated[Path, AfterValidator(_is_readable)]


class RedisSettings(BaseSettings):
    """Where Redis is, and how to come in."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="ignore")

    redis_url: str = Field(default="redis://127.0.0.1:6379/0", description="Redis or Valkey, version 7 or newer.")
    redis_password_file: SecretFile | None = Field(
        default=None, description="File that holds the password of the user that ROSTRA_REDIS_URL names."
    )

    @model_validator(mode="after")
    def _password(self) -> Self:
        if self.redis_password_file:
            self.redis_url = _with_password(self.redis_url, _secret(self.redis_password_file))
        return self


def _with_password(url: str, password: str) -> str:
    parts = urlsplit(url)
    entrance, _, place = parts.netloc.rpartition("@")
    user = entrance.partition(":")[0]
    return parts._replace(netloc=f"{user}:{quote(password, safe='')}@{place}").geturl()


class SharedSettings(RedisSettings):
    """Where Redis and the models are, and how to log."""

    llm_url: Annotated[str, AfterValidator(_are_addresses)] = Field(
        default="http://127.0.0.1:8000",
        description="The model server of the model `default`; several addresses are separated by commas.",
    )
    llm_api_key: SecretStr | None = Field(default=None, description="The model server's bearer key.")
    llm_api_key_file: SecretFile | None = Field(
        default=None, description="File that holds it; one that is set itself goes before."
    )
    model_name: str = Field(
        default="default", min_length=1, description="The name that this server knows the model by."
    )
    models: dict[ModelName, Endpoints] = Field(
        default_factory=dict[ModelName, Endpoints],
        description="Models by name, as JSON, each with an endpoint or a list of up to 16; `default` is "
        "ROSTRA_LLM_URL unless it is given here.",
    )
    turn_attempts: int = Field(
        default=4, ge=1, le=20, description="Generations that one turn may need before its debate fails."
    )
    log_level: LogLevel = Field(default="info", description="Least severe level that is logged.")

    @model_validator(mode="after")
    def _default_model(self) -> Self:
        if self.llm_api_key_file and not self.llm_api_key:
            self.llm_api_key = SecretStr(_secret(self.llm_api_key_file))
        urls = _addresses(self.llm_url)
        default = tuple(Endpoint(url=url, api_key=self.llm_api_key, model=self.model_name) for url in urls)
        self.models.setdefault("default", default)
        return self


Kind = TypeVar("Kind", bound=BaseSettings)


def read(kind: type[Kind]) -> Kind:
    """The settings of the environment; ends the process with a line for each that cannot be used."""
    try:
        return kind()
    except ValidationError as error:  # not the values themselves: one may hold a key
        lines = (f"{_variable(fault['loc'])}: {fault['msg']}" for fault in error.errors(include_input=False))
        raise SystemExit("\n".join(lines)) from None
    except SettingsError as error:
        raise SystemExit(f"{error}: it must be JSON") from None


def _variable(place: tuple[int | str, ...]) -> str:
    name, *inside = (str(step) for step in place)
    return ".".join([PREFIX + name.upper(), *inside])
