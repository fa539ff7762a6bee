"""A stack of real containers for the scripts beside this file: started, asked, killed, and gone without a trace.

Needs Docker with Compose and nothing else.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
# Where a machine that cannot pull images keeps what makes an engine and base images.
KIT = ROOT.parent / "shared" / "containers"
WHEELS = ROOT.parent / "shared" / "wheels"
BASE_IMAGES = ("python:3.13-slim-trixie", "redis:8")

# Each script has a stack of its own, away from one that is in use.
_PROJECT, _PORT = {"run": ("rostra-e2e", "18080"), "faults": ("rostra-faults", "18081")}.get(
    Path(sys.argv[0]).name, ("rostra-nemesis", "18082")
)
PROJECT = os.environ.get("ROSTRA_E2E_PROJECT", _PROJECT)
PORT = os.environ.get("ROSTRA_E2E_PORT", _PORT)
URL = f"http://127.0.0.1:{PORT}"
SERVICES = ("redis", "llm", "orchestrator", "api")
ENDED = ("completed", "collapsed", "failed", "cancelled")

PATIENCE = 600  # seconds for a debate; one of 20 turns takes the bundled model half a minute on two cores
GOES_ON_WITHIN = 15  # seconds from a fault until the debate is spoken on

# Below init, at depth 0, come the pool, its workers, and their jobs: one for each debate in play.
KILL = """
import os, signal, sys
def parent(pid): return int(open(f'/proc/{pid}/stat').read().rpartition(')')[2].split()[1])
def depth(pid): return 0 if pid <= 1 else 1 + depth(parent(pid))
own = os.getpid()
pids = [int(name) for name in os.listdir('/proc') if name.isdigit() and int(name) not in (1, own)]
pids = [pid for pid in pids if parent(pid) != 0]
doomed = [pid for pid in pids if depth(pid) > int(sys.argv[1])]
for pid in doomed: os.kill(pid, signal.SIGKILL)
print(len(doomed))
"""

checks: list[Callable[[], None]] = []
tried: list[dict[str, Any]] = []  # what was tried, whether it held, and in how many seconds


def check(function: Callable[[], None]) -> Callable[[], None]:
    """A step of the run; its name is the sentence that it shows to be true."""
    checks.append(function)
    return function


def say(text: str) -> None:
    print(text, flush=True)


# --- debates ------------------------------------------------------------------------------------------------


def post(**debate: object) -> dict[str, Any]:
    """Unguarded: a debate that collapses since its small model repeats itself tells nothing of the containers."""
    return request("/v1/debates", json.dumps({"guard": "off", **debate}).encode())


def until_ended(debate_id: str) -> dict[str, Any]:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        debate = request(f"/v1/debates/{debate_id}?wait=30", timeout=60)
        if debate["status"] in ENDED:
            return debate
    raise AssertionError(f"still {debate['status']} after {PATIENCE} s, {debate['turns_done']} turns done")


def transcript(debate_id: str) -> dict[str, Any]:
    return request(f"/v1/debates/{debate_id}/transcript.json")


def check_turns(debate_id: str) -> list[dict[str, Any]]:
    """The turns, which must be exactly 1..N, by each debater in the order of the debate."""
    whole = transcript(debate_id)
    turns: list[dict[str, Any]] = whole["turns"]
    names = [debater["name"] for debater in whole["debaters"]]
    assert whole["complete"], "not complete"
    assert [turn["seq"] for turn in turns] == list(range(1, len(turns) + 1)), [turn["seq"] for turn in turns]
    expected = [names[index % len(names)] for index in range(len(turns))]
    assert [turn["debater"] for turn in turns] == expected, [turn["debater"] for turn in turns]
    assert all(turn["text"].strip() for turn in turns), "an empty turn"
    return turns


def goes_on_after(fault: Callable[[], object], *, since_the_end: bool = False, within: float = GOES_ON_WITHIN) -> float:
    """A debate of 20 turns meets `fault` in its middle: it must be spoken on in time, and come out whole.

    Answers the seconds until it was spoken on, from the fault's beginning or its end.
    """
    motion = "Whatever does not kill a debate makes it longer"
    debate_id = post(motion=motion, rounds=10, turn={"max_tokens": 60})["id"]
    while request(f"/v1/debates/{debate_id}")["turns_done"] < 3:
        time.sleep(0.2)
    begun = time.time()
    fault()
    happened = time.time() if since_the_end else begun
    until_ready()
    ended = until_ended(debate_id)
    assert ended["status"] == "completed", ended
    turns = check_turns(debate_id)
    assert len(turns) == 20, f"{len(turns)} turns"
    after = happened if since_the_end else begun
    spoken = [started for turn in turns if (started := timestamp(turn["started_at"])) > after]
    assert spoken, "all was said before the fault was over"
    pause = spoken[0] - happened
    say(f"      spoken on {pause:.1f} s later")
    assert pause < within, f"spoken on only after {pause:.1f} s"
    return pause


def timestamp(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def request(path: str, body: bytes | None = None, timeout: float = 30) -> dict[str, Any]:
    asked = urllib.request.Request(URL + path, data=body, headers={"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(asked, timeout=timeout) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise AssertionError(f"{path}: {error.code} {error.read().decode(errors='replace')[:500]}") from error


# --- containers ---------------------------------------------------------------------------------------------


def kill(*, deeper_than: int, must: bool = True) -> None:
    """SIGKILL in the orchestrator for all processes at more than this depth below init."""
    # What kills is killed with the container when it kills the pool, so its status says nothing.
    command = ["exec", "-T", "orchestrator", "python", "-c", KILL, str(deeper_than)]
    killed = compose(*command, check=False).strip()
    assert killed not in ("", "0") or deeper_than == 0 or not must, "nothing was killed"


@contextmanager
def parted(service: str) -> Iterator[None]:
    """Takes a service's container off the network, and puts it back as compose had it."""
    container = next(one["Name"].lstrip("/") for one in containers() if service_of(one) == service)
    run("docker", "network", "disconnect", "--force", f"{PROJECT}_inside", container)
    try:
        yield
    finally:
        run("docker", "network", "connect", f"--alias={service}", f"{PROJECT}_inside", container)


