"""One JSON line for each thing that happened, llama.cpp's own words included."""

import ctypes
import logging
import sys
from typing import Any

import llama_cpp
import structlog

from rostra_llm.redaction import Redaction

# llama.cpp's levels are 1 debug, 2 info, 3 warning, 4 error, 5 the rest of the line before.
NATIVE_ERROR = 4

log = structlog.stdlib.get_logger()


def configure(level: str, *secrets: str, **bound: str) -> None:
    """`bound` stands in every line; `secrets`, and whatever looks like one, in none."""
    structlog.contextvars.bind_contextvars(**bound)
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso"),
    ]
    written: list[structlog.types.Processor] = [
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(ensure_ascii=False),
        _hiding(Redaction(secrets)),
    ]
    structlog.configure(
        processors=[*shared, *written],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    handler = logging.StreamHandler(sys.stderr)  # for uvicorn's errors
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *written],
        )
    )
    logging.basicConfig(handlers=[handler], level=max(logging.WARNING, logging.getLevelNamesMapping()[level.upper()]))
    llama_cpp.llama_log_set(_native, ctypes.c_void_p(0))


def _hiding(redaction: Redaction) -> structlog.types.Processor:
    """Comes after the renderer, so that it sees all that is written."""

    def hide(_: object, __: str, line: Any) -> str:
        return redaction(line)

    return hide


@llama_cpp.llama_log_callback
def _native(level: int, text: bytes, user_data: ctypes.c_void_p) -> None:
    line = text.decode(errors="replace").strip()
    if line:
        (log.error if level == NATIVE_ERROR else log.debug)("llama_cpp", said=line)
