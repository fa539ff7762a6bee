"""What messages are signed with: a secret for each owner, made from one of the installation.

Nothing is stored for an owner: whoever has the installation's secret can make all of theirs, and nobody else can make
one from another. A file holds it on its first line; what stands on further lines signs beside it, so that
receivers can change over while both are good.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from standardwebhooks import Webhook

from rostra.keys import LOCAL

# 128 bits in hexadecimal digits.
_SHORTEST = 32


class Secrets:
    """The installation's, the newest first."""

    def __init__(self, secrets: Sequence[str]) -> None:
        """Raises ValueError where there is none, or one is too short to be one."""
        if not secrets or any(len(secret) < _SHORTEST for secret in secrets):
            raise ValueError(f"must have a secret of at least {_SHORTEST} characters on each line")
        self._secrets = tuple(secrets)

    @classmethod
    def read(cls, file: Path) -> Secrets:
        """Raises: ValueError, OSError."""
        return cls(file.read_text(encoding="utf-8").split())

    def of(self, owner: str) -> str:
        """What the owner's receivers verify with; `""` are debates that were begun without a key."""
        return _owners(self._secrets[0], owner)

    def headers(self, owner: str, message_id: str, body: str, now: float) -> dict[str, str]:
        """What the message carries, at the time when it is sent."""
        at = datetime.fromtimestamp(int(now), UTC)
        keys = [Webhook(_owners(secret, owner)) for secret in self._secrets]
        return {
            "webhook-id": message_id,
            "webhook-timestamp": str(int(now)),
            "webhook-signature": " ".join(key.sign(message_id, at, body) for key in keys),
        }


def _owners(secret: str, owner: str) -> str:
    digest = hmac.digest(secret.encode(), f"rostra webhooks of {owner or LOCAL}".encode(), hashlib.sha256)
    return f"whsec_{base64.b64encode(digest).decode()}"
