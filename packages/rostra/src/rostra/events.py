"""What happened to a debate, in the past tense. A debate is its events.

Every event is one entry of the debate's stream in Redis. A turn stands at id `{seq}-0`; what happened
between two turns stands behind the earlier one (`{seq}-1`, `{seq}-2`, …), so the stream's own order is
the debate's order. Unknown fields are passed over, so that an older release can read a newer one's events.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, AwareDatetime, Field, TypeAdapter, ValidationError

from rostra.fields import Stored
from rostra.models import ForkedFrom, Status
from rostra.sides import SideKey
from rostra.verdicts import Reading, Verdict


def _now() -> datetime:
    return datetime.now(UTC)


Counted = Literal["endpoint", "tokenizer", "estimate"]
_EXACTNESS: tuple[Counted, ...] = ("estimate", "tokenizer", "endpoint")


class Usage(Stored):
    """What a generation cost, in tokens.

    `counted_by` says who counted: the endpoint in its answer (`endpoint`), or Rostra with the endpoint's
    tokenizer because the answer carried no usage (`tokenizer`), or from the number of characters when there
    is no tokenizer either (`estimate`).
    """

    prompt_tokens: int = 0
    completion_tokens: int = 0
    counted_by: Counted = "endpoint"

    @property
    def total(self) -> int:
        return self.prompt_tokens + self.completion_tokens

    def __add__(self, other: Usage) -> Usage:
        """Both; counted as inexactly as the less exact one that is not nothing."""
        counted: list[Counted] = [usage.counted_by for usage in (self, other) if usage.total]
        return Usage(
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
            counted_by=min(counted or [self.counted_by], key=_EXACTNESS.index),
        )


class _Event(Stored):
    v: int = 1
    at: AwareDatetime = Field(default_factory=_now)


class DebateCreated(_Event):
    """The debate was accepted and stored. In a fork the other debate's turns follow, as they were there."""

    type: Literal["debate_created"] = "debate_created"
    forked_from: ForkedFrom | None = None


class DebateClaimed(_Event):
    """A worker took the debate up; from here on only events under this fence are accepted.

    Version 1 called the process `owner`, which everywhere else is whose key a debate was begun with.
    """

    type: Literal["debate_claimed"] = "debate_claimed"
    v: int = 2
    fence: int
    process: str = Field(validation_alias=AliasChoices("process", "owner"))
    rostra: str = ""  # the worker's version


# The `finish_reason` of a turn whose words no model was asked for: a script's, a person's, or nobody's.
SCRIPTED = "scripted"
HUMAN = "human"
SKIPPED = "skipped"


class TurnTaken(_Event):
    """A slot was spoken: its text and how it came about."""

    type: Literal["turn_taken"] = "turn_taken"
    seq: int = Field(ge=1)
    phase: str
    round: int
    debater: str  # id
    chosen_by: Literal["format", "model", "fallback"] = "format"
    text: str
    attempts: int = 1
    shortened: bool = False
    faults: tuple[str, ...] = ()  # what the guard still found: the turn is the least bad of its attempts
    sampling: Mapping[str, Any] = {}
    model: str = ""
    fingerprint: str = ""  # which model spoke, as its server says: `sha256:…` of the file where it is Rostra's
    usage: Usage = Usage()
    finish_reason: str = "stop"
    started_at: AwareDatetime
    ended_at: AwareDatetime
    questions_heard: int = 0  # of a human moderator's, so many had been put when it was spoken

    @property
    def is_spoken(self) -> bool:
        """Whether there is anything to hear."""
        return self.finish_reason != SKIPPED


class SpeakerChosen(_Event):
    """It was found out who speaks in a slot whose format leaves it open."""

    type: Literal["speaker_chosen"] = "speaker_chosen"
    seq: int
    debater: str  # id
    chosen_by: Literal["model", "fallback"]
    usage: Usage = Usage()


class PointDecided(_Event):
    """A speaker took a point of information, or declined it; it stands in the slot `seq`."""

    type: Literal["point_decided"] = "point_decided"
    seq: int
    debater: str  # id of the speaker who decided
    taken: bool
    chosen_by: Literal["model", "fallback"]
    usage: Usage = Usage()


class TurnAwaited(_Event):
    """A person's turn came up: the debate waits for the words, without a worker."""

    type: Literal["turn_awaited"] = "turn_awaited"
    seq: int
    debater: str  # id, or `moderator`
    until: AwareDatetime


class TurnGiven(_Event):
    """A person gave the words of the turn that was waited for; the next worker takes the turn."""

    type: Literal["turn_given"] = "turn_given"
    seq: int
    debater: str
    text: str


class TurnMissed(_Event):
    """Nobody gave the words in time; the next worker has a model speak, or skips the turn."""

    type: Literal["turn_missed"] = "turn_missed"
    seq: int
    debater: str


class QuestionPut(_Event):
    """The human moderator asked something, after the turn `seq`."""

    type: Literal["question_put"] = "question_put"
    seq: int  # 0 before the first turn
    text: str
    to: str | None = None  # id


