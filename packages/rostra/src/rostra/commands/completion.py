"""`rostra completion`: a shell's own words for what can be said to the commands."""

from __future__ import annotations

import argparse
from typing import cast

import shtab

from rostra.commands import parser


def completion(chosen: argparse.Namespace) -> int:
    print(shtab.complete(parser(), shell=cast("shtab.ShellType", chosen.shell)))
    return 0
