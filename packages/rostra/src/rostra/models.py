"""A debate on the wire and at rest: what people send, and what Rostra makes of it.

`DebateRequest` is what a person POSTs: every field but `motion` may be left out, unknown fields are refused.
`Debate` is the same debate with everything decided: ids, seed, format, defaults. It never changes; what
happens to it is told by its events.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, ClassVar, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    model_validator,
)
from pydantic_core import PydanticCustomError

from rostra.fields import (
    Line,
    ModelName,
    Motion,
    Name,
    Prose,
    Request,
    Slug,
    Stored,
    not_empty,
    plain_text,
)
from rostra.format import MODERATOR, Format
from rostra.naming import HELPERS, in_language, name_key, stance_of, unnamed
from rostra.rules import (
    DEFAULT_STRICTNESS,
    MAX_SEED,
    AudienceRules,
    Check,
    DecisionRules,
    GuardRules,
    HumanRules,
    JudgeRules,
    Limits,
    Metadata,
    MetadataValue,
    ModeratorRules,
    PhaseRules,
    Sampling,
    Strictness,
    TurnRules,
    WebhookRules,
)
from rostra.seating import seated

MAX_DEBATERS = 16
MAX_TURNS = 1000


class Status(StrEnum):
    """Where a debate stands: `queued → running ⇄ paused, waiting → completed, collapsed, failed, cancelled`."""

    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"  # for a person's words: nobody plays it, and it holds no worker
    PAUSED = "paused"
    COMPLETED = "completed"
    COLLAPSED = "collapsed"
    FAILED = "failed"
    CANCELLED = "cancelled"


ENDED = frozenset({Status.COMPLETED, Status.COLLAPSED, Status.FAILED, Status.CANCELLED})
LIVE = frozenset({Status.QUEUED, Status.RUNNING})


def _enough_debaters(debaters: tuple[DebaterRequest, ...]) -> tuple[DebaterRequest, ...]:
    """Counted after they were read, so that one bad debater is not also reported as one too few."""
    if not 2 <= len(debaters) <= MAX_DEBATERS:
        raise PydanticCustomError("debaters", "a debate has 2 to {most} debaters", {"most": MAX_DEBATERS})
    return debaters


class DebaterRequest(Request):
    """Who argues, as a person describes them."""

    name: Name
    stance: Line = ""
    persona: Prose = ""
    team: Slug | None = Field(
        default=None, description="The team of the format; in formats without teams, debaters of one team are one side."
    )
    model: ModelName = "default"
    sampling: Sampling = Sampling()
    human: StrictBool = Field(default=False, description="Whether a person speaks, by `POST …/turns`.")


Debaters = Annotated[
    tuple[DebaterRequest, ...],
    AfterValidator(_enough_debaters),
    Field(json_schema_extra={"minItems": 2, "maxItems": MAX_DEBATERS}),
]


class DebateRequest(Request):
    """What a person POSTs. `{"motion": "..."}` alone is a debate."""

    motion: Motion
    language: Annotated[StrictStr, Field(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")] | None = Field(
        default=None,
        description="BCP 47 tag of the language that the debaters speak; when left out, that of the motion.",
    )
    format: Slug | Format = Field(
        default="round_robin", description="A format of the library by name, or one as its files are written."
    )
    rounds: Annotated[StrictInt, Field(ge=1, le=500)] | None = None
    speakers: Annotated[tuple[Name, ...], Field(min_length=1, max_length=MAX_TURNS)] | None = Field(
        default=None, description="Who speaks, in order, in the format `manual`: debaters' names."
    )
    opening: Prose = ""
    debaters: Debaters | None = None
    turn: TurnRules = TurnRules()
    phases: Annotated[dict[Slug, PhaseRules], Field(max_length=32)] = Field(
        default={}, description="What is different in phases of the format, by their names."
    )
    guard: Strictness | GuardRules | None = None
    judge: JudgeRules | None = None
    moderator: ModeratorRules | None = Field(
        default=None, description="Where a format has a moderator: a model, or when left out a script."
    )
    humans: HumanRules = HumanRules()
    audience: AudienceRules | None = None
    decision: DecisionRules | None = None
    baselines: StrictBool = Field(
        default=False,
        description="Whether a single answer, and a vote of independent answers, are given beside the debate.",
    )
    limits: Limits = Limits()
    seed: Annotated[StrictInt, Field(ge=0, le=MAX_SEED)] | None = None
    metadata: Metadata = Field(default={})
    webhook: WebhookRules | None = None

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        names = [name_key(d.name) for d in self.debaters or ()]
        if len(set(names)) != len(names):
            raise PydanticCustomError(
                "duplicate_names", "debaters' names must differ (compared after NFKC, ignoring case)"
            )
        return self


# A turn that has no other bound, and a question of the moderator's: as long as a turn, and as a motion, may be.
MAX_CHARACTERS = 20_000
MAX_QUESTION = 2000


class TurnRequest(Request):
    """What a person says in the turn that the debate waits for."""

    text: Annotated[
        StrictStr,
        Field(min_length=1, max_length=MAX_CHARACTERS),
        AfterValidator(plain_text),
        AfterValidator(not_empty),
    ]
    seq: Annotated[StrictInt, Field(ge=1, le=MAX_TURNS)] | None = Field(
        default=None, description="Which turn it is; when left out, the one that the debate waits for."
    )


class QuestionRequest(Request):
    """What a human moderator asks between two turns."""

    text: Annotated[
        StrictStr,
        Field(min_length=1, max_length=MAX_QUESTION),
        AfterValidator(plain_text),
        AfterValidator(not_empty),
    ]
    to: Name | None = Field(default=None, description="A debater's name; when left out, it is for whoever speaks next.")


# ── The debate, with everything decided ─────────────────────────────────────────────────────────────────


class Debater(Stored):
    """Who argues. `id` is ASCII and goes to AutoGen and the model server; `name` is what people see."""

    id: str
    name: str
    stance: str = ""
    persona: str = ""
    team: str = ""
    model: str = "default"
    sampling: Sampling = Sampling()
    human: bool = False


class ForkedFrom(Stored):
    """The debate whose first turns this one began with."""

    id: str
    after_turn: int = Field(description="The last turn that is the other debate's; 0 where none is.")


class Debate(Stored):
    """One motion, its debaters and its rules; fixed when it is accepted."""

    VERSION: ClassVar[int] = 1

    v: int = VERSION
    id: str
    created_at: AwareDatetime
    motion: str
    language: str | None = None
    format: Format
    speakers: tuple[str, ...] = ()  # debaters' ids, for the order `manual`
    opening: str = ""
    debaters: tuple[Debater, ...]
    seats: Mapping[str, str] = {}  # of the format's teams: who sits there, by id
    turn: TurnRules = TurnRules()
    phases: Mapping[str, PhaseRules] = {}
    guard: Strictness | GuardRules | None = None
    judge: JudgeRules | None = None
    moderator: ModeratorRules | None = None
    humans: HumanRules = HumanRules()
    audience: AudienceRules | None = None
    decision: DecisionRules | None = None
    baselines: bool = False
    limits: Limits = Limits()
    seed: int
    metadata: Mapping[str, MetadataValue] = {}
    webhook: WebhookRules | None = None
    forked_from: ForkedFrom | None = None

    @property
    def turns_carried(self) -> int:
        """How many turns it began with, which were taken in another debate."""
        return self.forked_from.after_turn if self.forked_from else 0

    def strictness(self, check: Check) -> Strictness:
        """How strictly attempts are checked for it."""
        asked = getattr(self.guard, check) if isinstance(self.guard, GuardRules) else self.guard
        return asked or DEFAULT_STRICTNESS

    def debater(self, debater_id: str) -> Debater:
        return next(d for d in self.debaters if d.id == debater_id)

    def speaker(self, speaker_id: str) -> Debater:
        """Who speaks: a debater, or the moderator or the audience as if they were one."""
        if speaker_id in HELPERS:
            return Debater(id=speaker_id, name=in_language(HELPERS[speaker_id], self.language))
        return self.debater(speaker_id)

    def is_human(self, speaker_id: str) -> bool:
        """Whether a person speaks for it."""
        if speaker_id in HELPERS:
            return speaker_id == MODERATOR and self.has_human_moderator
        return self.debater(speaker_id).human

    def needs_model(self, speaker_id: str) -> bool:
        """Whether a model may have to find its words."""
        return not self.is_human(speaker_id) or self.humans.then == "model"

    @property
    def has_human_moderator(self) -> bool:
        return self.moderator is not None and self.moderator.human

    @property
    def has_helpers(self) -> bool:
        """Whether a moderator or the audience may speak in it, beside the opening."""
        return self.format.has_helpers or self.has_human_moderator

    @property
    def names(self) -> Mapping[str, str]:
        """What people call each speaker, by id."""
        return {s: self.speaker(s).name for s in (*(d.id for d in self.debaters), *HELPERS)}

    def sampling_for(self, phase: str, speaker_id: str) -> Sampling:
        """The options that people chose: the phase's, and where it has none the debater's."""
        return self.speaker(speaker_id).sampling | self.phases.get(phase, PhaseRules()).sampling


def default_debaters(language: str | None, debate_format: Format) -> tuple[DebaterRequest, ...]:
    """Who argues where the request names nobody."""
    return tuple(DebaterRequest(**one._asdict()) for one in unnamed(language, debate_format))


def debate_from(
    request: DebateRequest,
    debate_format: Format,
    *,
    debate_id: str | None = None,
    now: datetime | None = None,
) -> Debate:
    """The debate that `request` asks for, played in `debate_format`.

    Raises:
        KeyError: a speaker of a manual order is not a debater; the name is its argument.
        rostra.seating.Unseated: the debaters do not fit the format's seats.
    """
    created = now or datetime.now(UTC)
    given = request.debaters or default_debaters(request.language, debate_format)
    teams, seats = seated(debate_format, [d.team for d in given])
    debaters = tuple(
        Debater(
            id=f"d{n}",
            name=d.name,
            stance=d.stance or stance_of(team, debate_format, request.language),
            persona=d.persona,
            team=team,
            model=d.model,
            sampling=d.sampling,
            human=d.human,
        )
        for n, (d, team) in enumerate(zip(given, teams, strict=True), 1)
    )
    return Debate(
        id=debate_id or new_id(created),
        created_at=created,
        motion=request.motion,
        language=request.language,
        format=with_rounds(debate_format, request.rounds),
        speakers=_ids(request.speakers or (), debaters),
        opening=request.opening,
        debaters=debaters,
        seats={seat: f"d{n + 1}" for seat, n in seats.items()},
        turn=request.turn,
        phases=request.phases,
        guard=request.guard,
        judge=request.judge,
        moderator=request.moderator,
        humans=request.humans,
        audience=request.audience or _audience(debate_format),
        decision=request.decision or _decision(debate_format),
        baselines=request.baselines,
        limits=request.limits,
        seed=request.seed if request.seed is not None else secrets.randbelow(MAX_SEED),
        metadata=request.metadata,
        webhook=request.webhook,
    )


def _audience(debate_format: Format) -> AudienceRules | None:
    return AudienceRules(size=debate_format.audience) if debate_format.audience else None


def _decision(debate_format: Format) -> DecisionRules | None:
    """As the format decides; where it goes on until all agree, with a vote after each of its rounds."""
    if debate_format.decision is None:
        return None
    votes = max([1, *(phase.rounds for phase in debate_format.phases if phase.until_agreed)])
    return DecisionRules(protocol=debate_format.decision, limit=votes)


def with_rounds(debate_format: Format, rounds: int | None) -> Format:
    """The free phases in so many rounds."""
    if rounds is None:
        return debate_format
    phases = tuple(
        phase.model_copy(update={"rounds": rounds}) if phase.order else phase for phase in debate_format.phases
    )
    return debate_format.model_copy(update={"phases": phases})


def _ids(names: Sequence[str], debaters: Sequence[Debater]) -> tuple[str, ...]:
    ids = {name_key(d.name): d.id for d in debaters}
    return tuple(ids[name_key(name)] for name in names)


def new_id(now: datetime | None = None) -> str:
    """28 hex digits: milliseconds since 1970, then 64 random bits; so ids sort by age."""
    milliseconds = int(now.timestamp() * 1000) if now else time.time_ns() // 1_000_000
    return f"{milliseconds:012x}{secrets.token_hex(8)}"


def derived_seed(seed: int, *parts: object) -> int:
    """A seed for one decision of a debate, the same on every machine and Python version."""
    text = ":".join(str(part) for part in (seed, *parts))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) % MAX_SEED
