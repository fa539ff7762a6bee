"""How a chat is written down for the model."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from jinja2 import TemplateError
from llama_cpp import ChatCompletionRequestMessage
from llama_cpp.llama_chat_format import ChatFormatterResponse, Jinja2ChatFormatter

from rostra_llm.errors import NoTemplate

PROBE = "rostra-probe"


def chat_template(metadata: Mapping[str, str], configured: Path | None) -> str:
    """The configured template, else the model's own.

    Without either the stock server would fall back to llama-2's format, which other models parrot.
    """
    if configured:
        return _read(configured)
    template = metadata.get("tokenizer.chat_template")
    if not template:
        raise NoTemplate(
            "The model file has no chat template: it may be a base model, which continues text but does not "
            "chat. Take its instruction-tuned sibling, or set ROSTRA_CHAT_TEMPLATE to a Jinja file in the "
            "models folder."
        )
    return template


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise NoTemplate(f"ROSTRA_CHAT_TEMPLATE names {file}, which cannot be read: {error.strerror}.") from error


class ContinuingFormatter(Jinja2ChatFormatter):
    """Goes on with an assistant's message that stands last, as llama-server does: the answer is begun with it."""

    def __call__(self, *, messages: list[ChatCompletionRequestMessage], **kwargs: Any) -> ChatFormatterResponse:
        before, last = messages[:-1], messages[-1:]
        begun = last[0].get("content") if last and last[0]["role"] == "assistant" else None
        if not isinstance(begun, str) or not before:
            return super().__call__(messages=messages, **kwargs)
        response = super().__call__(messages=before, **kwargs)
        return replace(response, prompt=response.prompt + begun)


def chat_formatter(template: str, *, bos: str, eos: str, eos_id: int) -> ContinuingFormatter:
    """What renders chats by this template, checked to render one."""
    try:
        formatter = ContinuingFormatter(template, eos_token=eos, bos_token=bos, stop_token_ids=[eos_id])
        formatter(messages=[{"role": "user", "content": PROBE}])
    except (TemplateError, ValueError, TypeError) as error:
        raise NoTemplate(
            f"The chat template cannot be used: {error}. Set ROSTRA_CHAT_TEMPLATE to one that can."
        ) from error
    return formatter


def takes_system(formatter: ContinuingFormatter) -> bool:
    """Whether a system message reaches the model: some templates refuse it, some drop it silently."""
    try:
        said = formatter(messages=[{"role": "system", "content": PROBE}, {"role": "user", "content": "Hello."}])
    except (TemplateError, ValueError):
        return False
    return PROBE in said.prompt
