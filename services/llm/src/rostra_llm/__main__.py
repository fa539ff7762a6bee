"""`python -m rostra_llm`: find the model, load it, serve it."""

import contextlib
import os
import sys

import structlog
import uvicorn
from pydantic import ValidationError

from rostra_llm import engine, logs
from rostra_llm.app import create_app
from rostra_llm.errors import CannotServe
from rostra_llm.models import find_model
from rostra_llm.served import Served
from rostra_llm.settings import Settings
from rostra_llm.vocabulary import Vocabulary

GRACE = 5  # seconds that streams have to end before they are cut

log = structlog.stdlib.get_logger()


def main() -> int:
    try:
        settings = Settings()
    except ValidationError as error:
        for problem in error.errors(include_input=False):  # the input holds the key
            where = "".join(f"ROSTRA_{name}: ".upper() for name in problem["loc"])
            print(f"{where}{problem['msg']}", file=sys.stderr)  # noqa: T201  there is no log yet
        return 2
    logs.configure(settings.log_level)
    try:
        server = prepare(settings)
    except CannotServe as reason:
        log.error("cannot_serve", reason=str(reason))
        return 1
    with contextlib.suppress(KeyboardInterrupt):
        server.run()
    return 0


def prepare(settings: Settings) -> uvicorn.Server:
    """The server with its model loaded; raises CannotServe."""
    model = find_model(settings)
    template = settings.models_dir / settings.chat_template if settings.chat_template else None
    vocabulary = Vocabulary(model.path, template)
    context = engine.load(settings, model, vocabulary)
    served = Served(settings.model_name, model.path.name, model.sha256, context, vocabulary)
    config = uvicorn.Config(
        create_app(served, settings.api_key()),
        host=settings.llm_host,
        port=settings.llm_port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=GRACE,
    )
    log.info("serving", model=settings.model_name, host=settings.llm_host, port=settings.llm_port)
    return uvicorn.Server(config)


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # Not sys.exit: a prompt that is still being evaluated, in a thread, would hold the process until its end.
    os._exit(status)
