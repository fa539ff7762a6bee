"""A fork is played on as the debate that it came from was, by a model whose answer follows from what it is asked."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import pytest

from builders import A_FORMAT, a_debate, a_turn, claimed
from judges import asked, is_question, says
from playing import course, played
from rostra.events import Recorded, VoteCast
from rostra.forking import carried, changed, request_of
from rostra.formats import library
from rostra.models import Debate, DebateRequest, ForkedFrom, Status, debate_from
from rostra.outcomes import audience
from rostra.store import Claim, Store
from rostra.transcript import Course
from rostra.votes import STANDS
from rostra_orchestrator.settings import Settings
from scripted import Answer, Says, ScriptedModel

WORDS = (
    *("width", "bytes", "screens", "readers", "habits", "editors", "diffs", "teams"),
    *("tools", "lines", "margins", "styles", "files", "tastes", "rules", "eyes"),
)
NAMES = [{"name": name} for name in ("Ada", "Grace", "Linus")]


@pytest.fixture(autouse=True)
def patient(settings: Settings) -> None:
    """On a busy machine a second between two words is no silence."""
    settings.model_first_token_seconds = settings.model_next_token_seconds = 60


def number(body: dict[str, Any]) -> int:
    """What is asked and with which options, but for the name of the debate, as one number."""
    told = {name: value for name, value in body.items() if name != "prompt_cache_key"}
    return int.from_bytes(hashlib.sha256(json.dumps(told, sort_keys=True).encode()).digest()[:16])


def follows(body: dict[str, Any]) -> Answer:
    """The same answer to the same question: a name, yes or no, a vote, and turns of which some must be asked again."""
    drawn = number(body)
    if is_question(body, "vote"):
        options = STANDS if "undecided" in asked(body) else "ABC"
        return says({"reason": f"Reason {drawn}.", "vote": options[drawn % 3]})
    if body["max_tokens"] == 24:
        return Says(("Ada", "Grace", "Linus", "Yes", "No")[drawn % 5])
    if drawn % 4 == 0:
        return Says("")
    said = " ".join(WORDS[drawn // 16**n % len(WORDS)] for n in range(8))
    return Says(f"Consider {said} {drawn % 1000}.", usage={"prompt_tokens": 100, "completion_tokens": 10})


async def forked(
    store: Store, original: Debate, after_turn: int, changes: dict[str, Any] | None = None
) -> tuple[Debate, Sequence[Recorded]]:
    """A fork that is stored, and the events of the original."""
    request = DebateRequest.model_validate_json(json.dumps(changed(request_of(original), changes or {})))
    debate_format = library()[request.format] if isinstance(request.format, str) else request.format
    debate = debate_from(request, debate_format)
    debate = debate.model_copy(update={"forked_from": ForkedFrom(id=original.id, after_turn=after_turn)})
    events = await store.events(original.id)
    await store.create(debate, carried=carried(events, after_turn, original, debate))
    return debate, events


async def played_on(store: Store, settings: Settings, debate: Debate) -> Course:
    claim = await store.claim(debate.id, "worker:2")
    assert isinstance(claim, Claim)
    await played(store, settings, claim)
    return await course(store, debate)


def spoken(course: Course) -> list[tuple[Any, ...]]:
    return [(t.seq, t.debater, t.chosen_by, t.text, t.attempts, t.faults, dict(t.sampling)) for t in course.turns]


def asked_again(course: Course) -> list[tuple[Any, ...]]:
    return [(f.seq, f.attempt, f.reason, f.remedies, f.text) for f in course.failed_attempts]


class TestTheSameAgain:
    @pytest.mark.parametrize(
        "fields",
        [
            {"rounds": 4},
            {"format": "random", "rounds": 3, "debaters": NAMES},
            {"format": "auto", "rounds": 3, "debaters": NAMES},
            {"format": A_FORMAT},
            {"format": "council", "debaters": NAMES, "rounds": 3},
            {"rounds": 2, "audience": {"size": 3}},
        ],
        ids=lambda fields: str(fields.get("format", "round_robin"))[:20],
    )
    async def test_with_nothing_changed_it_says_the_same(
        self, store: Store, settings: Settings, model: ScriptedModel, fields: dict[str, Any]
    ):
        model.script = follows
        original = a_debate(**fields)
        await played(store, settings, await claimed(store, original))
        ended = await course(store, original)
        assert len(ended.turns) > 3
        for after_turn in (0, 1, len(ended.turns) // 2, len(ended.turns)):
            fork, _ = await forked(store, original, after_turn)
            again = await played_on(store, settings, fork)
            assert (again.status, again.reason) == (ended.status, ended.reason)
            assert spoken(again) == spoken(ended)
            assert asked_again(again) == asked_again(ended)
            assert [(p.seq, p.taken) for p in again.points] == [(p.seq, p.taken) for p in ended.points]
            assert [v.ballot for v in again.outcomes.votes("before", "after", "decision")] == [
                v.ballot for v in ended.outcomes.votes("before", "after", "decision")
            ]

    async def test_something_had_to_be_asked_again(self, store: Store, settings: Settings, model: ScriptedModel):
        model.script = follows
        original = a_debate(rounds=4)
        await played(store, settings, await claimed(store, original))
        assert (await course(store, original)).failed_attempts

    async def test_with_another_seed_it_goes_on_differently(
        self, store: Store, settings: Settings, model: ScriptedModel
    ):
        model.script = follows
        original = a_debate(rounds=4)
        await played(store, settings, await claimed(store, original))
        ended = await course(store, original)
        fork, _ = await forked(store, original, 4, {"seed": 41})
        again = await played_on(store, settings, fork)
        assert spoken(again)[:4] == spoken(ended)[:4]
        assert all(mine.text != theirs.text for mine, theirs in zip(again.turns[4:], ended.turns[4:], strict=True))


class TestPlayingOn:
    async def test_what_was_said_is_heard_under_the_new_names(
        self, store: Store, settings: Settings, model: ScriptedModel
    ):
        claim = await claimed(store, a_debate(rounds=2, opening="Begin."))
        await store.append(claim, a_turn(1, "d1", "Tabs are one byte."))
        fork, _ = await forked(store, claim.debate, 1, {"debaters": [{"name": "Barbara"}, {"name": "Grace"}]})
        await played_on(store, settings, fork)
        heard = model.requests[0]["messages"][-1]["content"]
        assert "Moderator: Begin.\nBarbara: Tabs are one byte.\n\n" in heard

    async def test_only_what_it_spends_itself_is_counted(self, store: Store, settings: Settings, model: ScriptedModel):
        model.script = follows
        original = a_debate(rounds=3)
        await played(store, settings, await claimed(store, original))
        before = await store.get(original.id)
        fork, _ = await forked(store, original, 5)
        again = await played_on(store, settings, fork)
        record = await store.get(fork.id)
        assert 0 < again.tokens == record.usage.total < before.usage.total
        assert sum(turn.usage.total for turn in again.turns[:5]) + again.tokens >= before.usage.total - 1000

    async def test_limits_are_those_of_the_fork(self, store: Store, settings: Settings):
        claim = await claimed(store, a_debate(rounds=3, limits={"tokens": 500}))
        for seq in range(1, 5):
            await store.append(claim, a_turn(seq, f"d{2 - seq % 2}", usage={"prompt_tokens": 1000}))
        fork, _ = await forked(store, claim.debate, 4)
        again = await played_on(store, settings, fork)
        assert (again.status, len(again.turns)) == (Status.COMPLETED, 6)

    async def test_it_is_taken_over_like_any_other(self, store: Store, settings: Settings, model: ScriptedModel):
        claim = await claimed(store, a_debate(rounds=2))
        await store.append(claim, a_turn(1, "d1"))
        fork, _ = await forked(store, claim.debate, 1)
        first = await store.claim(fork.id, "worker:3")
        assert isinstance(first, Claim)
        await store.append(first, a_turn(2, "d2", "A turn of its own."))
        await store.release(first, "the worker was stopped")
        again = await played_on(store, settings, fork)
        assert [turn.text for turn in again.turns[:2]] == ["Point 1.", "A turn of its own."]
        assert (again.status, len(again.turns)) == (Status.COMPLETED, 4)

    async def test_all_turns_can_be_judged_anew(self, store: Store, settings: Settings, model: ScriptedModel):
        model.script = follows
        original = a_debate(rounds=1)
        await played(store, settings, await claimed(store, original))
        before = len(model.requests)
        fork, _ = await forked(store, original, 2, {"judge": {"panel": 1}})
        again = await played_on(store, settings, fork)
        assert again.outcomes.verdict is not None
        assert all(is_question(body, "winner") for body in model.requests[before:])


class TestAnAudience:
    async def test_who_has_voted_does_not_vote_again(self, store: Store, settings: Settings, model: ScriptedModel):
        model.script = follows
        original = a_debate(rounds=1, audience={"size": 2})
        await played(store, settings, await claimed(store, original))
        fork, events = await forked(store, original, 1)
        again = await played_on(store, settings, fork)
        before = [r.event for r in events if isinstance(r.event, VoteCast) and r.event.moment == "before"]
        assert list(again.outcomes.votes("before")) == before

    async def test_one_that_joins_later_votes_on_the_motion_before_it_hears_more(
        self, store: Store, settings: Settings, model: ScriptedModel
    ):
        model.script = follows
        claim = await claimed(store, a_debate(rounds=1))
        await store.append(claim, a_turn(1, "d1", "Tabs are one byte."))
        fork, _ = await forked(store, claim.debate, 1, {"audience": {"size": 2}})
        again = await played_on(store, settings, fork)
        assert [is_question(body, "vote") for body in model.requests[:3]] == [True, True, False]
        assert all("Tabs are one byte." not in str(body["messages"]) for body in model.requests[:2])
        moved = audience(again.outcomes)
        assert moved is not None
        assert (moved.counted, moved.failed) == (2, 0)
