"""How large the images are, and how long the containers take: to be built, to be ready, to be ready again.

Builds the images of docker-compose.yml (from Docker's cache, where it has them) and starts them three times with the
bundled model. Needs Docker with Compose; uses a project of its own and removes it. `make bench-containers` runs it.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parents[1]
PROJECT, PORT = "rostra-bench", "18081"
STARTS = 3


def main() -> None:
    with tempfile.TemporaryDirectory() as models:
        Path(models).chmod(0o755)
        settings = {"ROSTRA_PORT": PORT, "ROSTRA_MODELS_DIR": models}
        environment = {name: value for name, value in os.environ.items() if name != "ROSTRA_MODEL_FILE"} | settings
        try:
            _measure(environment)
        finally:
            _compose(environment, "down", "--volumes", "--remove-orphans")


def _measure(environment: dict[str, str]) -> None:
    _compose(environment, "down", "--volumes", "--remove-orphans")
    began = time.monotonic()
    _compose(environment, "build")
    print(f"images built in {time.monotonic() - began:.1f} s")
    for service in ("api", "orchestrator", "llm"):
        size = int(_run(environment, "docker", "image", "inspect", "--format={{.Size}}", f"{PROJECT}-{service}"))
        print(f"  {service:<14}{size / 1e6:>6.0f} MB")
    seconds = [_start(environment) for _ in range(STARTS)]
    each = ", ".join(f"{one:.1f}" for one in seconds)
    print(f"from built images to ready: median {statistics.median(seconds):.1f} s ({each})")
    for container in _run(environment, "docker", "stats", "--no-stream", "--format={{json .}}").splitlines():
        told = json.loads(container)
        if told["Name"].startswith(PROJECT):
            print(f"  {told['Name'].removeprefix(PROJECT + '-'):<16}{told['MemUsage'].partition(' ')[0]:>10}")


def _start(environment: dict[str, str]) -> float:
    """Seconds from nothing but images to an API that is ready to take debates."""
    _compose(environment, "down", "--volumes")
    began = time.monotonic()
    _compose(environment, "up", "--no-build", "--wait")
    while not _is_ready():
        time.sleep(0.1)
    return time.monotonic() - began


def _is_ready() -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/readyz", timeout=5) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


def _compose(environment: dict[str, str], *arguments: str) -> str:
    options = ["--progress", "quiet", "--project-name", PROJECT, "--env-file", os.devnull]
    return _run(environment, "docker", "compose", *options, *arguments)


def _run(environment: dict[str, str], *command: str) -> str:
    return subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout


if __name__ == "__main__":
    main()
