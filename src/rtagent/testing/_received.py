"""What a client has sent over one connection: kept for those who wait for it, each event once."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections import deque
from typing import Any

import anyio

from ..errors import Timeout
from ._bell import Bell
from ._script import UnexpectedFrame, Where, matches

__all__ = ("Received",)

KEPT_EVENTS = 1_000
"""Of each type; the oldest go first."""
KEPT_TYPES = 100
AUDIO_BYTES = 64 * 1024 * 1024
"""Twenty minutes of PCM16 at 24 kHz and more; the oldest goes first."""
SHOWN = 12


class Received:
    """Owns the events that nobody has asked for yet, and the audio."""

    def __init__(self, name: str) -> None:
        self.audio = bytearray()
        self._name = name
        self._unclaimed: dict[str, deque[dict[str, Any]]] = {}
        self._kinds: deque[str] = deque(maxlen=SHOWN)
        self._end: str | None = None
        self._bell = Bell()

    def note(self, event: dict[str, Any]) -> None:
        """Take an event of the client."""
        kind: str = event["type"]
        if kind == "input_audio_buffer.append":
            self._append(event.get("audio"))
        else:
            self._kinds.append(kind)
        if kind in self._unclaimed or len(self._unclaimed) < KEPT_TYPES:
            self._unclaimed.setdefault(kind, deque(maxlen=KEPT_EVENTS)).append(event)
        self._bell.ring()

    def end(self, how: str) -> None:
        """Nothing more will come."""
        self._end = how
        self._bell.ring()

    async def claim(self, kind: str, where: Where | None = None, timeout: float = 5.0) -> dict[str, Any]:
        """The oldest event of that type that was not given out yet.

        Raises:
            Timeout: it did not come.
            UnexpectedFrame: the connection ended without it.
        """
        with anyio.move_on_after(timeout):
            while True:
                found = self._take(kind, where)
                if found is not None:
                    return found
                if self._end is not None:
                    message = f"{self._name} ended ({self._end}) without {kind!r}{self._instead()}"
                    raise UnexpectedFrame(message)
                await self._bell.wait()
        what = f"{kind!r} of {self._name}{self._instead()}"
        raise Timeout(what, waited_s=timeout)

    def _take(self, kind: str, where: Where | None) -> dict[str, Any] | None:
        waiting = self._unclaimed.get(kind, ())
        for index, event in enumerate(waiting):
            if matches(event, where):
                del self._unclaimed[kind][index]
                return event
        return None

    def _instead(self) -> str:
        return f" (it sent {', '.join(self._kinds)})" if self._kinds else " (it sent nothing)"

    def _append(self, encoded: object) -> None:
        try:
            self.audio += b64decode(encoded if isinstance(encoded, str) else "", validate=True)
        except (binascii.Error, ValueError):
            return  # the server refuses it in its own words
        del self.audio[:-AUDIO_BYTES]
