"""Which quantisations are fast, on processors of all kinds, and what the bundled model is quantised as."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rostra_llm.errors import NoModel
from rostra_llm.kernels import (
    Matrix,
    advice,
    fast_types,
    features,
    matrices,
    parse_features,
    parts,
    replacement,
    slow_types,
    tensor_types,
)

AVX2 = frozenset(["SSE3", "SSSE3", "AVX", "AVX2", "F16C", "FMA", "BMI2", "LLAMAFILE", "OPENMP", "REPACK"])
SAPPHIRE_RAPIDS = AVX2 | {"AVX512", "AVX512_VNNI", "AMX_INT8"}
RASPBERRY_PI_4 = frozenset({"NEON", "ARM_FMA", "LLAMAFILE", "REPACK"})
RASPBERRY_PI_5 = RASPBERRY_PI_4 | {"DOTPROD"}
GRAVITON_3 = RASPBERRY_PI_5 | {"MATMUL_INT8", "SVE"}


def test_the_features_are_those_that_llama_cpp_reports() -> None:
    report = "CUDA : ARCHS = 860 | USE_GRAPHS = 1 | CPU : AVX = 1 | RVV_VLEN = 32 | REPACK = 1 | "
    assert parse_features(report) == {"AVX", "RVV_VLEN=32", "REPACK"}
    assert features() & {"AVX", "NEON", "RISCV_V", "VXE", "VSX", "LLAMAFILE", "REPACK"}


def test_the_bundled_models_layers_are_q4_1(bundled: Path) -> None:
    assert dict(tensor_types(bundled)) == {"Q4_1": 66_355_200}
    assert {matrix.row for matrix in matrices(bundled)} == {576, 1536}


def test_q4_1_is_slow_where_nothing_multiplies_it_by_several_tokens() -> None:
    types = {"Q4_1": 300, "Q4_K": 100}
    assert slow_types(types, AVX2) == {"Q4_1": 0.75}
    assert slow_types(types, RASPBERRY_PI_5) == {"Q4_1": 0.75}
    assert slow_types(types, SAPPHIRE_RAPIDS) == {}
    assert slow_types(types, GRAVITON_3) == {}


def test_k_types_are_fast_on_avx_by_tiles_and_on_arm_by_repacking() -> None:
    assert {"Q4_K", "Q5_K", "Q6_K"} <= fast_types(AVX2) & fast_types(RASPBERRY_PI_5)
    assert "Q3_K" in fast_types(AVX2) - fast_types(RASPBERRY_PI_5)
    assert not {"Q4_0", "Q4_K", "Q8_0"} & fast_types(RASPBERRY_PI_4)


def test_nothing_is_repacked_in_a_build_without_it() -> None:
    assert "MXFP4" in fast_types(AVX2)
    assert "MXFP4" not in fast_types(AVX2 - {"REPACK"})


@pytest.mark.parametrize(
    ("type", "row", "features", "better"),
    [
        ("Q4_1", 4096, AVX2, "q4_k_s"),
        ("Q4_1", 576, AVX2, "iq4_nl"),
        ("Q5_1", 4096, AVX2, "q5_k_s"),
        ("Q5_1", 576, AVX2, "q8_0"),
        ("Q5_0", 4096, RASPBERRY_PI_5, "q5_k_s"),
        ("Q4_0", 4096, AVX2, None),
        ("TQ1_0", 4096, AVX2, None),
        ("Q4_1", 4096, RASPBERRY_PI_4, None),
        ("Q4_1", 4096, frozenset[str](), None),
    ],
)
def test_a_slow_type_is_replaced_by_a_fast_one_near_its_size(
    type: str, row: int, features: frozenset[str], better: str | None
) -> None:
    assert replacement([Matrix("blk.0.ffn_up.weight", type, row, 1000)], features) == better


def test_a_few_slow_layers_are_no_reason_to_replace_all() -> None:
    fast, slow = (Matrix("blk.0.ffn_down.weight", type, 4096, size) for type, size in (("Q4_0", 900), ("Q4_1", 100)))
    assert replacement([fast, slow], AVX2) is None


def test_the_advice_says_what_is_slow_and_what_to_do(bundled: Path) -> None:
    said = advice(bundled, AVX2)
    assert said
    assert said.startswith(
        "100% of the layers of SmolLM2-135M-Instruct.Q4_1.gguf are Q4_1, without fast kernels on this"
    )
    assert f"`python -m rostra_llm requantise {bundled}` makes IQ4_NL of it" in said


def test_there_is_no_advice_where_the_model_is_fast_or_nothing_else_is(bundled: Path, tmp_path: Path) -> None:
    assert advice(bundled, GRAVITON_3) is None
    assert advice(bundled, frozenset()) is None
    assert advice(tmp_path / "missing.gguf", AVX2) is None


def test_a_model_in_parts_is_looked_at_whole(bundled: Path, tmp_path: Path) -> None:
    first, second = (tmp_path / f"large-0000{number}-of-00002.gguf" for number in (1, 2))
    for file in (first, second, tmp_path / "other-00002-of-00002.gguf"):
        shutil.copy(bundled, file)
    assert parts(first) == [first, second]
    assert dict(tensor_types(first)) == {"Q4_1": 2 * 66_355_200}


@pytest.mark.parametrize("length", [0, 10, 1_000_000])
def test_a_file_that_ends_in_its_head_is_refused(bundled: Path, tmp_path: Path, length: int) -> None:
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(bundled.read_bytes()[:length])
    with pytest.raises(NoModel, match=r"cut\.gguf is not a GGUF file"):
        tensor_types(cut)


def test_a_file_of_another_kind_is_refused() -> None:
    with pytest.raises(NoModel, match="is not a GGUF file"):
        tensor_types(Path(__file__))


def test_llama_cpp_does_not_repack_what_is_slow_here(bundled: Path) -> None:
    if "Q4_1" in fast_types(features()):
        pytest.skip("this processor is fast at everything")
    load = "import sys, llama_cpp; llama_cpp.Llama(sys.argv[1], n_ctx=256, verbose=True)"
    said = subprocess.run([sys.executable, "-c", load, bundled], capture_output=True, text=True, check=True).stderr
    assert "CPU_Mapped model buffer" in said
    assert "CPU_REPACK model buffer" not in said
