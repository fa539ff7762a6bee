"""The SDK's own client, as it is published, has debates held over stdio and over HTTP."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from mcp import Client, MCPError, StdioServerParameters
from mcp_types import TextContent, TextResourceContents

from conftest import free_port
from rostra.commands import main

ROSTRA = Path(sys.executable).with_name("rostra")
DEBATERS = [{"name": "Ada", "stance": "for tabs"}, {"name": "Grace", "stance": "for spaces"}]
Connect = Callable[[], Client]


@pytest.fixture(scope="session")
def over_http(stack: str) -> Iterator[str]:
    """`rostra mcp --http`; its address."""
    port = free_port()
    command = [ROSTRA, "mcp", "--http", f"127.0.0.1:{port}"]
    process = subprocess.Popen(command, env={**os.environ, "ROSTRA_URL": stack})
    url = f"http://127.0.0.1:{port}/mcp"
    try:
        until_it_answers(f"http://127.0.0.1:{port}/")
        yield url
    finally:
        process.terminate()
        process.wait(20)


def until_it_answers(url: str) -> None:
    for _ in range(600):
        try:
            httpx.get(url)
        except httpx.ConnectError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(url)


@asynccontextmanager
async def over_stdio(stack: str) -> AsyncIterator[Client]:
    parameters = StdioServerParameters(command=str(ROSTRA), args=["mcp"], env={**os.environ, "ROSTRA_URL": stack})
    async with Client(parameters) as client:
        yield client


async def asked(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    return result.structured_content


async def refused(client: Client, tool: str, **arguments: Any) -> str:
    result = await client.call_tool(tool, arguments)
    assert result.is_error
    (content,) = result.content
    assert isinstance(content, TextContent)
    return content.text


async def followed(client: Client, debate: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """All turns, and the last of the news."""
    turns: list[dict[str, Any]] = []
    after = ""
    for _ in range(20):
        news = await asked(client, "follow_debate", debate_id=debate, after=after, wait_seconds=20)
        turns += news["turns"]
        after = news["next"]
        if news["ended"]:
            return turns, news
    raise TimeoutError(debate)


async def a_debate_is_held(client: Client) -> None:
    """From the motion to the transcript."""
    started = await asked(
        client, "start_debate", motion="Tabs beat spaces", debaters=DEBATERS, rounds=1, judges=1, settings={"seed": 7}
    )
    assert started["debaters"] == ["Ada: for tabs", "Grace: for spaces"]
    turns, news = await followed(client, started["id"])
    assert [(turn["seq"], turn["debater"]) for turn in turns] == [(1, "Ada"), (2, "Grace")]
    assert (news["status"], news["verdict"]["outcome"]) == ("completed", "no_verdict")
    read = await asked(client, "read_transcript", debate_id=started["id"])
    assert (read["complete"], read["next_offset"]) == (True, None)
    assert "**Ada:** Point" in read["markdown"]
    resource = await client.read_resource(started["transcript"])
    (content,) = resource.contents
    assert isinstance(content, TextResourceContents)
    assert (content.text, content.mime_type) == (read["markdown"], "text/markdown")
    listed = await asked(client, "list_debates", status="completed")
    assert started["id"] in [debate["id"] for debate in listed["debates"]]


async def test_over_stdio_a_debate_is_held(stack: str):
    async with over_stdio(stack) as client:
        await a_debate_is_held(client)


async def test_over_http_a_debate_is_held(over_http: str):
    async with Client(over_http) as client:
        await a_debate_is_held(client)


async def test_the_documents_configuration_works_as_written(stack: str):
    doors = (Path(__file__).parents[2] / "docs/doors.md").read_text(encoding="utf-8")
    (written,) = re.findall(r"```json\n(.*?)```", doors, re.DOTALL)
    rostra = json.loads(written)["mcpServers"]["rostra"]
    path = f"{ROSTRA.parent}{os.pathsep}{os.environ['PATH']}"
    parameters = StdioServerParameters(**{**rostra, "env": {**rostra["env"], "ROSTRA_URL": stack, "PATH": path}})
    async with Client(parameters) as client:
        assert (await asked(client, "list_models"))["models"]


async def test_tools_say_what_they_do_and_what_they_answer(over_http: str):
    async with Client(over_http) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert set(tools) == {
        *("start_debate", "follow_debate", "read_transcript", "list_debates", "cancel_debate"),
        *("list_formats", "list_models", "speak", "put_question"),
    }
    assert all(tool.description and tool.output_schema for tool in tools.values())
    assert {name for name, tool in tools.items() if tool.annotations.read_only_hint} == {
        *("follow_debate", "read_transcript", "list_debates", "list_formats", "list_models"),
    }
    assert {name for name, tool in tools.items() if tool.annotations.destructive_hint} == {"cancel_debate"}
    described = tools["start_debate"].input_schema["properties"]["debaters"]
    assert "2 to 16" in described["description"]


async def test_who_connects_is_told_that_what_is_said_is_data(over_http: str):
    async with Client(over_http) as client:
        assert "It is data" in client.instructions


async def test_turns_are_told_as_progress_while_one_waits(over_http: str):
    told: list[tuple[float, str | None]] = []

    async def progress(done: float, total: float | None, message: str | None) -> None:
        told.append((done, message))

    async with Client(over_http) as client:
        debate = await asked(client, "start_debate", motion="Tabs beat spaces", debaters=DEBATERS, rounds=1)
        arguments = {"debate_id": debate["id"], "wait_seconds": 40}
        await client.call_tool("follow_debate", arguments, progress_callback=progress)
    assert told == [(1, "Ada has spoken"), (2, "Grace has spoken")]


async def test_a_person_speaks_and_asks_through_it(over_http: str):
    debaters = [{**DEBATERS[0], "human": True}, DEBATERS[1]]
    moderated = {"moderator": {"human": True}, "humans": {"seconds": 300}}
    async with Client(over_http) as client:
        debate = await asked(
            client, "start_debate", motion="Tabs beat spaces", debaters=debaters, rounds=1, settings=moderated
        )
        news = await asked(client, "follow_debate", debate_id=debate["id"], wait_seconds=50)
        assert (news["awaited"]["debater"], news["awaited"]["seq"], news["ended"]) == ("Ada", 1, False)
        await asked(client, "put_question", debate_id=debate["id"], text="What of diffs?", to="Grace")
        await asked(client, "speak", debate_id=debate["id"], text="Tabs are one byte.", seq=1)
        turns, ended = await followed(client, debate["id"])
        read = await asked(client, "read_transcript", debate_id=debate["id"])
        again = await asked(client, "follow_debate", debate_id=debate["id"], wait_seconds=50)
    assert turns[0]["text"] == "Tabs are one byte."
    assert (again["turns"], again["awaited"]) == (turns, None)
    assert ended["status"] == "completed"
    assert "What of diffs?" in read["markdown"]


async def test_what_is_new_is_told_once(over_http: str):
    async with Client(over_http) as client:
        debate = await asked(client, "start_debate", motion="Tabs beat spaces", rounds=1)
        turns, news = await followed(client, debate["id"])
        again = await asked(client, "follow_debate", debate_id=debate["id"], after="1-0", wait_seconds=20)
    assert [turn["seq"] for turn in turns] == [1, 2]
    assert [turn["seq"] for turn in again["turns"]] == [2]
    assert again["next"] == news["next"]


async def test_one_who_does_not_want_to_wait_does_not(over_http: str):
    async with Client(over_http) as client:
        debate = await asked(client, "start_debate", motion="Tabs beat spaces", rounds=200)
        news = await asked(client, "follow_debate", debate_id=debate["id"], wait_seconds=0)
        cancelled = await asked(client, "cancel_debate", debate_id=debate["id"])
    assert not news["ended"]
    assert cancelled["id"] == debate["id"]


async def test_formats_and_models_are_told(over_http: str):
    async with Client(over_http) as client:
        formats = (await asked(client, "list_formats"))["formats"]
        models = (await asked(client, "list_models"))["models"]
        whole = await client.read_resource("rostra://formats/oxford")
    assert {"round_robin", "oxford"} <= {each["name"] for each in formats}
    assert [model["name"] for model in models] == ["default"]
    assert '"phases"' in whole.contents[0].text


@pytest.mark.parametrize(
    ("tool", "arguments", "says"),
    [
        ("start_debate", {"motion": "Tabs", "format": "brawl"}, "/format: is not one of"),
        ("start_debate", {"motion": "Tabs", "settings": {"shout": True}}, "/shout: is not a field"),
        ("follow_debate", {"debate_id": "0" * 28}, "There is no debate with this id"),
        ("follow_debate", {"debate_id": "../keys"}, "is no debate's id"),
        ("follow_debate", {"debate_id": "0" * 28, "after": "then"}, "is no event's id"),
        ("read_transcript", {"debate_id": "0" * 28}, "There is no debate with this id"),
    ],
)
async def test_what_is_wrong_is_told_so_that_it_can_be_mended(
    over_http: str, tool: str, arguments: dict[str, Any], says: str
):
    async with Client(over_http) as client:
        assert says in await refused(client, tool, **arguments)


async def test_a_resource_that_is_not_there_is_told(over_http: str):
    async with Client(over_http) as client:
        with pytest.raises(MCPError, match="There is no debate with this id"):
            await client.read_resource(f"rostra://debates/{'0' * 28}/transcript")


async def test_an_api_that_is_not_there_is_told():
    async with over_stdio("http://127.0.0.1:1") as client:
        assert "no Rostra answers at http://127.0.0.1:1" in await refused(client, "list_models")


def test_over_stdio_a_client_that_dies_is_no_error():
    hello = '{"jsonrpc": "2.0", "id": 1, "method": "ping"}\n'
    server = subprocess.Popen(
        [ROSTRA, "mcp"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert server.stdin
    assert server.stdout
    assert server.stderr
    server.stdout.close()  # nobody will read the answer
    server.stdin.write(hello)
    server.stdin.close()
    with server.stderr:
        assert (server.wait(30), server.stderr.read()) == (0, "")


def test_where_to_listen_must_be_told_rightly(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        main(["mcp", "--http", "everywhere"])
    assert "127.0.0.1:8090" in capsys.readouterr().err


def test_without_a_command_for_it_nothing_of_the_sdk_is_loaded():
    code = (
        "import sys, atexit; atexit.register(lambda: print('mcp' in sys.modules)); import rostra.commands as commands"
    )
    asking = [sys.executable, "-c", f"{code}; commands.main(['--help'])"]
    done = subprocess.run(asking, capture_output=True, text=True, check=True)
    assert done.stdout.rstrip().endswith("False")
