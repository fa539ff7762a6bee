"""Which quantisations have fast kernels on this processor, and what a model is quantised as."""

import mmap
import re
import shlex
import struct
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import llama_cpp

from rostra_llm.errors import NoModel

# What multiplies several tokens by a block of weights at once: features that are needed, types that are then fast. All
# else goes token by token and row by row. Read from llama.cpp 0c1e57098, the one in llama-cpp-python 0.3.36. Left out:
# that tinyBLAS does not serve the experts of a mixture, and that RISC-V needs zvfh, which llama.cpp does not report.
FAST = (
    # ggml-cpu/repack.cpp: interleaved when they are loaded; also fast for a few tokens
    ("REPACK AVX2", "Q4_0 Q4_K IQ4_NL MXFP4"),
    ("REPACK AVX512", "Q2_K"),
    ("REPACK NEON DOTPROD", "Q1_0 Q4_0 Q4_K Q5_K Q6_K Q8_0 IQ4_NL MXFP4"),
    ("REPACK NEON MATMUL_INT8", "Q1_0 Q4_0 Q4_K Q5_K Q6_K Q8_0"),
    ("REPACK VXE", "Q4_0"),
    ("REPACK RISCV_V RVV_VLEN=32", "Q2_K Q4_0 Q4_K Q8_0 IQ4_NL"),
    # ggml-cpu/tiled: unpacked tile by tile, from eight tokens on
    ("AVX", "Q2_K Q3_K Q4_K Q5_K Q6_K IQ1_S IQ1_M IQ2_XXS IQ2_XS IQ2_S IQ3_XXS IQ3_S IQ4_XS"),
    # ggml-cpu/llamafile/sgemm.cpp: tinyBLAS
    ("LLAMAFILE AVX", "F32 Q4_0 Q5_0 Q8_0 IQ4_NL"),
    ("LLAMAFILE AVX F16C", "F16"),
    ("LLAMAFILE AVX2", "BF16"),
    ("LLAMAFILE NEON", "F32 F16"),
    ("LLAMAFILE NEON DOTPROD", "Q4_0 Q8_0"),
    ("LLAMAFILE VXE", "F32 F16"),
    ("LLAMAFILE RISCV_V", "F32"),
    # ggml-cpu/amx
    ("AMX_INT8 AVX512_VNNI", "F16 Q4_0 Q4_1 Q8_0 Q4_K Q5_K Q6_K IQ4_XS"),
    # ggml-cpu.c: two tokens by two rows
    ("MATMUL_INT8", "Q4_0 Q4_1 Q8_0 Q4_K Q6_K"),
)

# File types to make instead: near in size, the most accurate first. Q4_K differs from Q4_1 by 2% (root mean square of
# the weights), IQ4_NL by 8%, Q4_0 by 9%. In SmolLM2-135M, whose rows Q4_K does not fit, a token's log-probability falls
# by 0.13 on average when Q4_1 becomes IQ4_NL, by 0.20 as Q4_0, by 0.002 as Q8_0, which is half as large again.
INSTEAD_OF = {
    "Q4_1": ("q4_k_s", "iq4_nl", "q8_0"),
    "IQ4_NL": ("q4_k_s", "q8_0"),
    "IQ4_XS": ("q4_k_s", "iq4_nl", "q8_0"),
    "Q5_0": ("q5_k_s", "q8_0"),
    "Q5_1": ("q5_k_s", "q8_0"),
    "Q5_K": ("q8_0",),
    "Q6_K": ("q8_0",),
    "F16": ("q8_0",),
    "BF16": ("q8_0",),
    "F32": ("q8_0",),
}
K_BLOCK = 256  # numbers in a block of the K types; llama.cpp makes something else of rows that are no multiple of it

A_GOOD_PART = 0.25  # of the layers; less is not felt

# Looked up, or multiplied for the last token of a prompt only.
TABLES = ("token_embd.", "per_layer_token_embd.", "output.")
FIRST_PART = re.compile(r"-00001-of-(\d{5})\.gguf$")


class Matrix(NamedTuple):
    """Weights of a layer, as they stand in the file."""

    name: str
    type: str
    row: int  # numbers in a row
    size: int  # bytes, up to 31 of padding included


def features() -> frozenset[str]:
    """What llama.cpp makes use of here, by its own names."""
    return parse_features(llama_cpp.llama_print_system_info().decode())


def parse_features(report: str) -> frozenset[str]:
    """From `CPU : AVX2 = 1 | RVV_VLEN = 32 | `, those of a GPU before it left out: `AVX2`, `RVV_VLEN=32`."""
    pairs = (entry.split(" = ") for entry in report.rpartition("CPU : ")[2].split(" | ") if " = " in entry)
    return frozenset(name.strip() if value == "1" else f"{name.strip()}={value}" for name, value in pairs)


def fast_types(features: frozenset[str]) -> frozenset[str]:
    return frozenset(kind for needed, types in FAST if features.issuperset(needed.split()) for kind in types.split())


def slow_types(types: Mapping[str, int], features: frozenset[str]) -> dict[str, float]:
    """Which of the types, given with their bytes, have no fast kernels; with their share of all bytes."""
    total = sum(types.values())
    fast = fast_types(features)
    return {kind: size / total for kind, size in types.items() if size and kind not in fast}


