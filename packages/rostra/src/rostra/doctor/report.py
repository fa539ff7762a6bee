"""What was found out about an endpoint: findings, options, a judgement. Plain data, without the endpoint's address."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from rostra.endpoints import Dialect

# From best to worst. A fault makes the endpoint useless for debates, a warning costs turns or their quality; of a note
# one should know.
Grade = Literal["good", "note", "warning", "fault", "not shown", "not checked"]

# `not shown`: the probe could not tell. `not checked`: there was no time.
Outcome = Literal["works", "ignored", "refused", "not shown", "not checked"]

Fitness = Literal["fit", "usable", "unfit"]

# The exit status of `rostra doctor`.
EXIT: dict[Fitness, int] = {"fit": 0, "usable": 1, "unfit": 2}


class _Told(BaseModel):
    """All fields are always there."""

    model_config = ConfigDict(frozen=True, json_schema_serialization_defaults_required=True)


class Finding(_Told):
    """One thing about the endpoint."""

    name: str = Field(description="Its stable name.")
    title: str
    grade: Grade
    says: str = Field(description="What was seen, in a sentence.")
    advice: str = Field(default="", description="What to do about it; empty where there is nothing to do.")


class Option(_Told):
    """Whether a sampling option takes effect."""

    name: str = Field(description="As Rostra calls it.")
    outcome: Outcome
    sent_as: str = Field(description="As it was sent: some servers call an option by another name.")
    says: str = Field(default="", description="The server's words when it refuses, or why nothing was shown.")


class Speed(_Told):
    """How fast it answers one request; null where it was not measured."""

    first_token_seconds: float | None = Field(default=None, description="Until the first words of a short answer.")
    tokens_per_second: float | None = Field(default=None, description="Generated tokens.")
    prompt_tokens_per_second: float | None = Field(default=None, description="Tokens of a prompt that is new to it.")


class Report(_Told):
    """What a model server can and cannot do for debates."""

    checked_at: AwareDatetime = Field(default_factory=lambda: datetime.now(UTC))
    seconds: float = Field(default=0.0, description="How long the examination took.")
    fitness: Fitness = Field(description="`usable` is with faults that cost turns or their quality.")
    server: Dialect | None = Field(description="The kind of server that it looks like; null when it cannot be told.")
    dialect: Dialect | None = Field(description="The dialect that fits best; null when too little is known.")
    context: int | None = Field(description="Tokens of prompt and answer together; null when unknown.")
    speed: Speed
    findings: list[Finding]
    options: list[Option] = Field(description="What each sampling option does, shown by its effect.")
    configuration: dict[str, Any] = Field(
        description="What to write in ROSTRA_MODELS for this endpoint, beside its address, key and model."
    )


def fitness(findings: Iterable[Finding]) -> Fitness:
    """One fault makes it unfit; what was not looked at is no better than a warning."""
    grades: set[str] = {finding.grade for finding in findings}
    if "fault" in grades:
        return "unfit"
    return "usable" if grades & {"warning", "not checked"} else "fit"
