"""API keys: what one is, and what it lets its holder do. Pure.

A key reads `rostra_{id}_{secret}` and is shown once. What is kept of the secret is its SHA-256: a slow hash makes
guessing dear where people choose the secret, but here it is 256 random bits, which nobody guesses at any speed, and the
fast one lets every request be checked in microseconds. For the same reason it needs no salt.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

# What an owner may be called: it becomes part of names in the storage.
OWNER = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
# What is shown as the owner of debates that were begun without a key.
LOCAL = "local"

_TOKEN = re.compile(r"rostra_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")


class Scope(StrEnum):
    """What a key is good for. Each includes those before it."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"


_ORDER = list(Scope)


@dataclass(frozen=True, slots=True)
class Key:
    """A key as it is kept. Debates belong to its owner, who may have several keys."""

    id: str
    owner: str
    scopes: frozenset[Scope]
    digest: str = field(repr=False)
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    used_at: datetime | None = None

    def may(self, scope: Scope) -> bool:
        return any(_ORDER.index(own) >= _ORDER.index(scope) for own in self.scopes)

    def fits(self, secret: str) -> bool:
        """Whether this is the key's secret, found out in the same time whatever was sent."""
        return hmac.compare_digest(self.digest, _digest(secret))

    def has_expired(self, now: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= now


def make(owner: str, scopes: Iterable[Scope], expires_at: datetime | None = None) -> tuple[Key, str]:
    """A new key, and the token that is shown once."""
    if not OWNER.fullmatch(owner) or owner == LOCAL:
        raise ValueError(
            f"an owner is 1 to 64 of a-z, 0-9, '.', '_' and '-', begins with a letter or digit, and is not {LOCAL}"
        )
    key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    key = Key(key_id, owner, frozenset(scopes), _digest(secret), datetime.now(UTC), expires_at)
    return key, f"rostra_{key_id}_{secret}"


def parts(token: str) -> tuple[str, str] | None:
    """The id and the secret in a token; None where it cannot be one."""
    found = _TOKEN.fullmatch(token)
    return (found[1], found[2]) if found else None


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
