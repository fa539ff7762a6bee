"""Which Rostra this is."""

ROSTRA = "0.1.0"
