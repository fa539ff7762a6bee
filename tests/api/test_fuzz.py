"""The short run of `make fuzz`: every boundary of the contract once; the whole stack is up for it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FUZZING = Path(__file__).parents[1] / "fuzzing.py"


def test_the_api_answers_as_its_contract_says():
    command = [sys.executable, FUZZING, "--phases=coverage", "--users=ada"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all was answered as ada must be" in done.stdout
