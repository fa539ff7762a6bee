"""What docs/webhooks.md says of messages is so, and its receiver takes what Rostra sends."""

from __future__ import annotations

import json
import re
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

from builders import a_debate, a_turn
from rostra.events import DebateClaimed, DebateEnded, Recorded, TurnAwaited, VerdictGiven
from rostra.models import Status
from rostra.rules import WebhookEvent, WebhookRules
from rostra.verdicts import Verdict
from rostra_api.webhooks.courier import SCHEDULE
from rostra_api.webhooks.messages import message
from rostra_api.webhooks.signing import Secrets

DOCUMENT = (Path(__file__).parents[2] / "docs/webhooks.md").read_text(encoding="utf-8")
EVENTS = [
    DebateClaimed(fence=1, process="worker:1"),
    a_turn(1),
    TurnAwaited(seq=2, debater="d2", until=datetime.now(UTC)),
    VerdictGiven(verdict=Verdict(outcome="no_verdict")),
    DebateEnded(status=Status.COMPLETED),
]


def block(language: str) -> str:
    return re.findall(rf"```{language}\n(.*?)```", DOCUMENT, re.DOTALL)[0]


def said(number: int) -> dict[str, Any]:
    told = message(a_debate(), Recorded(id=f"{number}-0", event=EVENTS[number]))
    assert told
    return json.loads(told.body)


def test_each_event_is_described_with_what_its_message_says():
    rows = re.findall(r"^\| `(\w+\.\w+)` \| [^|]+ \| ([^|]+) \|$", DOCUMENT, re.MULTILINE)
    always = {"debate", "event", "metadata", "links"}
    described = {kind: set(re.findall(r"`(\w+)`", fields)) for kind, fields in rows}
    assert described == {body["type"]: body["data"].keys() - always for body in map(said, range(len(EVENTS)))}
    assert described.keys() == set(get_args(WebhookEvent))


def test_the_message_that_is_shown_is_one():
    shown, sent = json.loads(block("json")), said(4)
    assert shown.keys() == sent.keys()
    assert list(shown["data"]) == list(sent["data"])


def test_what_is_told_of_when_nothing_is_said_is_described():
    assert f"left out, it is {' and '.join(f'`{one}`' for one in WebhookRules(url='https://a.b').events)}" in DOCUMENT


def test_the_pauses_are_the_described_ones():
    told = "after 5 seconds, 5 and 30 minutes, 2, 5, 10, 14, 20 and 24 hours"
    assert told in DOCUMENT
    minutes, hours = (300.0, 1800.0), tuple(hour * 3600.0 for hour in (2, 5, 10, 14, 20, 24))
    assert (5.0, *minutes, *hours) == SCHEDULE


def test_the_receiver_takes_a_message_once_and_no_forged_one(capsys: Any):
    secrets = Secrets(["s" * 40])
    receiver: dict[str, Any] = {}
    exec(block("python").replace("whsec_…", secrets.of("ada")), receiver)
    told = message(a_debate(), Recorded(id="9-1", event=EVENTS[4]))
    assert told
    headers = secrets.headers("ada", told.id, told.body, time.time())
    take = receiver["take"]
    assert [take(told.body.encode(), headers), take(told.body.encode(), headers)] == [204, 204]
    assert capsys.readouterr().out.count("debate.ended") == 1
    assert take(told.body.replace("completed", "cancelled").encode(), headers) == 401
