"""Whose a debate is. That never changes, so it is asked for once."""

from __future__ import annotations

from collections import OrderedDict

from rostra.store import NotFound, Store
from rostra_api.caller import Caller

MOST_KNOWN = 20_000


class Owners:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: OrderedDict[str, str] = OrderedDict()

    async def check(self, debate_id: str, caller: Caller) -> None:
        """Raises NotFound where the debate is somebody else's: that it is there concerns its owner only."""
        if not caller.sees_all and await self._owner(debate_id) != caller.owner:
            raise NotFound(debate_id)

    async def _owner(self, debate_id: str) -> str:
        if (owner := self._known.get(debate_id)) is None:
            owner = self._known[debate_id] = await self._store.owner(debate_id)
            if len(self._known) > MOST_KNOWN:
                self._known.popitem(last=False)
        return owner
