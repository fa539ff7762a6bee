"""Answers that must have a form: what a judge's verdict needs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rostra.doctor.case import Case, Check, Said
from rostra.doctor.troubles import Refused

# No model says so by itself.
VERDICT = {"verdict": "quince"}
SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {"verdict": {"type": "string", "enum": ["quince"]}},
    "required": ["verdict"],
    "additionalProperties": False,
}
# The word JSON must stand in it for OpenAI to take it.
PROSE = ({"role": "user", "content": "Write one sentence about cats. No JSON, please."},)

FORMS: Mapping[str, Mapping[str, Any]] = {
    "json_schema": {"type": "json_schema", "json_schema": {"name": "verdict", "schema": SCHEMA, "strict": True}},
    "json_object with a schema": {"type": "json_object", "schema": SCHEMA},
    "json_object": {"type": "json_object"},
}


async def keeps_a_form(case: Case) -> Said:
    """An answer keeps to a JSON schema, and to JSON at all, where it is told to."""
    kept: list[str] = []
    refused: list[str] = []
    for name, form in FORMS.items():
        try:
            reply = await case.server.chat(PROSE, temperature=0, max_tokens=32, response_format=form)
        except Refused:
            refused.append(name)
            continue
        if _keeps(reply.text, "schema" in name):
            kept.append(name)
    return _said(kept, refused)


def _keeps(text: str, schema: bool) -> bool:
    if not schema:
        return text.lstrip().startswith("{")
    try:
        return json.loads(text) == VERDICT
    except ValueError:
        return False


def _said(kept: list[str], refused: list[str]) -> Said:
    ignored = [name for name in FORMS if name not in kept and name not in refused]
    parts = [("keeps to", kept), ("refuses", refused), ("passes over", ignored)]
    says = "It " + "; ".join(f"{does} {', '.join(names)}" for does, names in parts if names) + "."
    schema = any("schema" in name for name in kept)
    return Said("good" if schema else "note", says + ("" if schema else " A judge's verdict has no sure form then."))


CHECKS = (Check("schema", "Structured answers", keeps_a_form, 15),)
