"""`python -m rostra_llm`: find the models, start an engine for each, serve them. With arguments: its tools."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from threading import Thread
from types import FrameType

import structlog
import uvicorn
from pydantic import ValidationError
from pydantic_settings import SettingsError

from rostra_llm import commands, logs
from rostra_llm.app import create_app
from rostra_llm.engine.plan import Plan
from rostra_llm.errors import CannotServe
from rostra_llm.fingerprint import sha256_of
from rostra_llm.host import Bounds, Engine
from rostra_llm.kernels import advice, features
from rostra_llm.models import ModelFile, find_models
from rostra_llm.served import Models, Served
from rostra_llm.settings import Settings
from rostra_llm.vocabulary import Vocabulary

log = structlog.stdlib.get_logger()

# Tokens of a chunk: on a processor a quarter to a whole second of a small model, and no slower than longer ones.
CHUNK, GPU_CHUNK = 128, 512


def main() -> int:
    if sys.argv[1:]:
        return commands.run(sys.argv[1:])
    try:
        settings = Settings()
    except (ValidationError, SettingsError) as error:
        print("\n".join(faults(error)), file=sys.stderr)  # noqa: T201  there is no log yet
        return 2
    logs.configure(settings.log_level, settings.api_key() or "")
    signal.signal(signal.SIGTERM, stop)
    try:
        asyncio.run(serve(settings))
    except CannotServe as reason:
        log.error("cannot_serve", reason=str(reason))
        return 1
    except KeyboardInterrupt:
        return 0
    return 0


def stop(_: int, __: FrameType | None) -> None:
    """For SIGTERM while models are loaded; uvicorn, with handlers of its own, raises it again when it has drained."""
    raise SystemExit(0)


def faults(error: ValidationError | SettingsError) -> list[str]:
    """A line for each setting that cannot be used; not its value, which may be a key."""
    if isinstance(error, SettingsError):
        return [f"{error}: it must be JSON"]
    return [
        ".".join(
            ["ROSTRA_" + str(where).upper() if place == 0 else str(where) for place, where in enumerate(fault["loc"])]
        )
        + ("" if not fault["loc"] else ": ")
        + fault["msg"]
        for fault in error.errors(include_input=False)
    ]


async def serve(settings: Settings) -> None:
    """Until a signal comes. Raises CannotServe."""
    files = find_models(settings)
    vocabularies = {name: vocabulary(settings.of(name), file) for name, file in files.items()}
    async with AsyncExitStack() as stack:
        served: dict[str, Served] = {}
        for name, file in files.items():
            own = settings.of(name)
            plan = plan_of(own, file, vocabularies[name])
            advise(plan)
            engine = await stack.enter_async_context(Engine(plan, bounds(settings)))
            served[name] = Served(
                name, file.path.name, plan.context, vocabularies[name], engine, own.exact, file.sha256
            )
        Thread(target=hash_files, args=(served, files, settings), daemon=True).start()
        await listen(settings, Models(served))


def vocabulary(settings: Settings, file: ModelFile) -> Vocabulary:
    template = settings.models_dir / settings.chat_template if settings.chat_template else None
    return Vocabulary(file.path, template)


def plan_of(settings: Settings, file: ModelFile, vocabulary: Vocabulary) -> Plan:
    gpu = settings.gpu_layers != 0
    context = context_size(settings.context, vocabulary.context_trained)
    return Plan(
        name=settings.model_name,
        path=Path(file.path),
        context=context,
        parallel=settings.parallel,
        chunk=settings.chunk or (GPU_CHUNK if gpu else CHUNK),
        threads=settings.threads or cores(),
        gpu_layers=settings.gpu_layers,
        cache_mib=settings.cache_mib,
        exact=settings.exact,
        run=settings.cache_run,
        reach=max(vocabulary.context_trained, context),
        log_level=settings.log_level,
    )


def advise(plan: Plan) -> None:
    """A warning if the model could run faster on this processor."""
    if plan.gpu_layers == 0 and (said := advice(plan.path, features())):
        log.warning("slow_quantisation", model=plan.name, advice=said)


def hash_files(served: Mapping[str, Served], files: Mapping[str, ModelFile], settings: Settings) -> None:
    """Fills in what was not hashed when it was fetched; a large file takes half a minute, once."""
    for name, model in served.items():
        if model.sha256 is None:
            with contextlib.suppress(OSError):
                model.sha256 = sha256_of(files[name].path, settings.model_cache_dir.expanduser())


def context_size(wanted: int, trained: int) -> int:
    """No more than the model was trained for, and a multiple of 256, as llama.cpp makes it."""
    context = min(wanted, trained or wanted)
    if context < wanted:
        log.warning("context_reduced", wanted=wanted, trained=trained)
    return max(context // 256 * 256, 256)


def cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def bounds(settings: Settings) -> Bounds:
    return Bounds(
        queue=settings.llm_queue,
        first_token=settings.llm_first_token_seconds,
        answer=settings.llm_answer_seconds,
        stall=settings.llm_stall_seconds,
    )


async def listen(settings: Settings, models: Models) -> None:
    config = uvicorn.Config(
        create_app(models, settings.api_key()),
        host=settings.llm_host,
        port=settings.llm_port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=max(1, round(settings.llm_drain_seconds)),
    )
    log.info("serving", models=list(models.served), host=settings.llm_host, port=settings.llm_port)
    with contextlib.suppress(KeyboardInterrupt):
        await uvicorn.Server(config).serve()


if __name__ == "__main__":
    sys.exit(main())
