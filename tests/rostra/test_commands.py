"""`rostra demo` and `rostra serve`, as people start them; the model server is a scripted one."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2 as httpx
import pytest
from redis import Redis
from redis.exceptions import AuthenticationError

from builders import a_request
from rostra.processes import free_port
from scripted import Fails, Says, ScriptedModel, counting, serving

ROSTRA = [Path(sys.executable).with_name("rostra")]


def environment(**settings: object) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("ROSTRA_")}
    return own | {f"ROSTRA_{name.upper()}": str(value) for name, value in settings.items()}


def demo(model: ScriptedModel, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*ROSTRA, "demo", *arguments],
        env=environment(llm_url=model.url, workers=1, turn_attempts=1),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


class TestDemo:
    def test_it_shows_a_debate_to_its_end(self, tmp_path: Path):
        (tmp_path / "debate.json").write_text(json.dumps(a_request(rounds=1)))
        # U+2028 ends a line for Unicode, and must not for the stream; an escape sequence must not reach the terminal.
        with serving(ScriptedModel(lambda _: Says("Tabs\u2028are one\x1b[2J byte."))) as model:
            done = demo(model, tmp_path / "debate.json")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Tabs beat spaces" in done.stdout
        assert "Ada: Tabs" in done.stdout
        assert "Grace: Tabs" in done.stdout
        assert "\x1b[2J" not in done.stdout
        assert "2 of 2 turns" in done.stdout

    def test_a_debate_that_fails_says_why(self, tmp_path: Path):
        (tmp_path / "debate.json").write_text(json.dumps(a_request(rounds=1)))
        with serving(ScriptedModel(lambda _: Fails(400, {"detail": "no such option"}))) as model:
            done = demo(model, tmp_path / "debate.json")
        assert done.returncode == 1
        assert "failed: the model server answered 400: no such option" in " ".join(done.stdout.split())

    def test_a_debate_that_cannot_be_held_is_refused_with_the_field(self, tmp_path: Path):
        (tmp_path / "debate.json").write_text('{"motion": "Tabs beat spaces", "rounds": 0}')
        with serving(ScriptedModel(counting())) as model:
            done = demo(model, tmp_path / "debate.json")
        assert done.returncode == 2
        assert "/rounds" in done.stderr

    def test_a_file_that_is_not_there_is_named(self, tmp_path: Path):
        done = subprocess.run(
            [*ROSTRA, "demo", tmp_path / "none.json"], capture_output=True, text=True, timeout=30, check=False
        )
        assert done.returncode == 2
        assert f"cannot read {tmp_path / 'none.json'}: No such file or directory\n" in done.stderr


@contextmanager
def serve(**settings: object) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [*ROSTRA, "serve"],
        env=environment(**settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def until_ready(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    line = process.stdout.readline()
    assert line.startswith("Rostra is ready at http://127.0.0.1:")
    return line


def interrupted(process: subprocess.Popen[str]) -> int:
    process.send_signal(signal.SIGINT)
    return process.wait(40)


def is_free(port: int) -> bool:
    try:
        httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=1)
    except httpx.TransportError:
        return True
    return False


def passwords(folder: Path) -> list[str]:
    return [file.read_text() for file in (folder / "secrets").iterdir()]


def holds_a_secret(path: Path, folder: Path) -> bool:
    return path.is_file() and any(secret in path.read_bytes().decode(errors="replace") for secret in passwords(folder))


def secrets_in_environments(pid: int, folder: Path) -> list[str]:
    """Those of the process and of all that it started."""
    processes = [pid, *descendants(pid)]
    environments = [Path(f"/proc/{one}/environ").read_bytes().decode(errors="replace") for one in processes]
    assert sum("ROSTRA_REDIS_PASSWORD_FILE" in environment for environment in environments) >= 2
    return [secret for secret in passwords(folder) for environment in environments if secret in environment]


def descendants(pid: int) -> list[int]:
    children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return children + [deeper for child in children for deeper in descendants(child)]


def backed_up(folder: Path) -> bytes:
    """What `rostra backup` says of the stack that runs in the folder."""
    command = [*ROSTRA, "backup", folder / "backup.jsonl.gz"]
    return subprocess.run(command, env=environment(data_dir=folder), capture_output=True, check=False).stderr


def nobody_comes_in_without_a_name(folder: Path) -> bool:
    address = (folder / "redis-url").read_text()
    with Redis.from_url(address) as api, Redis.from_url(re.sub("//.*@", "//", address)) as nobody:
        assert api.ping()
        with pytest.raises(AuthenticationError):
            nobody.ping()
    return True


class TestServe:
    @pytest.fixture
    def settings(self, tmp_path: Path, model: ScriptedModel) -> dict[str, object]:
        folder = tmp_path / "the data's folder"
        return {"port": free_port(), "data_dir": folder, "llm_url": model.url, "workers": 1}

    @pytest.fixture
    def model(self) -> Iterator[ScriptedModel]:
        with serving(ScriptedModel(counting())) as model:
            yield model

    def test_it_says_when_it_is_ready_stops_on_ctrl_c_and_forgets_nothing(self, settings: dict[str, object]):
        url = f"http://127.0.0.1:{settings['port']}/v1/debates"
        with serve(**settings) as process:
            assert url.removesuffix("/v1/debates") in until_ready(process)
            posted = httpx.post(url, json=a_request(rounds=1)).json()
            ended = httpx.get(f"{url}/{posted['id']}?wait=30", timeout=40).json()
            assert ended["status"] == "completed"
            before = httpx.get(f"{url}/{posted['id']}/transcript").json()
            folder = Path(str(settings["data_dir"]))
            assert nobody_comes_in_without_a_name(folder)
            assert [path for path in folder.rglob("*") if path.is_file() and holds_a_secret(path, folder)] != []
            assert all(path.stat().st_mode & 0o077 == 0 for path in folder.rglob("*") if holds_a_secret(path, folder))
            assert secrets_in_environments(process.pid, folder) == []
            assert backed_up(folder) == b"1 debates backed up\n"
            assert interrupted(process) == 0
        assert is_free(int(str(settings["port"])))
        with serve(**settings) as process:
            until_ready(process)
            assert httpx.get(f"{url}/{posted['id']}/transcript").json() == before

    def test_others_are_let_in_by_a_key_only_whatever_the_containers_publish(self, settings: dict[str, object]):
        url = f"http://127.0.0.1:{settings['port']}/v1/debates"
        with serve(**settings, host="0.0.0.0", publish="127.0.0.1") as process:
            until_ready(process)
            assert httpx.get(url).json()["type"] == "urn:rostra:problem:no-keys"
            made = subprocess.run(
                [*ROSTRA, "keys", "create", "--owner", "ada"],
                env=environment(data_dir=settings["data_dir"]),
                capture_output=True,
                text=True,
                timeout=30,
                check=True,
            )
            key = {"Authorization": f"Bearer {made.stdout.strip()}"}
            assert httpx.get(url, headers=key).json()["data"] == []

    def test_nothing_is_left_of_one_that_was_killed(self, settings: dict[str, object]):
        with serve(**settings) as process:
            until_ready(process)
            process.kill()
            end = time.monotonic() + 20
            while not is_free(int(str(settings["port"]))):
                assert time.monotonic() < end
                time.sleep(0.1)

    def test_a_service_that_cannot_start_is_told_with_its_words(self, settings: dict[str, object], tmp_path: Path):
        formats = tmp_path / "formats"
        formats.mkdir()
        (formats / "parley.toml").write_text('title = "Parley"\nsumary = "Typed in haste."\n')
        with serve(**settings, formats_dir=formats) as process:
            assert process.wait(60) == 1
            assert process.stderr
            told = process.stderr.read()
        assert "api does not start" in told
        assert "parley.toml: phases: Field required" in told

    def test_a_folder_or_port_in_use_is_named(self, settings: dict[str, object], tmp_path: Path):
        with serve(**settings) as process:
            until_ready(process)
            with serve(**settings) as second:
                assert second.wait(20) == 1
                assert second.stderr
                assert "ROSTRA_DATA_DIR" in second.stderr.read()
            with serve(**settings | {"data_dir": tmp_path / "another"}) as third:
                assert third.wait(20) == 1
                assert third.stderr
                assert "ROSTRA_PORT" in third.stderr.read()
