"""`rostra doctor`."""

from __future__ import annotations

from rostra.commands.arguments.kinds import AddParser, address, seconds

# As `rostra.endpoints.Dialect` has them, which takes long to import.
DIALECTS = ("rostra", "llama-cpp-python", "llama-server", "vllm", "ollama", "openai")


def add(add_parser: AddParser) -> None:
    doctor = add_parser(
        "doctor",
        help="find out what a model server can do for debates",
        description="Finds out in under a minute what an OpenAI-compatible model server can do for debates: chat "
        "template, roles, streams, sampling options by their effect, bounds, speed. A key is taken from "
        "ROSTRA_LLM_API_KEY.",
        epilog="Exit status: 0 it is fit for debates; 1 it is usable, with faults that cost turns or their quality, or "
        "there was no time for all checks; 2 it is not usable, or not there.",
    )
    doctor.add_argument("url", type=address, metavar="URL", help="its address, like http://127.0.0.1:8000")
    doctor.add_argument("--model", help="the name that it knows the model by; left out: the first that it lists")
    doctor.add_argument("--dialect", choices=DIALECTS, help="the kind of server that it is taken for in ROSTRA_MODELS")
    doctor.add_argument("--json", action="store_true", help="the report as JSON")
    doctor.add_argument("--seconds", type=seconds, default=60.0, help="how long it may take at most (default: 60)")
    doctor.set_defaults(extra="doctor", run="rostra.commands.doctor:doctor")
