"""What the API answers with: what /openapi.json says of it, and what a client reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from rostra.doctor import Report
from rostra.endpoints import Dialect
from rostra.events import (
    AttemptFailed,
    BaselineGiven,
    DebateEnded,
    DebatePaused,
    DebateReleased,
    DebateResumed,
    PointDecided,
    QuestionFailed,
    QuestionPut,
    ReadingGiven,
    SpeakerChosen,
    TurnAwaited,
    TurnMissed,
    Usage,
    VerdictGiven,
    VoteCast,
)
from rostra.format import Format, Phase, Side, Team
from rostra.measures import DebateMeasures
from rostra.models import DebateRequest, ForkedFrom, Status
from rostra.outcomes import Baselines, JudgedView
from rostra.rules import (
    AudienceRules,
    DecisionRules,
    GuardRules,
    HumanRules,
    JudgeRules,
    Limits,
    MetadataValue,
    ModeratorRules,
    Strictness,
    TurnRules,
    WebhookEvent,
)
from rostra.votes import Decision, Swing


class View(BaseModel):
    """Something that is answered; all its fields are always there."""

    model_config = ConfigDict(frozen=True, json_schema_serialization_defaults_required=True)


# The transcript's, as their names end.
Form = Literal["json", "md", "html", "ndjson", "csv"]


class Links(View):
    """Where to go from a debate."""

    self: str
    events: str
    transcript: str
    exports: Mapping[Form, str] = Field(description="The transcript in each of its forms.")
    cancel: str
    pause: str
    resume: str
    turns: str
    questions: str
    fork: str


class DebaterView(View):
    """Who argues."""

    name: str
    stance: str
    persona: str
    team: str | None
    model: str
    sampling: dict[str, Any]
    human: bool


class Awaited(View):
    """The turn that a debate waits for."""

    seq: int
    debater: str = Field(description="Whose turn it is: a debater's name, or what the moderator is called.")
    until: AwareDatetime


class Spent(View):
    """Tokens spent, failed attempts included."""

    prompt_tokens: int
    completion_tokens: int


class WebhookView(View):
    """How far a debate's webhook is; not where it goes."""

    events: list[WebhookEvent]
    status: Literal["pending", "delivered", "failed"] = Field(
        description="`delivered`: the debate has ended and all was taken; `failed`: it was given up."
    )
    taken: int = Field(description="How many messages were taken.")
    last_error: str | None = Field(description="Why the next message was not taken yet, or why it was given up.")


class DebateView(View):
    """A debate as it stands."""

    id: str
    owner: str = Field(description="Whose it is: the owner of the key that it was begun with, or `local`.")
    status: Status
    reason: str = Field(description="Why it ended so; empty where the status says it all.")
    wish: Literal["cancel", "pause"] | None = Field(description="What was asked for and is not done yet.")
    awaits: Awaited | None = Field(description="Whose words it waits for; null unless its status is `waiting`.")
    motion: str
    language: str | None
    format: str
    debaters: list[DebaterView]
    turns_done: int
    turns_planned: int
    created_at: AwareDatetime
    started_at: AwareDatetime | None
    ended_at: AwareDatetime | None
    usage: Spent
    limits: Limits
    seed: int
    metadata: Mapping[str, MetadataValue]
    forked_from: ForkedFrom | None = Field(description="The debate whose turns it began with; null for most.")
    webhook: WebhookView | None = Field(description="How far its webhook is; null where it has none.")
    notes: list[str] = Field(description="What this version does not do with the request, in plain sentences.")
    links: Links


class DebateList(View):
    """Some debates, newest first."""

    data: list[DebateView]
    next_cursor: str | None = Field(description="For `after`, to get the next ones; null on the last page.")


class TeamView(View):
    """Debaters who stand together."""

    name: str
    title: str
    side: Side
    seats: list[str]


class FormatLinks(View):
    """Where to go from a format."""

    self: str
    picture: str
    json_schema: str = Field(description="What a format may hold, as JSON Schema.")


class FormatSummary(View):
    """A format in short."""

    name: str
    title: str
    summary: str
    teams: list[TeamView] = Field(description="None where any number of debaters can hold it.")
    seats: int
    turns: int | None = Field(
        description="With one debater on every seat, or two where it has none; null where the request says how many."
    )
    minutes: float | None = Field(description="Of all its slots, as people debate; null where it has none.")
    tokens: int | None = Field(description="What its turns come to at most, in English and with the default lengths.")
    links: FormatLinks


class FormatView(Format):
    """A format, whole. All but `turns`, `minutes`, `tokens`, `picture` and `links` is what a request can send."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    turns: int | None = Field(
        description="With one debater on every seat, or two where it has none; null where the request says how many."
    )
    minutes: float | None = Field(description="Of all its slots, as people debate; null where it has none.")
    tokens: int | None = Field(description="What its turns come to at most, in English and with the default lengths.")
    picture: str = Field(description="A line for each phase and each slot, with a bar as long as its minutes.")
    links: FormatLinks


class FormatList(View):
    """All formats, by name."""

    data: list[FormatSummary]


class ModelView(View):
    """A model that debaters can have."""

    name: str
    dialects: list[Dialect] = Field(description="The kinds of server that serve it.")
    sampling: list[str] = Field(description="The sampling options that all its servers can do.")
    context: int | None = Field(
        description="Context in tokens, the smallest of its servers'; null where a server is asked for it."
    )


class ModelList(View):
    """All models of this installation, by name."""

    data: list[ModelView]


class EndpointReport(Report):
    """What one of a model's servers can and cannot do for debates; not where it is."""

    number: int = Field(description="Its place in ROSTRA_MODELS, from 1.")


