"""What the README and the documents name is there, and their commands do what they say."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2 as httpx
import pytest

from builders import a_debate, a_turn, claimed
from rostra.formats import library
from rostra.models import Status
from rostra.processes import free_port
from rostra.store import Claim, Store

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    document
    for pattern in ("*.md", "docs/**/*.md", "services/*/*.md", "models/*.md", "wheels/*.md")
    for document in ROOT.glob(pattern)
)
README = (ROOT / "README.md").read_text(encoding="utf-8")
CURLS = re.findall(r"^(curl .*?)(?:  +#.*)?$", README, re.MULTILINE)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_is_linked_is_there(document: Path):
    links = re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text(encoding="utf-8"))
    assert [link for link in links if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_is_made_can_be_made(document: Path):
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    code = re.findall(r"`([^`\n]+)`|^(make .*?)(?:#|$)", document.read_text(encoding="utf-8"), re.MULTILINE)
    commands = [one for pair in code for one in pair if one.startswith("make ")]
    named = {word for command in commands for word in command.split()[1:] if "=" not in word}
    assert named <= targets


def test_every_endpoint_is_described_and_no_other():
    contract = json.loads((ROOT / "docs/openapi.json").read_text(encoding="utf-8"))
    served = {f"{method.upper()} {path}" for path, methods in contract["paths"].items() for method in methods}
    described = re.findall(r"^\| `([A-Z]+ /\S*)` \|", (ROOT / "docs/api.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(described) == sorted(served)


@pytest.fixture
async def served(redis_url: str) -> AsyncIterator[str]:
    """The API as people start it; its address."""
    port = free_port()
    environment = {**os.environ, "ROSTRA_REDIS_URL": redis_url, "ROSTRA_PORT": str(port)}
    api = subprocess.Popen([sys.executable, "-m", "rostra_api"], env=environment, stderr=subprocess.DEVNULL)
    try:
        until_it_answers(f"http://127.0.0.1:{port}/healthz")
        yield f"http://127.0.0.1:{port}"
    finally:
        api.terminate()
        api.wait(10)


def until_it_answers(url: str) -> None:
    for _ in range(200):
        try:
            httpx.get(url).raise_for_status()
        except httpx.ConnectError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError(f"{url} did not answer")


@pytest.fixture
async def ended(store: Store) -> str:
    """The id of a debate that has been held."""
    claim = await claimed(store, a_debate(rounds=1))
    await store.append(claim, a_turn(1, "d1"))
    await store.append(claim, a_turn(2, "d2"))
    await store.finish(claim, Status.COMPLETED)
    return claim.debate.id


FORMAT_PAGES = [ROOT / "docs/formats.md", *sorted((ROOT / "docs/formats").glob("*.md"))]


def test_every_format_has_its_page_and_its_line_with_seats_and_minutes():
    table = (ROOT / "docs/formats.md").read_text(encoding="utf-8").partition("\n\n`GET")[0]
    assert sorted(re.findall(r"\[`(\w+)`\]\(formats/\1\.md\)", table)) == list(library())
    for name, each in library().items():
        (line,) = [line for line in table.splitlines() if f"[`{name}`]" in line]
        minutes = sum(speech.minutes for phase in each.phases for speech in phase.slots)
        assert not minutes or re.search(rf"\b{minutes:g}\b", line.rsplit("|", 2)[1]), line
        assert not each.teams or f"{len(each.teams)} of {len(each.teams[0].seats)}" in line, line


FORKING = (ROOT / "docs/api.md").read_text(encoding="utf-8").partition("## Fork and repeat")[2].partition("\n## ")[0]
FORKS = re.findall(r"^curl (.*?)  +#", FORKING, re.MULTILINE)


@pytest.mark.parametrize("command", FORKS)
async def test_debates_are_forked_and_repeated_as_it_is_written(command: str, served: str, ended: str):
    address = f"fork={served}/v1/debates/{ended}/fork"
    shell = ["bash", "-c", f"{address}; curl --silent --fail-with-body {command}"]
    done = subprocess.run(shell, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["forked_from"]["id"] == ended


def test_all_ways_to_fork_were_tried():
    assert len(FORKS) == 6


async def test_the_experiment_in_pairs_works_as_it_is_written(served: str, ended: str, store: Store):
    (command,) = re.findall(r"^python (examples/.*)$", FORKING, re.MULTILINE)
    command = command.replace("--pairs 5", "--pairs 2").replace("--after-turn 2", "--after-turn 1")
    script = await asyncio.create_subprocess_shell(
        f"id={ended}; {sys.executable} {command} --server {served}", cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    telling = asyncio.create_task(script.communicate())
    for seed, max_tokens in ((1, None), (1, 60), (2, None), (2, 60)):
        claim = await the_next(store)
        assert (claim.debate.seed, claim.debate.turn.max_tokens) == (seed, max_tokens)
        await store.append(claim, a_turn(2, "d2", "Spaces look the same everywhere." if max_tokens else "Point 1."))
        await store.finish(claim, Status.COMPLETED)
    printed, _ = await telling
    assert script.returncode == 0
    assert b"mean difference +1.000, standard deviation 0.000, 2 pairs" in printed


async def the_next(store: Store) -> Claim:
    """The debate that waits for a worker, as soon as there is one."""
    for _ in range(600):
        if isinstance(claim := await store.claim_next("", "worker:2"), Claim):
            return claim
        await asyncio.sleep(0.05)
    raise TimeoutError


async def test_the_documents_of_formats_begin_debates_as_written(served: str):
    commands = [
        found for path in FORMAT_PAGES for found in re.findall(r"^curl .*$", path.read_text("utf-8"), re.MULTILINE)
    ]
    assert len(commands) == len(library()) + 3
    for command in commands:
        here = command.replace("http://127.0.0.1:8080", served).replace("curl ", "curl --silent --fail-with-body ", 1)
        done = subprocess.run(["bash", "-c", here], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, command + done.stdout + done.stderr
        assert json.loads(done.stdout)["status"] == "queued"


async def test_who_takes_part_does_so_as_the_document_says(served: str, store: Store):
    people = [{"name": "Ada", "human": True}, {"name": "Grace"}]
    claim = await claimed(store, a_debate(debaters=people, moderator={"human": True}))
    await store.append(claim, a_turn(1, "d1"))
    await store.append(claim, a_turn(2, "d2"))
    await store.wait_for(claim, 3, "d1", 600)
    section = (ROOT / "docs/api.md").read_text("utf-8").partition("\n## Taking part\n")[2].partition("\n## ")[0]
    commands = re.findall(r"^(curl .*?)(?:  +#.*)?$", section, re.MULTILINE)
    told: list[str] = []
    for command in commands:
        here = command.replace("http://127.0.0.1:8080", served).replace("wait=30", "wait=1")
        shell = ["bash", "-c", here.replace("curl ", "curl --silent --fail-with-body ", 1)]
        environment = {**os.environ, "id": claim.debate.id}
        done = subprocess.run(shell, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, command + done.stdout + done.stderr
        told.append(json.loads(done.stdout)["status"])
    assert told == ["waiting", "queued", "queued"]


def test_the_readme_shows_how_to_begin_read_and_watch():
    assert len(CURLS) == 10


@pytest.mark.parametrize("command", CURLS)
async def test_the_readmes_commands_work_as_written(command: str, served: str, ended: str):
    here = command.replace("http://127.0.0.1:8080", served)
    shell = ["bash", "-c", here.replace("curl ", "curl --silent --fail-with-body --max-time 20 ", 1)]
    done = subprocess.run(shell, cwd=ROOT, env={**os.environ, "id": ended}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    if "--json" in command:
        assert json.loads(done.stdout)["status"] == "queued"
    elif "/events" in command:
        assert done.stdout.rstrip().endswith('{"status": "completed", "reason": ""}')
    elif ".md" in command:
        assert "**Ada:** Point 1." in done.stdout
    else:
        assert json.loads(done.stdout)["turns_done"] == 2
