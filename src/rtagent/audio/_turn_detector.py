"""When somebody begins and ceases to speak, told in samples: no clock, no tasks, no I/O.

Theory of operation
    A stream is cut anew into *pieces*, each as long as a frame of the detector, before anything looks
    at it. So all that follows is the same however the stream was cut on its way. A piece is kept for
    the pre-roll, resampled if the detector hears at another rate, and yields a frame (or, where the
    rates' ratio is odd, sometimes none or two).

    The probabilities of the frames go to ``_Gate``, which counts in frames and knows nothing of audio.
    Speech begins with a frame at ``threshold`` that is followed by none below ``threshold -
    hysteresis`` for ``start_ms`` in all: a click is too short for that. It ends after ``silence_ms``
    without a frame at the lower threshold. Both are known late, and both are told with their true
    place: the beginning of the first frame, the end of the last one.

    Places are counted in samples since the beginning of the stream, less the resampler's delay. Times
    come from the blocks, so they are right also where a source has lost some audio in between.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import Literal, TypeAlias

from ..errors import ConfigurationError
from ._format import AudioBlock, AudioFormat
from ._resample import Resampler
from ._speech_detector import SpeechDetector, frame_samples_of

__all__ = ("SpeechStarted", "SpeechStopped", "TurnDetector", "TurnMove", "TurnStatistics")


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """Somebody speaks."""

    at: float
    """When the first frame of it was captured, in seconds of the source's clock."""
    position_ms: float
    """Where it begins: milliseconds of audio since the beginning of the stream."""


@dataclass(frozen=True, slots=True)
class SpeechStopped:
    """Nobody speaks any more."""

    at: float
    """When the last frame of speech had been captured, in seconds of the source's clock."""
    position_ms: float
    """Where it ends: milliseconds of audio since the beginning of the stream."""


TurnMove: TypeAlias = SpeechStarted | SpeechStopped


@dataclass(frozen=True, slots=True)
class TurnStatistics:
    """Counters of one turn detector since it was made."""

    heard_ms: float
    """Audio that was looked at."""
    turns: int
    """How often speech has begun."""
    forgotten_ms: float
    """What ``speech()`` has lost because a turn was longer than ``keep_ms``; the oldest goes first."""
    broken_blocks: int
    """Blocks that ended within a sample; the odd byte was left out."""


class _Gate:
    """Speech or not, frame by frame: a hysteresis, a shortest speech and a shortest silence."""

    def __init__(self, *, begin: float, go_on: float, start_frames: int, silence_frames: int) -> None:
        self._begin = begin
        self._go_on = go_on
        self._start_frames = start_frames
        self._silence_frames = silence_frames
        self.reset()

    def reset(self) -> None:
        self.speaking = False
        self.first = 0  # of this speech, or of what may become one
        self._rising = False
        self.end = 0  # behind the last frame that was speech
        self._frame = 0

    def hear(self, probability: float) -> Literal["started", "stopped"] | None:
        """Take the next frame. What is no number at all is no speech."""
        frame, self._frame = self._frame, self._frame + 1
        goes_on = probability >= self._go_on
        if self.speaking:
            if goes_on:
                self.end = frame + 1
            elif frame + 1 - self.end >= self._silence_frames:
                self.speaking = self._rising = False
                return "stopped"
            return None
        if not self._rising and probability >= self._begin:
            self._rising, self.first = True, frame
        elif not goes_on:
            self._rising = False
        if not self._rising or frame + 1 - self.first < self._start_frames:
            return None
        self.speaking, self.end = True, frame + 1
        return "started"


