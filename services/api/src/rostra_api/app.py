"""The app: the routes, with their parts opened around them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from starlette.types import ASGIApp

from rostra_api import (
    catalogue,
    contract,
    debates,
    forks,
    health,
    live,
    metrics,
    problems,
    site,
    taking_part,
    transcripts,
    webhook_secret,
)
from rostra_api.completions import routes as completions
from rostra_api.entry import Entry
from rostra_api.formats import Formats
from rostra_api.headers import Guarded
from rostra_api.metrics import Metrics
from rostra_api.parts import Parts, opened
from rostra_api.settings import Settings


class Api(FastAPI):
    """FastAPI, with a published contract that says what is so, and with the headers on errors, too."""

    def openapi(self) -> dict[str, Any]:
        if not self.openapi_schema:
            self.openapi_schema = contract.completed(super().openapi())
        return self.openapi_schema

    def build_middleware_stack(self) -> ASGIApp:
        return Guarded(super().build_middleware_stack())


def create_app(settings: Settings) -> Api:
    """Raises: rostra.formats.BadFormat: a file of ROSTRA_FORMATS_DIR cannot be a format."""
    meters, formats = Metrics(), Formats(settings.formats_dir)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        async with opened(settings, formats, meters) as parts:
            app.state.parts = parts
            yield

    app = Api(
        title="Rostra",
        summary="Debates between local language models.",
        version=version("rostra-api"),
        lifespan=lifespan,
        redirect_slashes=False,
        docs_url=None,  # both pages load scripts from elsewhere
        redoc_url=None,
    )
    for module in (
        debates,
        forks,
        taking_part,
        live,
        transcripts,
        catalogue,
        health,
        webhook_secret,
        completions,
        site,
    ):
        app.include_router(module.router)
    problems.install(app)
    app.add_middleware(Entry, settings=settings)
    metrics.install(app, meters)
    return app


def end_streams(app: FastAPI) -> None:
    """Ends all that is followed, so that a server which waits for its connections can stop."""
    parts: Parts | None = getattr(app.state, "parts", None)
    if parts:
        parts.following.close()
