"""A format: who speaks when, how long, under what rules. Data, not code: one file each in the format library.

A phase is *free*, its speakers found by an order that is repeated in rounds, or *fixed*, its slots written out. The
slots of a format name seats; who sits on a seat is known when debaters are given. Lengths are minutes, as people who
debate state them (`rostra.lengths` makes characters and tokens of them). What only several fields together can get
wrong is told by `rostra.formats.checking`.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field, StrictBool, StrictInt, StrictStr

from rostra.fields import Line, Number, Prose, Slug, Stored, not_empty, one_line, seen

# Who speaks without being a debater.
MODERATOR = "moderator"
AUDIENCE = "audience"

Label = Annotated[
    StrictStr,
    AfterValidator(one_line),
    AfterValidator(seen),
    AfterValidator(not_empty),
    Field(min_length=1, max_length=40),
]
Minutes = Annotated[Number, Field(gt=0, le=60)]


class Order(StrEnum):
    """How the speakers of a free phase are found."""

    ROUND_ROBIN = "round_robin"
    RANDOM = "random"
    AUTO = "auto"
    MANUAL = "manual"


Side = Literal["for", "against", "own"]
Kind = Literal["speech", "cross_examination", "crossfire", "question", "preparation"]
# What a speech is there for; models are told in their language (prompts/).
Task = Literal[
    "opening", "constructive", "extension", "exchange", "rebuttal", "summary", "closing", "answer", "revision"
]


class _Part(Stored):
    """Stored debates keep their formats, so fields that a later release added are passed over; where people send one
    they are refused (`extra="forbid"` when it is read)."""

    model_config = ConfigDict(json_schema_extra={"additionalProperties": False})


class Team(_Part):
    """Debaters who stand together."""

    name: Slug = Field(description="Unlike the other teams': what a debater's `team` names.")
    title: Annotated[Line, AfterValidator(seen), Field(max_length=40)] = Field(
        default="", description="What people call it; debaters without names are named after it."
    )
    side: Side = Field(default="own", description="For or against the motion, or on a side of its own.")
    seats: Annotated[tuple[Label, ...], Field(min_length=1, max_length=8)] = Field(
        description="The places of its speakers, in order: what slots name."
    )
    titles: Annotated[tuple[Label, ...], Field(max_length=8)] = Field(
        default=(), description="What people call those who sit there, seat by seat."
    )


class Points(_Part):
    """Points of information: short questions by the other side within a speech, which the speaker takes or declines."""

    most: Annotated[StrictInt, Field(ge=1, le=4)] = Field(default=1, description="How many are offered.")
    after: Annotated[Number, Field(ge=0, le=60)] = Field(default=1.0, description="Minutes into the speech.")
    until: Annotated[Number, Field(gt=0, le=60)] = Field(default=6.0, description="Minutes into the speech.")


class Speech(_Part):
    """A slot of a fixed phase: one speech, or an exchange of questions and answers."""

    name: Label = Field(description="Unlike all others of the format.")
    kind: Kind = Field(
        default="speech",
        description="`speech`: `speaker` speaks. `cross_examination`: `questioner` asks, `speaker` answers. "
        "`crossfire`: `speakers` ask each other in turn. `question`: `questioner` (`moderator` or `audience`) asks, "
        "`speakers` answer. "
        "`preparation`: `speaker` makes notes that only their team sees.",
    )
    speaker: Label | None = Field(default=None, description="A seat of one of the teams.")
    questioner: Label | None = Field(
        default=None,
        description="A seat of another side than the speaker's; in a `question` `moderator` or `audience`.",
    )
    speakers: Annotated[tuple[Label, ...], Field(max_length=16)] = Field(
        default=(), description="Seats; in a `crossfire` each asks the next, and the last one the first."
    )
    minutes: Minutes = Field(description="Of all its turns together, as people debate.")
    exchanges: Annotated[StrictInt, Field(ge=1, le=20)] | None = Field(
        default=None, description="Questions with their answers; as many as it has minutes when left out."
    )
    responds_to: Annotated[tuple[Label, ...], Field(max_length=16)] = Field(
        default=(), description="Names of earlier slots that it answers."
    )
    new_arguments: StrictBool = Field(default=True, description="Whether it may bring what was not said before.")
    points: Points | None = Field(default=None, description="In a `speech`: points of information that break into it.")
    task: Task | None = Field(default=None, description="What it is there for; the phase's when left out.")
    instruction: Annotated[Prose, Field(max_length=600)] = Field(
        default="", description="What the speaker is told besides, in the debate's language."
    )


class Phase(_Part):
    """A named part of a format: `order` and `rounds` make it free, `slots` fixed."""

    name: Slug = Field(description="Unlike the other phases': what the request's `phases` name.")
    title: Line = Field(default="", description="What people call it.")
    order: Order | None = Field(
        default=None,
        description="Of a free phase, in which every debater speaks once a round: as they were given (`round_robin`), "
        "drawn for each round (`random`), whom the model chooses (`auto`), or as the request's `speakers` lists "
        "(`manual`).",
    )
    rounds: Annotated[StrictInt, Field(ge=1, le=500)] = Field(
        default=1, description="How often the phase is gone through; in a free phase the request's `rounds` go before."
    )
    slots: Annotated[tuple[Speech, ...], Field(max_length=64)] = Field(
        default=(), description="Of a fixed phase, in the order in which they are spoken."
    )
    minutes: Minutes | None = Field(default=None, description="Of a turn of a free phase, as people debate.")
    simultaneous: StrictBool = Field(default=False, description="Nobody hears the others' turns of the same round.")
    anonymous: StrictBool = Field(default=False, description="Debaters hear what was said without names.")
    new_arguments: StrictBool = Field(default=True, description="Whether its turns may bring what was not said before.")
    until_agreed: StrictBool = Field(
        default=False, description="A vote is taken after each round, and the phase ends when the debaters agree."
    )
    announced: StrictBool = Field(default=False, description="The moderator says what comes now.")
    task: Task | None = Field(default=None, description="What its turns are there for, where slots say nothing else.")
    instruction: Annotated[Prose, Field(max_length=600)] = Field(
        default="",
        description="What its speakers are told besides, in the debate's language, where slots say nothing else.",
    )

    @property
    def heading(self) -> str:
        return self.title or self.name.replace("_", " ").replace("-", " ").capitalize()


class Format(_Part):
    """Who speaks when, how long, under what rules."""

    name: Slug = Field(default="inline", description="The library takes the file's name.")
    title: Line = Field(description="What people call it.")
    summary: Prose = Field(default="", description="In some sentences, what is special about it.")
    source: Line = Field(default="", description="Where its rules stand.")
    teams: Annotated[tuple[Team, ...], Field(max_length=8)] = Field(
        default=(), description="Two or more, where slots name seats; none, where any number of debaters can hold it."
    )
    phases: Annotated[tuple[Phase, ...], Field(min_length=1, max_length=32)] = Field(description="One after the other.")
    audience: Annotated[StrictInt, Field(ge=0, le=101)] = Field(
        default=0, description="How many vote before and after, where the request says nothing else."
    )
    decision: Literal["majority", "borda", "approval", "consensus"] | None = Field(
        default=None, description="How the debaters vote in the end, where the request says nothing else."
    )

    @property
    def is_free(self) -> bool:
        """Whether any number of debaters can hold it."""
        return not self.teams

    @property
    def has_helpers(self) -> bool:
        """Whether a moderator or the audience speaks in it."""
        asked = any(speech.kind == "question" for phase in self.phases for speech in phase.slots)
        return asked or any(phase.announced for phase in self.phases)

    def phase(self, name: str) -> Phase:
        """Raises: StopIteration where there is none of this name."""
        return next(phase for phase in self.phases if phase.name == name)

    def seats(self) -> Iterator[tuple[Team, str]]:
        """All seats with their teams, in order."""
        return ((team, seat) for team in self.teams for seat in team.seats)

    def team_of(self, seat: str) -> Team:
        """Raises: StopIteration where no team has the seat."""
        return next(team for team, each in self.seats() if each == seat)

    def are_opposed(self, one: Team, other: Team) -> bool:
        """Teams on the same side of the motion, like the two houses of a bench, are not."""
        return one.name != other.name and (one.side != other.side or one.side == "own")
