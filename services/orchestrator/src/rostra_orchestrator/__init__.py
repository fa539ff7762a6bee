"""The worker: runs a debate as an AutoGen group chat, one turn at a time."""
