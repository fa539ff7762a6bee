"""The Lua scripts, by the names of their files: each runs whole or not at all."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any, cast

from redis.asyncio import Redis


@cache
def source(name: str) -> str:
    folder = files("rostra.store")
    return (folder / "prelude.lua").read_text("utf-8") + (folder / f"{name}.lua").read_text("utf-8")


class Scripts:
    """Runs them; each is sent to the server once."""

    def __init__(self, redis: Redis) -> None:
        self._redis = cast("Any", redis)
        self._known: dict[str, Any] = {}

    async def run(self, name: str, *arguments: str | int | float) -> list[Any]:
        script = self._known.get(name)
        if script is None:
            script = self._known[name] = self._redis.register_script(source(name))
        return cast("list[Any]", await script(args=arguments))