class ModelReport(View):
    """What the servers of a model can and cannot do, found out by asking them."""

    name: str
    checked_at: AwareDatetime
    data: list[EndpointReport]


class ReportAwaited(View):
    """The servers are being asked."""

    name: str
    status: Literal["asking"] = "asking"


class TurnView(View):
    """A turn and how it came about."""

    seq: int
    phase: str
    round: int
    debater: str
    chosen_by: str
    text: str
    attempts: int
    shortened: bool = Field(description="Something of what the model said was cut away.")
    faults: list[str] = Field(
        description="What the guard still found in it; the turn is the least bad of its attempts."
    )
    sampling: dict[str, Any]
    model: str
    fingerprint: str = Field(
        description="Which model spoke, as its server said: `sha256:` and the hash of the file where the server is "
        "Rostra's, others' `system_fingerprint` as it is; empty where nothing was said."
    )
    usage: Usage
    finish_reason: str
    started_at: AwareDatetime
    ended_at: AwareDatetime
    kind: str = Field(description="What is said in the slot: speech, question, answer, point, notes, announcement.")
    slot: str = Field(description="The format's slot; empty in free phases.")
    to: str | None = Field(description="Who is asked, or whose question is answered.")
    heard_by: str | None = Field(description="The team that alone heard it; null where all did.")
    questions_heard: int = Field(description="How many of `questions` had been put when it was spoken.")


class QuestionView(View):
    """What a human moderator asked between two turns."""

    after: int = Field(description="The turn behind which it stands; 0 before the first.")
    to: str | None = Field(description="Who is asked; null: whoever spoke next.")
    text: str
    at: AwareDatetime


class PlayedPhaseView(Phase):
    """A phase as it was played, with what is different in it."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    sampling: dict[str, Any] = Field(description="These options come before the debaters' own.")


class SettingsView(View):
    """All that is needed to hold the debate again."""

    forked_from: ForkedFrom | None
    format: str
    teams: list[Team]
    seats: dict[str, str] = Field(description="Who sits on each seat of the teams.")
    phases: list[PlayedPhaseView]
    speakers: list[str] | None
    language: str | None
    opening: str
    turn: TurnRules
    guard: Strictness | GuardRules | None
    judge: JudgeRules | None
    moderator: ModeratorRules | None
    humans: HumanRules
    audience: AudienceRules | None
    decision: DecisionRules | None
    baselines: bool
    limits: Limits
    seed: int
    metadata: Mapping[str, MetadataValue]
    request: DebateRequest = Field(description="What to POST for the same debate again; what is so anyway is left out.")


class TranscriptView(View):
    """What was said."""

    id: str
    status: Status
    reason: str
    complete: bool = Field(description="False as long as turns may follow.")
    motion: str
    debaters: list[DebaterView]
    settings: SettingsView
    turns: list[TurnView]
    questions: list[QuestionView] = Field(description="What a human moderator asked between the turns.")
    turns_planned: int
    usage: Usage
    verdict: JudgedView | None = Field(description="What the judges found, and their readings; null without judges.")
    audience: Swing | None = Field(description="How the audience moved; null where there is none.")
    decision: Decision | None = Field(description="What the debaters decided; null where they did not vote.")
    baselines: Baselines | None = Field(description="What there was to be had without a debate, where it was asked.")
    measures: DebateMeasures | None = Field(description="The debate's figures; null until it has ended.")


# ── what happens to a debate, as it is told ─────────────────────────────────────────────────────────────


class HeadView(View):
    """What a debate is, before anything was said."""

    id: str
    motion: str
    debaters: list[DebaterView]
    settings: SettingsView
    turns_planned: int


class CreatedView(View):
    """The debate was accepted: the first event of each."""

    v: int
    at: AwareDatetime
    type: Literal["debate_created"]
    forked_from: ForkedFrom | None
    debate: HeadView


class ClaimedView(View):
    """A worker took the debate up."""

    v: int
    at: AwareDatetime
    type: Literal["debate_claimed"]
    fence: int
    rostra: str = Field(description="The worker's version; empty where it was not recorded.")


class TakenView(TurnView):
    """A turn, as the transcript has it."""

    v: int
    at: AwareDatetime
    type: Literal["turn_taken"]


class GivenView(View):
    """A person gave the words of a turn, which come with it."""

    v: int
    at: AwareDatetime
    type: Literal["turn_given"]
    seq: int
    debater: str


class WordsView(View):
    """Some words of an attempt while it is spoken; the `delta` of a stream."""

    seq: int
    attempt: int
    debater: str
    text: str
    whole: bool = Field(False, description="Whether it is all that was said so far, in place of what was heard of it.")


class EndView(View):
    """Nothing will follow; the `end` of a stream."""

    status: Status
    reason: str


# All but what only a later release knows of. Debaters and sides go by the names that people gave.
TOLD: tuple[type[BaseModel], ...] = (
    CreatedView,
    ClaimedView,
    SpeakerChosen,
    PointDecided,
    TurnAwaited,
    GivenView,
    TurnMissed,
    TakenView,
    QuestionPut,
    AttemptFailed,
    QuestionFailed,
    ReadingGiven,
    VerdictGiven,
    VoteCast,
    BaselineGiven,
    DebateReleased,
    DebatePaused,
    DebateResumed,
    DebateEnded,
    WordsView,
    EndView,
)


class WebhookSecret(View):
    """What the receivers of an owner's webhooks verify their messages with."""

    secret: str = Field(description="`whsec_…`, as the libraries of standardwebhooks.com take it.")


class Alive(View):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Ready(View):
    """Debates can be held."""

    status: Literal["ready"] = "ready"
    workers: int
