"""What the fuzzer is told beyond the contract: which debates, formats and models there are; it would draw none.

It also notes every answer in the file `ROSTRA_FUZZ_ANSWERS`, a line each: method, path, status.
"""

from __future__ import annotations

import os
import random
import re
from pathlib import Path
from typing import Any

import httpx2 as httpx
import schemathesis
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation.meta import TestPhase

# One request in so many keeps the name that was drawn for it, which there is not.
_KEPT = 4
_DEBATE_ID = re.compile(r"[0-9a-f]{28}")
_LIVE = ("queued", "running", "paused", "waiting")
_ENDED = ("completed", "failed", "cancelled")
# The statuses in which most is to be found out; all for the rest.
_WANTED = {
    ("POST", "/v1/debates/{id}/pause"): _LIVE,
    ("POST", "/v1/debates/{id}/resume"): ("paused", "paused", "running"),
    ("POST", "/v1/debates/{id}/cancel"): (*_LIVE, "cancelled"),
    ("POST", "/v1/debates/{id}/turns"): ("waiting", "waiting", "waiting", "running"),
    ("POST", "/v1/debates/{id}/questions"): ("waiting", "waiting", "waiting", "running"),
    ("DELETE", "/v1/debates/{id}"): _ENDED,
}
# One of its own: Hypothesis seeds the shared one before each example, and then all would choose alike.
_chance = random.Random(0)
_client = httpx.Client(
    base_url=os.environ["ROSTRA_FUZZ_URL"],
    headers={"Authorization": f"Bearer {os.environ['ROSTRA_FUZZ_KEY']}"},
    timeout=20,
)
_answers = Path(os.environ["ROSTRA_FUZZ_ANSWERS"])


@schemathesis.hook
def before_load_schema(context: Any, raw_schema: dict[str, Any]) -> None:
    """Here are keys, so one is needed."""
    raw_schema["security"] = [{"key": []}]


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """Puts a name that there is in the place of one that was made up."""
    _name_a_format(case)
    given = case.path_parameters or {}
    if not given or case.meta is None or case.meta.is_negative_at(ParameterLocation.PATH):
        return
    wanted = _WANTED.get((case.method.upper(), case.operation.path))
    if _DEBATE_ID.fullmatch(str(given.get("id"))):  # answered before: in a sequence it is meant
        if wanted is None or case.meta.phase.name == TestPhase.STATEFUL:
            return
    elif (
        case.meta.phase.name != TestPhase.COVERAGE and _chance.randrange(_KEPT) == 0
    ):  # there some are asked twice only
        return
    if "id" in given:
        given["id"] = _one(_chance.choice(wanted or (*_LIVE, *_ENDED)))
    else:
        given["name"] = "default" if case.operation.path.startswith("/v1/models") else "round_robin"


def _name_a_format(case: Any) -> None:
    """In the body of a chat, where it is right otherwise."""
    if case.operation.path == "/openai/v1/chat/completions" and isinstance(case.body, dict):
        negative = case.meta is not None and case.meta.is_negative_at(ParameterLocation.BODY)
        if not negative and _chance.randrange(_KEPT):
            case.body["model"] = "round_robin"


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:
    with _answers.open("a", encoding="utf-8") as answers:
        answers.write(f"{case.method.upper()} {case.operation.path} {response.status_code}\n")


def _one(status: str) -> str:
    """A debate that is so at the moment, begun for it where there is none."""
    found = _client.get("/v1/debates", params={"status": status, "limit": 20}).json()["data"]
    return _chance.choice(found)["id"] if found else begun(_client, status)


def begun(client: httpx.Client, status: str) -> str:
    """A new debate that is to be so, or soon will be."""
    request: dict[str, Any] = {"motion": "Tabs beat spaces", "rounds": 1 if status == "completed" else 300}
    if status == "failed":
        request["limits"] = {"tokens": 1}
    if status == "waiting":
        people = [{"name": "Ada", "human": True}, {"name": "Grace", "human": True}]
        request |= {"debaters": people, "moderator": {"human": True}}
    waits = {"Prefer": "wait=10"} if status in {"completed", "failed", "waiting"} else {}
    debate = client.post("/v1/debates", json=request, headers=waits).json()["id"]
    if status in {"paused", "cancelled"}:
        client.post(f"/v1/debates/{debate}/{'pause' if status == 'paused' else 'cancel'}")
    return debate
