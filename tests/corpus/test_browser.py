"""In a real browser no attack of the corpus runs: in the page as it is sent, as it is saved, and without its policy."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from attacked import Readings
from pages import ELEMENTS, Page
from rostra_api.page import POLICY

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
# Nothing but this machine is asked for anything, whatever a page or the browser itself wants.
ALONE = ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--disable-background-networking"]

Look = Callable[[str], tuple[str, str]]


@pytest.fixture
def look(tmp_path: Path) -> Look:
    """Opens an address in the browser; the document after its scripts ran, and what the browser complained of."""
    if CHROMIUM is None:
        assert "CI" not in os.environ, "apt-get install chromium"
        pytest.skip("NO BROWSER, so nobody looked whether scripts run: apt-get install chromium")

    def look(address: str) -> tuple[str, str]:
        command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", *ALONE]
        command += [f"--user-data-dir={tmp_path / 'profile'}", "--enable-logging=stderr", "--virtual-time-budget=2000"]
        done = subprocess.run([*command, "--dump-dom", address], capture_output=True, timeout=120, check=True)
        return done.stdout.decode(), done.stderr.decode(errors="replace")

    return look


@contextmanager
def sent(body: str, headers: dict[str, str]) -> Iterator[str]:
    """Serves a page with these headers; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


def saved(folder: Path, html: str) -> str:
    (folder / "page.html").write_text(html, encoding="utf-8")
    return (folder / "page.html").as_uri()


def assert_untouched(dom: str) -> None:
    assert re.findall("<title>(.*?)</title>", dom) == ["Tabs beat spaces"]  # those of pictures have an id
    page = Page(dom)
    assert [tag for tag, names in page.elements if not names <= ELEMENTS.get(tag, {None})] == []


def without_policy(html: str) -> str:
    bare = re.sub('<meta http-equiv="Content-Security-Policy"[^>]*>', "", html)
    assert bare != html
    return bare


def test_a_script_that_runs_is_noticed(look: Look, readings: Readings, tmp_path: Path):
    """Else the tests below would say nothing."""
    broken = readings.html.replace("&lt;", "<").replace("&gt;", ">").replace("&#39;", "'")
    dom, _ = look(saved(tmp_path, without_policy(broken)))
    assert "<title>owned" in dom


def test_a_page_without_its_policy_runs_nothing(look: Look, readings: Readings, tmp_path: Path):
    dom, _ = look(saved(tmp_path, without_policy(readings.html)))
    assert_untouched(dom)


def test_a_saved_page_runs_nothing_and_keeps_its_style(look: Look, readings: Readings, tmp_path: Path):
    dom, complaints = look(saved(tmp_path, readings.html))
    assert_untouched(dom)
    assert "Content Security Policy" not in complaints


def test_a_page_as_it_is_sent_runs_nothing_and_has_its_style(look: Look, readings: Readings):
    headers = {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": POLICY}
    with sent(readings.html, headers) as address:
        dom, complaints = look(address)
    assert_untouched(dom)
    assert "Content Security Policy" not in complaints


def test_the_policy_would_stop_a_script_that_got_in(look: Look, readings: Readings):
    broken = readings.html.replace("&lt;", "<").replace("&gt;", ">").replace("&#39;", "'")
    headers = {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": POLICY}
    with sent(broken, headers) as address:
        dom, complaints = look(address)
    assert "<title>owned" not in dom
    assert "Content Security Policy" in complaints or "sandboxed" in complaints


def test_markdown_that_was_rendered_runs_nothing(look: Look, readings: Readings, tmp_path: Path):
    rendered = MarkdownIt("gfm-like", {"html": True, "linkify": True}).render(readings.markdown)
    page = f"<!doctype html><meta charset=utf-8><title>Tabs beat spaces</title>{rendered}"
    dom, _ = look(saved(tmp_path, page))
    assert "<title>Tabs beat spaces</title>" in dom
    assert {"script", "img", "a", "svg", "iframe"} & {tag for tag, _ in Page(dom).elements} == set()
