"""Bodies that come in pieces: whole lines, and an end to what would have none."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from rostra.pieces import LONGEST_LINE, TooLong, beginning, lines


async def body(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def test_lines_are_whole_however_the_body_was_cut():
    assert [line async for line in lines(body(b"da", b"ta: 1\n\nda", b"ta: 2"))] == [b"data: 1", b"", b"data: 2"]


async def test_what_unicode_takes_for_the_end_of_a_line_ends_none():
    text = 'data: {"a": "\u2028\u0085"}'.encode()
    assert [line async for line in lines(body(text + b"\n"))] == [text]


async def test_a_line_without_end_is_given_up():
    with pytest.raises(TooLong):
        async for _ in lines(body(*[b"x" * 65536] * (LONGEST_LINE // 65536 + 1))):
            pass


async def test_of_a_long_error_only_the_beginning_is_waited_for():
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"error "

    assert await beginning(endless(), 11) == b"error error"
    assert await beginning(body(b"short"), 100) == b"short"
