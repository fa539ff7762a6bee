"""One JSON line for each thing that happened, llama.cpp's own words included."""

import ctypes
import logging
import sys

import llama_cpp
import structlog

# llama.cpp's levels are 1 debug, 2 info, 3 warning, 4 error, 5 the rest of the line before.
NATIVE_ERROR = 4

log = structlog.stdlib.get_logger()


def configure(level: str, **bound: str) -> None:
    """`bound` stands in every line."""
    structlog.contextvars.bind_contextvars(**bound)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    llama_cpp.llama_log_set(_native, ctypes.c_void_p(0))


@llama_cpp.llama_log_callback
def _native(level: int, text: bytes, user_data: ctypes.c_void_p) -> None:
    line = text.decode(errors="replace").strip()
    if line:
        (log.error if level == NATIVE_ERROR else log.debug)("llama_cpp", said=line)
