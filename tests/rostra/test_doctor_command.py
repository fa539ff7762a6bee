"""`rostra doctor`, as people call it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import get_args

import pytest

from rostra.commands import main
from rostra.commands.arguments.doctor import DIALECTS
from rostra.endpoints import Dialect
from scripted import serving
from toy import EVERYTHING, Toy


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ROSTRA_LLM_API_KEY", raising=False)


@pytest.mark.parametrize(("toy", "status"), [(Toy(), 0), (Toy(interrupts=True), 1), (Toy(mute=True), 2)])
def test_its_exit_status_is_the_judgement(toy: Toy, status: int, capsys: pytest.CaptureFixture[str]):
    with serving(toy):
        assert main(["doctor", toy.url]) == status
    judgement = ("fit for debates", "usable for debates, with faults", "not usable for debates")[status]
    assert judgement in capsys.readouterr().out.splitlines()[0]


def test_it_takes_the_first_model_that_is_listed_unless_one_is_named(capsys: pytest.CaptureFixture[str]):
    with serving(Toy(model="qwen3-8b")) as toy:
        assert main(["doctor", f"{toy.url}/v1/"]) == 0
        assert "model qwen3-8b" in capsys.readouterr().out
        assert main(["doctor", toy.url.removeprefix("http://"), "--model", "another"]) == 1
        assert "model another" in capsys.readouterr().out
    assert {body["model"] for body in toy.requests} == {"qwen3-8b", "another"}


def test_the_report_can_be_had_as_json(capsys: pytest.CaptureFixture[str]):
    with serving(Toy(takes=EVERYTHING - {"top_k"})) as toy:
        assert main(["doctor", toy.url, "--json", "--dialect", "rostra", "--seconds", "20"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["fitness"] == "usable"
    assert {"name": "top_k", "outcome": "ignored", "sent_as": "top_k", "says": ""} in report["options"]


def test_the_key_is_taken_from_the_environment_and_not_told():
    with serving(Toy(key="hush-hush")) as toy:
        done = subprocess.run(
            [Path(sys.executable).with_name("rostra"), "doctor", toy.url],
            env=os.environ | {"ROSTRA_LLM_API_KEY": "hush-hush"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, "")
    assert "hush-hush" not in done.stdout


@pytest.mark.parametrize("url", ["ftp://gpu-box", "http://", "two words"])
def test_what_is_no_address_is_refused_before_anything_is_asked(url: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        main(["doctor", url])
    assert ended.value.code == 2
    assert "is no address" in capsys.readouterr().err


def test_its_help_tells_the_exit_status_and_where_the_key_comes_from(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        main(["doctor", "--help"])
    told = " ".join(capsys.readouterr().out.split())
    assert "Exit status: 0 it is fit for debates; 1 it is usable" in told
    assert "ROSTRA_LLM_API_KEY" in told


def test_the_dialects_that_it_offers_are_those_that_there_are():
    assert get_args(Dialect) == DIALECTS


def test_the_commands_help_loads_no_web_client():
    code = "import sys, rostra.commands; assert not {'httpx2', 'pydantic', 'rich'} & set(sys.modules)"
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", code], check=True)
    assert time.monotonic() - began < 5
