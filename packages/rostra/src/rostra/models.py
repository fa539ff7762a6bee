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
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    Field,
    StrictBool,
    StrictFloat,
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
    Number,
    Prose,
    Request,
    Slug,
    Stored,
    not_empty,
    plain_text,
)
from rostra.format import MODERATOR, Format
from rostra.naming import HELPERS, in_language, name_key, stance_of, unnamed
from rostra.seating import seated

MAX_DEBATERS = 16
MAX_TURNS = 1000
MAX_SEED = 2**31 - 1
# Beyond it whole numbers differ between JSON readers (RFC 8259, section 6).
MAX_METADATA_NUMBER = 2**53


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


class Sampling(Request):
    """How the next token is chosen: everything llama.cpp's samplers offer, and nothing else.

    Names and meanings are llama.cpp's. A field left out stays with the model server's default. Which of
    them a model's endpoint can do is known per endpoint (`rostra.endpoints`); one it cannot do is refused.
    """

    temperature: Annotated[Number, Field(ge=0, le=5)] | None = None
    top_k: Annotated[StrictInt, Field(ge=0, le=100_000)] | None = None
    top_p: Annotated[Number, Field(ge=0, le=1)] | None = None
    min_p: Annotated[Number, Field(ge=0, le=1)] | None = None
    typical_p: Annotated[Number, Field(ge=0, le=1)] | None = None
    top_n_sigma: Annotated[Number, Field(ge=-1, le=100)] | None = None
    repeat_penalty: Annotated[Number, Field(gt=0, le=10)] | None = None
    repeat_last_n: Annotated[StrictInt, Field(ge=-1, le=1_000_000)] | None = None
    presence_penalty: Annotated[Number, Field(ge=-2, le=2)] | None = None
    frequency_penalty: Annotated[Number, Field(ge=-2, le=2)] | None = None
    dry_multiplier: Annotated[Number, Field(ge=0, le=100)] | None = None
    dry_base: Annotated[Number, Field(ge=1, le=100)] | None = None
    dry_allowed_length: Annotated[StrictInt, Field(ge=0, le=10_000)] | None = None
    dry_penalty_last_n: Annotated[StrictInt, Field(ge=-1, le=1_000_000)] | None = None
    dry_sequence_breakers: (
        Annotated[tuple[Annotated[StrictStr, Field(min_length=1, max_length=100)], ...], Field(max_length=32)] | None
    ) = None
    xtc_probability: Annotated[Number, Field(ge=0, le=1)] | None = None
    xtc_threshold: Annotated[Number, Field(ge=0, le=1)] | None = None
    mirostat: Literal[0, 1, 2] | None = None
    mirostat_tau: Annotated[Number, Field(ge=0, le=100)] | None = None
    mirostat_eta: Annotated[Number, Field(ge=0, le=1)] | None = None
    dynatemp_range: Annotated[Number, Field(ge=0, le=5)] | None = None
    dynatemp_exponent: Annotated[Number, Field(ge=0, le=10)] | None = None
    logit_bias: (
        Annotated[
            dict[
                Annotated[StrictStr, Field(pattern=r"^[0-9]{1,9}$")],
                Annotated[Number, Field(ge=-100, le=100)],
            ],
            Field(max_length=256),
        ]
        | None
    ) = None
    grammar: Annotated[StrictStr, Field(min_length=1, max_length=16_000)] | None = None
    seed: Annotated[StrictInt, Field(ge=0, le=MAX_SEED)] | None = None
    stop: (
        Annotated[tuple[Annotated[StrictStr, Field(min_length=1, max_length=100)], ...], Field(max_length=16)] | None
    ) = None
    max_tokens: Annotated[StrictInt, Field(ge=1, le=8192)] | None = None
    min_tokens: Annotated[StrictInt, Field(ge=0, le=8192)] | None = None

    def given(self) -> dict[str, Any]:
        """The options that were set, by name."""
        return self.model_dump(exclude_none=True)

    def __or__(self, other: Sampling) -> Sampling:
        """These options, and `other`'s before them."""
        return self.model_copy(update=other.given())


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


class TurnRules(Request):
    """How long a turn may be."""

    max_characters: Annotated[StrictInt, Field(ge=10, le=20_000)] | None = Field(
        default=None,
        description="Longest turn, in characters as Python counts them after NFC. In a format with minutes it is the "
        "longest speech, and the others are as much shorter as they have fewer minutes.",
    )
    max_tokens: Annotated[StrictInt, Field(ge=8, le=8192)] | None = Field(
        default=None,
        description="Most tokens that one attempt may generate: 300 when left out, and in a format with minutes what "
        "the speech's characters come to.",
    )
    words_per_minute: Annotated[StrictInt, Field(ge=10, le=400)] = Field(
        default=150, description="What a format's minutes come to; languages without spaces count characters."
    )


Strictness = Literal["off", "lenient", "strict"]
Check = Literal["repetition", "length", "language", "stance", "speaker", "leaks"]
# Of a debate that does not say, and of checks that its guard does not name.
DEFAULT_STRICTNESS: Strictness = "lenient"


class PhaseRules(Request):
    """What is different in one phase of the format."""

    sampling: Sampling = Sampling()


class GuardRules(Request):
    """How strictly attempts are checked, check by check; one left out is checked as debates are by default."""

    repetition: Strictness | None = Field(default=None, description="Says what was said before, or one thing twice.")
    length: Strictness | None = Field(default=None, description="Over `turn.max_characters`, or cut off.")
    language: Strictness | None = Field(default=None, description="Another language or script than the debate's.")
    stance: Strictness | None = Field(default=None, description="Gives its side up, or only agrees and thanks.")
    speaker: Strictness | None = Field(default=None, description="Speaks for another debater, or to itself.")
    leaks: Strictness | None = Field(default=None, description="Shows template tokens or its instructions.")


