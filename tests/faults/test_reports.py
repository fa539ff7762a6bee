"""What runs leave behind: none is lost that did harm, and the report tells them all."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

from . import runs
from .mischief import Fault
from .nemesis import Nemesis

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import faults_report

TESTS = Path(__file__).parents[1]
HELD = {"lost": 0, "doubled": 0, "stuck": 0, "otherwise_wrong": 0, "told": []}


def a_run(seed: int, minutes: int = 5, **found: Any) -> dict[str, Any]:
    """A run of the nemesis in which three players were killed."""
    done = {"debates": 10, "ended": {"completed": 10}, "turns": 100, "standstill_seconds": [1.0, 2.0, 3.0]}
    told = {"where": "processes", "seed": seed, "seconds": minutes * 60, "faults": {"a player is killed": 3}}
    return {**told, **done, **HELD, **found}


def say_mended(file: Path, seed: int, why: str, where: str = "processes") -> subprocess.CompletedProcess[str]:
    meant = ["--mended", str(seed), "--where", where, "--out", str(file)]
    command = [sys.executable, "-m", "faults", *meant, "--why", why]
    return subprocess.run(command, cwd=TESTS, capture_output=True, text=True, check=False)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "runs.json"


def test_a_run_is_added_behind_the_others_with_its_time(file: Path):
    for seed in (40, 41, 40):
        runs.add(file, a_run(seed))
    assert [run["seed"] for run in runs.kept(file)] == [40, 41, 40]
    assert all(run["at"].endswith("+00:00") for run in runs.kept(file))


def test_of_what_tries_the_same_each_time_the_last_runs_are_kept(file: Path):
    for number in range(5):
        runs.add(file, {"number": number}, most=runs.LAST)
    assert [run["number"] for run in runs.kept(file)] == [2, 3, 4]


def test_a_run_that_did_harm_is_told_until_it_is_said_to_be_mended_and_then_with_what_it_was(file: Path):
    runs.add(file, a_run(40, stuck=1, told=["stuck: d1 waits\nfor ever"]))
    runs.add(file, a_run(40))
    assert "Seed 40, processes" in faults_report.nemesis(runs.kept(file))
    assert "stuck: d1 waits for ever **Not mended.**" in faults_report.nemesis(runs.kept(file))
    assert say_mended(file, 40, " ").returncode == 2
    assert say_mended(file, 41, "A lease was forgotten.").returncode == 1
    assert say_mended(file, 40, "A lease was forgotten.", "compose").returncode == 1
    assert "Not mended" in faults_report.nemesis(runs.kept(file))
    assert say_mended(file, 40, "A lease was forgotten.").returncode == 0
    told = faults_report.nemesis(runs.kept(file))
    assert "d1 waits for ever Mended since: A lease was forgotten." in told
    assert "Not mended" not in told
    assert ["mended" in run for run in runs.kept(file)] == [True, False]
    assert "**1 stuck**" in told


def test_every_run_of_the_nemesis_is_in_the_report_and_their_sum(file: Path):
    runs.add(file, a_run(40))
    runs.add(file, a_run(41, minutes=30, where="compose", faults={"redis is killed": 7}))
    told = faults_report.nemesis(runs.kept(file))
    assert "2 runs, 35 minutes in all: 10 faults on 20 debates of 200 turns." in told
    assert "| processes | 40 | 5 | 3 of 1 kinds | 10 completed | 100 |" in told
    assert "| compose | 41 | 30 | 7 of 1 kinds |" in told
    assert "| redis is killed | compose | 7 |" in told
    assert "| a player is killed | processes | 3 |" in told


def test_what_did_not_hold_once_is_told_and_recoveries_are_those_of_all_runs(file: Path):
    for outcome, seconds in (("passed", 1.0), ("failed", 14.0)):
        promises = [{"fault": "2", "promise": "it plays on", "outcome": outcome, "seconds": 60.0}]
        recoveries = {"a death": [seconds, 2.0]}
        runs.add(file, {"machine": "a box", "seconds": 60, "promises": promises, "recoveries": recoveries})
    told = faults_report.faults(runs.kept(file))
    assert "**Did not hold**" in told
    assert "it plays on (fault 2)" in told
    assert "| 2 | 1 | 2 | **1** |" in told
    assert "| a death | 4 | 2.0 | 14.0 | 14.0 |" in told
    assert "| it plays on | 2 | **1** |" in faults_report.containers(runs.kept(file))


@pytest.mark.parametrize("name", ["faults", "faults-containers", "nemesis"])
def test_what_is_published_is_what_the_runs_that_are_kept_say(name: str):
    report = getattr(faults_report, name.removeprefix("faults-"))
    told = report(json.loads((runs.RESULTS / f"{name}.json").read_text(encoding="utf-8")))
    assert told.strip() in faults_report.DOCUMENT.read_text(encoding="utf-8")


async def test_a_fault_that_does_not_end_as_it_should_is_a_finding_and_not_the_runs_end():
    async def suffer(_: Fault, __: Random) -> None:
        raise AssertionError("pool exited with 1")

    async def happen(_: Any, __: Random) -> None: ...

    stubborn = Fault("a pool is stopped", "pools", happen)
    nemesis = Nemesis(SimpleNamespace(faults=[stubborn], suffer=suffer), seed=40, seconds=2)
    await nemesis._spite(0)
    verdict = nemesis.verdict()
    assert verdict["otherwise_wrong"] == verdict["faults"]["a pool is stopped"] > 0
    assert "pool exited with 1" in verdict["told"][0]
    assert not nemesis.under_way
