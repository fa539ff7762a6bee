"""What is known about the loaded model without asking it."""

from dataclasses import dataclass

from rostra_llm.vocabulary import Vocabulary


@dataclass(frozen=True)
class Served:
    name: str
    file: str
    sha256: str | None  # known of a fetched file only: hashing a large one takes half a minute
    context: int
    vocabulary: Vocabulary
