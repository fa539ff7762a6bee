"""What the orchestrator can be told, read once at its start."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from rostra.settings import SharedSettings


class Settings(SharedSettings):
    """`ROSTRA_…` in the environment; seconds are wall-clock seconds."""

    workers: int = Field(default=4, ge=1, le=256, description="Debates that are played at once, a process each.")
    running_per_owner: int = Field(
        default=0,
        ge=0,
        description="Most debates of one owner that are played at once; 0: as many as there are workers.",
    )
    compress_after_hours: float = Field(
        default=1, ge=0, description="Hours after its end until a debate is compressed."
    )
    forget_after_days: float | None = Field(
        default=None, gt=0, description="Days after its end until a debate is forgotten; unset: never."
    )
    model_patience_seconds: float = Field(
        default=60, ge=0, le=3600, description="How long a turn waits for a model server that is away or busy."
    )
    model_connect_seconds: float = Field(default=5, gt=0, le=300, description="Longest wait for a connection.")
    model_first_token_seconds: float = Field(
        default=300, gt=0, le=7200, description="Longest wait for an answer's first token, queueing included."
    )
    model_next_token_seconds: float = Field(default=60, gt=0, le=600, description="Longest pause within an answer.")
    model_answer_seconds: float = Field(default=900, gt=0, le=7200, description="Longest answer, from its first token.")

    @property
    def compress_after(self) -> timedelta:
        return timedelta(hours=self.compress_after_hours)

    @property
    def forget_after(self) -> timedelta | None:
        return timedelta(days=self.forget_after_days) if self.forget_after_days else None
