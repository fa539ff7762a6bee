"""llama.cpp's C interface, as much of it as serving takes. Nothing else calls it."""

from typing import Any

import llama_cpp

# The bindings annotate the C types, not what ctypes makes of them on both sides of a call: they are not checked here.
lib: Any = llama_cpp
