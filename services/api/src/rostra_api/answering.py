"""Debates, formats and models as they are answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from rostra.agenda import turns_planned
from rostra.endpoints import Endpoint, able
from rostra.format import Format, Order
from rostra.formats.timeline import picture
from rostra.keys import LOCAL
from rostra.lengths import tokens_of_all
from rostra.models import (
    Debate,
    DebateRequest,
    debate_from,
)
from rostra.store import Delivery, Page, Record
from rostra.views import (
    Awaited,
    DebateList,
    DebaterView,
    DebateView,
    Form,
    FormatLinks,
    FormatSummary,
    FormatView,
    Links,
    ModelView,
    Spent,
    TeamView,
    WebhookView,
)


def debate_view(record: Record) -> DebateView:
    debate = record.debate
    return DebateView(
        id=debate.id,
        owner=record.owner or LOCAL,
        status=record.status,
        reason=record.reason,
        wish=record.wish or None,
        awaits=_awaits(record),
        motion=debate.motion,
        language=debate.language,
        format=debate.format.name,
        debaters=_debaters(debate),
        turns_done=record.turns_done,
        turns_planned=record.turns_planned,
        created_at=debate.created_at,
        started_at=record.started_at,
        ended_at=record.ended_at,
        usage=Spent(prompt_tokens=record.usage.prompt_tokens, completion_tokens=record.usage.completion_tokens),
        limits=debate.limits,
        seed=debate.seed,
        metadata=debate.metadata,
        forked_from=debate.forked_from,
        webhook=_webhook(record),
        notes=[],
        links=_links(debate.id),
    )


def _awaits(record: Record) -> Awaited | None:
    if (awaits := record.awaits) is None:
        return None
    return Awaited(seq=awaits.seq, debater=record.debate.names[awaits.debater], until=awaits.until)


def _webhook(record: Record) -> WebhookView | None:
    rules, delivery = record.debate.webhook, record.delivery or Delivery()
    if rules is None:
        return None
    return WebhookView(
        events=list(rules.events),
        status=delivery.status,
        taken=delivery.taken,
        last_error=delivery.error or None,
    )


def list_view(page: Page) -> DebateList:
    return DebateList(data=[debate_view(record) for record in page.records], next_cursor=page.next_cursor)


def format_summary(debate_format: Format) -> FormatSummary:
    return FormatSummary(
        name=debate_format.name,
        title=debate_format.title,
        summary=debate_format.summary,
        teams=[
            TeamView(name=team.name, title=team.title, side=team.side, seats=list(team.seats))
            for team in debate_format.teams
        ],
        seats=len(list(debate_format.seats())),
        links=_format_links(debate_format.name),
        **_size(debate_format),
    )


def format_view(debate_format: Format) -> FormatView:
    return FormatView(
        **dict(debate_format),
        picture=picture(debate_format),
        links=_format_links(debate_format.name),
        **_size(debate_format),
    )


def _format_links(name: str) -> FormatLinks:
    path = f"/v1/formats/{name}"
    return FormatLinks(self=path, picture=f"{path}.svg", json_schema="/v1/schemas/format")


def _size(debate_format: Format) -> Mapping[str, Any]:
    """What a debate in it comes to when the request says nothing else."""
    timed = [speech.minutes for phase in debate_format.phases for speech in phase.slots for _ in range(phase.rounds)]
    minutes = sum(timed) if timed else None
    if any(phase.order is Order.MANUAL for phase in debate_format.phases):
        return {"turns": None, "minutes": minutes, "tokens": None}
    debate = debate_from(DebateRequest(motion="-", language="en", seed=0), debate_format)
    return {"turns": turns_planned(debate), "minutes": minutes, "tokens": tokens_of_all(debate)}


def model_view(name: str, endpoints: Sequence[Endpoint]) -> ModelView:
    return ModelView(
        name=name,
        dialects=sorted({endpoint.dialect for endpoint in endpoints}),
        sampling=sorted(able(endpoints)),
        context=_smallest([endpoint.context for endpoint in endpoints]),
    )


def _smallest(contexts: Sequence[int | None]) -> int | None:
    """None where one is not known."""
    known = [context for context in contexts if context is not None]
    return min(known) if len(known) == len(contexts) else None


def path_of(debate_id: str) -> str:
    return f"/v1/debates/{debate_id}"


def _debaters(debate: Debate) -> list[DebaterView]:
    return [
        DebaterView(
            name=d.name,
            stance=d.stance,
            persona=d.persona,
            team=d.team or None,
            model=d.model,
            sampling=d.sampling.given(),
            human=d.human,
        )
        for d in debate.debaters
    ]


def _links(debate_id: str) -> Links:
    path = path_of(debate_id)
    return Links(
        self=path,
        events=f"{path}/events",
        transcript=f"{path}/transcript",
        exports={form: f"{path}/transcript.{form}" for form in get_args(Form)},
        cancel=f"{path}/cancel",
        pause=f"{path}/pause",
        resume=f"{path}/resume",
        turns=f"{path}/turns",
        questions=f"{path}/questions",
        fork=f"{path}/fork",
    )
