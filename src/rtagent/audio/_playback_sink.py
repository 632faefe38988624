"""What all sinks with a playback queue have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod

from ._background import Background
from ._format import Heard
from ._playback import PlaybackQueue
from ._playback_desk import Desk

__all__ = ("QueuedSink",)


class QueuedSink(ABC):
    """What is heard, how loud, and what beside it. Who inherits pulls from the queue and knows the times."""

    _queue: PlaybackQueue
    _desk: Desk

    def pause(self) -> Heard:
        """Fall silent as with ``stop``, but keep what is queued; ``play`` and ``finish`` go on working.

        Returns:
            What will have been heard of each item when it is silent, and when that is.
        """
        return self._silent_from(self._queue.pause())

    def resume(self) -> None:
        """Go on where it was paused, to the sample, on a rising ramp; nothing happens if it is not paused."""
        self._queue.resume()

    @property
    def paused(self) -> bool:
        """Nothing sounds until ``resume``, or ``stop``, which ends a pause."""
        return self._queue.paused

    @property
    def volume(self) -> float:
        """How loud all of it is, a factor from 0.0 to 4.0.

        A change takes 20 ms; what becomes too loud is held at full scale.

        Raises:
            ConfigurationError: it is set to anything else.
        """
        return self._desk.volume

    @volume.setter
    def volume(self, volume: float) -> None:
        self._desk.volume = volume

    @property
    def background(self) -> Background:
        """Sounds beside the voice."""
        return self._desk.background

    def heard(self) -> Heard:
        """What has been heard of each item until now, by the clock of what plays it."""
        return self._queue.heard(self._played_frame())

    def received_ms(self, item_id: str) -> float:
        """Milliseconds that ``play`` took of that item, heard or not."""
        return self._queue.received_ms(item_id)

    def _pull(self, frames: int) -> bytes:
        """The next block, for whoever plays it; on that thread."""
        pcm = self._queue.pull(frames)
        return self._desk.mix(pcm, voice=self._queue.sounding)

    def _silent_from(self, frame: int) -> Heard:
        """What the device has taken already is heard as well, and counts now; the ramp counts when it is taken."""
        heard = self._queue.heard(max(frame, self._played_frame()))
        return Heard(heard.ms, silent_at=self._time_of(frame))

    @abstractmethod
    def _played_frame(self) -> int:
        """The output frame that is heard now."""

    @abstractmethod
    def _time_of(self, frame: int) -> float:
        """When that output frame is heard (seconds of the sink's clock)."""
