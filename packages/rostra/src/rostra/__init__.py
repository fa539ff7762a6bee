"""What a debate is, and where it is kept."""

__version__ = "0.1.0"
