"""The input audio buffer, and where turns begin and end in it.

Times are milliseconds of the audio that was ever appended, not of a clock: they go on counting over
commits, clears and changes of format (T7).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from ..audio import AudioFormat, g711
from ._config import TurnTaking
from ._turns import SpeechStarted, SpeechStopped, TurnDetector
from ._validation import MAX_APPEND_BYTES, Refusal

__all__ = ("Detector", "DetectorFactory", "InputAudio", "InputBuffer", "detector_for", "linear")

MIN_COMMIT_MS: Final = 100
"""Less than this is no turn (protocol limit)."""
MAX_PENDING_MS: Final = 600_000
"""Ten minutes of uncommitted audio; a further append is refused."""
KEPT_SILENCE_MS: Final = 30_000
"""While nobody speaks, turn detection keeps this much of the past and drops the oldest."""


class Detector(Protocol):
    """Finds speech in a stream of PCM16; its times count the samples fed to it."""

    def feed(self, pcm: bytes) -> list[SpeechStarted | SpeechStopped]: ...


DetectorFactory = Callable[[int, TurnTaking], Detector]
"""Makes a detector for a sample rate (Hz) and the session's turn taking."""


def detector_for(rate: int, taking: TurnTaking) -> Detector:
    """The detector of the embedded engine."""
    return TurnDetector(
        rate,
        threshold=taking.threshold,
        prefix_padding_ms=taking.prefix_padding_ms,
        silence_duration_ms=taking.silence_duration_ms,
    )


def linear(audio: bytes, layout: AudioFormat) -> bytes:
    """PCM16 at the format's own rate."""
    match layout.encoding:
        case "pcmu":
            return g711.decode_ulaw(audio)
        case "pcma":
            return g711.decode_alaw(audio)
        case _:
            return audio


class InputBuffer:
    """Owns the audio that was appended and is not yet an item."""

    def __init__(self, layout: AudioFormat) -> None:
        self._format = layout
        self._audio = bytearray()
        self._begins_ms = 0.0
        """The time of the first byte that is held."""

    @property
    def format(self) -> AudioFormat:
        """How the held audio is laid out."""
        return self._format

    @property
    def begins_ms(self) -> float:
        """The time of the oldest sample that is held."""
        return self._begins_ms

    @property
    def ends_ms(self) -> float:
        """The time behind the newest whole sample: all audio ever appended."""
        return self._begins_ms + self.held_ms

    @property
    def held_ms(self) -> float:
        """The duration of what is held."""
        return self._format.ms_of(len(self._audio) - len(self._audio) % self._format.frame_bytes)

    def append(self, audio: bytes) -> None:
        """Put audio behind what is there.

        Raises:
            Refusal: it is too much at once, or too much is uncommitted.
        """
        if len(audio) > MAX_APPEND_BYTES:
            message = f"one append takes at most {MAX_APPEND_BYTES} bytes of audio, not {len(audio)}"
            raise Refusal(message, code="invalid_value", param="audio")
        if self.held_ms + self._format.ms_of(len(audio)) > MAX_PENDING_MS:
            message = (
                f"more than {MAX_PENDING_MS // 60_000} minutes of audio are uncommitted: commit or clear"
            )
            raise Refusal(message, code="input_audio_buffer_full", param="audio")
        self._audio += audio

    def between(self, start_ms: float, end_ms: float) -> bytes:
        """The whole samples of a span of time, as far as they are held."""
        start = self._offset(start_ms)
        return bytes(self._audio[start : max(start, self._offset(end_ms))])

    def drop_before(self, ms: float) -> None:
        """Give up what is older."""
        size = self._offset(ms)
        del self._audio[:size]
        self._begins_ms += self._format.ms_of(size)

    def clear(self) -> None:
        """Give up everything, a part of a sample included."""
        self._begins_ms = self.ends_ms
        self._audio.clear()

    def change_format(self, layout: AudioFormat) -> None:
        """Read what comes from now on in another format; what is held cannot be mixed with it and goes."""
        if layout != self._format:
            self.clear()
            self._format = layout

    def _offset(self, ms: float) -> int:
        """The place of a time in the held bytes, on a whole sample."""
        held = len(self._audio) - len(self._audio) % self._format.frame_bytes
        return min(max(self._format.bytes_of(max(ms - self._begins_ms, 0.0)), 0), held)


