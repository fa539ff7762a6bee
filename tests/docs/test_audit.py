"""An audit that could not ask says so, and never passes."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from rostra.processes import free_port

AUDIT = Path(__file__).parents[2] / "requirements/audit"
Answer = Callable[[int], object]


@contextmanager
def a_database(answer: Answer, status: int = 200) -> Iterator[str]:
    """Answers as OSV does, what it is told for so many packages; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            body = json.dumps(answer(len(asked.get("queries", [])))).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def audited(folder: Path, url: str, locked: str = "idna==3.20 \\\n    --hash=sha256:0\n") -> tuple[int, str]:
    """The exit status and what was said."""
    shutil.copy(AUDIT, folder)
    (folder / "some.txt").write_text(locked)
    command = [sys.executable, folder / "audit", url]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    return done.returncode, done.stdout + done.stderr


def test_a_database_that_is_not_there_is_no_pass(tmp_path: Path):
    status, said = audited(tmp_path, f"http://127.0.0.1:{free_port()}")
    assert status == 2
    assert "NOT CHECKED" in said


@pytest.mark.parametrize("answer", [{}, {"results": []}, {"results": [{}, {}]}, "hello", None])
def test_an_empty_answer_is_no_pass(tmp_path: Path, answer: object):
    with a_database(lambda _: answer) as url:
        status, said = audited(tmp_path, url)
    assert status == 2, said
    assert "NOT CHECKED" in said


def test_nothing_to_ask_about_is_no_pass(tmp_path: Path):
    with a_database(lambda packages: {"results": [{}] * packages}) as url:
        assert audited(tmp_path, url, locked="# nothing\n")[0] == 2


def test_it_passes_when_everything_was_asked_about_and_nothing_is_known(tmp_path: Path):
    with a_database(lambda packages: {"results": [{}] * packages}) as url:
        status, said = audited(tmp_path, url)
    assert status == 0, said
    assert "1 packages checked" in said


def test_what_is_known_is_named_and_fails(tmp_path: Path):
    with a_database(lambda _: {"results": [{"vulns": [{"id": "GHSA-1", "modified": ""}]}]}) as url:
        status, said = audited(tmp_path, url)
    assert status == 1
    assert "idna 3.20: GHSA-1" in said


def test_an_error_is_no_pass(tmp_path: Path):
    with a_database(lambda packages: {"results": [{}] * packages}, status=503) as url:
        assert audited(tmp_path, url)[0] == 2
