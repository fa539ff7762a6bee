"""A model that is served: what is known without asking its engine, and the engine itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rostra_llm.errors import Refused
from rostra_llm.host import Engine
from rostra_llm.vocabulary import Vocabulary


@dataclass
class Served:
    """`sha256` is None until the file has been hashed, which takes half a minute for a large one."""

    name: str
    file: str
    context: int
    vocabulary: Vocabulary
    engine: Engine
    exact: bool = False
    sha256: str | None = None


@dataclass(frozen=True)
class Models:
    """All models of this server; a request that names none is given the first."""

    served: Mapping[str, Served] = field(default_factory=dict[str, Served])

    def named(self, name: str | None) -> Served:
        """Raises Refused."""
        if name is None:
            return next(iter(self.served.values()))
        try:
            return self.served[name]
        except KeyError:
            raise Refused(
                f"There is no model {name!r} here, only {', '.join(map(repr, self.served))}.",
                status=404,
                param="model",
                code="model_not_found",
            ) from None
