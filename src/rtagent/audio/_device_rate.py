"""Between the rate that a program speaks and the rate that a device insists on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._format import AudioBlock, PlaybackItem
from ._playback import PlaybackQueue

if TYPE_CHECKING:
    from ._resample import Resampler

__all__ = ("FromDevice", "ToDevice")


class FromDevice:
    """Captured blocks at the program's rate; they pass unchanged when the rates are equal."""

    def __init__(self, device_rate: int, rate: int) -> None:
        self._resampler = _resampler(device_rate, rate)

    def convert(self, block: AudioBlock) -> AudioBlock:
        """The block, with its time moved back by what the filter delays."""
        if self._resampler is None:
            return block
        return AudioBlock(self._resampler.process(block.pcm), block.at - self._resampler.delay_ms / 1000)


class ToDevice:
    """Puts audio into a queue that runs at the device's rate."""

    def __init__(self, rate: int, queue: PlaybackQueue) -> None:
        self._queue = queue
        self._resampler = _resampler(rate, queue.format.rate)
        self._unended: PlaybackItem | None = None

    def push(self, item: PlaybackItem, pcm: bytes) -> None:
        if self._resampler is None:
            self._queue.push(item, pcm)
            return
        if self._unended is not None and self._unended != item:
            self.end()
        self._unended = item
        self._queue.push(item, self._resampler.process(pcm))

    def end(self) -> None:
        """The item is complete: queue what the filter still holds of it."""
        if self._resampler is not None and self._unended is not None:
            self._queue.push(self._unended, self._resampler.flush())
            self._unended = None

    def reset(self) -> None:
        """Forget what the filter holds."""
        if self._resampler is not None:
            self._resampler.reset()
            self._unended = None


def _resampler(source_rate: int, target_rate: int) -> Resampler | None:
    if source_rate == target_rate:
        return None
    from ._resample import Resampler  # numpy is loaded only where it is needed

    return Resampler(source_rate, target_rate)
