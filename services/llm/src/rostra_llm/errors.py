"""What goes wrong, as sentences for the person who can set it right.

CannotServe      the service does not start
├── NoModel      no model file, or not the one that was asked for
└── NoTemplate   the model does not say how a chat is written down
Refused          a request is answered with an error
└── Unavailable  at this moment; worth asking again
"""


class CannotServe(Exception):
    """The service cannot start; the message says what to do about it."""


class NoModel(CannotServe):
    """There is no model file to serve."""


class NoTemplate(CannotServe):
    """The model has no chat template that can be used."""


class Refused(Exception):
    """A request that is not served, with what OpenAI's error bodies carry."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        type: str = "invalid_request_error",
        param: str | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.type = type
        self.param = param
        self.code = code


class Unavailable(Refused):
    """The request cannot be served now: the queue is full, the engine is starting, or it took too long."""

    def __init__(self, message: str, *, retry_after: int = 2) -> None:
        super().__init__(message, status=503, type="server_error", code="unavailable")
        self.retry_after = retry_after
