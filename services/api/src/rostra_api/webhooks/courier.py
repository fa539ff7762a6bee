"""One debate's messages, in their order: each is sent until it is taken, and then noted as done."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence

import structlog

from rostra.events import DebateEnded, Recorded
from rostra.rules import WebhookRules
from rostra.store import Delivery, Record, Store
from rostra.store.webhooks import Webhooks
from rostra_api.webhooks.addresses import Receiver
from rostra_api.webhooks.messages import Message, message
from rostra_api.webhooks.sending import NotSent, Sender
from rostra_api.webhooks.signing import Secrets

MINUTE, HOUR = 60.0, 3600.0
# The pauses between tries that the rules give as an example: three days and three hours in all.
SCHEDULE = (5.0, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR)
# By so much of a pause it may be longer: receivers that were away together are not called together.
_JITTER = 0.2
# So long nobody else takes up what a deliverer has; it is prolonged with each message, which takes 15 s at most.
HOLD_SECONDS = 60.0
_PAGE = 100
_GONE = 410

log = structlog.stdlib.get_logger(__name__)


class _NotTaken(Exception):
    """The message has to be sent again, unless it is `for_good`."""

    def __init__(self, why: str, *, for_good: bool = False) -> None:
        super().__init__(why)
        self.for_good = for_good


class Courier:
    """Brings a debate's messages to its receiver."""

    def __init__(
        self,
        store: Store,
        webhooks: Webhooks,
        sender: Sender,
        secrets: Secrets,
        *,
        schedule: Sequence[float] = SCHEDULE,
        hold: float = HOLD_SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._webhooks = webhooks
        self._sender = sender
        self._secrets = secrets
        self._schedule = schedule
        self._hold = hold
        self._clock = clock

    async def deliver(self, record: Record, rules: WebhookRules, delivery: Delivery, to: Receiver) -> None:
        """Brings what there is to be brought, until nothing is left or something is not taken."""
        debate_id, done, tries = record.debate.id, delivery.cursor, delivery.tries
        while True:
            events = await self._store.events(debate_id, done, _PAGE)
            for recorded in events:
                try:
                    taken = await self._tell(record, rules, to, recorded)
                except _NotTaken as error:
                    await self.put_back(debate_id, done, tries + 1, str(error), for_good=error.for_good)
                    return
                if not await self._webhooks.move(debate_id, done, recorded.id, taken=taken, seconds=self._hold):
                    return  # another deliverer took it for dead
                done, tries = recorded.id, 0 if taken else tries
                if isinstance(recorded.event, DebateEnded):
                    await self._webhooks.rest(debate_id, done, ended=True)
                    return
            if not events and await self._webhooks.rest(debate_id, done):
                return

    async def put_back(self, debate_id: str, done: str, tries: int, why: str, *, for_good: bool = False) -> None:
        """Lets the next message be tried again when it is time, or gives the webhook up."""
        pause = None if for_good or tries > len(self._schedule) else self._schedule[tries - 1]
        if pause is None:
            log.error("webhook given up", tries=tries, why=why)
        else:
            pause *= 1 + _JITTER * random.random()
            log.warning("message not taken", tries=tries, why=why, again_in_seconds=round(pause))
        await self._webhooks.note_failure(debate_id, done, tries, why, pause)

    async def _tell(self, record: Record, rules: WebhookRules, to: Receiver, recorded: Recorded) -> bool:
        """Sends the message that the event makes, if it makes one that is wanted. Raises: _NotTaken."""
        told = message(record.debate, recorded)
        if told is None or told.type not in rules.events:
            return False
        await self._send(record.owner, to, told)
        log.info("message taken", type=told.type, message=told.id)
        return True

    async def _send(self, owner: str, to: Receiver, told: Message) -> None:
        """Raises: _NotTaken."""
        headers = self._secrets.headers(owner, told.id, told.body, self._clock())
        try:
            status = await self._sender.send(to, headers, told.body)
        except NotSent as error:
            raise _NotTaken(str(error)) from None
        if not 200 <= status < 300:
            raise _NotTaken(f"it answered {status}", for_good=status == _GONE)
