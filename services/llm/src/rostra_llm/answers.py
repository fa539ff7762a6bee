"""What goes back to the client: OpenAI's objects, whole or in chunks, with llama-server's `timings` beside usage."""

from __future__ import annotations

import json
import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Literal

from rostra_llm.work import Chosen, Figures, Piece

Json = dict[str, Any]


class Form(ABC):
    """One answer's shape; what both kinds of completions have in common."""

    prefix: Literal["chatcmpl", "cmpl"]
    object: str
    chunk_object: str

    def __init__(self, model: str, sha256: str | None = None) -> None:
        """`sha256` is the model file's, None as long as it is not known."""
        self.id = f"{self.prefix}-{uuid.uuid4().hex}"
        self._model = model
        self._fingerprint = f"sha256:{sha256}" if sha256 else None
        self._created = int(time.time())

    def whole(self, pieces: Sequence[Piece]) -> Json:
        """The answer at once."""
        last = pieces[-1]
        assert last.figures
        chosen = [token for piece in pieces for token in piece.chosen]
        choice = self._choice("".join(piece.text for piece in pieces), chosen) | {"finish_reason": last.reason}
        return self._around(self.object, [choice]) | {"usage": usage(last.figures), "timings": timings(last.figures)}

    def chunks(self, piece: Piece, *, first: bool, with_usage: bool) -> list[Json]:
        """A piece as chunks of a stream."""
        chunks: list[Json] = []
        if piece.text or piece.chosen or first:
            chunks.append(self._around(self.chunk_object, [self._delta(piece, first=first)]))
        if piece.reason and piece.figures:
            last = self._around(self.chunk_object, [self._end() | {"finish_reason": piece.reason}])
            chunks.append(last | {"timings": timings(piece.figures)})
            if with_usage:
                chunks.append(self._around(self.chunk_object, []) | {"usage": usage(piece.figures)})
        return chunks

    def _around(self, kind: str, choices: list[Json]) -> Json:
        return {
            "id": self.id,
            "object": kind,
            "created": self._created,
            "model": self._model,
            "system_fingerprint": self._fingerprint,
            "choices": choices,
        }

    @abstractmethod
    def _choice(self, text: str, chosen: Sequence[Chosen]) -> Json: ...

    @abstractmethod
    def _delta(self, piece: Piece, *, first: bool) -> Json: ...

    @abstractmethod
    def _end(self) -> Json: ...


class Chat(Form):
    """`/v1/chat/completions`."""

    prefix = "chatcmpl"
    object = "chat.completion"
    chunk_object = "chat.completion.chunk"

    def _choice(self, text: str, chosen: Sequence[Chosen]) -> Json:
        message = {"role": "assistant", "content": text, "refusal": None}
        return {"index": 0, "message": message, "logprobs": self._logprobs(chosen)}

    def _delta(self, piece: Piece, *, first: bool) -> Json:
        delta = {"role": "assistant"} if first else {}
        return {
            "index": 0,
            "delta": delta | {"content": piece.text},
            "logprobs": self._logprobs(piece.chosen),
            "finish_reason": None,
        }

    def _end(self) -> Json:
        return {"index": 0, "delta": {}, "logprobs": None}

    def _logprobs(self, chosen: Sequence[Chosen]) -> Json | None:
        if not chosen:
            return None
        return {
            "content": [
                _token(token.piece, token.logprob)
                | {"top_logprobs": [_token(piece, logprob) for piece, logprob in token.alternatives]}
                for token in chosen
            ],
            "refusal": None,
        }


class Text(Form):
    """`/v1/completions`."""

    prefix = "cmpl"
    object = chunk_object = "text_completion"

    def __init__(self, model: str, sha256: str | None = None) -> None:
        super().__init__(model, sha256)
        self._offset = 0

    def _choice(self, text: str, chosen: Sequence[Chosen]) -> Json:
        return {"index": 0, "text": text, "logprobs": self._logprobs(chosen)}

    def _delta(self, piece: Piece, *, first: bool) -> Json:
        return self._choice(piece.text, piece.chosen) | {"finish_reason": None}

    def _end(self) -> Json:
        return self._choice("", ())

    def _logprobs(self, chosen: Sequence[Chosen]) -> Json | None:
        if not chosen:
            return None
        texts = [_shown(token.piece) for token in chosen]
        offsets: list[int] = []
        for text in texts:
            offsets.append(self._offset)
            self._offset += len(text)
        return {
            "tokens": texts,
            "token_logprobs": [token.logprob for token in chosen],
            "top_logprobs": [{_shown(piece): value for piece, value in token.alternatives} for token in chosen],
            "text_offset": offsets,
        }


def _token(piece: bytes, logprob: float) -> Json:
    return {"token": _shown(piece), "logprob": _finite(logprob), "bytes": list(piece)}


def _shown(piece: bytes) -> str:
    """A token may be a part of a character; its bytes tell which."""
    return piece.decode(errors="replace")


def _finite(logprob: float) -> float:
    """JSON has no infinity; OpenAI's least is -9999."""
    return max(logprob, -9999.0)


def usage(figures: Figures) -> Json:
    """Tokens; `cached_tokens` of the prompt were in memory and not evaluated again."""
    return {
        "prompt_tokens": figures.prompt,
        "completion_tokens": figures.generated,
        "total_tokens": figures.prompt + figures.generated,
        "prompt_tokens_details": {"cached_tokens": figures.reused},
    }


def timings(figures: Figures) -> Json:
    """Tokens and milliseconds, under llama-server's names; prompt_n were evaluated, cache_n were not."""
    evaluated = figures.prompt - figures.reused
    return {
        "cache_n": figures.reused,
        "prompt_n": evaluated,
        "prompt_ms": round(figures.prompt_seconds * 1000, 1),
        "prompt_per_second": _rate(evaluated, figures.prompt_seconds),
        "predicted_n": figures.generated,
        "predicted_ms": round(figures.answer_seconds * 1000, 1),
        "predicted_per_second": _rate(figures.generated, figures.answer_seconds),
    }


def _rate(tokens: int, seconds: float) -> float:
    return round(tokens / seconds, 2) if seconds > 0 else 0.0


def event(value: Json) -> bytes:
    """One server-sent event."""
    return b"data: " + json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"


def problem(message: str, *, type: str, param: str | None = None, code: str | None = None) -> Json:
    """An error in OpenAI's shape, so that its clients show the message."""
    return {"error": {"message": message, "type": type, "param": param, "code": code}}
