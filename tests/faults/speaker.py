"""The scripted model server as a process of its own, which can be killed, and told how to misbehave.

    python tests/faults/speaker.py PORT CONTEXT

What it says begins and ends with the same number, so that a turn which was cut or mixed up shows itself.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from scripted import Answer, Cuts, Fails, Garbage, Hangs, Says, ScriptedModel

PAUSE = 0.02  # seconds between words: a turn takes a quarter of a second

# How it can misbehave, by name.
MISBEHAVIOUR: dict[str, Answer] = {
    "answers 500": Fails(500),
    "answers 503": Fails(503),
    "hangs": Hangs(),
    "hangs in mid-sentence": Hangs("Point 0 and"),
    "cuts the stream": Cuts("Point 0 and so"),
    "ends without an end": Says("Point 0 and so", finish=None),
    "sends garbage": Garbage(),
    "sends another protocol": Garbage("<html><body>Bad Gateway</body></html>"),
    "ends for a reason that is a number": Garbage(
        'data: {"choices": [{"delta": {"content": "Point 0 and so on 0."}, "finish_reason": 7}]}\n\n'
    ),
    "lies that it has answered": Says("", usage={"prompt_tokens": 9, "completion_tokens": 90}),
}


def is_whole(text: str) -> bool:
    """Whether a turn's text is one that `PointByPoint` says, from its beginning to its end."""
    words = text.split()
    return len(words) > 3 and words[0] == "Point" and words[-1] == f"{words[1]}."


@dataclass
class PointByPoint(ScriptedModel):
    """A `ScriptedModel` that takes orders over HTTP and counts who is answered at the same time."""

    said: int = 0
    speaking: dict[str, int] = field(default_factory=dict)
    most_at_once: int = 0  # answers that were generated for one and the same debate at the same time
    begun: dict[str, int] = field(default_factory=dict)  # answers by debate

    def say(self, asked: dict[str, Any]) -> Answer:
        tokens = sum(self.tokens(message["content"]) for message in asked["messages"]) + asked["max_tokens"]
        if tokens > self.context:
            return Fails(400, {"error": {"message": f"{tokens} tokens are more than the context of {self.context}"}})
        self.said += 1
        return Says(f"Point {self.said} " + "and so on " * 3 + f"{self.said}.", pause=PAUSE)

    def app(self) -> Starlette:
        app = super().app()
        app.router.routes += [
            Route("/told", self._told, methods=["POST"]),
            Route("/told", lambda _: JSONResponse({"most_at_once": self.most_at_once, "begun": self.begun})),
        ]
        return app

    async def _told(self, request: Request) -> Response:
        told = await request.json()
        self.context = told.get("context", self.context)
        self.answers[:] = [MISBEHAVIOUR[told["kind"]]] * told["times"] if told["times"] else []
        return Response(status_code=204)

    async def _complete(self, request: Request) -> Response:
        debate = (await request.json()).get("prompt_cache_key", "")
        self.requests.clear()  # nobody asks this process for them, and it may run for an hour
        self.keys.clear()
        answer = await super()._complete(request)
        if isinstance(answer, StreamingResponse):
            answer.body_iterator = self._counted(debate, answer.body_iterator)
        return answer

    async def _counted(self, debate: str, answer: Any) -> AsyncIterator[Any]:
        async with self._generating(debate):
            async for piece in answer:
                yield piece

    @asynccontextmanager
    async def _generating(self, debate: str) -> AsyncIterator[None]:
        self.begun[debate] = self.begun.get(debate, 0) + 1
        self.speaking[debate] = self.speaking.get(debate, 0) + 1
        self.most_at_once = max(self.most_at_once, self.speaking[debate])
        try:
            yield
        finally:
            self.speaking[debate] -= 1


def main(port: int, context: int) -> None:
    model = PointByPoint(script=lambda _: Fails(), context=context)
    model.script = model.say
    uvicorn.run(model.app(), port=port, log_config=None, lifespan="off", timeout_graceful_shutdown=1)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
