"""What the HTTP side and an engine say to one another. Plain data; it goes through a pipe between two processes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Reason = Literal["stop", "length"]


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is chosen. Names, meanings and order of the samplers are llama.cpp's; so are the defaults,
    those of its llama-server."""

    temperature: float = 0.8
    top_k: int = 40
    top_p: float = 0.95
    min_p: float = 0.05
    typical_p: float = 1.0
    top_n_sigma: float = -1.0
    repeat_penalty: float = 1.0
    repeat_last_n: int = 64
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    dry_multiplier: float = 0.0
    dry_base: float = 1.75
    dry_allowed_length: int = 2
    dry_penalty_last_n: int = -1
    dry_sequence_breakers: tuple[str, ...] = ("\n", ":", '"', "*")
    xtc_probability: float = 0.0
    xtc_threshold: float = 0.1
    mirostat: int = 0
    mirostat_tau: float = 5.0
    mirostat_eta: float = 0.1
    dynatemp_range: float = 0.0
    dynatemp_exponent: float = 1.0
    logit_bias: tuple[tuple[int, float], ...] = ()
    grammar: str = ""
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Work:
    """One generation: `tokens` is the prompt, `most` and `least` bound the answer, in tokens.

    `key` is a hint that requests which share it share a beginning. `alternatives` is how many log-probabilities are
    told beside the chosen token's; None tells none at all."""

    id: int
    tokens: list[int]
    most: int
    least: int = 0
    sampling: Sampling = field(default_factory=Sampling)
    stop: tuple[str, ...] = ()
    key: str | None = None
    reuse: bool = True
    ignore_end: bool = False
    alternatives: int | None = None


@dataclass(frozen=True, slots=True)
class Cancel:
    """Nobody waits for this generation any more."""

    id: int


@dataclass(frozen=True, slots=True)
class Chosen:
    """A token that was chosen, with the natural logarithms of probabilities before any sampling: its own and the most
    probable ones'."""

    piece: bytes
    logprob: float
    alternatives: tuple[tuple[bytes, float], ...]


@dataclass(frozen=True, slots=True)
class Figures:
    """What a generation cost: tokens of the prompt, of which `reused` were in memory, tokens of the answer; seconds
    until the prompt was read and from there to the end."""

    prompt: int
    reused: int
    generated: int
    prompt_seconds: float
    answer_seconds: float


@dataclass(frozen=True, slots=True)
class Piece:
    """Text that was written; the last one has the reason why it ends, and the figures."""

    id: int
    text: str
    chosen: tuple[Chosen, ...] = ()
    reason: Reason | None = None
    figures: Figures | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """A generation that could not be done; the message is for the client."""

    id: int
    message: str


@dataclass(frozen=True, slots=True)
class Ready:
    """The model is loaded: tokens of context that one request has, requests at once, and what the machine said of
    itself."""

    context: int
    parallel: int
    kv_mib: int
    system: str


@dataclass(frozen=True, slots=True)
class CannotLoad:
    """The model is not loaded, and trying again will not help; a sentence for the person who can set it right."""

    message: str


@dataclass(slots=True)
class Meters:
    """Sums since the engine's start: seconds by what they were spent for, tokens, batches; and how it stands now."""

    decode_seconds: float = 0.0
    sample_seconds: float = 0.0
    move_seconds: float = 0.0
    python_seconds: float = 0.0
    batches: int = 0
    prompt_tokens: int = 0
    reused_tokens: int = 0
    generated_tokens: int = 0
    waiting: int = 0
    running: int = 0
    kept_prefixes: int = 0
    kept_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """What one step of the engine brought, for all its requests."""

    pieces: list[Piece]
    failures: list[Failed]
    meters: Meters
