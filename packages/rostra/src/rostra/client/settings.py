"""Where the API is, and the key that it asks for."""

from __future__ import annotations

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class ClientSettings(BaseSettings):
    """What `Client` and the command line take from the environment where they are not told."""

    model_config = SettingsConfigDict(env_prefix="ROSTRA_", env_ignore_empty=True, extra="ignore")

    url: str = Field(
        default="http://127.0.0.1:8080", description="Where `rostra.Client` and the command line find the API."
    )
    api_key: SecretStr | None = Field(default=None, description="The key that they send.")
