"""Sample rate conversion for streams: one polyphase FIR filter per direction.

Theory of operation
    The rates' ratio is reduced to ``up / down``. On paper the signal is filled up with zeros to
    ``up`` times its rate, low-pass filtered, and every ``down``-th value is kept. The zeros need no
    arithmetic: output number i is the product of the last ``taps`` input samples with one of
    ``up`` short filters (*phases*), chosen by ``i * down % up``.

    A chunk gives every output whose newest input sample has come, so equal chunks give equal
    amounts, nothing is held back, and cutting a stream in other places changes nothing. What
    passes from chunk to chunk are the last ``taps - 1`` samples and the position of the next output.

    The outputs of a whole number of periods are the product of a banded matrix with overlapping
    stretches of the input. One BLAS call then does what would else be hundreds of short products:
    that takes a third of the time, and the usual 20 ms chunks always go that way.

The prototype is a Kaiser-windowed sinc of 24 zero crossings a side: flat to 0.80 of the lower
Nyquist frequency, -6 dB at 0.90, below -87 dB from 1.05 on. Arithmetic is in 32-bit floats and is
rounded and clipped to 16 bits once, at the end.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import ceil, gcd

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigurationError
from ._pcm import pcm_bytes

__all__ = ("Resampler", "resample")

_ZERO_CROSSINGS = 24
_KAISER_BETA = 8.0
_CUTOFF = 0.9
"""Of the lower Nyquist frequency."""
_STEP = 32
"""Samples of one row of the banded product, about: wide enough for BLAS, narrow enough to stay sparse."""
_MATRIX_BYTES = 512 * 1024
"""The largest banded matrix; ratios such as 22255:24000 go without."""
_PRODUCTS = 500_000
"""Multiplications at once: for a million OpenBLAS wakes its threads, which costs ten times as much."""

_MOST_PHASES = 200_000
"""Beyond this no two rates are in use; the filter for 767999:24000 would take seconds and gigabytes."""

_Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class _Filter:
    """The immutable part of a conversion, shared by all streams between the same rates."""

    up: int
    down: int
    half: int
    """Half the length of the prototype: the delay, in steps of 1 / up input sample."""
    phases: _Floats
    """One row of taps, time-reversed, for each phase."""
    step: int
    """Input samples of one row of the banded product."""
    matrix: _Floats | None
    """Turns one row of ``step + taps - 1`` input samples into its outputs."""

    @property
    def taps(self) -> int:
        return int(self.phases.shape[1])

    @property
    def slice_samples(self) -> int:
        """Input samples to be filtered at once, at most."""
        products = self.taps * self.step if self.matrix is None else self.matrix.size
        return max(1, _PRODUCTS // products) * self.step


@lru_cache(maxsize=32)
def _design(source_rate: int, target_rate: int) -> _Filter:
    divisor = gcd(source_rate, target_rate)
    up, down = target_rate // divisor, source_rate // divisor
    widest = max(up, down)
    half = down * round(_ZERO_CROSSINGS * widest / down)  # so the delay is a whole number of output samples
    position = np.arange(-half, half + 1)
    cutoff = _CUTOFF / widest
    prototype = np.sinc(position * cutoff) * cutoff * np.kaiser(2 * half + 1, _KAISER_BETA) * up
    padded = np.pad(prototype, (0, -len(prototype) % up))
    phases = np.ascontiguousarray(padded.reshape(-1, up).T[:, ::-1], np.float32)
    periods = max(1, _STEP // widest)
    step = periods * down
    fits = (step + phases.shape[1]) * periods * up * 4 <= _MATRIX_BYTES
    return _Filter(up, down, half, phases, step, _banded(phases, step, down) if fits else None)


def _banded(phases: _Floats, step: int, down: int) -> _Floats:
    up, taps = phases.shape
    outputs = step * up // down
    matrix = np.zeros((step + taps - 1, outputs), np.float32)
    for column in range(outputs):
        newest, phase = divmod(column * down, up)
        matrix[newest : newest + taps, column] = phases[phase]
    return matrix


class Resampler:
    """Converts a stream of mono PCM16 from one sample rate to another, keeping its state between chunks.

    One object serves one direction of one stream. Chunks may be cut anywhere, even within a sample;
    20 ms in give exactly 20 ms out. Equal rates pass through unchanged.

    Args:
        source_rate: samples per second of what comes in (Hz).
        target_rate: samples per second of what goes out (Hz).
    """

    def __init__(self, source_rate: int, target_rate: int) -> None:
        if source_rate < 1 or target_rate < 1:
            message = f"cannot convert a sample rate of {source_rate} Hz to {target_rate} Hz"
            raise ConfigurationError(message, hint="8000 to 48000 is usual")
        if max(source_rate, target_rate) // gcd(source_rate, target_rate) > _MOST_PHASES:
            message = f"{source_rate} Hz and {target_rate} Hz have too little in common to be converted"
            raise ConfigurationError(message, hint="is this really the sample rate?")
        self.source_rate = source_rate
        self.target_rate = target_rate
        self._filter = _design(source_rate, target_rate) if source_rate != target_rate else None
        self.reset()

    @property
    def delay_ms(self) -> float:
        """How much later a sound appears in the output than it was in the input."""
        return self.delay_frames * 1000 / self.target_rate

    @property
    def delay_frames(self) -> int:
        """The same in output samples: always a whole number of them."""
        return self._filter.half // self._filter.down if self._filter else 0

    def reset(self) -> None:
        """Forget the past, as for a new stream: nothing of it is heard in what comes next."""
        self._half_sample = b""
        self._position = 0  # of the next output, in steps of 1 / up sample behind the newest old sample
        self._history: _Floats = np.zeros(self._filter.taps - 1 if self._filter else 0, np.float32)

    def process(self, pcm: bytes) -> bytes:
        """Convert the next chunk."""
        pcm = pcm_bytes(pcm)
        if self._half_sample or len(pcm) % 2:
            pcm = self._half_sample + pcm
            whole = len(pcm) - len(pcm) % 2
            pcm, self._half_sample = pcm[:whole], pcm[whole:]
        if self._filter is None or not pcm:
            return pcm
        samples, size = np.frombuffer(pcm, "<i2"), self._filter.slice_samples
        slices = (samples[start : start + size] for start in range(0, len(samples), size))
        return b"".join([self._convert(self._filter, part) for part in slices])

    def flush(self) -> bytes:
        """End the stream: the output that the filter's delay still owes. Then it is as after ``reset``."""
        owed = self._filter.half / self._filter.up if self._filter else 0
        self._half_sample = b""
        tail = self.process(bytes(2 * ceil(owed)))
        self.reset()
        return tail

    def _convert(self, design: _Filter, samples: NDArray[np.int16]) -> bytes:
        stretch = np.concatenate((self._history, samples), dtype=np.float32, casting="same_kind")
        count = len(samples)
        if design.matrix is not None and self._position == 0 and count % design.step == 0:
            output = _whole_periods(design.matrix, stretch, count, design.step)
        else:
            output = _any_outputs(design, stretch, count, self._position)
            self._position += len(output) * design.down - count * design.up
        self._history = stretch[count:]
        np.rint(output, out=output)
        return np.clip(output, -32768, 32767, out=output).astype("<i2").tobytes()


def _whole_periods(matrix: _Floats, stretch: _Floats, count: int, step: int) -> _Floats:
    shape = (count // step, matrix.shape[0])  # overlapping views: each row begins a step after the last
    rows: _Floats = np.ndarray(shape, np.float32, stretch, strides=(4 * step, 4))
    outputs: _Floats = rows @ matrix
    return outputs.reshape(-1)


def _any_outputs(design: _Filter, stretch: _Floats, count: int, position: int) -> _Floats:
    newest, phase = np.divmod(np.arange(position, count * design.up, design.down), design.up)
    windows: _Floats = np.ndarray((count, design.taps), np.float32, stretch, strides=(4, 4))
    output: _Floats = np.einsum("ij,ij->i", windows[newest], design.phases[phase])
    return output


def resample(pcm: bytes, source_rate: int, target_rate: int) -> bytes:
    """Convert a whole recording: without the filter's delay, and as long as it was.

    Costs half a millisecond of computing for a second of audio.
    """
    resampler = Resampler(source_rate, target_rate)
    converted = resampler.process(pcm) + resampler.flush()
    start = resampler.delay_frames
    end = start + -(-(len(pcm) // 2) * target_rate // source_rate)
    return converted[2 * start : 2 * end]