def tensor_types(path: Path) -> Counter[str]:
    """Bytes of the model's layers by type, all parts of the file together. Raises NoModel."""
    return _sizes(matrices(path))


def replacement(weights: Iterable[Matrix], features: frozenset[str]) -> str | None:
    """The file type to make of a model, a good part of which is slow here; None: it is not, or nothing near is fast."""
    weights = list(weights)
    slow = slow_types(_sizes(weights), features)
    if sum(slow.values()) < A_GOOD_PART:
        return None
    largest = max(slow, key=slow.__getitem__)
    whole = all(matrix.row % K_BLOCK == 0 for matrix in weights if matrix.type == largest)
    fast = fast_types(features)
    for kind in INSTEAD_OF.get(largest, ()):
        if kind.upper().removesuffix("_S") in fast and (whole or "_k" not in kind):
            return kind
    return None


def advice(path: Path, features: frozenset[str]) -> str | None:
    """A sentence for the log when much of a model that runs on the processor has no fast kernels here."""
    try:
        weights = matrices(path)
    except (NoModel, OSError):
        return None  # loading it says what is wrong
    better = replacement(weights, features)
    if not better:
        return None
    slow = slow_types(_sizes(weights), features)
    names = " and ".join(sorted(slow, key=slow.__getitem__, reverse=True))
    # CPU ms per token of a prompt on AVX2, chunks of 128. SmolLM2-135M: Q4_1 5.7, IQ4_NL 3.2, Q4_0 3.1, Q8_0 3.6;
    # random weights with rows of 1,024 and 2,816: Q4_1 4.7, Q4_K 2.1, Q5_1 5.6, Q5_K 2.0, Q8_0 2.5.
    faster = "nearly twice as fast" if "AVX2" in features else "faster"
    return (
        f"{sum(slow.values()):.0%} of the layers of {path.name} are {names}, without fast kernels on this processor. "
        f"`python -m rostra_llm requantise {shlex.quote(str(path))}` makes {better.upper()} of it, "
        f"which reads prompts {faster}, at some loss of accuracy."
    )


def matrices(path: Path) -> list[Matrix]:
    """The layers' weights, all parts of the file together. Raises NoModel."""
    return [matrix for part in parts(path) for matrix in _matrices(part)]


def parts(path: Path) -> list[Path]:
    """The files of a model: a large one comes in parts, of which the first is named."""
    first = FIRST_PART.search(path.name)
    if not first:
        return [path]
    begin = path.name[: first.start()]
    part = re.compile(rf"{re.escape(begin)}-\d{{5}}-of-{first[1]}\.gguf")
    return sorted(file for file in path.parent.iterdir() if part.fullmatch(file.name))


def _sizes(weights: Iterable[Matrix]) -> Counter[str]:
    sizes: Counter[str] = Counter()
    for matrix in weights:
        sizes[matrix.type] += matrix.size
    return sizes


# The head of a GGUF file, as ggml's docs/gguf.md has it. llama_cpp tells the type of a file, not those of its tensors.

# The bindings leave out three.
TYPES: dict[int, str] = {
    value: name.removeprefix("GGML_TYPE_") for name, value in vars(llama_cpp).items() if name.startswith("GGML_TYPE_")
} | {30: "BF16", 34: "TQ1_0", 35: "TQ2_0"}
WIDTHS = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}  # bytes of a value by its type
STRING, ARRAY = 8, 9


def _matrices(path: Path) -> list[Matrix]:
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _read(_Head(data), len(data))
    except (struct.error, ValueError, KeyError, IndexError, OverflowError) as error:
        raise NoModel(f"{path} is not a GGUF file, or not all of one.") from error


class _Head:
    """Reads on from where it is."""

    def __init__(self, data: mmap.mmap) -> None:
        self._data = data
        self.at = 0

    def take(self, form: str) -> tuple[Any, ...]:
        values = struct.unpack_from(f"<{form}", self._data, self.at)
        self.at += struct.calcsize(f"<{form}")
        return values

    def text(self) -> str:
        (length,) = self.take("Q")
        (text,) = self.take(f"{length}s")
        return text.decode()

    def skip(self, kind: int, count: int = 1) -> None:
        if kind in WIDTHS:
            self.at += WIDTHS[kind] * count
            return
        for _ in range(count):
            if kind == ARRAY:
                self.skip(*self.take("IQ"))
            elif kind == STRING:
                (length,) = self.take("Q")
                self.at += length
            else:
                raise ValueError(f"no value has the type {kind}")


def _read(head: _Head, length: int) -> list[Matrix]:
    magic, version, tensors, entries = head.take("4sIQQ")
    if magic != b"GGUF" or version < 2:
        raise ValueError("no GGUF")
    for _ in range(entries):
        head.text()
        head.skip(*head.take("I"))
    found = [(head.text(), head.take(f"{head.take('I')[0]}Q"), *head.take("IQ")) for _ in range(tensors)]
    found.sort(key=lambda tensor: tensor[3])
    # Their sizes: each begins where the one before it ends, the last one ends with the file.
    ends = [offset for *_, offset in found[1:]] + [length - head.at]
    return [
        Matrix(name, TYPES.get(kind, f"type {kind}"), dimensions[0], end - offset)
        for (name, dimensions, kind, offset), end in zip(found, ends, strict=True)
        if len(dimensions) > 1 and not name.startswith(TABLES)
    ]