def until_ready() -> None:
    end = time.monotonic() + 120
    while True:
        try:
            request("/readyz", timeout=5)
            return
        except (AssertionError, OSError, ValueError):
            if time.monotonic() > end:
                raise
            time.sleep(0.2)


def containers() -> list[dict[str, Any]]:
    return json.loads(run("docker", "inspect", *compose("ps", "--quiet").split()))


def service_of(container: dict[str, Any]) -> str:
    return container["Config"]["Labels"]["com.docker.compose.service"]


# No .env: what a person has configured is not what is tested.
COMPOSE = f"docker compose --project-name {PROJECT} --env-file {os.devnull}"


def compose(*arguments: str, check: bool = True) -> str:
    return run(*COMPOSE.split(), *arguments, check=check)


def inside(service: str, *command: str) -> str:
    """What the command says in the service's container, however it ends."""
    return compose("exec", "-T", service, *command, check=False)


def shell(command: str) -> str:
    return run("sh", "-c", command)


def run(*command: str, check: bool = True) -> str:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if check and done.returncode:
        raise AssertionError(f"{' '.join(command)}: {(done.stderr or done.stdout)[-3000:]}")
    return done.stdout


# --- the run ------------------------------------------------------------------------------------------------


def answers(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def an_engine_answers() -> bool:
    """Whether there is Docker; where this machine has what makes one, it is started."""
    if not answers("docker", "info") and (KIT / "engine-up").exists():
        subprocess.run([KIT / "engine-up"], check=True)
    return answers("docker", "info") and answers("docker", "compose", "version")


def make_an_engine_answer() -> None:
    if not an_engine_answers():
        sys.exit("No Docker engine answers.")
    missing = [image for image in BASE_IMAGES if not answers("docker", "image", "inspect", image)]
    if not all(answers("docker", "pull", "--quiet", image) for image in missing):
        if not (KIT / "base-images").exists():
            sys.exit(f"Cannot pull {', '.join(missing)}.")
        subprocess.run([KIT / "base-images"], check=True)


def configure(folder: str) -> None:
    """Nothing of the person's own configuration: the bundled model, and no format beside the library's."""
    for name in [name for name in os.environ if name.startswith(("ROSTRA_", "COMPOSE_"))]:
        del os.environ[name]  # the names that this run has were read before
    Path(folder).chmod(0o755)
    own = {f"ROSTRA_{name.upper()}_DIR": Path(folder, name) for name in ("models", "formats")}
    for path in own.values():
        path.mkdir()
    os.environ |= {"ROSTRA_PORT": PORT, **{name: str(path) for name, path in own.items()}}
    if any(WHEELS.glob("llama_cpp_python-*.whl")):
        os.environ["ROSTRA_WHEELS"] = str(WHEELS)


@contextmanager
def the_stack() -> Iterator[None]:
    compose("down", "--volumes", "--remove-orphans")
    try:
        begun = time.monotonic()
        compose("build")
        say(f"images built in {time.monotonic() - begun:.1f} s")
        begun = time.monotonic()
        compose("up", "--build", "--wait")
        until_ready()
        say(f"ready {time.monotonic() - begun:.1f} s after that")
        yield
    finally:
        compose("down", "--volumes", "--remove-orphans")


def try_each(chosen: Sequence[Callable[[], None]]) -> int:
    for step in chosen:
        name, begun = step.__name__.replace("_", " "), time.monotonic()
        fault = ""
        try:
            step()
        except (AssertionError, OSError, KeyError, ValueError, subprocess.SubprocessError) as error:
            fault = repr(error)
        seconds = round(time.monotonic() - begun, 1)
        tried.append({"promise": name, "outcome": "failed" if fault else "passed", "seconds": seconds})
        if fault:
            say(f"FAIL  {name}: {fault}")
            say(compose("logs", "--no-color", "--tail=30", check=False))
        else:
            say(f"ok    {name} ({seconds} s)")
    return sum(step["outcome"] == "failed" for step in tried)


def try_all(wanted: Sequence[str]) -> int:
    """All checks, or those whose names contain one of the words given; the script's exit status."""
    chosen = [step for step in checks if not wanted or any(word in step.__name__ for word in wanted)]
    make_an_engine_answer()
    with tempfile.TemporaryDirectory() as folder:
        configure(folder)
        with the_stack():
            failed = try_each(chosen)
    say(f"{len(chosen) - failed} passed, {failed} failed")
    return 1 if failed or not chosen else 0
