"""The formats that a debate here can name: the library's, and those of people's own."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from rostra.format import Format
from rostra.formats import library, own
from rostra.views import FormatList
from rostra_api.answering import format_summary


class Formats:
    """Read once, when the API starts. Raises: rostra.formats.BadFormat."""

    def __init__(self, folder: Path) -> None:
        self.by_name: Mapping[str, Format] = dict(sorted({**library(), **own(folder)}.items()))

    @cached_property
    def listed(self) -> FormatList:
        """All of them in short; it takes a tenth of a second to count what their debates come to."""
        return FormatList(data=[format_summary(each) for each in self.by_name.values()])
