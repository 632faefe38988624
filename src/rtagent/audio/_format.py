"""The small values that pass between the audio parts, and the two ports that ears and mouths implement."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, Protocol, runtime_checkable

from ..errors import ConfigurationError

__all__ = (
    "AudioBlock",
    "AudioFormat",
    "AudioSink",
    "AudioSource",
    "Clock",
    "Heard",
    "PlaybackItem",
)

_BYTES_PER_SAMPLE = {"pcm16": 2, "pcmu": 1, "pcma": 1}
_NOTHING: Mapping[str, float] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """How audio is laid out in bytes: signed 16-bit little-endian PCM, or G.711 (one byte a sample)."""

    encoding: Literal["pcm16", "pcmu", "pcma"]
    rate: int
    """Samples per second and channel (Hz)."""
    channels: int = 1

    def __post_init__(self) -> None:
        if self.encoding not in _BYTES_PER_SAMPLE:
            message = f"unknown audio encoding {self.encoding!r}"
            raise ConfigurationError(message, hint="one of pcm16, pcmu, pcma")
        if not 1_000 <= self.rate <= 768_000:
            message = f"a sample rate of {self.rate} Hz is out of range"
            raise ConfigurationError(message, hint="8000 to 48000 is usual")
        if self.channels < 1:
            message = f"audio needs at least one channel, not {self.channels}"
            raise ConfigurationError(message)

    @classmethod
    def pcm16(cls, rate: int = 24_000) -> AudioFormat:
        """Signed 16-bit little-endian PCM, mono."""
        return cls("pcm16", rate)

    @classmethod
    def pcmu(cls) -> AudioFormat:
        """G.711 mu-law, 8 kHz mono."""
        return cls("pcmu", 8_000)

    @classmethod
    def pcma(cls) -> AudioFormat:
        """G.711 A-law, 8 kHz mono."""
        return cls("pcma", 8_000)

    @property
    def frame_bytes(self) -> int:
        """Bytes of one frame, that is one sample of every channel."""
        return _BYTES_PER_SAMPLE[self.encoding] * self.channels

    @property
    def bytes_per_second(self) -> int:
        """Bytes of one second of audio."""
        return self.frame_bytes * self.rate

    def ms_of(self, size_bytes: int) -> float:
        """The duration, in milliseconds, of that many bytes."""
        return size_bytes * 1000 / self.bytes_per_second

    def bytes_of(self, ms: float) -> int:
        """The whole frames that fit into so many milliseconds, in bytes."""
        return int(ms * self.rate / 1000 + 1e-6) * self.frame_bytes


@dataclass(frozen=True, slots=True)
class AudioBlock:
    """A piece of captured audio: mono samples in the source's format."""

    pcm: bytes
    at: float
    """When its first sample was captured, in seconds of the source's clock (monotonic)."""


@dataclass(frozen=True, slots=True)
class PlaybackItem:
    """Whose voice a piece of audio is: one content part of one conversation item."""

    item_id: str
    content_index: int = 0
    response_id: str | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """How much of each item has really been heard, in milliseconds of its own audio."""

    ms: Mapping[str, float] = field(default_factory=lambda: _NOTHING)
    silent_at: float | None = None
    """After ``stop()``: when the last audible sample leaves the device (seconds of the sink's clock)."""

    def of(self, item_id: str) -> float:
        """Milliseconds heard of that item; 0.0 for what was never heard."""
        return self.ms.get(item_id, 0.0)


class Clock(Protocol):
    """What paces files and measures turns: monotonic seconds, and a way to wait for one of them."""

    def now(self) -> float:
        """Monotonic seconds."""
        ...

    async def sleep_until(self, when: float) -> None:
        """Return when ``now() >= when``; at once, but after a checkpoint, if that has passed."""
        ...


@runtime_checkable
class AudioSource(Protocol):
    """Ears: yields PCM16 blocks with the time of their first sample, and ends when there is no more.

    A source may also have ``waits``: true where all its audio is there already, as in a file that is read
    at once. It is then read only as fast as the network takes it, where others would lose what is too old.
    """

    @property
    def format(self) -> AudioFormat:
        """The format of every block."""
        ...

    def blocks(self) -> AsyncIterator[AudioBlock]:
        """Start capturing; ending the iteration stops it."""
        ...


@runtime_checkable
class AudioSink(Protocol):
    """A mouth: it owns the playback clock, so it alone knows what was heard.

    A sink is opened by ``async with sink`` where it needs a device or a pacing task; the session
    does that when it is attached.
    A sink may also have

    * ``finish()``, which the session calls when a reply is complete, so that one that holds back until enough
      is queued need not wait for more;
    * ``pause() -> Heard``, ``resume()`` and ``paused``: silence as with ``stop``, but what is queued stays
      queued, ``play`` goes on queueing, and ``resume`` goes on where it broke off. ``stop`` ends a pause;
      ``wait_drained`` does not return while audio is paused;
    * ``volume``, a factor from 0.0 to 4.0, and ``background``, the sounds beside the voice.
    """

    @property
    def format(self) -> AudioFormat:
        """The format that ``play`` takes."""
        ...

    def play(self, item: PlaybackItem, pcm: bytes) -> None:
        """Queue audio behind what is already queued; never blocks."""
        ...

    def stop(self) -> Heard:
        """Drop what is queued: silence within one output block.

        Returns what will have been heard of each item when it is silent; a device still plays what it has taken.
        """
        ...

    def heard(self) -> Heard:
        """What has been heard of each item until now."""
        ...

    async def wait_drained(self) -> None:
        """Return when the last queued sample has been heard (at once when nothing is queued)."""
        ...
