"""How a chat is written down for the model."""

from collections.abc import Mapping
from pathlib import Path

from jinja2 import TemplateError
from llama_cpp.llama_chat_format import Jinja2ChatFormatter

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


def chat_formatter(template: str, *, bos: str, eos: str, eos_id: int) -> Jinja2ChatFormatter:
    """What renders chats by this template, checked to render one."""
    try:
        formatter = Jinja2ChatFormatter(template, eos_token=eos, bos_token=bos, stop_token_ids=[eos_id])
        formatter(messages=[{"role": "user", "content": PROBE}])
    except (TemplateError, ValueError, TypeError) as error:
        raise NoTemplate(
            f"The chat template cannot be used: {error}. Set ROSTRA_CHAT_TEMPLATE to one that can."
        ) from error
    return formatter


def takes_system(formatter: Jinja2ChatFormatter) -> bool:
    """Whether a system message reaches the model: some templates refuse it, some drop it silently."""
    try:
        said = formatter(messages=[{"role": "system", "content": PROBE}, {"role": "user", "content": "Hello."}])
    except (TemplateError, ValueError):
        return False
    return PROBE in said.prompt
