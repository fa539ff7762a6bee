"""The least that does what the API does, for comparison: FastAPI, RQ and Redis as their introductions show them."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import redis
import redis.asyncio
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from rq import Queue
from rq.job import Job

URL = os.environ["ROSTRA_REDIS_URL"]
app = FastAPI()
connection = redis.Redis.from_url(URL)
queue = Queue(connection=connection)
streams = redis.asyncio.Redis.from_url(URL, max_connections=10_000)


class Debate(BaseModel):
    motion: str


def play(motion: str) -> str:
    return motion


@app.get("/healthz")
async def healthz() -> dict[str, str]:
    return {"status": "ok"}


@app.post("/v1/debates", status_code=202)
def begin(debate: Debate) -> dict[str, str]:
    return {"id": queue.enqueue(play, debate.motion).id}


@app.get("/v1/debates/{job}")
def look(job: str) -> dict[str, str]:
    return {"id": job, "status": str(Job.fetch(job, connection=connection).get_status())}


@app.get("/v1/debates/{stream}/events")
async def watch(stream: str) -> StreamingResponse:
    async def events() -> AsyncIterator[str]:
        last = "0"
        while True:
            for _, entries in await streams.xread({stream: last}, block=1000):
                for entry, fields in entries:
                    last = entry
                    yield f"data: {fields[b'data'].decode()}\n\n"

    return StreamingResponse(events(), media_type="text/event-stream")
