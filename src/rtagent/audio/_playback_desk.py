"""What lies between the queue and the device: a volume and a background, or nothing at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._background import Background, require_volume

if TYPE_CHECKING:
    from ._playback_mixer import Mixer

__all__ = ("Desk",)


class Desk:
    """Has a mixer from the moment on at which something is to be mixed; until then blocks pass untouched.

    ``mix`` is the consumer's, everything else the producer's.

    Args:
        rate: frames per second of what is mixed.
        volume: the factor to begin with.
    """

    def __init__(self, rate: int, volume: float = 1.0) -> None:
        self._rate = rate
        self._volume = require_volume(volume)
        self._mixer: Mixer | None = None
        self.background = Background(self._made_mixer)
        if self._volume != 1.0:
            self._made_mixer()

    @property
    def volume(self) -> float:
        """The factor of all that sounds."""
        return self._volume

    @volume.setter
    def volume(self, volume: float) -> None:
        volume = require_volume(volume)
        if volume != self._volume:
            mixer = self._made_mixer()  # at the volume until now
            self._volume = volume
            mixer.turn_to(volume)

    def mix(self, pcm: bytes, *, voice: bool) -> bytes:
        """One block on its way to the device."""
        return pcm if self._mixer is None else self._mixer.mix(pcm, voice=voice)

    def run_at(self, rate: int) -> None:
        """The device runs at that rate. Only while nobody mixes."""
        if rate != self._rate:
            self._rate = rate
            if self._mixer is not None:
                self._mixer.rate = rate
                self.background.convert_again()

    def _made_mixer(self) -> Mixer:
        if self._mixer is None:
            from ._playback_mixer import Mixer

            self._mixer = Mixer(self._rate, self._volume)
        return self._mixer
