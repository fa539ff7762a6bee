"""First things first: is there a model server, does it have the model, does it chat?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast
from urllib.parse import quote

from rostra.doctor.answers import Reply, fields, number
from rostra.doctor.asking import Page
from rostra.doctor.case import SYSTEM, TALK, Case, Check, Said
from rostra.doctor.troubles import Broken, NoServer, Refused, Silent, Trouble
from rostra.endpoints import Dialect

# What stands around the turns of a chat as various templates write it, whole or as models write it by heart: no answer
# should hold it.
_MARKS = (
    "[INST",
    "[/INST",
    "<<SYS",
    "<</SYS",
    "<s>",
    "</s>",
    "<|im_start|>",
    "<|im_end|>",
    "<start_of_turn>",
    "<end_of_turn>",
    "<|start_header_id|>",
    "<|eot_id|>",
    "<|endoftext|>",
    "<|user|>",
    "<|assistant|>",
)
# Where servers tell the context in their list of models.
_CONTEXTS = ("max_model_len", "context_length", "context_window")
_FOREIGN = "parts of a chat template that the model does not know"
_REMEDY = "Serve the model with its own chat template, or take its instruction-tuned sibling if it is a base model."
# A server may load its model when it is first asked.
LOADING_SECONDS = 40.0
# Seconds for a short answer that make a server a slow one.
_SLOW = 2.0

_OWNERS: Mapping[str, Dialect] = {
    "rostra": "rostra",
    "llamacpp": "llama-server",
    "vllm": "vllm",
    "library": "ollama",
    "me": "llama-cpp-python",
}
_NAMES: Mapping[Dialect, str] = {
    "rostra": "Rostra's own model server",
    "llama-cpp-python": "the server that comes with llama-cpp-python",
    "llama-server": "llama.cpp's llama-server",
    "vllm": "vLLM",
    "ollama": "Ollama",
    "openai": "OpenAI",
}


async def is_there(case: Case) -> Said:
    """A model server answers at the address and lets us in."""
    try:
        page = await case.server.get("/v1/models")
    except (Broken, Silent) as trouble:
        return Said("note", f"Asked for its models: {trouble} The checks go on.")
    case.models = listed(page)
    case.looks_like = _kind(page, case.models)
    case.props = await _props(case)
    told = _context(case.props)
    case.context, case.context_told = told or _context_listed(case), told is not None
    if page.status != 200 or page.body is None:
        return Said("note", f"It answers, but /v1/models with status {page.status} and no list.")
    return Said("good", "It answers" + (f", and looks like {_NAMES[case.looks_like]}." if case.looks_like else "."))


def listed(page: Page) -> list[Mapping[str, Any]]:
    rows = fields(page.body).get("data")
    return [fields(row) for row in cast("list[object]", rows)] if isinstance(rows, list) else []


def _kind(page: Page, models: list[Mapping[str, Any]]) -> Dialect | None:
    """By who is said to own the models; that of llama-cpp-python tells its times in a header of its own, too."""
    owner = str(models[0].get("owned_by")) if models else ""
    kind = _OWNERS.get(owner)
    if kind == "llama-cpp-python" and "openai-processing-ms" not in page.headers:
        return None
    return kind


async def _props(case: Case) -> Mapping[str, Any]:
    """What the server says of itself; nothing where it has no such page."""
    try:
        page = await case.server.get(f"/props?model={quote(case.server.model, safe='')}")
    except Trouble:
        return {}
    return fields(page.body) if page.status == 200 else {}


def _context(props: Mapping[str, Any]) -> int | None:
    """`n_ctx` where Rostra's server says it, or where llama-server does."""
    return number(props.get("n_ctx")) or number(fields(props.get("default_generation_settings")).get("n_ctx"))


def _context_listed(case: Case) -> int | None:
    """As vLLM and some others say it in the list of models."""
    row = _row(case) or {}
    return next((size for name in _CONTEXTS if (size := number(row.get(name)))), None)


def _row(case: Case) -> Mapping[str, Any] | None:
    return next((row for row in case.models if row.get("id") == case.server.model), None)


async def has_the_model(case: Case) -> Said:
    """The model is one of those that the server lists."""
    if not case.models:
        return Said("not shown", "It lists no models.")
    if _row(case):
        return Said("good", "It lists the model" + (f", 1 of {len(case.models)}." if len(case.models) > 1 else "."))
    return Said(
        "warning",
        f"The name that it was asked for is none of the {len(case.models)} that it lists; it may serve another model.",
        "Give the model's name as the server lists it.",
    )


async def chats(case: Case) -> Said:
    """A plain chat is answered, and the answer holds no parts of a chat template."""
    try:
        plain = await case.cold(TALK, seconds=LOADING_SECONDS)
    except Refused as refused:
        raise _no_chat(refused) from None
    replies = [plain, *await _with_system(case)]
    case.is_slow = min(reply.seconds for reply in replies) > _SLOW
    if parroted := _parroted(reply.text for reply in replies):
        return Said("fault", f"Its answers hold {parroted}: {_FOREIGN}.", _REMEDY)
    return _said(replies, "chat_template" in case.props)


async def keeps_the_template_to_itself(case: Case) -> Said:
    """None of the answers of all checks holds parts of a chat template."""
    if parroted := _parroted(case.heard):
        return Said("warning", f"Some of its answers hold {parroted}: {_FOREIGN}.", _REMEDY)
    return Said("good", f"None of {len(case.heard)} answers holds parts of a chat template.")


def _parroted(texts: Iterable[str]) -> str:
    everything = "\n".join(texts)
    return ", ".join(mark for mark in _MARKS if mark in everything)


async def _with_system(case: Case) -> list[Reply]:
    try:
        return [await case.cold([SYSTEM, *TALK])]
    except Refused:  # it takes no system message, which is another check's finding
        return []


def _no_chat(refused: Refused) -> Trouble:
    if refused.status == 404 and "model" not in refused.words:
        return NoServer("There is no /v1/chat/completions at this address: is it a model server's?")
    return refused


def _said(replies: list[Reply], template_told: bool) -> Said:
    empty = [reply for reply in replies if not reply.text.strip()]
    if len(empty) == len(replies):
        return Said(
            "fault",
            "It answers a plain question with nothing.",
            "Look at the chat template that the model is served with, and at the server's log.",
        )
    if any(reply.thought or "<think>" in reply.text for reply in replies):
        return Said(
            "warning",
            "The model thinks before it answers: a short turn may be all thought and no answer.",
            "Serve it with thinking switched off.",
        )
    if empty:
        return Said("warning", "One of two plain questions was answered with nothing.", "Try another model file.")
    return Said("good", "Plain questions are answered" + (", by the template in /props." if template_told else "."))


BEFORE = (
    Check("reachable", "Reachable", is_there, 18, essential=True),
    Check("model", "Model", has_the_model),
    Check("chat", "Chat template", chats, LOADING_SECONDS, essential=True),
)
BEHIND = (Check("template", "Parroting", keeps_the_template_to_itself),)
