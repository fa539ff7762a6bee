"""JSON lines on standard error, one per thing that happened, with `debate_id` and `turn` where there is one."""

from __future__ import annotations

import logging
import sys
from types import TracebackType
from typing import Any

import structlog
from pydantic import BaseModel

from rostra.plain import spelt_out
from rostra.redaction import Redaction, secrets_of


def configure(service: str, level: str, settings: BaseModel | None = None) -> None:
    """Sends structlog's and the standard library's records through one JSON renderer. Call once, at start.

    The secrets of `settings`, and whatever looks like one, do not get into a line.
    """
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _named(service),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(ensure_ascii=False),
                _hiding(Redaction(secrets_of(settings))),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # A line per model call or per request says nothing about a debate.
    for chatty in ("httpx2", "httpcore2", "autogen_core", "autogen_core.events", "uvicorn.access"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, root.level))
    sys.excepthook = _uncaught


def _hiding(redaction: Redaction) -> structlog.types.Processor:
    """Comes after the renderer, so that it sees all that is written."""

    def hide(_: object, __: str, line: Any) -> str:
        return spelt_out(redaction(line))

    return hide


def _uncaught(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    """What ends the process is a line as well, and without secrets."""
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, traceback)
    else:
        logging.getLogger(__name__).critical("ended by an error", exc_info=(kind, error, traceback))


def _named(service: str) -> structlog.types.Processor:
    def add(_: object, __: str, event: structlog.types.EventDict) -> structlog.types.EventDict:
        event["service"] = service
        return event

    return add
