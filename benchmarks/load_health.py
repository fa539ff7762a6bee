"""Asks a port's `/healthz` fifty times a second until its input ends: a process of its own, so that none delays it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time

from load_clients import connected, get, quantiles_ms


async def main(port: int) -> None:
    seconds: list[float] = []
    failed = 0
    over = asyncio.ensure_future(asyncio.to_thread(sys.stdin.read))
    while not over.done():
        with contextlib.suppress(OSError):
            async with connected(port) as connection:
                while not over.done():
                    began = time.perf_counter()
                    try:
                        async with asyncio.timeout(30):
                            status, _ = await connection.ask(get("/healthz"))
                        failed += status != 200
                    except (OSError, EOFError, TimeoutError):
                        failed += 1
                        break
                    finally:
                        seconds.append(time.perf_counter() - began)
                    await asyncio.sleep(0.02)
    print(json.dumps({"asked": len(seconds), "failed": failed, **quantiles_ms(seconds)}))


asyncio.run(main(int(sys.argv[1])))
