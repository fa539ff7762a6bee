"""Hashes of model files, and the file that remembers them."""

import hashlib
import os
from pathlib import Path

import pytest

from rostra_llm.fingerprint import REMEMBERED, sha256_of


@pytest.fixture
def model(tmp_path: Path) -> Path:
    file = tmp_path / "model.gguf"
    file.write_bytes(b"weights")
    return file


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "rostra"


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_the_bundled_models_hash_is_that_of_its_bytes(bundled: Path, cache: Path) -> None:
    assert sha256_of(bundled, cache) == _hash(bundled.read_bytes())


def test_a_file_is_hashed_once(model: Path, cache: Path) -> None:
    stat = model.stat()
    assert sha256_of(model, cache) == _hash(b"weights")
    model.write_bytes(b"changed")  # unseen: of the same size, and put back to the same time
    os.utime(model, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert sha256_of(model, cache) == _hash(b"weights")


@pytest.mark.parametrize("content", [b"weights and more", b"changed"])
def test_a_file_that_was_changed_is_hashed_again(model: Path, cache: Path, content: bytes) -> None:
    sha256_of(model, cache)
    before = model.stat().st_mtime_ns
    model.write_bytes(content)
    os.utime(model, ns=(before, before + 1))
    assert sha256_of(model, cache) == _hash(content)


def test_several_files_are_remembered(model: Path, cache: Path) -> None:
    other = model.with_name("other.gguf")
    other.write_bytes(b"other")
    assert sha256_of(model, cache) == _hash(b"weights")
    assert sha256_of(other, cache) == _hash(b"other")
    remembered = (cache / REMEMBERED).read_text()
    assert _hash(b"weights") in remembered
    assert _hash(b"other") in remembered
    assert [file.name for file in cache.iterdir()] == [REMEMBERED]


def test_a_folder_that_cannot_be_written_is_no_error(model: Path) -> None:
    assert sha256_of(model, model / "cache") == _hash(b"weights")


def test_what_cannot_be_read_was_not_remembered(model: Path, cache: Path) -> None:
    cache.mkdir(parents=True)
    (cache / REMEMBERED).write_text('{"half a')
    assert sha256_of(model, cache) == _hash(b"weights")
    assert _hash(b"weights") in (cache / REMEMBERED).read_text()
