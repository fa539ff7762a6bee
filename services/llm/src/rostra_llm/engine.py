"""The stock server's one model, loaded the way debates need it."""

import asyncio
import os
from contextlib import asynccontextmanager

import numpy as np
import structlog
from llama_cpp import Llama
from llama_cpp.llama_chat_format import LlamaChatCompletionHandlerRegistry
from llama_cpp.server import app as stock
from llama_cpp.server.settings import ModelSettings, ServerSettings

from rostra_llm.errors import CannotServe
from rostra_llm.models import ModelFile
from rostra_llm.settings import Settings
from rostra_llm.vocabulary import Vocabulary

log = structlog.stdlib.get_logger()

CHAT_FORMAT = "rostra"


def load(settings: Settings, model: ModelFile, vocabulary: Vocabulary) -> int:
    """Load the model into the stock server; the tokens of context that it has."""
    context = context_size(settings.context, vocabulary.context_trained)
    # One formatter for what is counted and what is generated from. The stock server would guess a format of
    # its own by the template's text, and several of those drop the system message.
    LlamaChatCompletionHandlerRegistry().register_chat_completion_handler(
        CHAT_FORMAT, vocabulary.formatter.to_chat_handler(), overwrite=True
    )
    # By default a new request ends the streams of all others, and they look complete.
    stock.set_server_settings(ServerSettings.model_construct(interrupt_requests=False))
    try:
        stock.set_llama_proxy([_stock_settings(settings, model, context)])
    except ValueError as error:
        raise CannotServe(
            f"{model.path} could not be loaded with {context} tokens of context: {error}. "
            "Is there memory for it? A smaller ROSTRA_CONTEXT needs less."
        ) from error
    # The bindings keep a batch of logits for `logprobs`, which is refused, and copy it into each cached
    # prefix, uncounted: 100 MB each at 49,000 words, 500 MB at 260,000. They read no more than one row.
    llama = asyncio.run(_loaded())
    llama.scores = np.zeros((1, llama.n_vocab()), dtype=np.single)
    log.info("model_loaded", file=model.path.name, context=llama.n_ctx(), threads=threads(settings))
    return llama.n_ctx()


def context_size(wanted: int, trained: int) -> int:
    """The context to load with: no more than the model was trained for, and a multiple of 256.

    llama.cpp rounds up to such a multiple, and the bindings would then write past the end of their arrays.
    """
    context = min(wanted, trained or wanted)
    if context < wanted:
        log.warning("context_reduced", wanted=wanted, trained=trained)
    return max(context // 256 * 256, 256)


def threads(settings: Settings) -> int:
    if settings.threads:
        return settings.threads
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _stock_settings(settings: Settings, model: ModelFile, context: int) -> ModelSettings:
    # Constructed, not validated: else these classes read SEED, N_CTX and the like from the environment.
    return ModelSettings.model_construct(
        model=str(model.path),
        model_alias=settings.model_name,
        chat_format=CHAT_FORMAT,
        n_ctx=context,
        n_gpu_layers=settings.gpu_layers,
        n_threads=threads(settings),
        n_threads_batch=threads(settings),
        use_mlock=False,  # a container may not lock memory
        logits_all=False,
        cache=settings.cache_mib > 0,
        cache_size=settings.cache_mib << 20,
        verbose=False,
    )


async def _loaded() -> Llama:
    async with asynccontextmanager(stock.get_llama_proxy)() as proxy:
        assert proxy is not None
        return proxy()
