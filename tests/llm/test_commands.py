"""The commands beside the server, as they are typed."""

import contextlib
import hashlib
import io
import json
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import structlog

from rostra_llm.commands import run

MODEL = bytes(range(256)) * 8_192  # 2 MiB
SHA256 = hashlib.sha256(MODEL).hexdigest()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Host(SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        if "small" not in self.path:
            return self.send_error(404)
        self.send_response(200)
        self.send_header("Content-Length", str(len(MODEL)))
        self.end_headers()
        self.wfile.write(MODEL)
        return None

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def host() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Host) as host:
        threading.Thread(target=host.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{host.server_port}"
        host.shutdown()


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """In an empty folder; the log, which a command sets up, as it was."""
    monkeypatch.chdir(tmp_path)
    yield
    structlog.reset_defaults()


def test_a_model_is_fetched_under_its_own_name(host: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["fetch", f"{host}/org/small.Q4_0.gguf?download=true", "--sha256", SHA256.upper()]) == 0
    assert Path("models/small.Q4_0.gguf").read_bytes() == MODEL
    shown = capsys.readouterr()
    assert shown.out == "models/small.Q4_0.gguf, 2 MiB, has the SHA-256 that it should have.\n"
    assert [json.loads(line)["event"] for line in shown.err.splitlines()] == ["model_fetched"]


def test_a_model_that_is_there_is_not_fetched_again(capsys: pytest.CaptureFixture[str]) -> None:
    Path("small.gguf").write_bytes(MODEL)
    assert run(["fetch", "http://127.0.0.1:9/small.gguf", "--sha256", SHA256, "--to", "."]) == 0
    Path("small.gguf").write_bytes(b"another")
    assert run(["fetch", "http://127.0.0.1:9/small.gguf", "--sha256", SHA256, "--to", "."]) == 1
    assert capsys.readouterr().err == ("small.gguf is another file. Move it away, or name another folder with --to.\n")


def test_a_terminal_shows_how_far_it_is_on_one_line(host: str) -> None:
    with contextlib.redirect_stderr(Terminal()) as shown:
        run(["fetch", f"{host}/small", "--sha256", SHA256])
    assert [part.removesuffix("\x1b[K") for part in shown.getvalue().rstrip("\n").split("\r")[1:]] == [
        "1 MiB of 2 MiB, 50%",
        "2 MiB of 2 MiB, 100%",
    ]
    assert Path(f"models/{SHA256}.gguf").is_file()


def test_what_goes_wrong_is_said_in_the_commands_words(host: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["fetch", f"{host}/small.gguf", "--sha256", "0" * 64]) == 1
    assert f"The file at URL has the SHA-256 {SHA256}, not the one in --sha256." in capsys.readouterr().err
    assert run(["fetch", f"{host}/missing.gguf", "--sha256", SHA256]) == 1
    assert "URL does not give the model: HTTP Error 404" in capsys.readouterr().err
    Path("file").touch()
    assert run(["fetch", f"{host}/small.gguf", "--sha256", SHA256, "--to", "file"]) == 1
    shown = capsys.readouterr()
    assert "Set --to to a folder that can be written" in shown.err
    assert shown.out == ""


def test_a_model_is_requantised_into_the_models_folder(bundled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["requantise", str(bundled), "--type", "Q4_0"]) == 0
    shown = capsys.readouterr()
    assert shown.err.count("\n") == 1
    assert shown.out.startswith("models/SmolLM2-135M-Instruct.Q4_0.gguf: 87 MiB, before 94 MiB; ")
    assert "ROSTRA_MODEL_FILE=SmolLM2-135M-Instruct.Q4_0.gguf" in shown.out
    assert run(["requantise", str(bundled), "models", "--type", "q4_0"]) == 1
    assert "replace it with --force" in capsys.readouterr().err


def test_what_is_no_model_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["requantise", "missing.gguf"]) == 1
    assert capsys.readouterr().err == "There is no file missing.gguf.\n"
    Path("text.gguf").write_text("text")
    assert run(["requantise", "text.gguf"]) == 1
    assert capsys.readouterr().err == "text.gguf is not a GGUF file, or not all of one.\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["serve"],
        ["fetch", "https://example.org/model.gguf"],
        ["fetch", "https://example.org/model.gguf", "--sha256", "abc"],
        ["requantise"],
        ["requantise", "model.gguf", "--type", "q4_2"],
    ],
)
def test_a_wrong_call_is_told_how_to_call(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 2
    assert "usage: python -m rostra_llm" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--help"], ["fetch", "--help"], ["requantise", "--help"]])
def test_each_command_explains_itself(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 0
    assert capsys.readouterr().out.startswith("usage: python -m rostra_llm")
