"""`python -m rostra_llm.engine FD`: loads a model and generates, for the process at the other end of the pipe."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys

import structlog

from rostra_llm import logs
from rostra_llm.engine.loop import Loop
from rostra_llm.engine.plan import Plan
from rostra_llm.engine.scheduler import Scheduler
from rostra_llm.native import lib
from rostra_llm.native.context import Context, Shape
from rostra_llm.native.model import Model, Unloadable
from rostra_llm.pipe import Gone, Pipe
from rostra_llm.work import CannotLoad, Ready

log = structlog.stdlib.get_logger()


def main(fd: int) -> None:
    # Ctrl-C reaches the whole group of processes; this one goes when its pipe is closed, after the answers are sent.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The other end may be gone at any time: nobody is left then who would want an answer.
    with contextlib.suppress(Gone, BrokenPipeError, ConnectionResetError):
        run(Pipe(socket.socket(fileno=fd)))


def run(pipe: Pipe) -> None:
    """Raises Gone or OSError when the other end is gone."""
    plan: Plan = pipe.receive()
    logs.configure(plan.log_level, model=plan.name)
    try:
        loop, ready = load(plan)
    except Unloadable as reason:
        pipe.send(CannotLoad(str(reason)))
        return
    pipe.send(ready)
    while True:
        loop.take(pipe.waiting(wait=loop.idle))
        pipe.send(loop.step())


def load(plan: Plan) -> tuple[Loop, Ready]:
    """The model in memory. Raises Unloadable."""
    model = Model(plan.path, gpu_layers=plan.gpu_layers)
    parallel = sequences(plan, model)
    shape = Shape(parallel, plan.context, plan.chunk, plan.threads, gpu=plan.gpu_layers != 0)
    context = Context(model, shape)
    cell = max(1, model.cell_bytes)
    shelf = (plan.cache_mib << 20) // cell
    scheduler = Scheduler(parallel, plan.chunk, shelf, exact=plan.exact, run=plan.run, reach=plan.reach)
    loop = Loop(model, context, scheduler)
    system = lib.llama_print_system_info().decode()
    ready = Ready(min(context.tokens, plan.context), parallel, cell * context.tokens * parallel >> 20, system)
    return loop, ready


def sequences(plan: Plan, model: Model) -> int:
    """How many requests at once: what is said, or else as many as a GiB of KV cache holds, 2 to 8."""
    if plan.exact or plan.parallel:
        return 1 if plan.exact else plan.parallel or 1
    return min(8, max(2, (1 << 30) // max(1, model.cell_bytes * plan.context)))


if __name__ == "__main__":
    main(int(sys.argv[1]))
    sys.stderr.flush()
    os._exit(0)  # nothing is to be written any more: weights and caches need not be taken down one by one
