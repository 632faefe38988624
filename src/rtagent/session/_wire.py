"""The outgoing side of a session: one bounded queue, one task that writes, to one connection after the other.

Control events wait for the network, in order. Input audio never does: when more than
``AUDIO_CAPACITY_MS`` of it waits, the oldest is dropped and counted, because old sound is worth less
than new sound. While there is no connection nothing is queued: what is to be sent then is the core's to keep.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import anyio

from .. import events
from ..errors import LocalProtocolError
from ..transport import Transport

__all__ = ("Wire", "WireStatistics")

AUDIO_CAPACITY_MS = 5_000.0
AUDIO_ROOM_MS = 1_000.0
"""A source that can wait is read on when no more than this waits."""
CONTROL_CAPACITY = 10_000
"""Control events that may wait; more means that the other side reads nothing at all any more."""


@dataclass(frozen=True, slots=True)
class WireStatistics:
    """What went out so far."""

    frames_sent: int
    frames_waiting: int
    audio_waiting_ms: float
    audio_dropped_ms: float


_Frame = tuple[str, float | None, events.ClientEvent | None]
"""The text, for audio that may be dropped its milliseconds, and the event if it is one of control."""


class Wire:
    """Owns the queue of outgoing frames, and is the only writer of the transports."""

    def __init__(self) -> None:
        self._frames: deque[_Frame] = deque()
        self._connected = anyio.Event()
        self._waiting = anyio.Event()
        self._audio_ms = 0.0
        self._dropped_ms = 0.0
        self._sent = 0
        self._control = 0
        self._writing = False
        self._room: anyio.Event | None = None

    def connect(self) -> None:
        """There is a connection: what is put from now on is for it."""
        self._connected.set()

    def disconnect(self) -> list[events.ClientEvent]:
        """The connection is gone; the events that were not written, in their order. Audio is dropped."""
        unsent = [event for _, _, event in self._frames if event is not None]
        self._frames.clear()
        self._audio_ms, self._control, self._writing = 0.0, 0, False
        self._connected = anyio.Event()
        self._make_room()
        return unsent

    def put(self, frame: str, event: events.ClientEvent | None = None) -> None:
        """Queue what must not be dropped: a control event, or (without one) audio that is said again.

        Raises:
            LocalProtocolError: far too many wait already.
        """
        if self._control >= CONTROL_CAPACITY:
            message = f"{CONTROL_CAPACITY} events wait to be sent: the other side does not read"
            raise LocalProtocolError(message)
        self._control += 1
        self._frames.append((frame, None, event))
        self._waiting.set()

    def put_audio(self, frame: str, ms: float) -> float:
        """Queue input audio; returns how many milliseconds of older audio were dropped for it."""
        if not self._connected.is_set():
            return 0.0
        dropped = 0.0
        while self._audio_ms + ms > AUDIO_CAPACITY_MS and self._audio_ms > 0.0:
            dropped += self._drop_oldest_audio()
        self._audio_ms += ms
        self._frames.append((frame, ms, None))
        self._waiting.set()
        return dropped

    async def run(self, transport: Transport) -> None:
        """Write until the transport ends; its error ends this too."""
        while True:
            while not self._frames:
                self._waiting = anyio.Event()
                await self._waiting.wait()
            frame, ms, _ = self._frames.popleft()
            if ms is None:
                self._control -= 1
            else:
                self._audio_ms -= ms
                self._make_room()
            self._writing = True
            await transport.send(frame)
            self._writing = False
            self._sent += 1

    async def wait_room(self, room_ms: float = AUDIO_ROOM_MS) -> None:
        """Return when no more audio than that waits: there is room for that of a source that can wait."""
        while self._audio_ms > room_ms:
            self._room = self._room or anyio.Event()
            await self._room.wait()
        await self._connected.wait()

    @property
    def idle(self) -> bool:
        """Whether everything that was queued has been handed to the network."""
        return not self._frames and not self._writing

    def statistics(self) -> WireStatistics:
        """The counts so far."""
        return WireStatistics(self._sent, len(self._frames), self._audio_ms, self._dropped_ms)

    def _drop_oldest_audio(self) -> float:
        for index, (_, ms, _) in enumerate(self._frames):
            if ms is not None:
                del self._frames[index]
                self._audio_ms -= ms
                self._dropped_ms += ms
                return ms
        self._audio_ms = 0.0
        return 0.0

    def _make_room(self) -> None:
        room, self._room = self._room, None
        if room is not None:
            room.set()
