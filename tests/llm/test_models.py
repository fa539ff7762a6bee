"""Which model file is served."""

import hashlib
from pathlib import Path

import pytest

from rostra_llm.errors import NoModel
from rostra_llm.models import ModelFile, find_model
from rostra_llm.settings import Settings


def a_folder(path: Path, *files: str) -> Path:
    path.mkdir(exist_ok=True)
    for name in files:
        (path / name).write_bytes(b"GGUF")
    return path


def test_a_file_in_the_models_folder_comes_first(tmp_path: Path) -> None:
    folder = a_folder(tmp_path, "mine.gguf", "README.md")
    settings = Settings(models_dir=folder, model_url="http://127.0.0.1:1/other.gguf", model_sha256="0" * 64)
    assert find_model(settings) == ModelFile(folder / "mine.gguf")


def test_several_files_are_not_chosen_from_by_chance(tmp_path: Path) -> None:
    with pytest.raises(NoModel, match=r"several models: a\.gguf, b\.gguf\. Set ROSTRA_MODEL_FILE"):
        find_model(Settings(models_dir=a_folder(tmp_path, "b.gguf", "a.gguf")))


def test_one_of_several_files_can_be_named(tmp_path: Path) -> None:
    folder = a_folder(tmp_path, "b.gguf", "a.gguf")
    assert find_model(Settings(models_dir=folder, model_file="b.gguf")).path == folder / "b.gguf"


def test_a_named_file_that_is_missing_is_not_replaced_by_another(tmp_path: Path) -> None:
    with pytest.raises(NoModel, match=r"names c\.gguf, but .* holds a\.gguf\."):
        find_model(Settings(models_dir=a_folder(tmp_path, "a.gguf"), model_file="c.gguf"))


def test_a_model_in_parts_is_one_model(tmp_path: Path) -> None:
    folder = a_folder(tmp_path, *(f"large-0000{part}-of-00003.gguf" for part in (1, 2, 3)))
    assert find_model(Settings(models_dir=folder)).path == folder / "large-00001-of-00003.gguf"


def test_a_fetched_model_is_found_without_asking_its_address_again(tmp_path: Path) -> None:
    sha256 = hashlib.sha256(b"GGUF").hexdigest()
    a_folder(tmp_path, f"{sha256}.gguf")
    settings = Settings(
        models_dir=tmp_path / "none",
        model_cache_dir=tmp_path,
        model_url="http://127.0.0.1:1/model.gguf",
        model_sha256=sha256.upper(),
    )
    assert find_model(settings) == ModelFile(tmp_path / f"{sha256}.gguf", sha256)


def test_without_any_the_bundled_model_serves(tmp_path: Path) -> None:
    assert find_model(Settings(models_dir=tmp_path / "none")).path.name == "SmolLM2-135M-Instruct.Q4_1.gguf"
