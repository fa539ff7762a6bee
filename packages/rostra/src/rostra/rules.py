"""What a debate's request may say of how it is held: sampling, lengths, guard, judges, people, limits."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StrictBool, StrictFloat, StrictInt, StrictStr
from pydantic_core import PydanticCustomError

from rostra.fields import ModelName, Number, Request, plain_text

MAX_SEED = 2**31 - 1
# Beyond it whole numbers differ between JSON readers (RFC 8259, section 6).
MAX_METADATA_NUMBER = 2**53


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


class TurnRules(Request):
    """How long a turn may be."""

    max_characters: Annotated[StrictInt, Field(ge=10, le=20_000)] | None = Field(
        default=None,
        description="Longest turn, in characters as a reader counts them (grapheme clusters). In a format with minutes "
        "it is the longest speech, and the others are as much shorter as they have fewer minutes.",
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
        "people, or for a worker.",
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
