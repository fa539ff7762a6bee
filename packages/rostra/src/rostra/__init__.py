"""What a debate is, and where it is kept; and a client for those that are held elsewhere.

from rostra import Client

with Client() as client:
    debate = client.debates.create("Tabs beat spaces")
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rostra.version import ROSTRA

if TYPE_CHECKING:
    from rostra.client import AsyncClient, Client

__version__ = ROSTRA
__all__ = ["AsyncClient", "Client", "__version__"]


def __getattr__(name: str) -> object:
    """The clients, once somebody asks for them: the services and `rostra --help` do without."""
    if name not in {"AsyncClient", "Client"}:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        from rostra import client  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise ImportError(f"rostra.{name} needs {error.name}: pip install 'rostra[client]'") from error
    return getattr(client, name)
