"""What to POST for the same debate again, to read and to copy. Pure."""

from __future__ import annotations

import json

from rostra.forking import request_of
from rostra.models import Debate
from rostra.plain import spelt_out


def as_written(debate: Debate) -> str:
    """The request as JSON; what acts in a text is spelt out as `\\u…`."""
    return spelt_out(json.dumps(request_of(debate), ensure_ascii=False, indent=2))
