"""The settings of webhooks, read from `ROSTRA_…` in the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from rostra.settings import LogLevel, RedisSettings, SecretFile
from rostra_api.webhooks.addresses import Allowed
from rostra_api.webhooks.signing import Secrets


def _is_allowance(text: str) -> str:
    try:
        Allowed.read(text)
    except ValueError as error:
        raise PydanticCustomError("allowance", "{why}", {"why": str(error)}) from None
    return text


def _holds_secrets(file: Path) -> Path:
    try:
        Secrets.read(file)
    except ValueError as error:
        raise PydanticCustomError("secrets", "{why}", {"why": str(error)}) from None
    return file


class WebhookSettings(RedisSettings):
    """What is known of webhooks by the API, which takes them, and by the process that delivers them."""

    webhook_secret_file: Annotated[SecretFile, AfterValidator(_holds_secrets)] | None = Field(
        default=None,
        description="File with the secret that webhooks are signed with; secrets on further lines sign beside it.",
    )
    webhook_allow: Annotated[str, AfterValidator(_is_allowance)] = Field(
        default="",
        description="Hosts and networks beyond public ones, separated by commas, that webhooks may reach.",
    )

    @property
    def allowed(self) -> Allowed:
        return Allowed.read(self.webhook_allow)

    @property
    def secrets(self) -> Secrets | None:
        return Secrets.read(self.webhook_secret_file) if self.webhook_secret_file else None


class DelivererSettings(WebhookSettings):
    """What the process that delivers must know."""

    log_level: LogLevel = Field(default="info", description="Least severe level that is logged.")

    @model_validator(mode="after")
    def _needs_a_secret(self) -> Self:
        if not self.webhook_secret_file:
            raise PydanticCustomError("no_secret", "webhooks need ROSTRA_WEBHOOK_SECRET_FILE")
        return self

    @property
    def needed_secrets(self) -> Secrets:
        found = self.secrets
        assert found is not None  # or it was not made
        return found