@dataclass(frozen=True, slots=True)
class _Watch:
    """One detector and the time at which its own count began."""

    detector: Detector
    since_ms: float


class InputAudio:
    """Owns the buffer, the detector that watches it, and the times of the speech that is going on."""

    def __init__(self, layout: AudioFormat, taking: TurnTaking | None, detectors: DetectorFactory) -> None:
        self.buffer = InputBuffer(layout)
        self._detectors = detectors
        self._taking = taking
        self._watched_ms = 0.0
        self._watch = self._new_watch()
        self.speech_began_ms: float | None = None
        """When the speech that is going on began, with its padding; None while nobody speaks."""

    def configure(self, layout: AudioFormat, taking: TurnTaking | None) -> bool:
        """Take over a new configuration; says whether the speech that was going on is void."""
        if layout == self.buffer.format and taking == self._taking:
            return False
        self.buffer.change_format(layout)
        self._taking = taking
        self.restart()
        return True

    def restart(self) -> None:
        """Watch for speech anew from here on."""
        self.speech_began_ms = None
        self._watched_ms = self.buffer.ends_ms
        self._watch = self._new_watch()

    def append(self, audio: bytes) -> list[SpeechStarted | SpeechStopped]:
        """Take audio in; returns where speech began and ended in it, in the session's times.

        Raises:
            Refusal: see ``InputBuffer.append``.
        """
        self.buffer.append(audio)
        if self._watch is None:
            return []
        fresh = self.buffer.between(self._watched_ms, self.buffer.ends_ms)
        self._watched_ms = self.buffer.ends_ms
        return [
            _shifted(turn, self._watch.since_ms)
            for turn in self._watch.detector.feed(linear(fresh, self.buffer.format))
        ]

    def forget_silence(self) -> None:
        """Drop what no coming turn can reach back to."""
        if self._watch is not None and self.speech_began_ms is None:
            self.buffer.drop_before(self.buffer.ends_ms - KEPT_SILENCE_MS)

    def take(self) -> bytes:
        """Everything that is held, for an item; the buffer is empty afterwards.

        Raises:
            Refusal: it is less than a turn can be.
        """
        held_ms = self.buffer.held_ms
        if held_ms < MIN_COMMIT_MS:
            message = f"the buffer holds {held_ms:.0f} ms of audio, a commit needs {MIN_COMMIT_MS} ms"
            raise Refusal(message, code="input_audio_buffer_commit_empty")
        audio = self.buffer.between(self.buffer.begins_ms, self.buffer.ends_ms)
        self.clear()
        return audio

    def take_speech(self, end_ms: float) -> bytes:
        """The speech that has just ended; everything up to its end leaves the buffer."""
        start_ms = end_ms if self.speech_began_ms is None else self.speech_began_ms
        audio = self.buffer.between(start_ms, end_ms)
        self.buffer.drop_before(end_ms)
        self.speech_began_ms = None
        return audio

    def clear(self) -> None:
        """Drop everything that is held, and the speech that was going on."""
        self.buffer.clear()
        self.restart()

    def _new_watch(self) -> _Watch | None:
        if self._taking is None:
            return None
        detector = self._detectors(self.buffer.format.rate, self._taking)
        return _Watch(detector, self.buffer.ends_ms)


def _shifted(turn: SpeechStarted | SpeechStopped, by_ms: float) -> SpeechStarted | SpeechStopped:
    if isinstance(turn, SpeechStarted):
        return SpeechStarted(round(turn.audio_start_ms + by_ms))
    return SpeechStopped(round(turn.audio_end_ms + by_ms))
