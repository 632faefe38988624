"""End-of-turn detection: where speech begins and ends in a stream, told as a Realtime server tells it.

Theory of operation
    The stream is cut into frames of 20 ms, wherever the caller's chunks end, and an energy gate says of
    each frame whether it is loud. Two small machines make turns of that:

    * An *onset* is built from the first loud frame on. It becomes a turn when it has collected
      ``min_speech_ms`` of loud frames, and is forgotten after 60 ms without one: clicks and knocks end
      here. The turn begins where the onset did, not where it was recognised.
    * During a *turn*, 40 ms of loud frames in a row prove that it goes on; less is a click in the
      silence. ``silence_duration_ms`` after the last proof the turn is over.

    No clock is read. Positions are counted in bytes of audio, so the same audio always gives the same
    turns, however it was cut into chunks and whenever it came.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..audio import AudioFormat, Vad
from ..errors import ConfigurationError

__all__ = ("SpeechStarted", "SpeechStopped", "TurnDetector")

_FRAME_MS = 20
_ONSET_GAP_FRAMES = 3
_PROOF_FRAMES = 2


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """Somebody began to speak."""

    audio_start_ms: int
    """Milliseconds of audio before the turn; the prefix padding is part of the turn."""


@dataclass(frozen=True, slots=True)
class SpeechStopped:
    """The turn is over."""

    audio_end_ms: int
    """Milliseconds of audio up to the end of the turn, the silence that ended it included."""


@dataclass(slots=True)
class _Onset:
    """Loud frames that may become a turn (positions and amounts in bytes)."""

    begins: int
    loud_until: int
    loud: int = 0


@dataclass(slots=True)
class _Turn:
    """A turn under way (positions and amounts in bytes)."""

    proven_until: int
    loud_run: int


class TurnDetector:
    """Finds the turns in mono PCM16; owns the count of the audio that it was fed.

    Args:
        rate: samples per second (Hz).
        threshold: from 0, which takes much for speech, to 1, which wants it loud and clear.
        prefix_padding_ms: how much audio before the first loud frame belongs to the turn.
        silence_duration_ms: how much silence ends the turn; at least one frame, 20 ms.
        min_speech_ms: how much loud audio makes a turn.

    Raises:
        ConfigurationError: a value is out of range.
    """

    def __init__(
        self,
        rate: int = 24_000,
        *,
        threshold: float = 0.5,
        prefix_padding_ms: int = 300,
        silence_duration_ms: int = 500,
        min_speech_ms: int = 100,
    ) -> None:
        if min(prefix_padding_ms, silence_duration_ms, min_speech_ms) < 0:
            message = "a time of the turn detection is negative"
            raise ConfigurationError(message, hint="padding, silence and shortest speech are 0 ms or more")
        self._format = AudioFormat.pcm16(rate)
        self._vad = Vad(rate, threshold)
        self._frame_bytes = self._format.bytes_of(_FRAME_MS)
        self._padding_bytes = self._format.bytes_of(prefix_padding_ms)
        self._silence_bytes = self._format.bytes_of(max(silence_duration_ms, _FRAME_MS))
        self._min_speech_bytes = self._format.bytes_of(min_speech_ms)
        self._unread = b""
        self._position = 0  # where the unread audio begins
        self._earliest = 0  # no turn reaches back beyond the end of the one before
        self._onset: _Onset | None = None
        self._turn: _Turn | None = None

    @property
    def speaking(self) -> bool:
        """Whether a turn is under way."""
        return self._turn is not None

    @property
    def position_ms(self) -> int:
        """Milliseconds of all the audio fed until now."""
        return self._ms(self._position + len(self._unread))

    def feed(self, pcm: bytes) -> list[SpeechStarted | SpeechStopped]:
        """Take the next chunk, cut anywhere; returns what began or ended in it, in order."""
        self._unread += pcm
        size = self._frame_bytes
        whole = len(self._unread) - len(self._unread) % size
        turns: list[SpeechStarted | SpeechStopped] = []
        for start in range(0, whole, size):
            loud = self._vad.is_speech(self._unread[start : start + size])
            self._position += size
            change = self._listen(loud) if self._turn is None else self._follow(self._turn, loud)
            if change is not None:
                turns.append(change)
        self._unread = self._unread[whole:]
        return turns

    def reset(self) -> None:
        """Forget the turn under way, as after a clear or a commit by hand; the count goes on."""
        whole = len(self._unread) - len(self._unread) % self._format.frame_bytes
        self._position += whole
        self._unread = self._unread[whole:]
        self._earliest = self._position
        self._onset = self._turn = None

    def _listen(self, loud: bool) -> SpeechStarted | None:
        """One frame, which ends at the position, outside of a turn."""
        onset = self._onset
        if not loud:
            if onset and self._position - onset.loud_until >= _ONSET_GAP_FRAMES * self._frame_bytes:
                self._onset = None
            return None
        if onset is None:
            onset = self._onset = _Onset(self._position - self._frame_bytes, self._position)
        onset.loud += self._frame_bytes
        onset.loud_until = self._position
        if onset.loud < self._min_speech_bytes:
            return None
        self._onset = None
        self._turn = _Turn(self._position, onset.loud)
        return SpeechStarted(self._ms(max(self._earliest, onset.begins - self._padding_bytes)))

    def _follow(self, turn: _Turn, loud: bool) -> SpeechStopped | None:
        """One frame, which ends at the position, of a turn."""
        turn.loud_run = turn.loud_run + self._frame_bytes if loud else 0
        if turn.loud_run >= _PROOF_FRAMES * self._frame_bytes:
            turn.proven_until = self._position
        if self._position - turn.proven_until < self._silence_bytes:
            return None
        self._turn = None
        self._earliest = self._position
        return SpeechStopped(self._ms(self._position))

    def _ms(self, size_bytes: int) -> int:
        return int(self._format.ms_of(size_bytes))
