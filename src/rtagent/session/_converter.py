"""Sound between the device's format and the wire's: one direction of one session."""

from __future__ import annotations

from collections.abc import Callable

from ..audio import AudioFormat, Resampler, g711

__all__ = ("Converter", "silence_of")


class Converter:
    """G.711 decoded or encoded, rates changed, state kept between blocks."""

    def __init__(self, source: AudioFormat, target: AudioFormat) -> None:
        self._decode = {"pcmu": g711.decode_ulaw, "pcma": g711.decode_alaw}.get(source.encoding)
        self._encode = {"pcmu": g711.encode_ulaw, "pcma": g711.encode_alaw}.get(target.encoding)
        self._resampler = Resampler(source.rate, target.rate) if source.rate != target.rate else None

    @classmethod
    def between(cls, source: AudioFormat, target: AudioFormat) -> Converter | None:
        """None when both are the same and nothing is to be done."""
        return None if source == target else cls(source, target)

    def convert(self, data: bytes) -> bytes:
        """The same sound in the target's format; less at first where the rate changes."""
        pcm = self._decode(data) if self._decode is not None else data
        pcm = self._resampler.process(pcm) if self._resampler is not None else pcm
        return self._encode(pcm) if self._encode is not None else pcm

    def reset(self) -> None:
        """Forget the tail: it must not leak into the next answer."""
        if self._resampler is not None:
            self._resampler.reset()


def silence_of(own: AudioFormat) -> Callable[[int], bytes]:
    """Makes so many bytes of silence in a format."""
    value = {"pcmu": g711.ULAW_SILENCE, "pcma": g711.ALAW_SILENCE}.get(own.encoding, b"\0")
    return lambda size: value * size
