"""The settings of the API, read from `ROSTRA_…` in the environment."""

from __future__ import annotations

from ipaddress import ip_address

from pydantic import Field

from rostra.settings import SharedSettings


class Settings(SharedSettings):
    """Where to listen, and how many to serve."""

    host: str = Field(
        default="127.0.0.1", description="Address to listen on; beyond loopback nothing is served until there is a key."
    )
    port: int = Field(default=8080, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    publish: str | None = Field(
        default=None,
        description="Address that the port is published on; unset: the one that it listens on (containers: 127.0.0.1).",
    )
    max_followers: int = Field(
        default=4000, ge=1, description="Most readers that follow debates live or wait for their end at once."
    )

    @property
    def reached_by_others(self) -> bool:
        """Whether other machines can reach it."""
        address = (self.publish or self.host).strip("[]")
        try:
            return not ip_address(address).is_loopback
        except ValueError:
            return address != "localhost"
