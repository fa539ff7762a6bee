"""The HTTP side: routes, who may use them, and errors as OpenAI's clients read them."""

from __future__ import annotations

import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from rostra_llm import answers
from rostra_llm.bodies import SAMPLERS, ChatRequest, Options, Text, TextRequest, Tokens, read
from rostra_llm.errors import Refused, Unavailable
from rostra_llm.intake import chat_work, text_work
from rostra_llm.metrics import Metrics
from rostra_llm.native import build
from rostra_llm.responses import Stream, Whole
from rostra_llm.served import Models, Served
from rostra_llm.template import takes_system
from rostra_llm.work import Work

log = structlog.stdlib.get_logger()


def create_app(models: Models, api_key: str | None) -> FastAPI:
    """The app around models whose engines run."""
    app = FastAPI(title="Rostra: model server", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(HTTPException, _not_found)
    app.add_exception_handler(Exception, _failed)
    app.include_router(_watched(models))
    app.include_router(_described(models), dependencies=[Depends(_bearer(api_key))])
    app.include_router(_generated(models), dependencies=[Depends(_bearer(api_key))])
    return app


def _watched(models: Models) -> APIRouter:
    """What those ask who watch over the service; it needs no key and tells nothing of what is said."""
    router = APIRouter()
    metrics = Metrics(served.engine for served in models.served.values())

    @router.get("/health")
    async def health() -> JSONResponse:
        starting = [name for name, served in models.served.items() if served.engine.ready is None]
        if starting:
            body = {"status": "starting", "models": starting}
            return JSONResponse(body, status_code=503, headers={"Retry-After": "2"})
        return JSONResponse({"status": "ok"})

    @router.get("/metrics")
    async def measure() -> Response:
        return Response(metrics.text(), media_type="text/plain; version=0.0.4")

    return router


def _described(models: Models) -> APIRouter:
    """What is answered at once, also during a generation."""
    router = APIRouter()
    created = int(time.time())

    @router.get("/props")
    async def describe(model: str | None = None) -> dict[str, Any]:
        return _props(models.named(model))

    @router.get("/v1/models")
    async def list_models() -> dict[str, Any]:
        return {"object": "list", "data": [_listed(name, created) for name in models.served]}

    @router.get("/v1/models/{name:path}")
    async def one_model(name: str) -> dict[str, Any]:
        return _listed(models.named(name).name, created)

    @router.post("/tokenize")
    async def tokenize(request: Request) -> dict[str, list[int]]:
        asked = await read(request, Text)
        tokens = await run_in_threadpool(
            models.named(asked.model).vocabulary.tokenize,
            asked.content,
            add_special=asked.add_special,
            parse_special=asked.parse_special,
        )
        return {"tokens": tokens}

    @router.post("/detokenize")
    async def detokenize(request: Request) -> dict[str, str]:
        asked = await read(request, Tokens)
        vocabulary = models.named(asked.model).vocabulary
        return {"content": await run_in_threadpool(vocabulary.detokenize, asked.tokens)}

    return router


def _listed(name: str, created: int) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": created, "owned_by": "rostra"}


def _props(served: Served) -> dict[str, Any]:
    ready = served.engine.ready
    return {
        "model": served.name,
        "model_file": served.file,
        "sha256": served.sha256,
        "n_ctx": served.context,
        "n_ctx_train": served.vocabulary.context_trained,
        "default_generation_settings": {"n_ctx": served.context},
        "total_slots": ready.parallel if ready else 0,
        "chat_template": served.vocabulary.chat_template,
        "continues_answer": True,
        "roles": {"system": takes_system(served.vocabulary.formatter)},
        "samplers": SAMPLERS,
        "exact": served.exact,
        "build": build(),
        "system_info": ready.system if ready else None,
    }


def _generated(models: Models) -> APIRouter:
    """What the engines generate, once it is sure that they can."""
    router = APIRouter()

    @router.post("/v1/chat/completions", response_model=None)
    async def chat(request: Request) -> Response:
        asked = await read(request, ChatRequest)
        served = models.named(asked.model)
        form = answers.Chat(served.name, served.sha256)
        return _answered(asked, served, await run_in_threadpool(chat_work, asked, served), form)

    @router.post("/v1/completions", response_model=None)
    async def complete(request: Request) -> Response:
        asked = await read(request, TextRequest)
        served = models.named(asked.model)
        form = answers.Text(served.name, served.sha256)
        return _answered(asked, served, await run_in_threadpool(text_work, asked, served), form)

    return router


def _answered(asked: Options, served: Served, work: Work, form: answers.Form) -> Response:
    pieces = served.engine.generate(work)
    if not asked.stream:
        return Whole(pieces, form)
    return Stream(pieces, form, with_usage=bool(asked.stream_options and asked.stream_options.include_usage))


def _bearer(api_key: str | None) -> Callable[[Request], Awaitable[None]]:
    async def authorised(request: Request) -> None:
        given = request.headers.get("Authorization", "").encode("latin-1")
        if api_key and not secrets.compare_digest(given, f"Bearer {api_key}".encode()):
            raise Refused("The bearer key is missing or wrong.", status=401, code="invalid_api_key")

    return authorised


async def _refused(request: Request, refused: Exception) -> JSONResponse:
    assert isinstance(refused, Refused)
    log.info("refused", path=request.url.path, status=refused.status, code=refused.code, param=refused.param)
    headers = {"Retry-After": str(refused.retry_after)} if isinstance(refused, Unavailable) else {}
    if refused.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    body = answers.problem(refused.message, type=refused.type, param=refused.param, code=refused.code)
    return JSONResponse(body, status_code=refused.status, headers=headers)


async def _not_found(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    body = answers.problem(str(error.detail), type="invalid_request_error")
    return JSONResponse(body, status_code=error.status_code, headers=error.headers)


async def _failed(request: Request, error: Exception) -> JSONResponse:
    log.error("failed", path=request.url.path, exc_info=error)
    return JSONResponse(answers.problem("The server failed; its log says why.", type="server_error"), status_code=500)
