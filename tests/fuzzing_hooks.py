"""What the fuzzer is told beyond the contract: which debates, formats and models there are; it would draw none."""

from __future__ import annotations

import os
import random
from typing import Any

import httpx2 as httpx
import schemathesis

# One request in so many keeps the name that was drawn for it, which there is not.
_KEPT = 4
_client = httpx.Client(base_url=os.environ["ROSTRA_FUZZ_URL"], timeout=20)


@schemathesis.hook
def map_path_parameters(context: Any, path_parameters: dict[str, Any] | None) -> dict[str, Any] | None:
    if not path_parameters or random.randrange(_KEPT) == 0:
        return path_parameters
    if "id" in path_parameters:
        steers = context.operation.path.endswith(("/pause", "/resume", "/cancel"))
        return {**path_parameters, "id": _begun(rounds=300) if steers else _debate()}
    known = "round_robin" if "formats" in context.operation.path else "default"
    return {**path_parameters, "name": known}


def _debate() -> str:
    """One of the newest debates; a new one now and then, since others are deleted."""
    debates = _client.get("/v1/debates", params={"limit": 20}).json()["data"]
    if len(debates) < 5 or random.randrange(10) == 0:
        return _begun(rounds=2)
    return random.choice(debates)["id"]


def _begun(rounds: int) -> str:
    return _client.post("/v1/debates", json={"motion": "Tabs beat spaces", "rounds": rounds}).json()["id"]
