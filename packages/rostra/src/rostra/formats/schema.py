"""What a format may hold, as JSON Schema: enough for a person, or a person's editor, to write one by."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from rostra.format import Format


@cache
def format_schema() -> Mapping[str, Any]:
    """Of one file, or of `format` in a request. What several fields together can get wrong is told when it is read."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Format.model_json_schema()}
