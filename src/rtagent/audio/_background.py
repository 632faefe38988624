"""Sounds beside the voice: music on hold, the noise of an office, a signal that something is under way."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..errors import ConfigurationError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ._playback_mixer import Mixer, Track
    from ._samples import AudioClip

    _Converted = tuple[AudioClip, NDArray[np.int16]]

__all__ = ("LOUDEST", "Background", "require_volume")

LOUDEST = 4.0
_MOST_NAMES = 8
_MOST_LEAVING = 8
_LONGEST_S = 600
_PAD_S = 0.1


def require_volume(volume: float, most: float = LOUDEST) -> float:
    """The same factor as a float, if it is one.

    Raises:
        ConfigurationError: it is outside of the range, or not a number.
    """
    if not 0.0 <= volume <= most:  # so it is for NaN
        message = f"a volume of {volume:g} is out of range"
        raise ConfigurationError(message, hint=f"a factor from 0.0 to {most}; 1.0 leaves sound as it is")
    return float(volume)


class Background:
    """The background of one sink, as ``sink.background``. Belongs to the event loop, as the sink does.

    Nothing of it counts as heard; ``stop``, ``pause`` and ``wait_drained`` of the sink have nothing to do with
    it. At most 8 sounds have a name at a time, and a sound is 10 minutes long at most.
    """

    def __init__(self, mixer: Callable[[], Mixer]) -> None:
        self._mixer = mixer
        self._tracks: tuple[Track, ...] = ()
        self._converted: OrderedDict[tuple[int, int, bool], _Converted] = OrderedDict()

    def play(
        self, name: str, clip: AudioClip, *, volume: float = 0.3, loop: bool = True, fade_ms: float = 200
    ) -> None:
        """Begin a sound; one that has that name already fades out meanwhile.

        The clip is mixed to mono and converted to the device's rate here, at up to a millisecond of computing
        for a second of sound; the last eight that were played need that no more.

        Args:
            name: what it is called in ``stop``.
            clip: the sound.
            volume: its own factor, 0.0 to 4.0.
            loop: begin again at its end, without a seam; else it ends there.
            fade_ms: the ramp that it begins with.

        Raises:
            ConfigurationError: a ninth name, a clip that is empty or too long, or numbers that make no sense.
        """
        volume = require_volume(volume)
        _require_fade(fade_ms)
        if not 0 < clip.duration_s <= _LONGEST_S:
            message = f"a background of {clip.duration_s:g} s cannot be played"
            raise ConfigurationError(message, hint=f"it may be up to {_LONGEST_S} s long, and has to sound")
        names = self.names
        if name not in names and len(names) >= _MOST_NAMES:
            message = f"{_MOST_NAMES} sounds are in the background already"
            raise ConfigurationError(message, hint=f"stop one of {', '.join(names)}")
        from ._playback_mixer import Track

        mixer = self._mixer()
        track = Track(name, clip, self._convert(clip, mixer.rate, loop=loop), loop=loop)
        track.gain.goal = (volume, _frames(mixer, fade_ms))
        self.stop(name, fade_ms=fade_ms)
        self._keep(*self._tracks, track)

    def stop(self, name: str, *, fade_ms: float = 200) -> None:
        """Fade a sound out; nothing happens if there is none of that name."""
        _require_fade(fade_ms)
        for track in self._sounding():
            if track.name == name:
                track.gain.goal = (0.0, _frames(self._mixer(), fade_ms))
                track.leaving = True
        self._keep(*self._tracks)

    def clear(self) -> None:
        """Fade out all of them."""
        for name in self.names:
            self.stop(name)

    @property
    def names(self) -> tuple[str, ...]:
        """What sounds and does not fade out, oldest first."""
        return tuple(track.name for track in self._sounding())

    @property
    def ducked(self) -> float:
        """The factor of all of them while a voice sounds, 0.0 to 1.0; it moves there within 100 ms."""
        return self._mixer().ducked

    @ducked.setter
    def ducked(self, factor: float) -> None:
        self._mixer().ducked = require_volume(factor, 1.0)

    def convert_again(self) -> None:
        """The mixer runs at another rate now, and nobody mixes yet."""
        mixer = self._mixer()
        for track in self._sounding():
            track.pcm = self._convert(track.clip, mixer.rate, loop=track.loop)
        self._keep(*self._sounding())

    def _convert(self, clip: AudioClip, rate: int, *, loop: bool) -> NDArray[np.int16]:
        key = (id(clip), rate, loop)
        known = self._converted.pop(key, None)
        if known is None:
            known = (clip, _converted(clip, rate, loop=loop))
        self._converted[key] = known  # holds the clip as well, so that its id stays its own
        if len(self._converted) > _MOST_NAMES:
            self._converted.popitem(last=False)
        return known[1]

    def _sounding(self) -> tuple[Track, ...]:
        return tuple(track for track in self._tracks if not (track.done or track.leaving))

    def _keep(self, *tracks: Track) -> None:
        """Hand these to the mixer, without those that are done; of those that fade out, the newest eight."""
        before, going = self._tracks, [track for track in tracks if not track.done]
        excess = sum(track.leaving for track in going) - _MOST_LEAVING
        for track in [track for track in going if track.leaving][: max(0, excess)]:
            going.remove(track)
        self._tracks = tuple(going)
        if before or going:
            self._mixer().tracks = self._tracks


def _require_fade(fade_ms: float) -> None:
    if not 0 <= fade_ms < math.inf:
        message = f"a fade of {fade_ms:g} ms makes no sense"
        raise ConfigurationError(message, hint="200 is usual")


def _frames(mixer: Mixer, ms: float) -> int:
    return round(mixer.rate * ms / 1000)


def _converted(clip: AudioClip, rate: int, *, loop: bool) -> NDArray[np.int16]:
    """Mono samples at that rate; of a loop, the end fits its beginning."""
    import numpy as np

    from ._resample import resample

    pcm = clip.mono_pcm16()
    if clip.rate == rate:
        return np.frombuffer(pcm, "<i2")
    if not loop:
        return np.frombuffer(resample(pcm, clip.rate, rate), "<i2")
    samples: NDArray[np.int16] = np.frombuffer(pcm, "<i2")
    unit = clip.rate // math.gcd(clip.rate, rate)  # so many frames are a whole number of frames again
    pad = math.ceil(_PAD_S * clip.rate / unit) * unit
    around = np.pad(samples, pad, mode="wrap").astype("<i2").tobytes()
    start = pad * rate // clip.rate
    count = max(1, round(len(samples) * rate / clip.rate))
    return np.frombuffer(resample(around, clip.rate, rate), "<i2")[start : start + count]
