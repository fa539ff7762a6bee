"""The settings of the API, read from `ROSTRA_…` in the environment."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from rostra.settings import SharedSettings
from rostra_api.webhooks.settings import WebhookSettings


class Settings(SharedSettings, WebhookSettings):
    """Where to listen, and how many to serve."""

    host: str = Field(
        default="127.0.0.1", description="Address to listen on; beyond loopback nothing is served until there is a key."
    )
    port: int = Field(default=8080, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    publish: str | None = Field(
        default=None,
        description="Address that the port is published on; unset: the one that it listens on (containers: 127.0.0.1).",
    )
    formats_dir: Path = Field(
        default=Path("formats"), description="Folder of formats of your own, a TOML file each; it may be missing."
    )
    rate: float = Field(
        default=100, gt=0, description="Requests a second that a key may make; without keys that all may make together."
    )
    rate_burst: int = Field(default=300, ge=1, description="Requests that may come at once, beyond the rate.")
    queued_per_owner: int = Field(default=1000, ge=1, description="Most debates of one owner that wait for a worker.")
    queued: int = Field(default=5000, ge=1, description="Most debates that wait for a worker.")
    debate_tokens: int = Field(
        default=2_000_000, ge=1, description="Most tokens that a debate's turns may come to, failed attempts included."
    )
    followers_per_owner: int = Field(
        default=2000, ge=1, description="Most readers of one owner that follow debates live or wait for their end."
    )
    max_followers: int = Field(
        default=4000, ge=1, description="Most readers that follow debates live or wait for their end at once."
    )
    storage_percent: int = Field(
        default=80, ge=1, le=100, description="How full Redis may be, in percent of its maxmemory, for new debates."
    )
    max_connections: int = Field(default=5000, ge=10, description="Most connections at once.")
    head_seconds: float = Field(
        default=10, gt=0, le=300, description="Time that a request's line and headers may take to arrive."
    )
    body_seconds: float = Field(default=20, gt=0, le=300, description="Time that its body may take.")
    send_seconds: float = Field(
        default=30, gt=0, le=600, description="How long a reader may take nothing of what is sent before it is cut off."
    )
    send_mib: int = Field(
        default=128, ge=1, description="MiB that may wait for slow readers in all; beyond, the slowest are cut off."
    )

    webhooks: bool = Field(
        default=False, description="Whether requests may name a webhook; something must deliver them, then."
    )

    @model_validator(mode="after")
    def _webhooks_need_a_secret(self) -> Self:
        if self.webhooks and not self.webhook_secret_file:
            raise PydanticCustomError("no_secret", "ROSTRA_WEBHOOKS needs ROSTRA_WEBHOOK_SECRET_FILE")
        return self

    @property
    def reached_by_others(self) -> bool:
        """Whether other machines can reach it."""
        address = (self.publish or self.host).strip("[]")
        try:
            return not ip_address(address).is_loopback
        except ValueError:
            return address != "localhost"
