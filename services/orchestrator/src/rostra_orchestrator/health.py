"""Whether this machine's workers live: the keeper gives a sign at every report to Redis."""

from __future__ import annotations

from rostra.lifesign import LifeSign

sign = LifeSign("rostra-orchestrator")
