"""Two ways to a loudspeaker, with the same few calls: rtagent's ``Speaker``, and rtmixer's callback in C."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any, Protocol

import numpy as np

from benchmarks._marker import RATE
from rtagent.audio import PlaybackItem, Speaker

__all__ = ("MOUTHS", "Mouth")


class Mouth(Protocol):
    """What is measured."""

    waits_ms: list[float]
    """How long each callback waited for the interpreter; empty where none is needed."""

    def play(self, name: str, pcm: bytes) -> None: ...

    def finish(self) -> None: ...

    def stop(self) -> float | None:
        """Fall silent; the milliseconds heard of what was played last, if they can be known."""
        ...

    def counters(self) -> dict[str, float]: ...


class SpeakerMouth:
    """``rtagent.audio.Speaker``: the callback is Python."""

    def __init__(self, speaker: Speaker, waits_ms: list[float]) -> None:
        self._speaker = speaker
        self._name = ""
        self.waits_ms = waits_ms

    def play(self, name: str, pcm: bytes) -> None:
        self._name = name
        self._speaker.play(PlaybackItem(name), pcm)

    def finish(self) -> None:
        self._speaker.finish()

    def stop(self) -> float | None:
        return self._speaker.stop().of(self._name)

    def counters(self) -> dict[str, float]:
        counted = self._speaker.statistics()
        return {
            "underruns": counted.playback.underruns,
            "flags": counted.flags,
            "losses": counted.losses,
            "away_ms": counted.away_ms,
            "given_up_ms": counted.lost_ms,
            "queued_ms": counted.playback.queued_ms,
        }


class _Watched:
    """The module sounddevice, with a clock read where each output callback begins."""

    def __init__(self, stamps: list[float]) -> None:
        import sounddevice

        self._sounddevice = sounddevice
        self._stamps = stamps

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sounddevice, name)

    def RawOutputStream(self, *, callback: Callable[..., None], **settings: Any) -> Any:  # noqa: N802
        stamps = self._stamps

        def watched(data: Any, frames: int, times: Any, status: Any) -> None:
            stamps.append(time.monotonic() - times.currentTime)
            callback(data, frames, times, status)

        return self._sounddevice.RawOutputStream(callback=watched, **settings)


@asynccontextmanager
async def speaker_mouth() -> AsyncGenerator[Mouth]:
    stamps: list[float] = []
    waits_ms: list[float] = []
    async with Speaker(backend=_Watched(stamps)) as speaker:
        yield SpeakerMouth(speaker, waits_ms)
    # The library reads its clock before it asks for the interpreter, we read ours after we have it.
    waits_ms += [(stamp - min(stamps)) * 1000 for stamp in stamps]


class MixerMouth:
    """rtmixer: the callback is C and reads a ring buffer of samples."""

    def __init__(self, module: Any, mixer: Any) -> None:
        self._module = module
        self._mixer = mixer
        self._action: Any = None
        self._begin()
        self.waits_ms: list[float] = []

    def play(self, name: str, pcm: bytes) -> None:
        samples = np.frombuffer(pcm, "<i2").astype("<f4") / 32_768
        if self._action is None:
            self._begin()
        self._ring.write(samples)
        if self._action is None:
            self._action = self._mixer.play_ringbuffer(self._ring)

    def finish(self) -> None:
        """An action ends when its ring is empty; the next voice is another one."""
        self._action = None

    def stop(self) -> float | None:
        action, self._action = self._action, None
        heard_s = self._mixer.time - action.actual_time if action.actual_time > 0 else 0.0
        self._mixer.cancel(action)
        return heard_s * 1000

    def counters(self) -> dict[str, float]:
        action = self._mixer.fetch_and_reset_stats()
        self._mixer.wait(action)
        return {"underruns": 0, "flags": int(action.stats.output_underflows)}

    def _begin(self) -> None:
        # Samples that were written cannot be taken back while the callback reads, so each voice has a ring.
        self._ring = self._module.RingBuffer(4, 1 << 21)
        self._action = None


@asynccontextmanager
async def mixer_mouth() -> AsyncGenerator[Mouth]:
    rtmixer: Any = import_module("rtmixer")

    with rtmixer.Mixer(samplerate=RATE, channels=1, blocksize=0, latency="high") as mixer:
        yield MixerMouth(rtmixer, mixer)


MOUTHS = {"Speaker": speaker_mouth, "rtmixer": mixer_mouth}
