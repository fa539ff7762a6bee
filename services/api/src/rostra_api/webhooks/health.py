"""Whether a deliverer lives: it gives a sign whenever Redis told it what is to be delivered."""

from __future__ import annotations

from rostra.lifesign import LifeSign

sign = LifeSign("rostra-webhooks")