class AttemptFailed(_Event):
    """A generation did not become a turn; the slot is tried again or the debate fails."""

    type: Literal["attempt_failed"] = "attempt_failed"
    seq: int
    attempt: int
    debater: str
    reason: str
    faults: tuple[str, ...] = ()  # all that the guard found, the worst first, which is the reason
    remedies: tuple[str, ...] = ()  # what the attempt was made with, after those before it
    detail: str = ""
    text: str = ""
    usage: Usage = Usage()


class QuestionFailed(_Event):
    """What a judge, a voter or a baseline was asked was not answered as it must be; it is asked again, or given up."""

    type: Literal["question_failed"] = "question_failed"
    question: str  # `judge 2, reading 1`
    ask: int
    reason: str
    detail: str = ""
    text: str = ""
    model: str = ""
    usage: Usage = Usage()


class _Answer(_Event):
    """What came of something that was asked beside the turns."""

    model: str = ""
    failed: str = ""  # why it is no answer; empty where it is one
    asks: int = 1
    usage: Usage = Usage()


class ReadingGiven(_Answer, Reading):
    """A judge has read the debate, or failed to."""

    type: Literal["reading_given"] = "reading_given"

    @property
    def question(self) -> str:
        return f"judge {self.judge}, reading {self.reading}"


class VerdictGiven(_Event):
    """The judges' readings were made a verdict; it may be `no_verdict`."""

    type: Literal["verdict_given"] = "verdict_given"
    verdict: Verdict


class VoteCast(_Answer):
    """Somebody has voted, or failed to: one of the audience, by number, or a debater.

    An audience's ballot is `for`, `against` or `undecided`; a debater's names those whose answers it is for, in order.
    """

    type: Literal["vote_cast"] = "vote_cast"
    voter: SideKey
    moment: Literal["before", "after", "decision"]
    round: int = 1
    ballot: tuple[SideKey, ...] = ()
    reason: str = ""
    persona: str = ""

    @property
    def question(self) -> str:
        return f"{self.moment} {self.round}, voter {self.voter}"


class BaselineGiven(_Answer):
    """What the model says to the motion without a debate: a single answer, or one of several that are counted."""

    type: Literal["baseline_given"] = "baseline_given"
    kind: Literal["single", "vote"]
    number: int = 1
    answer: Literal["for", "against"] | None = None
    text: str = ""

    @property
    def question(self) -> str:
        return f"baseline {self.kind} {self.number}"


class DebateReleased(_Event):
    """The worker gave the debate back unfinished, for another to go on."""

    type: Literal["debate_released"] = "debate_released"
    reason: str


class DebatePaused(_Event):
    """The debate stands still until someone resumes it."""

    type: Literal["debate_paused"] = "debate_paused"


class DebateResumed(_Event):
    """A paused debate waits for a worker again."""

    type: Literal["debate_resumed"] = "debate_resumed"


class DebateEnded(_Event):
    """The last event of every debate."""

    type: Literal["debate_ended"] = "debate_ended"
    status: Status
    reason: str = ""


class NewerEvent(_Event):
    """Something that only a newer release knows of: read, and passed over."""

    type: str


KnownEvent = Annotated[
    DebateCreated
    | DebateClaimed
    | SpeakerChosen
    | PointDecided
    | TurnTaken
    | TurnAwaited
    | TurnGiven
    | TurnMissed
    | QuestionPut
    | AttemptFailed
    | QuestionFailed
    | ReadingGiven
    | VerdictGiven
    | VoteCast
    | BaselineGiven
    | DebateReleased
    | DebatePaused
    | DebateResumed
    | DebateEnded,
    Field(discriminator="type"),
]

Event = KnownEvent | NewerEvent

# An answer to something that was asked beside the turns.
Answered = ReadingGiven | VoteCast | BaselineGiven

_adapter: TypeAdapter[KnownEvent] = TypeAdapter(KnownEvent)


class Recorded(Stored):
    """An event and where it stands in its debate's stream."""

    id: str  # "{seq}-{n}"
    event: Event  # a NewerEvent only where it was read


class Delta(Stored):
    """Some words of an attempt while it is spoken. Not durable: it expires, and only the turn counts."""

    id: str
    seq: int
    attempt: int
    fence: int
    debater: str
    text: str

    def behind(self, before: Delta | None) -> Delta:
        """With the words `before`, where they are of the same attempt."""
        if before is None or (before.fence, before.seq, before.attempt) != (self.fence, self.seq, self.attempt):
            return self
        return self.model_copy(update={"text": before.text + self.text})


def encode(event: Event) -> str:
    return event.model_dump_json()


def decode(data: str | bytes) -> Event:
    try:
        return _adapter.validate_json(data)
    except ValidationError as error:
        if error.errors()[0]["type"] == "union_tag_invalid":
            return NewerEvent.model_validate_json(data)
        raise
