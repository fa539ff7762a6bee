"""The process that delivers, until it is told to stop."""

from __future__ import annotations

import asyncio
import signal

import structlog

from rostra.log import configure
from rostra.settings import read
from rostra.store import Store, connect
from rostra.store.webhooks import Webhooks
from rostra.tasks import stopped
from rostra_api.webhooks import health
from rostra_api.webhooks.courier import Courier
from rostra_api.webhooks.deliverer import Deliverer
from rostra_api.webhooks.sending import Sender
from rostra_api.webhooks.settings import DelivererSettings

# What Redis does not answer is given up after this many seconds, and looked at again.
PATIENCE_SECONDS = 10.0


def start() -> None:
    settings = read(DelivererSettings)
    configure("webhooks", settings.log_level, settings)
    asyncio.run(_run(settings))


async def _run(settings: DelivererSettings) -> None:
    told_to_stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told_to_stop.set)
    redis = connect(settings.redis_url, patience=PATIENCE_SECONDS)
    store, webhooks, allowed = Store(redis), Webhooks(redis), settings.allowed
    courier = Courier(store, webhooks, Sender(allowed), settings.needed_secrets)
    deliverer = Deliverer(store, webhooks, courier, allowed, alive=health.sign.give)
    delivering = asyncio.create_task(deliverer.deliver_forever())
    stopping = asyncio.create_task(told_to_stop.wait())
    structlog.stdlib.get_logger(__name__).info("delivering webhooks")
    await asyncio.wait([delivering, stopping], return_when=asyncio.FIRST_COMPLETED)
    try:
        if delivering.done():
            delivering.result()
    finally:
        await stopped(delivering, stopping)
        health.sign.forget()
        await store.close()
