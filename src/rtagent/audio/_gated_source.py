"""A source that is heard only while somebody speaks."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

from anyio.lowlevel import checkpoint

from ..errors import ConfigurationError, LocalProtocolError
from ._format import AudioBlock, AudioFormat, AudioSource
from ._turn_detector import SpeechStarted, TurnDetector, TurnMove

__all__ = ("GateStatistics", "GatedSource")


@dataclass(frozen=True, slots=True)
class GateStatistics:
    """Counters of one gated source since it was made."""

    passed_ms: float
    """Audio that was handed on."""
    dropped_ms: float
    """Audio that was held back for good, as nobody spoke."""


class GatedSource:
    """Lets a source through while somebody speaks, with what came just before and after, and drops the rest.

    What was captured up to ``pre_roll_ms`` (of the detector) before the speech is delivered with it, so that the
    first sound is there. Behind it come the pause that the detector needs to notice its end and ``tail_ms``
    more. A server that detects turns itself needs its own ``silence_duration_ms`` of that; where it does not,
    end the turn yourself when ``on_move`` is told ``SpeechStopped``.

    Args:
        source: what to listen to; it captures all the time.
        turn_detector: what opens the gate; this source feeds it, and nobody else should.
        tail_ms: how much is passed after the detector has noticed the end.
        on_move: is told each move in its place in the stream: ``SpeechStarted`` before the first block of the
            speech is read, ``SpeechStopped`` when the block has been read with which the end was noticed. It runs
            in the reader's task; what it raises ends the reading.
    """

    def __init__(
        self,
        source: AudioSource,
        turn_detector: TurnDetector,
        *,
        tail_ms: float = 200,
        on_move: Callable[[TurnMove], None] | None = None,
    ) -> None:
        self.source = source
        self.turn_detector = turn_detector
        self.gating = True
        """While false, all is passed."""
        self._on_move = on_move
        self._format = turn_detector.format
        if source.format != self._format:
            message = f"the detector expects {self._format}, the source gives {source.format}"
            raise ConfigurationError(message, hint="TurnDetector(…, format=source.format)")
        if not 0 <= tail_ms <= 60_000:
            message = f"a tail of {tail_ms:g} ms is out of range"
            raise ConfigurationError(message, hint="200 is usual")
        self._tail_bytes = self._format.bytes_of(tail_ms)
        self._held_most_bytes = self._format.bytes_of(turn_detector.look_back_ms)
        self._passed_bytes = self._dropped_bytes = 0
        self._begin()

    @property
    def format(self) -> AudioFormat:
        """The source's format."""
        return self._format

    @property
    def waits(self) -> bool:
        """Whether the source can be read as slowly as anybody likes."""
        return bool(getattr(self.source, "waits", False))

    async def blocks(self) -> AsyncGenerator[AudioBlock, None]:
        """Capture until the iteration ends; yields what is speech, or near it.

        Raises:
            LocalProtocolError: the source has changed its format since this was made.
        """
        self.turn_detector.reset()
        self._begin()
        async with AsyncExitStack() as stack:
            captured = self.source.blocks()
            if (end := getattr(captured, "aclose", None)) is not None:  # a generator, such as a microphone's
                stack.push_async_callback(end)
            async for block in captured:
                if self.source.format != self._format:
                    message = f"the source has changed from {self._format} to {self.source.format}"
                    raise LocalProtocolError(message)
                for number, piece in enumerate(self._pieces(block)):
                    if number:  # a long block: a neural detector takes a while for all of it
                        await checkpoint()
                    for passed in self._hear(piece):
                        if isinstance(passed, AudioBlock):
                            self._passed_bytes += len(passed.pcm)
                            yield passed
                        else:
                            self._tell(passed)
            for move in self.turn_detector.finish():
                self._tell(move)
        self._dropped_bytes += self._held_bytes
        self._begin()

    def statistics(self) -> GateStatistics:
        """A snapshot of the counters."""
        return GateStatistics(
            passed_ms=self._format.ms_of(self._passed_bytes),
            dropped_ms=self._format.ms_of(self._dropped_bytes),
        )

    def _begin(self) -> None:
        self._held: deque[AudioBlock] = deque()
        self._held_bytes = 0
        self._tail_left_bytes = 0

    def _tell(self, move: TurnMove) -> None:
        if self._on_move is not None:
            self._on_move(move)

    def _pieces(self, block: AudioBlock) -> Iterator[AudioBlock]:
        """The block in parts so small that the pre-roll of one speech ends before the next begins."""
        size = self.turn_detector.piece_bytes
        for start in range(0, len(block.pcm), size):
            at = block.at + start / self._format.bytes_per_second
            yield AudioBlock(block.pcm[start : start + size], at)

    def _hear(self, piece: AudioBlock) -> list[AudioBlock | TurnMove]:
        """What is to be read and told now, in order."""
        passed: list[AudioBlock | TurnMove] = []
        pcm = piece.pcm
        moves = self.turn_detector.feed(piece)
        begun = moves[:1] if moves and isinstance(moves[0], SpeechStarted) else []
        passed += begun
        if whole := pcm[: len(pcm) - len(pcm) % 2]:
            self._hold(AudioBlock(whole, piece.at))
        if moves or self.turn_detector.speaking:
            self._tail_left_bytes = self._tail_bytes
            opened = True
        else:
            opened = self._tail_left_bytes > 0
            self._tail_left_bytes -= min(len(pcm), self._tail_left_bytes)
        if opened or not self.gating:
            passed += self._held
            self._held.clear()
            self._held_bytes = 0
        passed += moves[len(begun) :]
        return passed

    def _hold(self, piece: AudioBlock) -> None:
        self._held.append(piece)
        self._held_bytes += len(piece.pcm)
        while self._held_bytes - len(self._held[0].pcm) >= self._held_most_bytes:
            oldest = self._held.popleft()
            self._held_bytes -= len(oldest.pcm)
            self._dropped_bytes += len(oldest.pcm)
