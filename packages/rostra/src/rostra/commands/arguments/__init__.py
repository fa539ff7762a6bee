"""What can be said to the commands. Nothing here loads more than argparse, so that help and completion are quick."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rostra.commands.arguments import backup, catalogue, completion, debates, doctor, keys, mcp, replay, stack
from rostra.commands.arguments.kinds import AddParser

# In the order in which `rostra --help` lists them.
COMMANDS: Sequence[Callable[[AddParser], None]] = (
    debates.add,
    catalogue.add,
    replay.add,
    stack.add,
    doctor.add,
    mcp.add,
    keys.add,
    backup.add,
    completion.add,
)