class TurnDetector:
    """Tells from a stream of blocks when speech begins and when it ends, and keeps what was said.

    It owns its detector and serves one stream; ``reset`` makes it fit for the next one. Blocks may have
    any size. Both moves come late by nature: the beginning after ``start_ms``, the end after
    ``silence_ms``, and each up to one frame more.

    Args:
        detector: what tells speech from the rest; a resampler is put before it if its rate is another.
        format: of the blocks: mono PCM16.
        threshold: the probability from which on a frame may begin a speech.
        hysteresis: how much lower the probability of a frame may be in the midst of it.
        start_ms: what is shorter is no speech.
        silence_ms: a pause of this length ends it.
        pre_roll_ms: how much of what was before belongs to ``speech()``; a detector notices a soft first sound late.
        keep_ms: the longest that ``speech()`` keeps; the oldest is forgotten and counted.
    """

    def __init__(
        self,
        detector: SpeechDetector,
        *,
        format: AudioFormat,  # noqa: A002 - the field's term
        threshold: float = 0.5,
        hysteresis: float = 0.15,
        start_ms: float = 60,
        silence_ms: float = 500,
        pre_roll_ms: float = 300,
        keep_ms: float = 30_000,
    ) -> None:
        if format.encoding != "pcm16" or format.channels != 1:
            message = f"speech is found in mono PCM16, not in {format.channels} channels of {format.encoding}"
            raise ConfigurationError(message, hint="rtagent.audio.g711 decodes telephone audio")
        if not (0 < threshold <= 1 and 0 <= hysteresis < threshold):
            message = f"a threshold of {threshold:g} with a hysteresis of {hysteresis:g} is out of range"
            raise ConfigurationError(message, hint="0.5 and 0.15 are usual")
        shortest_keep_ms = pre_roll_ms + start_ms + silence_ms
        durations = (start_ms, silence_ms, pre_roll_ms, keep_ms)
        if not (all(0 <= ms < math.inf for ms in durations) and keep_ms >= shortest_keep_ms):
            message = f"durations of {', '.join(f'{ms:g}' for ms in durations)} ms cannot be"
            raise ConfigurationError(
                message, hint=f"keep_ms is at least {shortest_keep_ms:g}, all others together"
            )
        self._detector = detector
        self._frame_samples = frame_samples_of(detector)
        self._resampler = Resampler(format.rate, detector.rate)
        self.format = format
        self.piece_bytes = max(1, round(detector.frame_ms * format.rate / 1000)) * format.frame_bytes
        """Audio that is judged at a time; fed in blocks of this size, it is known of each move when it was made."""
        piece_ms = format.ms_of(self.piece_bytes)
        start_frames = max(1, math.ceil(start_ms / detector.frame_ms))
        silence_frames = max(1, math.ceil(silence_ms / detector.frame_ms))
        delay_pieces = (
            math.ceil(self._resampler.delay_ms / piece_ms) + 2
        )  # two, as pieces and frames may be out of step
        self._pre_roll_samples = format.bytes_of(pre_roll_ms) // format.frame_bytes
        self._idle_pieces = math.ceil(pre_roll_ms / piece_ms) + start_frames + delay_pieces
        self._most_pieces = max(self._idle_pieces + silence_frames, math.ceil(keep_ms / piece_ms))
        self._gate = _Gate(
            begin=threshold,
            go_on=threshold - hysteresis,
            start_frames=start_frames,
            silence_frames=silence_frames,
        )
        self._heard_bytes = self._turns = self._forgotten = self._broken_blocks = 0
        self._speech: tuple[AudioBlock, ...] = ()
        self.last_move: TurnMove | None = None
        """The newest move; also behind ``finish()``."""
        self.reset()

    @property
    def speaking(self) -> bool:
        """Whether somebody speaks: between a ``SpeechStarted`` and the next ``SpeechStopped``."""
        return self._gate.speaking

    @property
    def look_back_ms(self) -> float:
        """How long before its ``SpeechStarted`` a speech and its pre-roll can have begun, at most."""
        return self.format.ms_of(self._idle_pieces * self.piece_bytes)

    def feed(self, block: AudioBlock) -> list[TurnMove]:
        """Take the next block; returns what is known now and was not before, in order.

        It takes as long as the detector does for all of the block: with a neural one, and on an event loop, feed
        blocks of about ``piece_bytes``, as ``GatedSource`` does.
        """
        pcm = block.pcm
        if len(pcm) % 2:
            pcm = pcm[:-1]
            self._broken_blocks += 1
        moves: list[TurnMove] = []
        for piece in self._cut(pcm, block.at):
            self._keep(piece)
            self._frames += self._resampler.process(piece.pcm)
            while len(self._frames) >= 2 * self._frame_samples:
                frame = bytes(self._frames[: 2 * self._frame_samples])
                del self._frames[: 2 * self._frame_samples]
                self._judge(self._detector.probability(frame), moves)
        return moves

    def finish(self) -> list[TurnMove]:
        """End the stream: a running speech ends with it, and the next block is the first of another one."""
        if self._rest:
            self._keep(AudioBlock(bytes(self._rest), self._rest_at))
        moves: list[TurnMove] = []
        if self.speaking:
            moves.append(self._stopped())
        speech, last_move = self._speech, self.last_move
        self.reset()
        self._speech, self.last_move = speech, last_move
        return moves

    def reset(self) -> None:
        """Forget the stream, as if there had been none; only the counters remain."""
        self._detector.reset()
        self._resampler.reset()
        self._gate.reset()
        self._rest = bytearray()  # less than a piece
        self._rest_at = 0.0
        self._frames = bytearray()  # less than a frame, at the detector's rate
        self._pieces: deque[AudioBlock] = deque()
        self._pieces_gone = 0
        self._speech = ()
        self.last_move = None

    def speech(self) -> tuple[AudioBlock, ...]:
        """The audio of the running turn, or, when nobody speaks, of the last one.

        It begins ``pre_roll_ms`` before the first frame of speech, if there was so much, and ends with what
        was heard until now, or until the end of the turn was noticed. The blocks are cut anew.
        """
        return tuple(self._pieces) if self.speaking else self._speech

    def statistics(self) -> TurnStatistics:
        """A snapshot of the counters."""
        return TurnStatistics(
            heard_ms=self.format.ms_of(self._heard_bytes),
            turns=self._turns,
            forgotten_ms=self.format.ms_of(self._forgotten * self.piece_bytes),
            broken_blocks=self._broken_blocks,
        )

    # -- from blocks to pieces, from pieces to places

    def _cut(self, pcm: bytes, at: float) -> list[AudioBlock]:
        before, per_second = len(self._rest), self.format.bytes_per_second
        self._heard_bytes += len(pcm)
        if not before:
            self._rest_at = at
        self._rest += pcm
        whole = len(self._rest) - len(self._rest) % self.piece_bytes
        pieces: list[AudioBlock] = []
        for start in range(0, whole, self.piece_bytes):
            when = self._rest_at if start == 0 else at + (start - before) / per_second
            pieces.append(AudioBlock(bytes(self._rest[start : start + self.piece_bytes]), when))
        if whole:
            del self._rest[:whole]
            self._rest_at = at + (whole - before) / per_second
        return pieces

    def _keep(self, piece: AudioBlock) -> None:
        self._pieces.append(piece)
        if not self.speaking:
            self._drop(len(self._pieces) - self._idle_pieces)
        elif len(self._pieces) > self._most_pieces:
            self._drop(1)
            self._forgotten += 1

    def _drop(self, count: int) -> None:
        for _ in range(count):
            self._pieces.popleft()
            self._pieces_gone += 1

    def _place(self, frame: int) -> int:
        """The sample of the stream where that frame of the detector begins."""
        heard = frame * self._frame_samples - self._resampler.delay_frames
        return max(0, heard * self.format.rate // self._detector.rate)

    def _time(self, sample: int) -> float:
        """When that sample, one of those that are kept or the one behind them, was captured."""
        piece_samples = self.piece_bytes // self.format.frame_bytes
        index = min(sample // piece_samples - self._pieces_gone, len(self._pieces) - 1)
        begin = (self._pieces_gone + index) * piece_samples
        return self._pieces[index].at + (sample - begin) / self.format.rate

    # -- from probabilities to moves

    def _judge(self, probability: float, moves: list[TurnMove]) -> None:
        verdict = self._gate.hear(probability)
        if verdict == "started":
            moves.append(self._started())
        elif verdict == "stopped":
            moves.append(self._stopped())

    def _started(self) -> SpeechStarted:
        first = self._place(self._gate.first)
        started = SpeechStarted(self._time(first), first * 1000 / self.format.rate)
        earliest = max(0, first - self._pre_roll_samples) // (self.piece_bytes // self.format.frame_bytes)
        self._drop(earliest - self._pieces_gone)
        self._speech = ()
        self._turns += 1
        self.last_move = started
        return started

    def _stopped(self) -> SpeechStopped:
        end = self._place(self._gate.end)
        stopped = SpeechStopped(self._time(end), end * 1000 / self.format.rate)
        self._speech = tuple(self._pieces)
        self.last_move = stopped
        return stopped
