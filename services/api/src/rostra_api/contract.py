"""What /openapi.json says beyond what FastAPI finds out by itself."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import models_json_schema

from rostra.forking import ForkRequest
from rostra.models import DebateRequest, QuestionRequest, TurnRequest
from rostra.views import TOLD
from rostra_api.completions.asked import ChatRequest
from rostra_api.entry import OPEN
from rostra_api.problems import Problem, documented

_KEY = {"type": "http", "scheme": "bearer", "description": "A key of `rostra keys create`, where there are keys."}

# FastAPI's own answer to a wrong parameter, which is never given here.
_NEVER_GIVEN = ("HTTPValidationError", "ValidationError")


def completed(document: dict[str, Any]) -> dict[str, Any]:
    """`document` with the request's schema, which is not parsed by FastAPI, what streams hold, and the problems."""
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for name in _NEVER_GIVEN:
        schemas.pop(name, None)
    _, own = models_json_schema(
        [
            (model, "validation")
            for model in (DebateRequest, ForkRequest, TurnRequest, QuestionRequest, ChatRequest, Problem)
        ],
        ref_template="#/components/schemas/{model}",
    )
    schemas.update(own["$defs"])
    _, told = models_json_schema(
        [(view, "serialization") for view in TOLD], ref_template="#/components/schemas/{model}"
    )
    schemas.update({name: schema for name, schema in told["$defs"].items() if name not in schemas})
    document["components"]["securitySchemes"] = {"key": _KEY}
    document["security"] = [{"key": []}, {}]  # without keys nobody needs one
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _correct(operation["responses"])
            _add(operation["responses"], 431)
            if path in OPEN:
                operation["security"] = []
            else:
                _add(operation["responses"], 401, 403, 429, 503)
            if method != "get":
                _add(operation["responses"], 413)
    return document


def _correct(responses: dict[str, Any]) -> None:
    schema = responses.get("422", {}).get("content", {}).get("application/json", {}).get("schema", {})
    if schema.get("$ref", "").endswith(_NEVER_GIVEN[0]):
        del responses["422"]
    _add(responses, 500)


def _add(responses: dict[str, Any], *statuses: int) -> None:
    for status, response in documented(*statuses).items():
        responses.setdefault(str(status), response)
