"""The commands that ask a running Rostra: the API is real, a worker plays, the model is a scripted one."""

from __future__ import annotations

import asyncio
import io
import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from structlog.testing import capture_logs

from builders import a_debate, a_request, a_turn
from conftest import as_user
from playing import a_worker
from rostra.commands import main
from rostra.models import Status
from rostra.processes import free_port
from rostra.store import Claim, Store, connect
from rostra_api.server import Server
from rostra_orchestrator.settings import Settings as WorkerSettings
from scripted import Says, ScriptedModel, counting, serving


class Done(NamedTuple):
    """What a command came to."""

    status: int
    out: str
    err: str


Rostra = Callable[..., Awaitable[Done]]


@pytest.fixture
def rostra(server: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Rostra:
    """Runs a command as somebody at a terminal 200 characters wide, or a script, does."""
    monkeypatch.setenv("ROSTRA_URL", server.url)
    monkeypatch.setenv("COLUMNS", "200")

    async def run(*arguments: object, stdin: str = "") -> Done:
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        try:
            status = await asyncio.to_thread(main, [str(argument) for argument in arguments])
        except SystemExit as error:  # of argparse
            status = int(str(error.code))
        return Done(status, *capsys.readouterr())

    return run


@pytest.fixture
def model() -> Iterator[ScriptedModel]:
    with serving(ScriptedModel(counting())) as model:
        yield model


@pytest.fixture
async def worker(redis_server: str, redis_url: str, model: ScriptedModel) -> AsyncIterator[None]:
    url = as_user("orchestrator", redis_server)
    store = Store(connect(url))
    settings = WorkerSettings(redis_url=url, llm_url=model.url, model_patience_seconds=0.5)
    with capture_logs():  # else they stand between what the commands print
        async with a_worker(store, settings):
            yield
    await store.close()


async def held(store: Store, claim: Claim, turns: int = 2) -> str:
    for seq in range(1, turns + 1):
        await store.append(claim, a_turn(seq, f"d{2 - seq % 2}"))
    await store.finish(claim, Status.COMPLETED)
    return claim.debate.id


@pytest.mark.usefixtures("worker")
class TestDebate:
    async def test_a_motion_is_enough_and_all_is_shown(self, rostra: Rostra):
        done = await rostra("debate", "Tabs beat spaces", "--rounds", 1, "--guard", "off")
        assert done.status == 0, done
        assert "Tabs beat spaces" in done.out
        assert "Affirmative: Point 1." in done.out
        assert "Negative: Point 2." in done.out
        assert "completed" in done.out
        assert "2 of 2 turns" in done.out

    async def test_what_is_said_is_what_is_asked_for(self, rostra: Rostra):
        options = [
            "--debater",
            "Ada: for tabs",
            "--debater",
            "Grace: for spaces",
            "--model",
            "plain",
            "--characters",
            80,
        ]
        more = ["--tokens", 90, "--seed", 7, "--language", "en", "--rounds", 2, "--metadata", "experiment=12"]
        done = await rostra(
            "debate", "Tabs beat spaces", *options, *more, "--set", "limits.seconds=600", "--detach", "--json"
        )
        debate = json.loads(done.out)
        assert [(d["name"], d["stance"], d["model"]) for d in debate["debaters"]] == [
            ("Ada", "for tabs", "plain"),
            ("Grace", "for spaces", "plain"),
        ]
        assert (debate["seed"], debate["limits"]["seconds"]) == (7, 600)
        assert debate["metadata"] == {"experiment": 12}

    async def test_metadata_are_kept_so_that_they_are_found_as_they_were_written(self, rostra: Rostra):
        written = {"version": "1.10", "run": "7", "share": "0.5", "done": "true", "most": "NaN", "id": "1e3"}
        pairs = [f"{key}={text}" for key, text in written.items()]
        options = [option for pair in pairs for option in ("--metadata", pair)]
        debate = json.loads((await rostra("debate", "Tabs beat spaces", *options, "--detach", "--json")).out)
        assert debate["metadata"] == {**written, "run": 7, "share": 0.5, "done": True}
        for pair in pairs:
            assert debate["id"] in (await rostra("list", "--metadata", pair)).out, pair

    async def test_a_model_alone_is_that_of_the_usual_debaters(self, rostra: Rostra):
        done = await rostra(
            "debate", "タブはスペースに勝る", "--model", "plain", "--language", "ja", "--detach", "--json"
        )
        assert [(d["name"], d["model"]) for d in json.loads(done.out)["debaters"]] == [
            ("肯定側", "plain"),
            ("否定側", "plain"),
        ]

    async def test_a_human_takes_the_place_of_one_who_is_none(self, rostra: Rostra):
        debaters = ["--debater", "Ann: for tabs", "--debater", "Bob: for spaces"]
        done = await rostra("debate", "Tabs", *debaters, "--human", "ａnn", "--human", "Zed", "--detach", "--json")
        assert [(d["name"], d["stance"], d["human"]) for d in json.loads(done.out)["debaters"]] == [
            ("Ann", "for tabs", True),
            ("Zed", "for spaces", True),
        ]

    async def test_for_scripts_each_event_is_a_line(self, rostra: Rostra):
        done = await rostra("debate", "Tabs beat spaces", "--rounds", 1, "--json")
        events = [json.loads(line) for line in done.out.splitlines()]
        assert [event["type"] for event in events if event["type"] == "turn_taken"] == ["turn_taken"] * 2
        assert events[-1]["type"] == "debate_ended"
        assert done.status == 0

    async def test_a_verdict_is_shown(self, rostra: Rostra):
        done = await rostra("debate", "Tabs beat spaces", "--rounds", 1, "--judge")
        assert done.status == 0
        assert "the verdict" in done.out
        assert "judge 1, reading 1" in done.out

    async def test_so_is_what_the_audience_the_debaters_and_the_baselines_came_to(self, rostra: Rostra):
        wishes = ["audience.size=1", "decision.protocol=majority", "baselines=true"]
        options = [option for wish in wishes for option in ("--set", wish)]
        held = await rostra("debate", "Tabs beat spaces", "--rounds", 1, *options)
        for said in (held.out, (await rostra("show", "@latest")).out):
            for told in ("audience", "Before:", "decision", "By majority:", "without a debate", "independent answers:"):
                assert told in said

    async def test_an_attempt_that_the_guard_refuses_is_shown(self, rostra: Rostra, model: ScriptedModel):
        model.answers = [Says("Tabs are one byte.", finish="stop"), Says("")]
        done = await rostra("debate", "Tabs beat spaces", "--rounds", 1)
        assert "attempt 1: " in done.out

    async def test_phases_are_headed(self, rostra: Rostra):
        done = await rostra("debate", "Tabs beat spaces", "--format", "lincoln_douglas", "--guard", "off")
        assert done.status == 0
        assert done.out.count("── ") >= 2


class TestWhatGoesWrong:
    async def test_nobody_there_says_how_to_start_one(self, rostra: Rostra, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setenv("ROSTRA_URL", f"http://127.0.0.1:{free_port()}")
        done = await rostra("debate", "Tabs beat spaces")
        assert (done.status, done.out) == (3, "")
        assert "rostra serve" in done.err
        assert "docker compose up" in done.err

    async def test_what_is_refused_is_pointed_at(self, rostra: Rostra):
        done = await rostra("debate", "Tabs beat spaces", "--rounds", 0)
        assert done.status == 2
        assert "/rounds" in done.err

    @pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e999", "[NaN]"])
    async def test_what_is_no_number_in_json_is_sent_as_text(
        self, rostra: Rostra, store: Store, claim: Claim, number: str
    ):
        setting = ["--set", f"turn.max_tokens={number}"]
        for said in (["debate", "Tabs", *setting], ["fork", await held(store, claim), *setting]):
            done = await rostra(*said)
            assert (done.status, done.out) == (2, "")
            assert "/turn/max_tokens" in done.err

    @pytest.mark.parametrize(
        "said",
        [
            ["debate", "Tabs", "--debater", ": for tabs"],
            [
                "debate",
                "Tabs",
                "--debater",
                "Ann",
                "--debater",
                "Bob",
                "--human",
                "Zed",
                "--human",
                "Ada",
                "--human",
                "Ann",
            ],
            ["debate", "Tabs", "--human", "Ann", "--human", "Bob", "--human", "Zed"],
            ["debate", "Tabs", "--set", "turn=1", "--set", "turn.max_tokens=9"],
            ["show", "../etc"],
            ["show", "@latest"],
            ["show", "0123456789"],
            ["run", "nowhere.json"],
            ["run", "-"],
            ["export", "0" * 28, "-o", "debate.docx"],
            ["show", "0" * 28],
            ["say", "0" * 28, " "],
        ],
    )
    async def test_what_cannot_be_done_as_it_was_said_is_told(self, rostra: Rostra, said: list[str]):
        done = await rostra(*said)
        assert (done.status, done.out) == (2, "")
        assert done.err.startswith("rostra: ")

    async def test_what_is_complained_about_drives_no_terminal(self, rostra: Rostra, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setenv("ROSTRA_URL", "http://127.0.0.1:1/\x1b[2J")
        done = await rostra("list")
        assert done.status == 2
        assert "\x1b" not in done.err


class AtATerminal:
    """A command in a terminal of its own, to be typed at."""

    def __init__(self, url: str, *arguments: str) -> None:
        self._ours, theirs = pty.openpty()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "rostra.commands", *arguments],
            stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
            env={"ROSTRA_URL": url, "TERM": "xterm", "PATH": os.environ["PATH"]},
        )  # fmt: skip
        os.close(theirs)
        self.seen = ""

    async def until(self, text: str, times: int = 1) -> None:
        async with asyncio.timeout(60):
            while self.seen.count(text) < times:
                self.seen += (await asyncio.to_thread(os.read, self._ours, 1 << 16)).decode(errors="replace")

    def interrupt(self) -> None:
        self._process.send_signal(signal.SIGINT)

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode())

    async def status(self) -> int:
        try:
            return await asyncio.to_thread(self._process.wait, 60)
        finally:
            os.close(self._ours)


