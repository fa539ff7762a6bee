"""Redis' users: each service has its own, which may do what the service does and no more.

What they may do stands in `users.acl`, from which the containers (services/redis) and `rostra serve` both take it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib.resources import files

# Those that have a password.
USERS = ("api", "orchestrator", "webhooks", "operator")


def acl(passwords: Mapping[str, str]) -> str:
    """The users as a Redis ACL file, which holds the passwords' hashes only.

    One pass of SHA-256 is right for what is drawn at random, 32 bytes: nobody goes through these by trying.
    """
    text = (files("rostra.store") / "users.acl").read_text("utf-8")
    for user in USERS:
        text = text.replace(f"{{{user}}}", hashlib.sha256(passwords[user].encode()).hexdigest())
    return "".join(f"{line}\n" for line in text.splitlines() if line.startswith("user "))