MAX_JUDGES = 15
# Who somebody is who does not debate: short enough for a hundred of them to have room in a request.
Character = Annotated[StrictStr, Field(max_length=500), AfterValidator(plain_text)]
# The World Schools' rubric: content 40, style 40, strategy 20.
DEFAULT_RUBRIC: dict[str, float] = {"content": 40.0, "style": 40.0, "strategy": 20.0}
MAX_CRITERIA = 8


class JudgeSeat(Request):
    """One judge of a panel."""

    model: ModelName = "default"
    persona: Character = ""


Panel = (
    Annotated[StrictInt, Field(ge=1, le=MAX_JUDGES)]
    | Annotated[tuple[JudgeSeat, ...], Field(min_length=1, max_length=MAX_JUDGES)]
)
Weights = Annotated[
    dict[Annotated[StrictStr, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")], Annotated[Number, Field(gt=0, le=1000)]],
    Field(min_length=1, max_length=MAX_CRITERIA),
]


class JudgeRules(Request):
    """Who gives the verdict, and by what."""

    panel: Panel = Field(
        default=1, description="How many judges of `model` there are; or each of them, with its model and persona."
    )
    swap: StrictBool = Field(
        default=True, description="Each judge reads twice, the second time with the sides swapped; both must agree."
    )
    model: ModelName = "default"
    rubric: Literal["per_clash"] | Weights = Field(
        default=DEFAULT_RUBRIC,
        description="Criteria and their weights; or `per_clash`: who won each point on which the sides clashed.",
    )
    names_hidden: StrictBool = Field(default=True, description="Judges read Side A and Side B instead of names.")

    @property
    def seats(self) -> tuple[JudgeSeat, ...]:
        """All judges, in order."""
        return self.panel if isinstance(self.panel, tuple) else (JudgeSeat(model=self.model),) * self.panel

    @property
    def readings(self) -> int:
        """How often each judge reads the debate."""
        return 2 if self.swap else 1


MAX_AUDIENCE = 100


class AudienceRules(Request):
    """Simulated people who vote on the motion before the first turn and after the last."""

    size: Annotated[StrictInt, Field(ge=1, le=MAX_AUDIENCE)] = 5
    personas: Annotated[tuple[Character, ...], Field(max_length=MAX_AUDIENCE)] = Field(
        default=(), description="Who they are, by turns; when left out, plain people of Rostra's."
    )
    model: ModelName = "default"


class DecisionRules(Request):
    """How the debaters decide among their last answers, which they read without names."""

    protocol: Literal["majority", "borda", "approval", "consensus"]
    limit: Annotated[StrictInt, Field(ge=1, le=100)] = Field(
        default=1, description="`consensus`: most rounds of voting; the others vote once."
    )
    share: Annotated[Number, Field(gt=0.5, le=1)] = Field(
        default=1, description="`consensus`: the share of the debaters that must name the same answer."
    )


class ModeratorRules(Request):
    """Who moderates."""

    model: ModelName = Field(default="default", description="The model that finds the moderator's questions.")
    human: StrictBool = Field(
        default=False,
        description="Whether a person moderates: asks the format's questions by `POST …/turns`, and any others by "
        "`POST …/questions`.",
    )


class HumanRules(Request):
    """How long a person's words are waited for, and what becomes of the turn when they do not come."""

    seconds: Annotated[StrictInt, Field(ge=1, le=604_800)] = Field(
        default=600, description="From when the debate begins to wait for a turn."
    )
    then: Literal["model", "skip"] = Field(
        default="model", description="`model`: the person's own model speaks. `skip`: the turn stays empty."
    )


class Limits(Request):
    """What a debate may cost before it is ended."""

    seconds: Annotated[StrictInt, Field(ge=1, le=604_800)] | None = Field(
        default=None,
        description="Wall-clock seconds from when a worker takes it up; pauses do not count, nor does waiting for "
        "people.",
    )
    tokens: Annotated[StrictInt, Field(ge=1, le=100_000_000)] | None = Field(
        default=None, description="Prompt and generated tokens, failed attempts included."
    )


WebhookEvent = Literal["debate.started", "turn.taken", "turn.awaited", "verdict.given", "debate.ended"]


class WebhookRules(Request):
    """Who is told what happens to the debate. The address is kept, and shown to nobody."""

    url: Annotated[StrictStr, Field(max_length=2000, pattern=r"^https?://[!-~]+$")] = Field(
        description="Where messages are POSTed to: an address with https, without user, password and fragment."
    )
    events: Annotated[tuple[WebhookEvent, ...], Field(min_length=1, max_length=5)] = Field(
        default=("turn.awaited", "debate.ended"), description="What there are messages of."
    )


MetadataValue = StrictStr | StrictInt | StrictFloat | StrictBool


def _metadata(value: dict[str, MetadataValue]) -> dict[str, MetadataValue]:
    for item in value.values():
        if isinstance(item, str):
            if len(item) > 500:
                raise PydanticCustomError("metadata", "values are at most 500 characters long")
            plain_text(item)
        elif not abs(item) <= MAX_METADATA_NUMBER:  # NaN, too, is not
            raise PydanticCustomError("metadata", "numbers are finite and at most 2^53")
    return value


Metadata = Annotated[
    dict[Annotated[StrictStr, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")], MetadataValue],
    Field(max_length=16),
    AfterValidator(_metadata),
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
