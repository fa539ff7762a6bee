"""A model fetched by its address, over connections that break."""

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from rostra_llm.download import fetch
from rostra_llm.errors import NoModel

MODEL = bytes(range(256)) * 12_000  # 3 MB
SHA256 = hashlib.sha256(MODEL).hexdigest()


class Host(ThreadingHTTPServer):
    """Gives MODEL, as faultily as it is told to."""

    daemon_threads = True
    resumes = True
    cuts_after: int | None = None
    refuses_with: int | None = None

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.asked: list[str | None] = []
        self.url = f"http://127.0.0.1:{self.server_port}/model.gguf"


class Answer(BaseHTTPRequestHandler):
    server: Host

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        self.server.asked.append(wanted)
        if self.server.refuses_with:
            return self.send_error(self.server.refuses_with)
        begin = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and self.server.resumes else 0
        if begin >= len(MODEL):
            return self.send_error(416)
        self.send_response(206 if begin else 200)
        self.send_header("Content-Length", str(len(MODEL) - begin))
        self.end_headers()
        end = begin + self.server.cuts_after if self.server.cuts_after else len(MODEL)
        self.wfile.write(MODEL[begin:end])
        return None

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def host() -> Iterator[Host]:
    with Host() as host:
        threading.Thread(target=host.serve_forever, daemon=True).start()
        yield host
        host.shutdown()


def test_a_model_is_fetched_once(host: Host, tmp_path: Path) -> None:
    first = fetch(host.url, SHA256, tmp_path / "cache")
    assert first.read_bytes() == MODEL
    assert fetch(host.url, SHA256, tmp_path / "cache") == first
    assert host.asked == [None]


def test_a_transfer_that_breaks_goes_on_where_it_stopped(host: Host, tmp_path: Path) -> None:
    host.cuts_after = len(MODEL) // 2
    assert fetch(host.url, SHA256, tmp_path, pause=0).read_bytes() == MODEL
    assert host.asked == [None, f"bytes={len(MODEL) // 2}-"]


def test_a_start_that_was_killed_is_gone_on_from(host: Host, tmp_path: Path) -> None:
    (tmp_path / f"{SHA256}.part").write_bytes(MODEL[:1000])
    assert fetch(host.url, SHA256, tmp_path).read_bytes() == MODEL
    assert host.asked == ["bytes=1000-"]


def test_a_start_that_was_killed_before_the_check_only_checks(host: Host, tmp_path: Path) -> None:
    (tmp_path / f"{SHA256}.part").write_bytes(MODEL)
    assert fetch(host.url, SHA256, tmp_path).read_bytes() == MODEL


def test_a_host_that_cannot_resume_sends_all_again(host: Host, tmp_path: Path) -> None:
    host.resumes = False
    (tmp_path / f"{SHA256}.part").write_bytes(MODEL[:1000])
    assert fetch(host.url, SHA256, tmp_path).read_bytes() == MODEL


def test_another_file_than_promised_is_refused_and_not_kept(host: Host, tmp_path: Path) -> None:
    with pytest.raises(NoModel, match=f"has the SHA-256 {SHA256}, not the one"):
        fetch(host.url, "0" * 64, tmp_path)
    assert [file.suffix for file in tmp_path.iterdir()] == [".wrong"]
    with pytest.raises(NoModel, match=r"delete .* to fetch it once more"):
        fetch(host.url, "0" * 64, tmp_path)
    assert len(host.asked) == 1
    with pytest.raises(NoModel, match="has the SHA-256"):
        fetch(f"{host.url}?corrected", "0" * 64, tmp_path)
    assert len(host.asked) == 2


def test_an_address_that_is_refused_is_not_asked_again(host: Host, tmp_path: Path) -> None:
    host.refuses_with = 404
    with pytest.raises(NoModel, match="404"):
        fetch(host.url, SHA256, tmp_path, pause=0)
    assert len(host.asked) == 1


def test_a_host_in_trouble_is_asked_again_but_not_for_ever(host: Host, tmp_path: Path) -> None:
    host.refuses_with = 503
    with pytest.raises(NoModel, match="503"):
        fetch(host.url, SHA256, tmp_path, pause=0)
    assert len(host.asked) == 5


def test_a_folder_that_cannot_be_written_is_named(host: Host, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NoModel, match="ROSTRA_MODEL_CACHE_DIR"):
        fetch(host.url, SHA256, tmp_path / "file")


def test_only_the_web_is_fetched_from(tmp_path: Path) -> None:
    with pytest.raises(NoModel, match="https://"):
        fetch("file:///etc/passwd", SHA256, tmp_path)
