"""OpenAI's own client, as it is published, has debates held."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2 as httpx
import openai
import pytest

DOORS = Path(__file__).parents[2] / "docs/doors.md"
DEBATERS = [{"name": "Ada", "stance": "for tabs"}, {"name": "Grace", "stance": "for spaces"}]
CHAT = {"model": "round_robin", "messages": [{"role": "user", "content": "Tabs beat spaces"}]}


@pytest.fixture
def client(stack: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{stack}/openai/v1", api_key="none") as client:
        yield client


def test_it_finds_the_formats(client: openai.OpenAI):
    assert {"round_robin", "oxford", "british_parliamentary"} <= {model.id for model in client.models.list()}


def test_it_gets_a_whole_debate(client: openai.OpenAI, stack: str):
    completion = client.chat.completions.create(
        **CHAT, seed=40, extra_body={"rostra": {"debaters": DEBATERS, "rounds": 2}}
    )
    (choice,) = completion.choices
    assert choice.finish_reason == "stop"
    assert choice.message.content.startswith("- **Ada**: for tabs\n- **Grace**: for spaces\n\n## ")
    assert choice.message.content.count("**Grace:** Point ") == 2
    assert completion.usage.completion_tokens > 0
    debate = httpx.get(f"{stack}/v1/debates/{completion.id.removeprefix('chatcmpl-')}").json()
    assert (debate["status"], debate["turns_done"], debate["seed"]) == ("completed", 4, 40)


def test_it_gets_one_turn_by_turn_with_what_it_cost(client: openai.OpenAI):
    fields = {"rostra": {"debaters": DEBATERS, "rounds": 1, "judge": {"panel": 1}}}
    stream = client.chat.completions.create(
        **CHAT, extra_body=fields, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    said = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices and chunk.choices[0].delta.content]
    assert "**Ada:**" in said[0]
    assert "**Grace:**" in said[1]
    assert "## Verdict" in said[-1]
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    assert chunks[-1].usage.total_tokens > 0


def test_the_documents_example_works_as_written(stack: str):
    (example,) = re.findall(r"```python\n(.*?)```", DOORS.read_text(encoding="utf-8"), re.DOTALL)
    here = example.replace("http://127.0.0.1:8080", stack)
    done = subprocess.run([sys.executable, "-c", here], capture_output=True, text=True, timeout=300, check=True)
    assert "## Verdict" in done.stdout


def test_it_can_leave_a_debate_that_is_long(client: openai.OpenAI, stack: str):
    stream = client.chat.completions.create(**CHAT, extra_body={"rostra": {"rounds": 100}}, stream=True)
    first = next(iter(stream))
    stream.close()
    ended = httpx.get(f"{stack}/v1/debates/{first.id.removeprefix('chatcmpl-')}", params={"wait": 30}, timeout=60)
    assert ended.json()["status"] == "cancelled"
