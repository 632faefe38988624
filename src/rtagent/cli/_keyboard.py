"""What is typed, as lines or as single keys, beside a running event loop.

Reading a terminal or a pipe blocks, so a thread does it. Such a read cannot be called off: the thread is
a daemon that the end of the program ends, and it reads the descriptor itself, not ``sys.stdin``, whose
lock would then be held when the interpreter shuts down.
"""

from __future__ import annotations

import asyncio
import codecs
import os
import sys
import threading
from collections import deque
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import contextmanager

import anyio

__all__ = ("Keyboard", "single_keys")

CHUNK_BYTES = 4096
CAPACITY_CHUNKS = 16
"""Chunks that may wait; then the thread stops reading, and the pipe or terminal holds the rest."""


class Keyboard:
    """Reads a file descriptor; one reader, once.

    Args:
        fd: the descriptor, such as 0 for stdin.
        read: returns the next piece, empty at the end; reads the descriptor if absent.
    """

    def __init__(self, fd: int = 0, *, read: Callable[[], bytes] | None = None) -> None:
        self._read = read if read is not None else lambda: os.read(fd, CHUNK_BYTES)
        self._room = threading.Semaphore(CAPACITY_CHUNKS)
        self._chunks: deque[bytes] = deque()
        self._arrived = anyio.Event()

    async def pressed(self) -> AsyncGenerator[str]:
        """Each character as it comes."""
        async for text in self._texts():
            for key in text:
                yield key

    async def lines(self) -> AsyncGenerator[str]:
        """Each line without its end; the last one need not have one."""
        rest = ""
        async for text in self._texts():
            *whole, rest = (rest + text).split("\n")
            for line in whole:
                yield line.removesuffix("\r")
        if rest:
            yield rest

    async def _texts(self) -> AsyncGenerator[str]:
        decode = codecs.getincrementaldecoder("utf-8")(errors="replace").decode
        loop = asyncio.get_running_loop()
        threading.Thread(target=self._pump, args=(loop,), name="keyboard", daemon=True).start()
        while chunk := await self._next():
            yield decode(chunk)

    async def _next(self) -> bytes:
        while not self._chunks:
            self._arrived = anyio.Event()
            await self._arrived.wait()
        self._room.release()
        return self._chunks.popleft()

    def _put(self, chunk: bytes) -> None:
        self._chunks.append(chunk)
        self._arrived.set()

    def _pump(self, loop: asyncio.AbstractEventLoop) -> None:
        chunk = b"-"
        while chunk:
            self._room.acquire()
            try:
                chunk = self._read()
            except OSError:  # the terminal is gone: nobody types any more
                chunk = b""
            try:
                loop.call_soon_threadsafe(self._put, chunk)
            except RuntimeError:  # the loop is closed: nobody listens any more
                return


if sys.platform == "win32":
    import msvcrt

    @contextmanager
    def single_keys(fd: int = 0) -> Generator[Keyboard]:
        """Single keys of the console."""
        yield Keyboard(fd, read=lambda: msvcrt.getwch().encode())

else:
    import termios
    import tty

    @contextmanager
    def single_keys(fd: int = 0) -> Generator[Keyboard]:
        """Single keys of the terminal, unseen, while the block lasts; Ctrl-C goes on to interrupt."""
        before = termios.tcgetattr(fd)
        try:
            tty.setcbreak(fd, termios.TCSADRAIN)
            yield Keyboard(fd)
        finally:
            termios.tcsetattr(fd, termios.TCSADRAIN, before)
