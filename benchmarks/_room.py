"""A room on the virtual sound card: what the speaker plays comes back into the microphone, and somebody talks.

Run as a child process in the card's environment. The loudspeaker's monitor is captured, goes through an impulse
response and is played into the microphone feed by the times of both devices, so that the delay is the one that
was asked for. What happens is told as one JSON line each; it ends when its standard input does.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rtagent.audio import AudioBlock, read_wav
from rtagent.audio._device_backend import DeviceStream
from rtagent.audio._devices import load_portaudio
from rtagent.audio._echo_far import FarEnd

RATE = 24_000
Sound = NDArray[np.float64]

AUDIBLE = 30.0
"""An RMS amplitude (-61 dBFS) above which the assistant is heard."""
SILENT_S = 0.5
"""Longer than the pause between two sentences, shorter than the time to the next answer."""
TALKS_AFTER_S = 2.5
"""So long the assistant has been speaking when somebody talks over it."""
STILL_SOUNDS_S = 0.12
REOPEN_S = 0.5


def response(delay_free_decay_ms: float, db: float) -> Sound:
    """An impulse response of decaying noise, -60 dB after that time, so loud in all."""
    length = int(1.2 * delay_free_decay_ms * RATE / 1000)
    taps: Sound = np.random.default_rng(1).standard_normal(length)
    taps *= np.exp(-6.9 * np.arange(length) / (RATE * delay_free_decay_ms / 1000))
    taps[0] = 2.0  # the direct way
    taps *= 10 ** (db / 20) / np.sqrt(np.sum(taps**2))
    return taps


class Convolution:
    """One block after the other through an impulse response."""

    def __init__(self, taps: Sound) -> None:
        self._taps = taps
        self._past: Sound = np.zeros(len(taps) - 1)

    def __call__(self, block: Sound) -> Sound:
        joined = np.concatenate([self._past, block])
        self._past = joined[-len(self._past) :]
        wet: Sound = np.convolve(joined, self._taps, "valid")
        return wet


class Room:
    """Between the two streams. The input callback only appends; all the rest is done in the output callback."""

    def __init__(self, *, delay_ms: float, decay_ms: float, db: float) -> None:
        self._captured: deque[AudioBlock] = deque(maxlen=1_000)
        self._delay_s = delay_ms / 1000
        self.behind_s = 0.0
        """By how much the streams are too slow for this delay; below 0 they are not."""
        self._wet = FarEnd(RATE, lead_ms=-delay_ms)
        self._convolve = Convolution(response(decay_ms, db))
        self._noise: Sound = np.random.default_rng(7).standard_normal(RATE) * 5
        self._words: Sound = np.zeros(0)
        self._first_word_at: float | None = None
        self._awaits_words = False
        self._age_s = 0.0
        self.sounded_at = 0.0
        """When the assistant was heard last, at the loudspeaker."""
        self.began_at = 0.0
        """When it began after the last silence."""
        self.heard_s = 0.0
        """For how long it was heard in all."""

    def capture(self, data: Any, frames: int, times: Any, _status: Any) -> None:
        self._age_s = times.currentTime - times.inputBufferAdcTime
        at = time.monotonic() - self._age_s
        self._captured.append(AudioBlock(bytes(data), at))

    def render(self, data: Any, frames: int, times: Any, _status: Any) -> None:
        while self._captured:
            self._reflect(self._captured.popleft())
        lead_s = times.outputBufferDacTime - times.currentTime
        self.behind_s = self._age_s + lead_s + 2 * frames / RATE - self._delay_s
        at = time.monotonic() + lead_s
        out = self._noise[:frames].copy()
        self._noise = np.roll(self._noise, -frames)
        echo = self._wet.take(at, frames)
        if echo is not None:
            out += np.frombuffer(echo, "<i2")
        if self._awaits_words:
            self._first_word_at, self._awaits_words = at, False
        said, self._words = self._words[:frames], self._words[frames:]
        out[: len(said)] += said
        data[:] = np.clip(np.rint(out), -32_768, 32_767).astype("<i2").tobytes()

    @property
    def missed_ms(self) -> float:
        """Echo that came too late to be heard, as this machine was busy."""
        return self._wet.dropped_ms

    @property
    def slips(self) -> int:
        """How often the delay jumped, as it never does in a room."""
        return self._wet.slips + self._wet.gaps

    def say(self, words: Sound) -> float:
        """Talk; returns when the first sample is in the air."""
        self._first_word_at = None
        self._words = words
        self._awaits_words = True
        while self._first_word_at is None:
            time.sleep(0.002)
        return self._first_word_at

    def _reflect(self, block: AudioBlock) -> None:
        dry = np.frombuffer(block.pcm, "<i2").astype(np.float64)
        if len(dry) and np.sqrt(np.mean(dry**2)) > AUDIBLE:
            if block.at - self.sounded_at > SILENT_S:
                self.began_at = block.at
            self.sounded_at = block.at + len(dry) / RATE
            self.heard_s += len(dry) / RATE
        wet = np.clip(np.rint(self._convolve(dry)), -32_768, 32_767).astype("<i2").tobytes()
        self._wet.put(AudioBlock(wet, block.at))


class Streams:
    """The room's two streams."""

    def __init__(self, room: Room) -> None:
        self._library = load_portaudio()
        self._ear = self._library.choose("speaker_monitor", "input")
        self._mouth = self._library.choose("micfeed", "output")
        self._room = room
        self._open: list[DeviceStream] = []

    def open(self) -> None:
        library, room = self._library, self._room
        ear = library.open_stream(self._ear, "input", RATE, room.capture, lambda: None)
        mouth = library.open_stream(self._mouth, "output", RATE, room.render, lambda: None)
        self._open = [ear, mouth]
        library.start_stream(ear, self._ear)
        library.start_stream(mouth, self._mouth)

    def close(self) -> None:
        for stream in self._open:
            self._library.close_stream(stream)


