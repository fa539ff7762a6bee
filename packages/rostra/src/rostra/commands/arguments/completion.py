"""`rostra completion`."""

from __future__ import annotations

from rostra.commands.arguments.kinds import AddParser


def add(add_parser: AddParser) -> None:
    completion = add_parser(
        "completion",
        help="print what makes a shell complete commands and options",
        description='Prints a script. In ~/.bashrc: eval "$(rostra completion bash)"; in ~/.zshrc, behind compinit, '
        "the same with zsh; or rostra completion fish > ~/.config/fish/completions/rostra.fish.",
    )
    completion.add_argument("shell", choices=("bash", "zsh", "fish"))
    completion.set_defaults(run="rostra.commands.completion:completion")
