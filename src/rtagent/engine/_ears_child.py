"""The parent's end of the open-vocabulary listener: starts the child, feeds it, asks for results, ends it.

Owned by one recogniser. A listener that dies, stalls or never starts is given up for good: the recogniser
then works without it, and says why it was.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import anyio
from anyio.abc import Process

from ._listener import FrameReader, frame

__all__ = ("Heard", "OpenListener")

_FEED_S = 10.0
"""A child that takes no audio for so long is given up (loading its model takes below one second)."""
_EXIT_S = 2.0
"""How long a child may take to end after its input was closed; then it is killed."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What the child understood."""

    text: str
    alternatives: tuple[str, ...] = ()


class OpenListener:
    """A child process that recognises with the open vocabulary; not for several tasks at once."""

    def __init__(
        self, command: Sequence[str] = (sys.executable, "-P", "-m", "rtagent.engine._listener")
    ) -> None:
        self._command = command
        self._process: Process | None = None
        self._reader = FrameReader()
        self._number = 1
        """Of the utterance that goes on; the child counts the same."""
        self._result: Heard | None = None
        self._partial = ""
        self.failure: str | None = None
        """Why the listener was given up, or None."""

    async def start(self) -> None:
        """Start the child; it loads its model while audio may already be fed."""
        if self._process is not None or self.failure is not None:
            return
        try:
            self._process = await anyio.open_process(self._command, stderr=subprocess.DEVNULL)
        except OSError as problem:
            self.failure = f"the listener could not be started: {problem}"

    async def feed(self, pcm: bytes) -> None:
        """Give audio; waits when the child is behind by more than a pipe's length."""
        await self._send(frame(b"A", pcm))

    async def drop(self) -> None:
        """Forget the utterance that goes on."""
        await self._send(frame(b"D"))
        self._next()

    async def partial(self) -> str:
        """The newest partial text; does not wait for one."""
        with anyio.move_on_after(0):
            await self._receive()
        return self._partial

    async def finish(self, timeout_s: float) -> Heard | None:
        """End the utterance and wait for its result; None when it does not come in time."""
        self._result = None
        await self._send(frame(b"F"))
        with anyio.move_on_after(timeout_s):
            while self.failure is None and self._result is None:
                await self._receive()
        self._next()
        return self._result

    async def aclose(self) -> None:
        """End the child: close its input, wait for a while, kill it if it stays."""
        process, self._process = self._process, None
        self.failure = self.failure or "the listener is closed"
        if process is None:
            return
        with anyio.CancelScope(shield=True):
            if process.stdin is not None:
                await process.stdin.aclose()
            with anyio.move_on_after(_EXIT_S) as waiting:
                await process.wait()
            if waiting.cancelled_caught:
                process.kill()
            await process.aclose()

    async def _send(self, data: bytes) -> None:
        process = self._process
        if self.failure is not None or process is None or process.stdin is None:
            return
        try:
            with anyio.fail_after(_FEED_S):
                await process.stdin.send(data)
        except TimeoutError:
            self.failure = "the listener does not take its audio"
        except (anyio.BrokenResourceError, anyio.ClosedResourceError, OSError):
            await self._learn_why()

    async def _learn_why(self) -> None:
        """The pipe broke: the child's last frame says why, if it could still write one."""
        with anyio.move_on_after(_EXIT_S):
            while self.failure is None:
                await self._receive()
        self.failure = self.failure or "the listener ended"

    async def _receive(self) -> None:
        process = self._process
        if process is None or process.stdout is None:
            self.failure = self.failure or "the listener is not running"
            return
        try:
            data = await process.stdout.receive()
        except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
            self.failure = self.failure or "the listener ended"
            return
        try:
            for kind, content in self._reader.feed(data):
                self._take(kind, content)
        except (ValueError, KeyError, TypeError) as problem:  # no frame, no JSON, or not what was agreed
            self.failure = f"the listener sent what is no frame: {problem!r}"

    def _take(self, kind: bytes, content: bytes) -> None:
        news: dict[str, Any] = json.loads(content)
        if kind == b"E":
            self.failure = str(news["reason"])
        elif news["number"] == self._number:  # not a late word about an utterance that was given up
            self._partial = str(news["text"])
            if kind == b"R":
                self._result = Heard(self._partial, tuple(news["alternatives"]))

    def _next(self) -> None:
        self._number += 1
        self._partial = ""
