"""Who asks, and the client that asks the API for them.

Over stdio that is whoever started the process, with the key of its environment. Over HTTP each request may carry a key
of its own, with which the API is asked; so that beyond this machine, where it must, the process needs none, and lends
nobody its own.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from starlette.requests import Request

from rostra.client import AsyncClient, RostraError

Asking = Context[AsyncClient, Any]


@asynccontextmanager
async def client_of(context: Asking) -> AsyncGenerator[AsyncClient]:
    """The client that asks with the caller's key; what goes wrong is told as an agent reads it. Raises: ToolError."""
    with told():
        own = context.request_context.lifespan_context
        if key := key_of(context.request_context.request):
            async with AsyncClient(own.address, key) as client:
                yield client
        else:
            yield own


@contextmanager
def told() -> Generator[None]:
    """Errors with what to do about them. Raises: ToolError."""
    try:
        yield
    except (RostraError, ValueError) as error:
        raise ToolError(str(error)) from error


def key_of(request: object) -> str:
    """The key that came with an HTTP request, or `""`."""
    if not isinstance(request, Request):
        return ""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""
