"""From a loudspeaker to a microphone: which echo policy, and the way of the sound between the two."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, Protocol

from ..errors import ConfigurationError
from ._format import AudioBlock, AudioFormat

if TYPE_CHECKING:
    from ._echo import EchoCanceller
    from ._echo_hold import HeldBack

__all__ = ("EchoCancel", "EchoPath", "EchoPolicy", "FarSide", "choose_policy")

EchoCancel = Literal["auto", "none", "half_duplex", "aec"]
"""What may be asked for."""
EchoPolicy = Literal["none", "half_duplex", "aec"]
"""What is done."""

_LEAD_MS = 30.0
_TAIL_MS = 250.0
_FRAME_MS = 10.0


class FarSide(Protocol):
    """A sink that tells what it really plays, with the time at which it is heard: a ``Speaker``."""

    @property
    def format(self) -> AudioFormat: ...

    def add_tap(self, tap: Callable[[AudioBlock], None], /) -> None: ...

    def remove_tap(self, tap: Callable[[AudioBlock], None], /) -> None: ...

    def deliver_taps(self) -> None: ...


def choose_policy(wanted: EchoCancel, *, far: bool, rate: int = 24_000, block_ms: float = 20) -> EchoPolicy:
    """What is done for a wish: ``auto`` takes the best that there is.

    Args:
        wanted: the wish.
        far: the loudspeaker's sound is known.
        rate: samples per second of the microphone's blocks (Hz).
        block_ms: audio in each of them.

    Raises:
        ConfigurationError: the wish cannot be carried out.
    """
    if wanted not in ("auto", "none", "half_duplex", "aec"):
        message = f"the echo policy {wanted!r} is not available"
        raise ConfigurationError(message, hint="one of auto, none, half_duplex, aec")
    if wanted == "none" or (wanted == "auto" and not far):
        return "none"
    if not far:
        message = f"the echo policy {wanted!r} needs to know what is played"
        raise ConfigurationError(message, hint="Microphone(far=speaker), or 'none' with headphones")
    from ._echo_livekit import livekit_works

    in_frames = rate % 100 == 0 and block_ms % _FRAME_MS == 0
    if wanted == "auto":
        return "aec" if in_frames and livekit_works() else "half_duplex"
    if wanted == "aec" and not in_frames:
        message = f"blocks of {block_ms:g} ms at {rate} Hz do not consist of whole frames of 10 ms"
        raise ConfigurationError(message, hint="echo cancellation needs them; 20 ms at 24000 Hz are usual")
    return wanted


class EchoPath:
    """What the loudspeaker plays, on its way into the microphone's processing; nothing of it in a callback.

    The speaker's tap puts, the microphone's iteration takes, both on one event loop. Until
    something is played for the first time, blocks pass untouched.

    Args:
        far: what plays.
        policy: what is done; ``none`` needs no path.
        rate: samples per second of the microphone's blocks (Hz).
        block_ms: audio in each of them.
        canceller: instead of the policy's own, for tests.

    Raises:
        ConfigurationError: the package for echo cancellation is missing.
    """

    def __init__(
        self,
        far: FarSide,
        policy: EchoPolicy,
        rate: int,
        block_ms: float,
        *,
        canceller: EchoCanceller | None = None,
    ) -> None:
        from ._device_rate import FromDevice
        from ._echo_far import FarEnd
        from ._echo_guard import Steadiness

        self._far = far
        self._rate = rate
        self._frames = max(1, round(block_ms / _FRAME_MS))
        self._played = FarEnd(rate, lead_ms=_LEAD_MS)
        self._convert = FromDevice(far.format.rate, rate).convert
        self.canceller = (
            canceller if canceller is not None else _canceller(policy, rate, block_ms / self._frames)
        )
        self._held = _held_back(self.canceller, block_ms)
        self._far_times, self._near_times = Steadiness(far.format.rate), Steadiness(rate)
        self._met_sound = False

    @property
    def dropped_ms(self) -> float:
        """Played sound that came too late to be considered."""
        return self._played.dropped_ms

    @property
    def ducked_ms(self) -> float:
        """For how long the microphone was silenced in all, and stayed so."""
        recalled_ms = self._held.recalled_ms if self._held is not None else 0.0
        return self.canceller.ducked_ms - recalled_ms

    def open(self) -> None:
        """Begin to listen to what is played."""
        self.reset()
        self._far.add_tap(self._put)

    def close(self) -> None:
        """Listen no longer. Idempotent."""
        self._far.remove_tap(self._put)

    def reset(self) -> None:
        """Begin a new stream of the microphone's."""
        self._played.reset()
        self._far_times.reset()
        self._near_times.reset()
        if self._met_sound:
            self.canceller.reset()
        if self._held is not None:
            self._held.reset()
        self._met_sound = False

    def process(self, block: AudioBlock, *, muted: bool = False) -> list[AudioBlock]:
        """What is to be told when the microphone has heard its next block: blocks without the echo, in order.

        That is this block, in the same size and of the same time. Only while a gate silences the microphone is its
        silence told a little late; blocks that were held back come first.

        Args:
            block: what was heard.
            muted: nothing of it may be told, now or later; the echo is learned from it all the same.
        """
        self._far.deliver_taps()
        samples = len(block.pcm) // 2
        if self._near_times.moved(block.at, samples):
            self._disturbed()
        bounds = [samples * k // self._frames for k in range(self._frames + 1)]
        out: list[bytes] = []
        for begin, end in pairwise(bounds):
            near = block.pcm[2 * begin : 2 * end]
            out.append(self._frame(near, block.at + begin / self._rate, end - begin))
        if not self._met_sound:
            return [_silent(block)] if muted else [block]
        passed = AudioBlock(b"".join(out), block.at)
        if muted:
            block, passed = _silent(block), _silent(passed)
        return [passed] if self._held is None else self._held.take(block, passed)

    def _frame(self, near: bytes, at: float, samples: int) -> bytes:
        far = self._played.take(at, samples)
        if far is not None:
            self._met_sound = True
        if not self._met_sound:
            return near
        self.canceller.reverse(far if far is not None else bytes(2 * samples))
        return self.canceller.process(near)

    def _put(self, block: AudioBlock) -> None:
        if self._far_times.moved(block.at, len(block.pcm) // 2):
            self._disturbed()
        self._played.put(self._convert(block))

    def _disturbed(self) -> None:
        from ._echo_guard import GuardedCanceller

        if isinstance(self.canceller, GuardedCanceller):
            self.canceller.disturbed()


def _silent(block: AudioBlock) -> AudioBlock:
    return AudioBlock(bytes(len(block.pcm)), block.at)


def _held_back(canceller: EchoCanceller, block_ms: float) -> HeldBack | None:
    from ._echo import HalfDuplexGate
    from ._echo_hold import HeldBack

    return HeldBack(canceller, block_ms) if isinstance(canceller, HalfDuplexGate) else None


def _canceller(policy: EchoPolicy, rate: int, frame_ms: float) -> EchoCanceller:
    from ._echo import HalfDuplexGate

    gate = HalfDuplexGate(tail_ms=_TAIL_MS + _LEAD_MS, frame_ms=frame_ms)
    if policy != "aec":
        return gate
    from ._echo_guard import GuardedCanceller
    from ._echo_livekit import LiveKitCanceller

    return GuardedCanceller(LiveKitCanceller(rate), gate, frame_ms=frame_ms)
