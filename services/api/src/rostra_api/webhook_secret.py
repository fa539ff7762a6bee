"""What the receivers of one's webhooks verify messages with."""

from __future__ import annotations

from fastapi import APIRouter

from rostra.views import WebhookSecret
from rostra_api.caller import CallerNeeded
from rostra_api.parts import PartsNeeded
from rostra_api.problems import NOT_FOUND, Refusal, documented

router = APIRouter(tags=["webhooks"])


@router.get("/v1/webhooks/secret", responses=documented(404))
async def secret(parts: PartsNeeded, caller: CallerNeeded) -> WebhookSecret:
    """The secret of the caller's owner, to verify the messages of all their debates with; needs the scope `write`."""
    secrets = parts.settings.secrets
    if not parts.settings.webhooks or secrets is None:
        raise Refusal(NOT_FOUND, "There are no webhooks here: ROSTRA_WEBHOOKS is not switched on.")
    return WebhookSecret(secret=secrets.of(caller.owner))