class TestCtrlC:
    @pytest.mark.parametrize(("typed", "status"), [("\n", "queued"), ("c\n", "cancelled")])
    async def test_asks_what_is_to_become_of_the_debate(self, server: Server, rostra: Rostra, typed: str, status: str):
        terminal = AtATerminal(server.url, "debate", "Tabs beat spaces", "--set", "seed=7")
        await terminal.until("turn 0 of 6")
        terminal.interrupt()
        await terminal.until("cancel it")
        terminal.type(typed)
        assert await terminal.status() == 130
        assert [line.split()[1] for line in (await rostra("list")).out.splitlines()[1:]] == [status]

    async def test_may_be_taken_back(self, server: Server, store: Store, claim: Claim):
        terminal = AtATerminal(server.url, "watch", claim.debate.id)
        await terminal.until("turn 0 of 10")
        terminal.interrupt()
        await terminal.until("cancel it")
        terminal.type("w\n")
        await held(store, claim)
        await terminal.until("2 of 10 turns")
        assert await terminal.status() == 0
        assert terminal.seen.count("Point 1.") == 1


@pytest.mark.usefixtures("worker")
class TestPeople:
    async def test_whose_turn_it_is_is_asked_and_what_is_typed_is_said(self, server: Server, rostra: Rostra):
        terminal = AtATerminal(server.url, "debate", "Tabs beat spaces", "--human", "Ada", "--rounds", "1")
        await terminal.until("An empty line ends it")
        terminal.type("Tabs are one byte.\nSpaces are four.\n\n")
        assert await terminal.status() == 0
        shown = (await rostra("show", "@latest")).out
        assert "Ada: Tabs are one byte. Spaces are four." in shown
        assert "Negative: Point 1." in shown

    async def test_who_watches_later_is_asked_for_the_turn_that_is_awaited_only(self, server: Server, rostra: Rostra):
        options = ["--human", "Ada", "--rounds", 2, "--set", "humans.seconds=600", "--detach"]
        debate_id = (await rostra("debate", "Tabs beat spaces", *options)).out.strip()
        await self.awaited(rostra, 1)
        assert (await rostra("say", debate_id, "Tabs are one byte.")).status == 0
        await self.awaited(rostra, 3)
        terminal = AtATerminal(server.url, "watch", debate_id, "--as", "Ada")
        await terminal.until("An empty line ends it")
        terminal.type("Once more.\n\n")
        assert await terminal.status() == 0
        assert terminal.seen.count("An empty line ends it") == 1
        shown = (await rostra("show", debate_id)).out
        assert shown.index("Ada: Tabs are one byte.") < shown.index("Ada: Once more.")

    async def awaited(self, rostra: Rostra, seq: int) -> None:
        async with asyncio.timeout(60):
            while (json.loads((await rostra("list", "--json")).out)["awaits"] or {}).get("seq") != seq:
                await asyncio.sleep(0.1)

    async def test_who_has_nothing_to_say_leaves_it_to_others(self, server: Server, rostra: Rostra):
        options = ["--human", "Ada", "--rounds", "1", "--set", "humans.seconds=600"]
        terminal = AtATerminal(server.url, "debate", "Tabs beat spaces", *options)
        await terminal.until("An empty line ends it")
        terminal.type("\x04")
        await terminal.until("Say it later")
        assert (await rostra("say", "@latest", "-", "--seq", 1, stdin="Tabs are one byte.\n")).status == 0
        await terminal.until("Tabs are one byte.")
        await terminal.until("2 of 2 turns")
        assert await terminal.status() == 0

    async def test_who_left_one_turn_is_asked_for_the_next_until_it_can_be_said(self, server: Server, rostra: Rostra):
        options = ["--human", "Ａda", "--rounds", "2", "--characters", "20", "--set", "humans.seconds=600"]
        terminal = AtATerminal(server.url, "debate", "Tabs beat spaces", *options)
        await terminal.until("An empty line ends it")
        terminal.type("\x04")
        await terminal.until("Say it later")
        assert (await rostra("say", "@latest", "Tabs are small.", "--seq", 1)).status == 0
        await terminal.until("An empty line ends it", 2)
        terminal.type("Tabs are one byte, and four are spaces.\n\n")
        await terminal.until("this turn has at most 20")
        await terminal.until("An empty line ends it", 3)
        terminal.type("Once more.\n\n")
        assert await terminal.status() == 0
        assert "Ada: Once more." in (await rostra("show", "@latest")).out

    async def test_who_is_interrupted_and_stays_is_asked_again(self, server: Server, rostra: Rostra):
        options = ["--human", "Ada", "--rounds", "1", "--set", "humans.seconds=600"]
        terminal = AtATerminal(server.url, "debate", "Tabs beat spaces", *options)
        await terminal.until("An empty line ends it")
        terminal.interrupt()
        await terminal.until("cancel it")
        terminal.type("w\n")
        await terminal.until("An empty line ends it", 2)
        terminal.type("Tabs are one byte.\n\n")
        assert await terminal.status() == 0
        assert "Ada: Tabs are one byte." in (await rostra("show", "@latest")).out

    async def test_a_script_that_has_no_more_to_say_is_not_asked_again(self, rostra: Rostra):
        options = ["--human", "Ada", "--rounds", 3, "--set", "humans.seconds=1"]
        done = await rostra("debate", "Tabs beat spaces", *options, stdin="Tabs are one byte.\n")
        assert done.out.count("An empty line ends it") == 2
        assert "Ada: Tabs are one byte." in done.out

    async def test_what_is_said_too_late_or_twice_is_told(self, rostra: Rostra):
        debate_id = (await rostra("debate", "Tabs", "--human", "Ada", "--rounds", 1, "--detach")).out.strip()
        await self.awaited(rostra, 1)
        said = [await rostra("say", debate_id, text, "--seq", 1) for text in ("Tabs.", "Tabs.", "Spaces.")]
        assert [one.status for one in said] == [0, 0, 2]

    async def test_a_moderator_asks(self, rostra: Rostra, store: Store):
        options = ["--set", "moderator.human=true", "--human", "Ada", "--rounds", 1, "--detach"]
        debate_id = (await rostra("debate", "Tabs beat spaces", *options)).out.strip()
        assert (await rostra("ask", debate_id, "How wide is a tab?", "--to", "Ada")).status == 0
        assert (await rostra("ask", debate_id, "How wide?", "--to", "Edsger")).status == 2
        await self.awaited(rostra, 1)
        await rostra("say", debate_id, "Eight.")
        for command in ("watch", "show"):
            said = (await rostra(command, debate_id)).out
            assert said.index("the moderator asks Ada: How wide is a tab?") < said.index("Ada: Eight.")
        assert "rostra ask" not in (await rostra("watch", debate_id)).out  # it is over

    async def test_who_watches_is_told_how_to_moderate_and_to_speak(self, server: Server, rostra: Rostra):
        options = ["--set", "moderator.human=true", "--human", "Ada", "--rounds", 1, "--detach"]
        debate_id = (await rostra("debate", "Tabs beat spaces", *options)).out.strip()
        terminal = AtATerminal(server.url, "watch", debate_id)
        await terminal.until(f'rostra ask {debate_id} "…"')
        await terminal.until(f'rostra say {debate_id} "…"')
        assert (await rostra("say", debate_id, "Eight.")).status == 0
        assert await terminal.status() == 0


