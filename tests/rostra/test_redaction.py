"""Secrets never reach the log, whatever they are in: the same for all services."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from pydantic import SecretStr

from rostra.endpoints import Endpoint
from rostra.redaction import secrets_of
from rostra.settings import SharedSettings

REDACTIONS = [importlib.import_module(name).Redaction for name in ("rostra.redaction", "rostra_llm.redaction")]


@pytest.fixture(params=REDACTIONS, ids=lambda made: made.__module__)
def redaction(request: pytest.FixtureRequest) -> Callable[..., Any]:
    return request.param


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("Authorization: Bearer sk-abc.def_123", "Authorization: Bearer ***"),
        ("basic dXNlcjpwYXNz", "basic ***"),
        ("the key rk_live_0123456789 is gone", "the key rk_*** is gone"),
        (f"rostra_0123456789ab_{'x' * 43} came", "rostra_0123456789ab_*** came"),
        ("redis://:hunter2@redis:6379/0", "redis://:***@redis:6379/0"),
        ("rediss://api:p%40ss@redis:6379", "rediss://api:***@redis:6379"),
        ("redis://api:sla/sh@at@redis:6379", "redis://api:***@redis:6379"),
        ("https://token123@host/path", "https://***@host/path"),
        ("GET /x?api_key=hunter2&limit=3", "GET /x?api_key=***&limit=3"),
        ("GET /x?token=hunter2", "GET /x?token=***"),
        ("Connection(password='hunter2', db=0)", "Connection(password='***', db=0)"),
        ('{"api_key": "hunter2", "model": "m"}', '{"api_key": "***", "model": "m"}'),
        ("[(b'authorization', b'Basic hunter2')]", "[(b'authorization', b'***')]"),
        ("X-Api-Key='hunter2'", "X-Api-Key='***'"),
    ],
)
def test_what_looks_like_a_secret_is_hidden(redaction: Callable[..., Any], said: str, written: str):
    line = redaction()(json.dumps({"event": said}))
    assert json.loads(line) == {"event": written}


@pytest.mark.parametrize(
    "said",
    [
        "debate 01a20ce37c94ab6fe3c4d8ecdc11 at http://127.0.0.1:8000/v1 took 12 tokens: a token=3 of http://[::1]:80",
        "the bearer key that requests must carry; an API key was not given",
        "mail eve@example.org about the secret ballot",
        "work_kept: 3",
    ],
)
def test_what_is_no_secret_is_left(redaction: Callable[..., Any], said: str):
    assert json.loads(redaction()(json.dumps({"event": said}))) == {"event": said}


@pytest.mark.parametrize("secret", ["correct horse", 'with "quotes" and \\', "p@ss/wörd", "日本語の鍵", "a+b=c&d"])
def test_a_known_secret_is_hidden_however_it_is_written(redaction: Callable[..., Any], secret: str):
    hide = redaction([secret])
    for said in (
        f"it is {secret}.",
        f"it is {quote(secret, safe='')}.",
        f"it is {secret!r}.",
        json.dumps({"x": secret}, ensure_ascii=False),
    ):
        line = hide(json.dumps({"event": said}, ensure_ascii=False))
        assert "***" in json.loads(line)["event"]
        assert secret not in line
        assert quote(secret, safe="") not in line


def test_the_secrets_of_the_settings_are_found():
    endpoint = Endpoint(url="https://me:in%20url@host", api_key=SecretStr("of an endpoint"))
    settings = SharedSettings(
        redis_url="redis://:redispass@redis/0", llm_api_key=SecretStr("of the server"), models={"m": [endpoint]}
    )
    assert set(secrets_of(settings)) == {"of the server", "of an endpoint", "in url", "redispass"}


RUNS = {
    "rostra": """
from pydantic import SecretStr
from rostra.settings import SharedSettings
from rostra.log import configure
configure("api", "debug", SharedSettings(llm_api_key=SecretStr("hunter2 hunter2"), redis_url="redis://:rosebud1@r/0"))
""",
    "rostra_llm": """
from rostra_llm.logs import configure
configure("debug", "hunter2 hunter2", "rosebud1")
""",
}
LOGS = """
import logging, structlog
log = structlog.stdlib.get_logger("here")
class Trouble(Exception): pass
def connect(password):
    raise Trouble(f"cannot connect to redis://:{password}@r/0 with {password!r} as Bearer abcdef0123456789")
log.warning("with a field", headers={"Authorization": "Bearer abcdef0123456789"}, nested=[{"key": "hunter2 hunter2"}])
logging.getLogger("redis").error("%s was said", "hunter2 hunter2")
try:
    connect("rosebud1")
except Trouble:
    log.exception("caught")
    logging.getLogger("uvicorn.error").exception("caught by %s", "redis://:rosebud1@r/0")
    logging.getLogger("rq").error("rk_0123456789abcdef", extra={"password": "hunter2 hunter2"})
"""


@pytest.mark.parametrize("service", RUNS)
def test_no_secret_reaches_the_log(service: str):
    done = subprocess.run(
        [sys.executable, "-c", RUNS[service] + LOGS], capture_output=True, text=True, timeout=60, check=True
    )
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["event"] for line in lines] == [
        "with a field",
        "*** was said",
        "caught",
        "caught by redis://:***@r/0",
        "rk_***",
    ]
    assert "Trouble: cannot connect to redis://:***@r/0 with '***' as Bearer ***" in lines[2]["exception"]
    for secret in ("hunter2", "rosebud1", "abcdef0123456789"):
        assert secret not in done.stderr


def test_what_ends_the_process_is_a_line_without_secrets():
    fails = RUNS["rostra"] + "raise RuntimeError('no redis://:rosebud1@r/0')"
    done = subprocess.run([sys.executable, "-c", fails], capture_output=True, text=True, timeout=60, check=False)
    line = json.loads(done.stderr)
    assert (done.returncode, line["event"], line["service"]) == (1, "ended by an error", "api")
    assert line["exception"].endswith("RuntimeError: no redis://:***@r/0")
