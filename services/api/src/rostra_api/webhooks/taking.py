"""Which webhooks are taken, told when a debate is begun."""

from __future__ import annotations

from rostra.rules import WebhookRules
from rostra_api.problems import INVALID, Fault, Refusal
from rostra_api.settings import Settings
from rostra_api.webhooks.addresses import Unfit, receiver


def check_webhook(rules: WebhookRules | None, settings: Settings) -> None:
    """Whether there are webhooks here, and one may go to that address. Raises: Refusal."""
    if rules is None:
        return
    if not settings.webhooks:
        raise _wrong("/webhook", "is not taken here: ROSTRA_WEBHOOKS is not switched on")
    try:
        receiver(rules.url, settings.allowed)
    except Unfit as error:
        raise _wrong("/webhook/url", str(error)) from None


def _wrong(pointer: str, detail: str) -> Refusal:
    return Refusal(INVALID, "See `errors`.", [Fault(pointer=pointer, detail=detail)])