class TestReading:
    async def test_where_there_are_none_it_says_so_and_draws_no_table(self, rostra: Rostra):
        assert await rostra("list") == (0, "", "No debate matches.\n")
        assert await rostra("list", "--json") == (0, "", "")

    async def test_a_server_that_is_not_there_is_told_before_anything_else(
        self, rostra: Rostra, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setenv("ROSTRA_URL", f"http://127.0.0.1:{free_port()}")
        done = await rostra("list")
        assert (done.status, done.out) == (3, "")
        assert "no Rostra answers" in done.err

    async def test_debates_are_listed_newest_first(self, rostra: Rostra, store: Store, claim: Claim):
        await held(store, claim)
        newer = a_debate("Tea beats coffee", metadata={"drink": "tea"})
        await store.create(newer)
        done = await rostra("list")
        assert [line.split()[0] for line in done.out.splitlines()] == ["ID", newer.id, claim.debate.id]
        assert [json.loads(line)["id"] for line in (await rostra("list", "--json")).out.splitlines()] == [
            newer.id,
            claim.debate.id,
        ]
        assert claim.debate.id not in (await rostra("list", "--metadata", "drink=tea")).out
        assert newer.id not in (await rostra("list", "--status", "completed")).out
        assert len((await rostra("list", "--limit", 1)).out.splitlines()) == 2

    async def test_one_is_shown(self, rostra: Rostra, store: Store, claim: Claim):
        debate_id = await held(store, claim)
        done = await rostra("show", debate_id)
        assert done.out.index("Ada: Point 1.") < done.out.index("Grace: Point 2.")
        assert json.loads((await rostra("show", debate_id, "--json")).out)["id"] == debate_id

    async def test_an_id_may_be_shortened_while_it_is_the_only_one(self, rostra: Rostra, store: Store, claim: Claim):
        debate_id = await held(store, claim)
        for short in (debate_id[:27], debate_id[-8:], "@latest"):
            assert (await rostra("show", short)).status == 0
        for _ in range(2):
            await store.create(a_debate())
        done = await rostra("show", debate_id[:4])
        assert done.status == 2
        assert "3 of the newest" in done.err

    async def test_one_is_exported_in_the_form_that_the_file_ends_in(
        self, rostra: Rostra, store: Store, claim: Claim, tmp_path: Path
    ):
        debate_id = await held(store, claim)
        for form in ("md", "html", "json", "ndjson", "csv"):
            assert (await rostra("export", debate_id, "-o", tmp_path / f"debate.{form}")).status == 0
        assert (tmp_path / "debate.md").read_text().startswith("# Tabs beat spaces")
        assert "</html>" in (tmp_path / "debate.html").read_text()
        assert json.loads((tmp_path / "debate.json").read_text())["id"] == debate_id
        assert json.loads((tmp_path / "debate.ndjson").read_text().splitlines()[0])["type"] == "debate_created"
        assert len((tmp_path / "debate.csv").read_text().splitlines()) == 3
        assert (await rostra("export", debate_id)).out == (tmp_path / "debate.md").read_text()
        assert (await rostra("export", debate_id, "-o", tmp_path / "no" / "debate.md")).status == 2

    async def test_one_that_has_ended_is_watched_from_the_beginning_or_an_event(
        self, rostra: Rostra, store: Store, claim: Claim
    ):
        debate_id = await held(store, claim)
        assert "Ada: Point 1." in (await rostra("watch", debate_id)).out
        later = (await rostra("watch", debate_id, "--after", "1-0", "--json")).out
        assert [json.loads(line)["id"] for line in later.splitlines()] == ["2-0", "2-1"]
        assert (await rostra("watch", debate_id, "--as", "Edsger")).status == 2

    async def test_formats_and_models(self, rostra: Rostra):
        assert "lincoln_douglas" in (await rostra("formats")).out
        assert "Lincoln" in (await rostra("formats", "lincoln_douglas")).out
        assert json.loads((await rostra("formats", "oxford", "--json")).out)["name"] == "oxford"
        assert "oxford" in [each["name"] for each in json.loads((await rostra("formats", "--json")).out)]
        assert "plain" in (await rostra("models")).out
        assert "plain" in [each["name"] for each in json.loads((await rostra("models", "--json")).out)]
        assert (await rostra("formats", "none")).status == 2


class TestSteering:
    async def test_one_is_paused_resumed_cancelled_and_deleted(self, rostra: Rostra, store: Store):
        debate = a_debate()
        await store.create(debate)
        said = [(await rostra(command, debate.id)).out for command in ("pause", "resume", "cancel", "delete")]
        assert said == [f"{debate.id} {word}\n" for word in ("paused", "queued", "cancelled", "deleted")]
        assert (await rostra("cancel", debate.id)).status == 2

    async def test_for_scripts(self, rostra: Rostra, store: Store):
        debate = a_debate()
        await store.create(debate)
        assert json.loads((await rostra("cancel", debate.id, "--json")).out)["status"] == "cancelled"
        assert json.loads((await rostra("delete", debate.id, "--json")).out) == {"id": debate.id, "deleted": True}

    async def test_one_is_forked_after_a_turn_with_what_is_different(self, rostra: Rostra, store: Store, claim: Claim):
        debate_id = await held(store, claim)
        done = await rostra(
            "fork", debate_id, "--after", 1, "--set", "seed=7", "--set", "turn.max_characters=80", "--json"
        )
        fork = json.loads(done.out)
        assert (fork["seed"], fork["turns_done"], fork["forked_from"]["id"]) == (7, 1, debate_id)
        assert (await rostra("fork", debate_id, "--after", 99)).status == 2

    async def test_a_fork_has_all_finished_turns_when_it_is_not_said_how_many(
        self, rostra: Rostra, store: Store, claim: Claim
    ):
        debate_id = await held(store, claim)
        turns = json.loads((await rostra("show", debate_id, "--json")).out)["turns"]
        fork = json.loads((await rostra("fork", debate_id, "--json")).out)
        assert fork["turns_done"] == fork["forked_from"]["after_turn"] == len(turns) > 0


class TestRun:
    def files(self, folder: Path) -> Path:
        (folder / "deeper").mkdir(parents=True)
        (folder / "one.json").write_text(json.dumps(a_request("One", rounds=1)))
        (folder / "several.ndjson").write_text(
            "".join(json.dumps({"motion": m, "rounds": 1}) + "\n" for m in ("Two", "Three"))
        )
        (folder / "deeper" / "four.toml").write_text('motion = "Four"\nrounds = 1\n[turn]\nmax_tokens = 90\n')
        (folder / "notes.txt").write_text("no debate")
        return folder

    @pytest.mark.usefixtures("worker")
    async def test_a_folder_is_held_to_its_end_and_written(self, rostra: Rostra, tmp_path: Path):
        out = tmp_path / "out"
        done = await rostra("run", self.files(tmp_path / "in"), "--wait", "--jobs", 2, "--out", out, "--form", "md")
        assert done.status == 0, done
        assert sorted(line.split()[1:] for line in done.out.splitlines()) == [
            ["completed", name] for name in ("deeper-four", "one", "several-1", "several-2")
        ]
        assert sorted(path.name for path in out.iterdir()) == [
            "deeper-four.md",
            "one.md",
            "several-1.md",
            "several-2.md",
        ]
        assert (out / "several-2.md").read_text().startswith("# Three")

    async def test_a_batch_is_begun_once_however_often_it_is_run(self, rostra: Rostra, store: Store, tmp_path: Path):
        folder = self.files(tmp_path / "in")
        first, second = await rostra("run", folder, "--batch", "night"), await rostra("run", folder, "--batch", "night")
        assert sorted(first.out.splitlines()) == sorted(second.out.splitlines())
        assert len((await rostra("list", "--metadata", "batch=night", "--json")).out.splitlines()) == 4
        assert (await rostra("run", folder)).out != first.out

    async def test_so_is_each_of_several_that_are_the_same(self, rostra: Rostra, tmp_path: Path):
        for folder in ("r1", "r2"):
            (tmp_path / folder).mkdir()
            (tmp_path / folder / "x.json").write_text(json.dumps(a_request("One", rounds=1)))
        command = ["run", tmp_path / "r1" / "x.json", tmp_path / "r2" / "x.json", "--batch", "night"]
        first, second = await rostra(*command), await rostra(*command)
        alone = await rostra("run", tmp_path / "r2" / "x.json", "--batch", "night")
        assert len(set(first.out.splitlines())) == 2
        assert sorted(first.out.splitlines()) == sorted(second.out.splitlines())
        assert alone.out in first.out.splitlines(keepends=True)

    async def test_one_that_is_refused_keeps_no_other_from_beginning(self, rostra: Rostra, tmp_path: Path):
        good, bad = tmp_path / "good.json", tmp_path / "bad.json"
        good.write_text('[{"motion": "One"}, {"motion": "Two"}]')
        bad.write_text('{"motion": "Three", "rounds": 0}')
        done = await rostra("run", bad, good)
        assert done.status == 2
        assert len(done.out.splitlines()) == 2
        assert "bad: " in done.err
        assert "/rounds" in done.err

    async def test_they_come_from_standard_input_too(self, rostra: Rostra):
        done = await rostra("run", "-", "--json", stdin='{"motion": "One"}\n{"motion": "Two"}\n')
        assert sorted(json.loads(line)["motion"] for line in done.out.splitlines()) == ["One", "Two"]

    async def test_files_that_are_none_are_named(self, rostra: Rostra, tmp_path: Path):
        wrong = {"a.json": "{not json", "b.json": '["no debate"]', "c.toml": "motion =", "d.json": b"\xff"}
        for name, text in wrong.items():
            (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
            done = await rostra("run", tmp_path / name)
            assert done.status == 2
            assert name in done.err
        (tmp_path / "empty").mkdir()
        assert (await rostra("run", tmp_path / "empty")).status == 2
