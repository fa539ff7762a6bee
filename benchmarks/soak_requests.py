"""What the clients of the soak ask: a kind of request each, drawn at random, and what must come of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

CHAT, TEXT = "/v1/chat/completions", "/v1/completions"
MOST_TOKENS = 96

Body = dict[str, Any]

QUESTIONS = (
    "Why is the sky blue?",
    "Name three rivers.",
    "Should every town ban cars from its centre?",
    "Write a short poem about bread.",
    "What does a lighthouse keeper do all day?",
    "空はなぜ青いのですか。",
)
SCHEMA: Body = {
    "type": "object",
    "properties": {"side": {"enum": ["for", "against"]}, "points": {"type": "integer"}},
    "required": ["side", "points"],
    "additionalProperties": False,
}
BAD: Sequence[Body] = (
    {"temperature": "hot"},
    {"temperature": -1},
    {"max_tokens": 0},
    {"max_tokens": "many"},
    {"messages": []},
    {"messages": [{"role": "oracle", "content": "Speak."}]},
    {"no_such_option": 1},
    {"stop": 7},
    {"top_p": 2},
    {"response_format": {"type": "poem"}},
    {"grammar": "root ::= ("},
    {"logit_bias": {"99999999": 1}},
    {"model": "nobody"},
)


@dataclass(frozen=True)
class Asked:
    """A request. `refused` is whether the server must refuse it, `code` the reason that it must name.

    `leaves` is after how many seconds the client goes away; `said` takes the text of a whole answer.
    """

    kind: str
    path: str
    body: Body
    refused: bool = False
    code: str | None = None
    leaves: float | None = None
    schema: Body | None = None
    said: Callable[[str], None] = lambda _text: None

    @property
    def stops(self) -> Sequence[str]:
        return self.body.get("stop") or []


@dataclass
class Client:
    """One client: its chances, and the debate that it is playing."""

    random: Random
    context: int
    lines: list[str] = field(default_factory=list)

    def next(self) -> Asked:
        kinds, weights = zip(*KINDS.items(), strict=True)
        (kind,) = self.random.choices(kinds, weights)
        return kind(self)

    def chat(self, *messages: tuple[str, str]) -> Body:
        """A chat with sampling of any sort, streamed or not."""
        body = {"messages": [{"role": role, "content": text} for role, text in messages], **self.sampling()}
        return self.streamed(body) if self.random.random() < 0.6 else body

    def streamed(self, body: Body) -> Body:
        return {**body, "stream": True, "stream_options": {"include_usage": True}}

    def question(self) -> tuple[str, str]:
        return "user", self.random.choice(QUESTIONS)

    def sampling(self) -> Body:
        """A few options of all; the length always."""
        r = self.random
        options: Body = {
            "temperature": r.choice([0, 0.3, 0.7, 1.0, 1.5]),
            "top_k": r.choice([0, 1, 20, 40, 200]),
            "top_p": r.uniform(0.1, 1.0),
            "min_p": r.uniform(0.0, 0.3),
            "repeat_penalty": r.uniform(1.0, 1.3),
            "presence_penalty": r.uniform(-1.0, 1.0),
            "frequency_penalty": r.uniform(-1.0, 1.0),
            "logit_bias": {str(r.randrange(49_000)): r.choice([-100, -1, 1, 5])},
            "seed": r.randrange(1 << 31),
            "stop": r.choice([["\n"], ["."], ["the ", "\n\n"]]),
            "prompt_cache_key": f"client {r.randrange(4)}",
        }
        chosen = r.sample(sorted(options), r.randrange(len(options)))
        return {"max_tokens": r.randint(1, MOST_TOKENS), **{name: options[name] for name in chosen}}


def answered(client: Client) -> Asked:
    return Asked("answers", CHAT, client.chat(client.question()))


def text(client: Client) -> Asked:
    _, question = client.question()
    return Asked("texts", TEXT, client.streamed({"prompt": f"{question}\n", **client.sampling()}))


def schema(client: Client) -> Asked:
    wanted = {"type": "json_schema", "json_schema": {"name": "side", "strict": True, "schema": SCHEMA}}
    body = {"messages": [dict(zip(("role", "content"), client.question(), strict=True))], "response_format": wanted}
    return Asked("schemas", CHAT, {**body, "max_tokens": 64, "temperature": 0.7}, schema=SCHEMA)


def debated(client: Client) -> Asked:
    """The next turn of the client's debate, its answer begun; a new debate where the context would soon be full."""
    if sum(map(len, client.lines)) > client.context:  # characters: a quarter of the context, or three quarters
        client.lines.clear()
    name = ("Rosa", "Victor")[len(client.lines) % 2]
    so_far = "\n".join(client.lines) or "Nothing has been said yet."
    body = client.chat(
        ("system", "This is a debate: every town should ban cars from its centre. Rosa is for it, Victor against."),
        ("user", f"{so_far}\n\nNow {name} speaks."),
        ("assistant", f"{name}:"),
    )
    return Asked("debates", CHAT, body, said=lambda text: client.lines.append(f"{name}: {' '.join(text.split())}"))


def left(client: Client) -> Asked:
    body = {**client.chat(client.question()), "max_tokens": MOST_TOKENS}
    return Asked("left by the client", CHAT, body, leaves=client.random.uniform(0.0, 3.0))


def too_long(client: Client) -> Asked:
    body = client.chat(("user", "word " * (client.context + client.random.randrange(client.context))))
    return Asked("over the context", CHAT, body, refused=True, code="context_length_exceeded")


def bad(client: Client) -> Asked:
    body = {**client.chat(client.question()), **client.random.choice(BAD)}
    return Asked("bad options", CHAT, body, refused=True)


# How often each kind comes, of 100.
KINDS: dict[Callable[[Client], Asked], int] = {
    answered: 30,
    text: 10,
    debated: 30,
    schema: 8,
    left: 12,
    too_long: 4,
    bad: 6,
}
