from __future__ import annotations

import asyncio
import os
import sys

import anyio.lowlevel
import pytest

from rtagent.cli._keyboard import CAPACITY_CHUNKS, Keyboard, single_keys


def typed(*chunks: bytes) -> Keyboard:
    pieces = iter([*chunks, b""])
    return Keyboard(read=lambda: next(pieces))


@pytest.mark.parametrize(
    ("chunks", "lines"),
    [
        ([], []),
        ([b"one\ntwo\n"], ["one", "two"]),
        ([b"on", b"e\r\n\nla", b"st"], ["one", "", "last"]),
        ([b"gr\xc3", b"\xbcn\n"], ["gr\u00fcn"]),
        ([b"\xff\n"], ["\ufffd"]),
        ([b"x\n"] * (3 * CAPACITY_CHUNKS), ["x"] * (3 * CAPACITY_CHUNKS)),
    ],
)
async def test_lines(chunks, lines):
    assert [line async for line in typed(*chunks).lines()] == lines


async def test_keys():
    keyboard = typed(b"a ", b"b")
    assert [key async for key in keyboard.pressed()] == ["a", " ", "b"]


async def test_a_descriptor_is_read():
    read, write = os.pipe()
    os.write(write, b"hello\n")
    os.close(write)
    assert [line async for line in Keyboard(read).lines()] == ["hello"]
    os.close(read)


async def test_a_terminal_that_is_gone_ends_the_lines():
    def gone() -> bytes:
        raise OSError

    assert [line async for line in Keyboard(read=gone).lines()] == []


def test_a_loop_that_has_ended_ends_the_reading():
    keyboard = Keyboard(read=lambda: b"x")
    loop = asyncio.new_event_loop()
    loop.close()
    keyboard._pump(loop)  # returns


async def test_what_nobody_takes_is_not_read():
    count = 0

    def read() -> bytes:
        nonlocal count
        count += 1
        return b"x\n"

    lines = Keyboard(read=read).lines()
    assert await anext(lines) == "x"
    for _ in range(100):
        await anyio.lowlevel.checkpoint()
    assert count <= CAPACITY_CHUNKS + 2
    await lines.aclose()


@pytest.mark.skipif(sys.platform == "win32", reason="termios is not there")
def test_single_keys_come_unseen_and_the_terminal_is_left_as_it_was():
    import pty
    import termios

    ours, theirs = pty.openpty()
    before = termios.tcgetattr(theirs)
    with single_keys(theirs) as keyboard:
        assert not termios.tcgetattr(theirs)[3] & (termios.ICANON | termios.ECHO)
        assert termios.tcgetattr(theirs)[3] & termios.ISIG, "Ctrl-C still interrupts"
        os.write(ours, b" ")
        assert keyboard._read() == b" "
    assert termios.tcgetattr(theirs) == before
    os.close(ours)
    os.close(theirs)
