"""`rostra doctor`: what a model server can do for debates, on one page."""

from __future__ import annotations

import argparse
import asyncio
import sys

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from rostra.doctor import EXIT, Report, examine, page, served
from rostra.endpoints import Dialect, Endpoint
from rostra.plain import spelt_out
from rostra.settings import PREFIX, read


class DoctorSettings(BaseSettings):
    """A key belongs in the environment: others on the machine can read command lines."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="ignore")

    llm_api_key: SecretStr | None = Field(default=None, description="The model server's bearer key.")


def doctor(chosen: argparse.Namespace) -> int:
    """Examines the server and tells what was found; its exit status stands in `rostra doctor --help`."""
    endpoint = Endpoint(url=chosen.url, api_key=read(DoctorSettings).llm_api_key)
    try:
        endpoint, report = asyncio.run(_examined(endpoint, chosen.model, chosen.dialect, chosen.seconds))
    except KeyboardInterrupt:
        return 130
    written = spelt_out(report.model_dump_json(indent=2)) + "\n"
    print(written if chosen.json else page(report, endpoint.url, endpoint.model), end="")
    sys.stdout.flush()
    return EXIT[report.fitness]


async def _examined(
    endpoint: Endpoint, model: str | None, dialect: Dialect | None, seconds: float
) -> tuple[Endpoint, Report]:
    if not model:
        model = next(iter(await served(endpoint)), endpoint.model)
    named = endpoint.model_copy(update={"model": model})
    return named, await examine(named, dialect, seconds)
