"""The bundled model, quantised anew by llama.cpp."""

import struct
import subprocess
import sys
from pathlib import Path

import pytest
from llama_cpp import Llama

from rostra_llm.kernels import fast_types, features, tensor_types
from rostra_llm.requantise import NotRequantised, Requantised, best_type, named, reason, requantise


@pytest.fixture(scope="module")
def made(bundled: Path, tmp_path_factory: pytest.TempPathFactory) -> Requantised:
    return requantise(bundled, tmp_path_factory.mktemp("requantised") / "small.gguf", "q4_0")


def test_the_layers_are_of_the_type_that_was_asked_for(made: Requantised) -> None:
    assert dict(tensor_types(made.path)) == {"Q4_0": 59_719_680}


def test_the_sizes_and_the_time_are_told(made: Requantised, bundled: Path) -> None:
    assert made.bytes_before == bundled.stat().st_size
    assert made.bytes_after == made.path.stat().st_size < made.bytes_before
    assert 0 < made.seconds < 60


def test_the_metadata_stays(made: Requantised, bundled: Path) -> None:
    before, after = (Llama(str(file), vocab_only=True, verbose=False).metadata for file in (bundled, made.path))
    assert "tokenizer.chat_template" in after
    assert {name for name in before | after if before.get(name) != after.get(name)} == {"general.file_type"}


def test_llama_cpp_repacks_the_new_file_for_this_processor(made: Requantised) -> None:
    if "REPACK" not in features() or "Q4_0" not in fast_types(features() - {"LLAMAFILE"}):
        pytest.skip("nothing is repacked on this processor")
    load = "import sys, llama_cpp; llama_cpp.Llama(sys.argv[1], n_ctx=256, verbose=True)"
    said = subprocess.run([sys.executable, "-c", load, made.path], capture_output=True, text=True, check=True).stderr
    assert "CPU_REPACK model buffer" in said


def test_a_file_that_exists_is_replaced_only_by_force(made: Requantised, bundled: Path, tmp_path: Path) -> None:
    target = tmp_path / "mine.gguf"
    target.write_text("mine")
    with pytest.raises(NotRequantised, match=r"mine\.gguf exists\. .* --force"):
        requantise(bundled, target, "q4_0")
    assert target.read_text() == "mine"
    requantise(bundled, target, "q4_0", force=True)
    assert target.stat().st_size == made.bytes_after


def test_the_source_is_never_replaced(made: Requantised) -> None:
    with pytest.raises(NotRequantised, match="would replace the file that it is made from"):
        requantise(made.path, made.path, "q8_0", force=True)


def test_half_a_file_makes_none(bundled: Path, tmp_path: Path) -> None:
    half, target = tmp_path / "half.gguf", tmp_path / "new.gguf"
    half.write_bytes(bundled.read_bytes()[: bundled.stat().st_size // 2])
    with pytest.raises(NotRequantised, match="not within the file bounds"):
        requantise(half, target, "q4_0")
    assert list(tmp_path.iterdir()) == [half]


def test_a_file_that_llama_cpp_crashes_on_makes_none(bundled: Path, tmp_path: Path) -> None:
    layers = b"llama.block_count"
    damaged = bytearray(bundled.read_bytes())
    struct.pack_into("<I", damaged, damaged.index(layers) + len(layers) + 4, 0)  # behind the value's type
    source = tmp_path / "damaged.gguf"
    source.write_bytes(damaged)
    with pytest.raises(NotRequantised, match=r"it crashed \(SIGABRT\)"):
        requantise(source, tmp_path / "new.gguf", "q4_0")
    assert list(tmp_path.iterdir()) == [source]


def test_what_is_missing_is_said(bundled: Path, tmp_path: Path) -> None:
    with pytest.raises(NotRequantised, match=r"There is no file .*missing\.gguf"):
        requantise(tmp_path / "missing.gguf", tmp_path / "new.gguf", "q4_0")
    (tmp_path / "file").touch()
    with pytest.raises(NotRequantised, match="could not be written"):
        requantise(bundled, tmp_path / "file" / "new.gguf", "q4_0")


def test_a_full_disk_is_named() -> None:
    said = "llama_model_quantize: failed to quantize: basic_ios::clear: iostream error\n"
    assert reason(1, said) == "the file could not be written, perhaps for want of room"
    assert reason(1, "") == "it ended with status 1"


def test_a_model_that_is_fast_is_left_alone_unless_a_type_is_named(made: Requantised) -> None:
    if "Q4_0" not in fast_types(features()):
        pytest.skip("Q4_0 is slow on this processor")
    with pytest.raises(NotRequantised, match="--type"):
        best_type(made.path)


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("SmolLM2-135M-Instruct.Q4_1.gguf", "SmolLM2-135M-Instruct.Q8_0.gguf"),
        ("gemma-3-270m-q4_k_m.gguf", "gemma-3-270m.Q8_0.gguf"),
        ("large-f16-00001-of-00003.gguf", "large.Q8_0.gguf"),
        ("mine.gguf", "mine.Q8_0.gguf"),
    ],
)
def test_the_new_file_is_called_by_its_type(source: str, name: str) -> None:
    assert named(Path("models") / source, "q8_0") == name
