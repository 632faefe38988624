"""The user's speech, kept for as long as only one server knows of it.

What was said and is not written down yet would be lost with the connection (protocol document, rules K3 and K4).
This machine keeps it, up to a bound: the turn that is being spoken, from where the server heard it begin, and the
turns that were handed over and have no transcript yet. While nobody speaks it keeps the last moment only, and
what came since the server was heard last: should it turn out that the connection was dead by then, nobody has
heard that.
Positions are milliseconds of audio written to the current connection, as the server counts them (rule T7).
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from ..audio import AudioFormat

__all__ = ("KeptSpeech", "Repeat", "SpokenBlock", "SpokenTurn")

MOMENT_MS = 2_000.0
"""What is kept while nobody speaks: more than a server takes to notice that somebody began."""
NOTICE_MS = 500.0
"""What a server that is well takes at most to say that somebody began."""
OVERLAP_MS = 1_000.0
"""What is said again when one connection takes over from another without a loss."""
_PREROLL_MS = 300.0
"""What goes before the first loud block of an utterance."""
_GAP_MS = 400.0
"""A pause up to which two loud blocks are one utterance."""
_FRAME_MS = 20.0
_LEAST_FRAMES = 3
"""Fewer loud frames than these are a click, not a word."""


class SpokenBlock(NamedTuple):  # made for every block that is heard: a dataclass takes a microsecond more
    """A piece of the user's audio, in the session's input format."""

    pcm: bytes
    at: float
    """When its first sample was captured."""
    start_ms: float
    ms: float


@dataclass(frozen=True, slots=True)
class SpokenTurn:
    """The sound of a turn that was handed over."""

    pcm: bytes
    ms: float


@dataclass(frozen=True, slots=True)
class Repeat:
    """What to say again on a new connection."""

    blocks: tuple[SpokenBlock, ...] = ()
    dropped_ms: float = 0.0
    """Audio of the time without a connection that is not said again."""


class KeptSpeech:
    """Owns the audio of turns that are not written down.

    Args:
        keep_ms: how much is kept; the oldest gives way.
        deaf_ms: for how long a connection may be dead before that is noticed.
    """

    def __init__(self, keep_ms: float = 0.0, deaf_ms: float = 0.0) -> None:
        self.keep_ms = keep_ms
        self.deaf_ms = deaf_ms
        self.manual = False
        """Whether turns end where the program says so: then everything since the last end is kept."""
        self._blocks: deque[SpokenBlock] = deque()
        self._kept_ms = 0.0
        self._written_ms = 0.0
        self._speaking = False
        self._item_id: str | None = None
        self._ended_ms: float | None = None
        self._commits: deque[float] = deque()
        self._turns: OrderedDict[str, tuple[SpokenBlock, ...]] = OrderedDict()
        self._turns_ms = 0.0
        self._alive_ms = 0.0
        self._unheard_ms = 0.0
        self._lost_ms: float | None = None
        self._overflow_ms = 0.0

    # -- what happens --------------------------------------------------------------------------------

    def wrote(self, pcm: bytes, ms: float, at: float) -> None:
        """A block goes to the server, or would if there were a connection."""
        away = self._lost_ms is not None
        if self.keep_ms <= 0.0:
            self._overflow_ms += ms if away else 0.0
            return
        self._blocks.append(SpokenBlock(pcm, at, self._written_ms, ms))
        self._written_ms += ms
        self._kept_ms += ms
        limit = self.keep_ms
        if not (self._speaking or self.manual or away):
            limit = min(limit, MOMENT_MS + min(self._written_ms - self._alive_ms, self.deaf_ms))
        while self._kept_ms > limit and len(self._blocks) > 1:
            gone = self._blocks.popleft()
            self._kept_ms -= gone.ms
            if away and gone.start_ms >= (self._lost_ms or 0.0):
                self._overflow_ms += gone.ms

    def alive(self) -> None:
        """The server was heard: all that was written so far has reached it, or is about to."""
        self._alive_ms = self._written_ms

    def started(self, position_ms: float | None, item_id: str | None = None) -> None:
        """The server heard the user begin, at that position; the item will hold it."""
        self._speaking, self._item_id, self._ended_ms = True, item_id, None
        if position_ms is not None:
            self._let_go(position_ms)

    def stopped(self, position_ms: float | None) -> None:
        """The server heard the user end, at that position."""
        self._ended_ms = position_ms

    def committing(self) -> None:
        """The program ends the turn here."""
        self._commits.append(self._written_ms)

    def committed(self, item_id: str) -> None:
        """The turn was handed over: what was said so far belongs to that item."""
        end_ms = self._commits.popleft() if self._commits else self._ended_ms
        turn = tuple(block for block in self._blocks if end_ms is None or block.start_ms < end_ms)
        self._let_go(self._written_ms if end_ms is None else end_ms)
        self._speaking, self._ended_ms = False, None
        if item_id and turn:
            self._turns[item_id] = turn
            self._turns_ms += _ms(turn)
            while self._turns_ms > self.keep_ms:
                self.written(next(iter(self._turns)))

    def answered(self) -> None:
        """An answer begins: a turn whose end was heard is over, also where no server says that it was handed over."""
        if self._speaking and self._ended_ms is not None:
            self.committed("")

    def clearing(self) -> None:
        """The program throws away what was said since the last turn."""
        self._let_go(self._written_ms)
        self._speaking, self._ended_ms = False, None
        self._commits.clear()

    def written(self, item_id: str) -> None:
        """The words of that turn are known, or nobody wants them: its sound is needed no more."""
        turn = self._turns.pop(item_id, None)
        if turn is not None:
            self._turns_ms -= _ms(turn)

    def lost(self, *, deaf: bool = False) -> None:
        """The connection is gone.

        Args:
            deaf: whether it may have been dead for a while, so that nobody has heard what was written last.
        """
        self._lost_ms, self._overflow_ms = self._written_ms, 0.0
        self._unheard_ms = self._alive_ms - NOTICE_MS if deaf else self._written_ms
        self._commits.clear()

    # -- what is to be said again --------------------------------------------------------------------

    def turn(self, item_id: str) -> SpokenTurn | None:
        """The sound of a turn that is not written down; None for others."""
        blocks = self._turns.get(item_id)
        return None if blocks is None else SpokenTurn(b"".join(block.pcm for block in blocks), _ms(blocks))

    @property
    def speaking(self) -> bool:
        """Whether a turn is being spoken."""
        return self._speaking

    @property
    def said_again(self) -> str | None:
        """The item of the turn that is being spoken, if that will be said again."""
        return self._item_id if self._speaking and self._blocks else None

    @property
    def unwritten(self) -> bool:
        """Whether there are turns that were handed over and are not written down."""
        return bool(self._turns)

    def take(self, input_format: AudioFormat, *, seamless: bool = False) -> Repeat:
        """A new connection is there: what to say again; the count of positions begins anew.

        Args:
            input_format: of the audio.
            seamless: whether the old connection was well to the end, so that nothing was missed by the
                server but what it was just about to notice.
        """
        lost_ms = self._written_ms if self._lost_ms is None else self._lost_ms
        unheard_ms = lost_ms if self._lost_ms is None else self._unheard_ms
        blocks = list(self._blocks)
        if not self._open:
            begin = (
                self._written_ms - OVERLAP_MS if seamless else _utterance(blocks, unheard_ms, input_format)
            )
            blocks = [block for block in blocks if begin is not None and block.start_ms + block.ms > begin]
        away = _ms(block for block in self._blocks if block.start_ms >= lost_ms) + self._overflow_ms
        again = _ms(block for block in blocks if block.start_ms >= lost_ms)
        self._blocks.clear()
        self._kept_ms, self._written_ms, self._alive_ms, self._overflow_ms = 0.0, 0.0, 0.0, 0.0
        self._lost_ms, self._speaking, self._ended_ms = None, False, None
        return Repeat(tuple(blocks), 0.0 if seamless else max(0.0, away - again))

    @property
    def _open(self) -> bool:
        return self._speaking or self.manual

    def _let_go(self, position_ms: float) -> None:
        while self._blocks and self._blocks[0].start_ms + self._blocks[0].ms <= position_ms:
            self._kept_ms -= self._blocks.popleft().ms


def _ms(blocks: Iterable[SpokenBlock]) -> float:
    return sum(block.ms for block in blocks)


def _utterance(blocks: list[SpokenBlock], unheard_ms: float, input_format: AudioFormat) -> float | None:
    """Where an utterance begins that nobody has heard of: one that goes on, or begins, after that position.

    What was said and over before is left alone: a server that did not take it for speech had its time.
    """
    loud = _loud(blocks, input_format)
    after = [position for position in loud if position >= unheard_ms]
    if len(after) < _LEAST_FRAMES:
        return None
    begin = after[0]
    for position in reversed([position for position in loud if position < begin]):
        if begin - position > _GAP_MS:
            break
        begin = position
    return begin - _PREROLL_MS


def _loud(blocks: list[SpokenBlock], input_format: AudioFormat) -> list[float]:
    """The positions of the frames that are speech."""
    from ..audio import Vad, g711  # they load numpy, and a core whose connection holds never needs it

    decode = {"pcmu": g711.decode_ulaw, "pcma": g711.decode_alaw}.get(input_format.encoding)
    vad = Vad(input_format.rate)
    size = round(input_format.rate * _FRAME_MS / 1000) * 2
    loud: list[float] = []
    for block in blocks:
        pcm = decode(block.pcm) if decode is not None else block.pcm
        loud += [
            block.start_ms + index / size * _FRAME_MS
            for index in range(0, len(pcm) - len(pcm) % 2, size)
            if vad.is_speech(pcm[index : index + size])
        ]
    return loud
