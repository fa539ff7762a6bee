"""llama.cpp's C interface, as much of it as generating takes. Only an engine's process calls it."""

import ctypes
from typing import Any

import llama_cpp

# The bindings annotate the C types, not what ctypes makes of them on both sides of a call: they are not checked here.
lib: Any = llama_cpp


def build() -> str:
    """The versions of the bindings and of llama.cpp, for which the bindings have no call of their own."""
    version = lib.llama_cpp._lib.llama_version
    version.restype = ctypes.c_char_p
    return f"llama-cpp-python {lib.__version__}, llama.cpp {version().decode()}"
