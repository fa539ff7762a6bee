"""The settings that more than one service has, read from `ROSTRA_…` in the environment."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from rostra.endpoints import Endpoint

LogLevel = Literal["debug", "info", "warning", "error"]


class SharedSettings(BaseSettings):
    """Where Redis and the models are, and how to log."""

    model_config = SettingsConfigDict(env_prefix="ROSTRA_", env_ignore_empty=True, extra="ignore")

    redis_url: str = Field(default="redis://127.0.0.1:6379/0", description="Redis or Valkey, version 7 or newer.")
    llm_url: str = Field(default="http://127.0.0.1:8000", description="The model server of the model `default`.")
    llm_api_key: SecretStr | None = Field(default=None, description="The model server's bearer key.")
    models: dict[str, Endpoint] = Field(
        default_factory=dict[str, Endpoint],
        description="Models by name, as JSON; `default` is ROSTRA_LLM_URL unless it is given here.",
    )
    log_level: LogLevel = Field(default="info", description="Least severe level that is logged.")

    @model_validator(mode="after")
    def _default_model(self) -> Self:
        self.models.setdefault("default", Endpoint(url=self.llm_url, api_key=self.llm_api_key))
        return self
