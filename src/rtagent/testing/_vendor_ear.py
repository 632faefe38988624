"""Voice activity by content: samples that are not zero are speech, 200 ms of silence end it."""

from __future__ import annotations

from typing import Literal

__all__ = ("SILENCE_MS", "Ear", "Heard")

SILENCE_MS = 200
FRAME_MS = 10
_SILENT: dict[str, bytes] = {"pcm": b"\0", "pcmu": b"\xff\x7f", "pcma": b"\xd5\x55"}
"""The bytes that are silence in each encoding."""

Heard = tuple[Literal["started", "stopped"], int]
"""What happened, and where in the audio that was sent so far, in milliseconds."""


class Ear:
    """Counts the audio that came in, keeps what was not committed, and finds turns in it."""

    def __init__(self) -> None:
        self.total_ms = 0
        self.pending = bytearray()
        """Audio since the last commit, clear or end of a turn."""
        self.speaking = False
        self._encoding, self._rate = "pcm", 24_000
        self._rest = b""
        self._silent_ms = 0

    def tune(self, encoding: str, rate: int) -> None:
        """Take the session's input format."""
        self._encoding, self._rate = encoding, rate

    def pending_ms(self) -> int:
        """How much waits to be committed."""
        return len(self.pending) * FRAME_MS // self._frame_bytes()

    def take(self) -> bytes:
        """The audio of the turn that ends here."""
        turn = bytes(self.pending)
        self.pending.clear()
        self.speaking = False
        self._silent_ms = 0
        return turn

    def hear(self, sound: bytes, *, detect: bool) -> list[Heard]:
        """Take more audio; without detection it only waits to be committed."""
        self.pending += sound
        size = self._frame_bytes()
        data = self._rest + sound
        whole = len(data) - len(data) % size
        self._rest = data[whole:]
        heard: list[Heard] = []
        for start in range(0, whole, size):
            self.total_ms += FRAME_MS
            if detect:
                heard += self._frame(data[start : start + size])
        return heard

    def _frame(self, frame: bytes) -> list[Heard]:
        loud = bool(frame.strip(_SILENT[self._encoding]))
        self._silent_ms = 0 if loud else self._silent_ms + FRAME_MS
        if loud and not self.speaking:
            self.speaking = True
            return [("started", self.total_ms - FRAME_MS)]
        if self.speaking and self._silent_ms >= SILENCE_MS:
            self.speaking = False
            return [("stopped", self.total_ms)]
        return []

    def _frame_bytes(self) -> int:
        return self._rate * FRAME_MS // 1000 * (2 if self._encoding == "pcm" else 1)
