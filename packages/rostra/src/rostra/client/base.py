"""What clients of both kinds are told when they are made, and what they tell their HTTP client. Sends nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx2 as httpx

from rostra.client.calls import Call
from rostra.client.patience import Patience
from rostra.client.settings import ClientSettings
from rostra.version import ROSTRA


@dataclass(frozen=True)
class Reach:
    """Where the API is, how to come in, and how patient to be."""

    address: str
    patience: Patience
    timeout: float
    key: str = field(default="", repr=False)

    def http(self) -> Mapping[str, Any]:
        """For an HTTP client of either kind."""
        headers = {"User-Agent": f"rostra/{ROSTRA}"}
        if self.key:
            headers["Authorization"] = f"Bearer {self.key}"
        return {"base_url": self.address, "headers": headers, "timeout": self.timeout}

    def request(self, call: Call[Any]) -> Mapping[str, Any]:
        """The call, for an HTTP client's `request`."""
        return {
            "method": call.method,
            "url": call.path,
            "params": list(call.params),
            "headers": {"Accept": "*/*", **call.headers},
            "content": call.content,
            "timeout": httpx.Timeout(self.timeout + call.waits, connect=min(self.timeout, 10.0)),
        }


def reach(address: str | None, key: str | None, timeout: float, retries: int) -> Reach:
    """As it is given, else as the environment says. Raises ValueError where no address is one."""
    settings = ClientSettings()
    address = (address or settings.url).rstrip("/")
    if not _is_address(address):
        raise ValueError(f"{address!r} is no address like http://127.0.0.1:8080; see ROSTRA_URL")
    key = key if key is not None else settings.api_key.get_secret_value() if settings.api_key else ""
    if not re.fullmatch("[!-~]*", key):
        raise ValueError("the key holds characters that no key has; see ROSTRA_API_KEY")
    return Reach(address, Patience(retries=retries), timeout, key)


def _is_address(text: str) -> bool:
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        return False
    return url.scheme in {"http", "https"} and bool(url.host)
