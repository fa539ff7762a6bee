"""The HTTP side: the stock server's completions, and what must not wait behind them."""

import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any

import llama_cpp
import structlog
from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import JSONResponse
from llama_cpp.server import app as stock
from llama_cpp.server.types import CreateChatCompletionRequest, CreateCompletionRequest
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from rostra_llm.bodies import SAMPLERS, Text, Tokens, read
from rostra_llm.checks import check
from rostra_llm.errors import Refused
from rostra_llm.served import Served
from rostra_llm.template import takes_system

log = structlog.stdlib.get_logger()


def create_app(served: Served, api_key: str | None) -> FastAPI:
    """The app around a model that the stock server has loaded (`engine.load`)."""
    app = FastAPI(title="Rostra: model server", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(HTTPException, _not_found)
    app.add_exception_handler(Exception, _failed)
    app.add_api_route("/health", _health)
    app.include_router(_described(served), dependencies=[Depends(_bearer(api_key))])
    app.include_router(_generated(served), dependencies=[Depends(_bearer(api_key))])
    return app


async def _health() -> dict[str, str]:
    return {"status": "ok"}


def _described(served: Served) -> APIRouter:
    """What is answered at once, also during a generation."""
    router = APIRouter()
    vocabulary = served.vocabulary
    props = {
        "model": served.name,
        "model_file": served.file,
        "sha256": served.sha256,
        "n_ctx": served.context,
        "n_ctx_train": vocabulary.context_trained,
        "chat_template": vocabulary.chat_template,
        "continues_answer": True,
        "roles": {"system": takes_system(vocabulary.formatter)},
        "samplers": SAMPLERS,
        "build": llama_cpp.__version__,
    }
    model = {"id": served.name, "object": "model", "created": int(time.time()), "owned_by": "rostra"}

    @router.get("/props")
    async def describe() -> dict[str, Any]:
        return props

    @router.get("/v1/models")
    async def list_models() -> dict[str, Any]:
        return {"object": "list", "data": [model]}

    @router.post("/tokenize")
    async def tokenize(request: Request) -> dict[str, list[int]]:
        asked = await read(request, Text)
        tokens = await run_in_threadpool(
            vocabulary.tokenize,
            asked.content,
            add_special=asked.add_special,
            parse_special=asked.parse_special,
        )
        return {"tokens": tokens}

    @router.post("/detokenize")
    async def detokenize(request: Request) -> dict[str, str]:
        asked = await read(request, Tokens)
        return {"content": await run_in_threadpool(vocabulary.detokenize, asked.tokens)}

    return router


def _generated(served: Served) -> APIRouter:
    """What the stock server generates, one request at a time, once it is sure that it can."""
    router = APIRouter()

    @router.post("/v1/chat/completions", response_model=None)
    async def chat(request: Request) -> Any:
        asked = await read(request, CreateChatCompletionRequest)
        await run_in_threadpool(check, asked, served)
        return await stock.create_chat_completion(request, asked)

    @router.post("/v1/completions", response_model=None)
    async def complete(request: Request) -> Any:
        asked = await read(request, CreateCompletionRequest)
        await run_in_threadpool(check, asked, served)
        return await stock.create_completion(request, asked)

    return router


def _bearer(api_key: str | None) -> Callable[[Request], Awaitable[None]]:
    async def authorised(request: Request) -> None:
        given = request.headers.get("Authorization", "").encode("latin-1")
        if api_key and not secrets.compare_digest(given, f"Bearer {api_key}".encode()):
            raise Refused("The bearer key is missing or wrong.", status=401, code="invalid_api_key")

    return authorised


async def _refused(request: Request, refused: Exception) -> JSONResponse:
    assert isinstance(refused, Refused)
    log.info("refused", path=request.url.path, status=refused.status, code=refused.code, param=refused.param)
    return _error(refused.status, refused.message, type=refused.type, param=refused.param, code=refused.code)


async def _not_found(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return _error(error.status_code, error.detail)


async def _failed(request: Request, error: Exception) -> JSONResponse:
    log.error("failed", path=request.url.path, exc_info=error)
    return _error(500, "The server failed; its log says why.", type="server_error")


def _error(
    status: int,
    message: str,
    *,
    type: str = "invalid_request_error",
    param: str | None = None,
    code: str | None = None,
) -> JSONResponse:
    """An error in OpenAI's shape, so that its clients show the message."""
    body = {"error": {"message": message, "type": type, "param": param, "code": code}}
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
    return JSONResponse(body, status_code=status, headers=headers)