def tell(**facts: object) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


def clips(paths: list[Path]) -> list[Sound]:
    return [np.frombuffer(read_wav(path).mono_pcm16(), "<i2").astype(np.float64) for path in paths]


def watch(room: Room, streams: Streams) -> Iterator[None]:
    """Tell when the machine was too slow to be a room: an echo was late, its delay jumped, the streams lag."""
    before, good_at = (0, 0.0), time.monotonic()
    while True:
        yield
        now, at = (room.slips, room.missed_ms), time.monotonic()
        lags = room.behind_s > 0.010
        if now[0] > before[0] or now[1] > before[1] + 1 or lags:
            tell(stumbled_at=at, behind_ms=round(room.behind_s * 1000))
            before = now
        if not lags:
            good_at = at
        elif at - good_at > REOPEN_S:  # a sound server gives a stream that ran dry more delay, for good
            streams.close()
            streams.open()
            good_at = at


def talk(room: Room, words: list[Sound], every_s: float) -> Iterator[None]:
    """Say something over the assistant again and again, and watch for its silence."""
    chance = random.Random(5)  # noqa: S311 - for repeatable times
    due = time.monotonic() + every_s * chance.uniform(0.3, 0.7)
    said_at: float | None = None
    while True:
        yield
        now = time.monotonic()
        sounds = now - room.sounded_at < STILL_SOUNDS_S
        if said_at is not None and now - room.sounded_at > SILENT_S:
            tell(silent_at=max(room.sounded_at, said_at))
            said_at = None
        if words and now > due and sounds and now - room.began_at > TALKS_AFTER_S:
            if said_at is not None:
                tell(silent_at=None)
            clip = chance.randrange(len(words))
            said_at = room.say(words[clip])
            tell(said_at=said_at, clip=clip)
            due = now + every_s * chance.uniform(0.85, 1.15)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clips", type=Path, nargs="*", help="what is said over the assistant: 24 kHz WAV")
    parser.add_argument("--delay-ms", type=float, default=60)
    parser.add_argument("--decay-ms", type=float, default=120)
    parser.add_argument("--db", type=float, default=-12)
    parser.add_argument("--every-s", type=float, default=20)
    options = parser.parse_args()
    with suppress(PermissionError):
        os.nice(-10)  # a real room needs no processor
    room = Room(delay_ms=options.delay_ms, decay_ms=options.decay_ms, db=options.db)
    streams = Streams(room)
    ended = threading.Event()

    def wait_for_end() -> None:
        sys.stdin.read()
        ended.set()

    threading.Thread(target=wait_for_end, daemon=True).start()
    streams.open()
    tell(ready=True)
    talker, watcher = talk(room, clips(options.clips), options.every_s), watch(room, streams)
    while not ended.wait(0.02):
        next(talker)
        next(watcher)
    streams.close()
    tell(heard_s=room.heard_s, missed_ms=room.missed_ms, slips=room.slips)


if __name__ == "__main__":
    main()
