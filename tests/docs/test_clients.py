"""The documents of the client and the command line: what they name is there, all is named, and examples run."""

from __future__ import annotations

import asyncio
import re
import shlex
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from commanded import commands
from playing import a_worker
from rostra.client import Client, Told, errors
from rostra.client.blocking import Debates
from rostra.commands import parser
from rostra.processes import free_port
from rostra.store import Store, connect
from rostra_api.app import create_app
from rostra_api.server import Server
from rostra_api.settings import Settings
from rostra_orchestrator.settings import Settings as WorkerSettings
from scripted import ScriptedModel, counting, serving

ROOT = Path(__file__).parents[2]
COMMAND_LINE = (ROOT / "docs/command-line.md").read_text(encoding="utf-8")
CLIENT = (ROOT / "docs/client.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", README + CLIENT, re.DOTALL | re.MULTILINE)


COMMANDS = {name: one for name, one, _ in commands()}


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_is_documented_with_its_options(name: str):
    told = [part for part in re.split(r"\n\n|\n(?=\|)", COMMAND_LINE) if f"`{name}" in part]
    headed = [
        part for part in re.split(r"^## ", COMMAND_LINE, flags=re.MULTILINE) if f"`{name} " in part.partition("\n")[0]
    ]
    words = " ".join(told + headed)
    assert told or headed
    options = {action.option_strings[-1] for action in COMMANDS[name]._actions if action.option_strings} - {"--help"}
    assert {option for option in options if not re.search(rf"`[^`]*{option}\b", words)} == set()


def test_no_option_is_documented_that_is_not_there():
    there = {option for one in COMMANDS.values() for action in one._actions for option in action.option_strings}
    assert set(re.findall(r"(?<![\w-])--[a-z]+", COMMAND_LINE)) - {"--help"} <= there


@pytest.mark.parametrize("line", re.findall(r"^(?:\$ )?rostra (.*)$", README + COMMAND_LINE, re.MULTILINE))
def test_the_examples_can_be_said(line: str):
    assert parser().parse_args(shlex.split(line.partition(" > ")[0]))


def test_the_errors_are_the_ones_that_there_are():
    drawn = set(re.findall(r"[─ ] (\w+)  ", CLIENT.partition("## What can go wrong")[2])) | {"RostraError"}
    made = {name for name, one in vars(errors).items() if isinstance(one, type) and issubclass(one, errors.RostraError)}
    assert drawn == made


def test_each_call_of_the_client_is_described():
    table = CLIENT.partition("## What it can do")[2].partition("\n\nAnswers")[0]
    with Client("http://127.0.0.1:9", "") as client:
        resources = {"debates": client.debates, "formats": client.formats, "models": client.models}
        calls = {f"{name}(" for one in resources.values() for name in dir(one) if not name.startswith("_")}
    assert {call for call in calls if call not in table} == set()


@pytest.fixture
async def held(redis_url: str) -> AsyncIterator[str]:
    """The address of an API whose debates are played by a scripted model."""
    settings = Settings(redis_url=redis_url, port=free_port())
    server = Server(create_app(settings), settings)
    running = asyncio.create_task(server.serve())
    store = Store(connect(redis_url))
    with serving(ScriptedModel(counting())) as model:
        async with a_worker(store, WorkerSettings(redis_url=redis_url, llm_url=model.url)):
            while not server.started:
                await asyncio.sleep(0.01)
            yield f"http://127.0.0.1:{settings.port}"
    await store.close()
    server.should_exit = True
    await running


def test_there_are_examples():
    assert len(BLOCKS) == 6


def test_the_example_that_shows_words_shows_those_told_again_on_a_line_of_their_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    said = {"v": 1, "seq": 1, "attempt": 1, "debater": "Ada"}
    told = [{"text": "Tabs"}, {"text": " are"}, {"text": "Tabs are one", "whole": True}, {"text": " byte."}]

    def create(*_: object, **__: object) -> SimpleNamespace:
        return SimpleNamespace(id="0" * 28)

    def stream(*_: object) -> Iterator[Told]:
        return (Told("delta", {**said, **each}, "") for each in told)

    monkeypatch.setenv("ROSTRA_URL", "http://127.0.0.1:9")
    monkeypatch.setattr(Debates, "create", create)
    monkeypatch.setattr(Debates, "stream", stream)
    (live,) = (block for block in BLOCKS if "WordsView" in block)
    exec(live, {})
    assert capsys.readouterr().out == "Tabs are\nTabs are one byte."


@pytest.mark.parametrize("block", BLOCKS)
async def test_the_clients_examples_run_as_written(block: str, held: str):
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-W", "error", "-c", block,
        cwd=ROOT, env={"ROSTRA_URL": held}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    said, wrong = await asyncio.wait_for(process.communicate(), 120)
    assert process.returncode == 0, wrong.decode()
    assert said.strip()
