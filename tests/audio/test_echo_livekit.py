from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError, version
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from rtagent.audio import LiveKitCanceller
from rtagent.audio._echo_livekit import livekit_works
from rtagent.errors import ConfigurationError
from tests.audio.echo_room import (
    FRAME,
    FRAME_BYTES,
    RATE,
    Sound,
    bursts,
    echo_of,
    frames_of,
    noise,
    pcm,
    rms,
    samples_of,
)

try:
    INSTALLED = version("livekit")
except PackageNotFoundError:
    INSTALLED = ""

real = pytest.mark.skipif(not INSTALLED, reason="needs the package livekit (the extra 'echo')")


class Frame:
    def __init__(self, data: bytearray, rate: int, channels: int, samples: int) -> None:
        assert isinstance(data, bytearray), "it is changed in place"
        assert (len(data), channels, rate) == (2 * samples, 1, 100 * samples), "exactly 10 ms"
        self.data = memoryview(data).cast("h")


class Processing:
    """Takes the far end of the same frame out, as if there were no delay."""

    made: list[dict[str, bool]] = []  # noqa: RUF012 - emptied by the fixture

    def __init__(self, **features: bool) -> None:
        self.made.append(features)
        self.far = np.zeros(0)

    def set_stream_delay_ms(self, delay_ms: int) -> None:
        assert delay_ms == 0

    def process_reverse_stream(self, frame: Frame) -> None:
        self.far = np.array(frame.data)

    def process_stream(self, frame: Frame) -> None:
        np.frombuffer(frame.data, "<i2")[:] -= (self.far // 2).astype(np.int16)


@pytest.fixture
def rtc() -> Any:
    Processing.made = []
    return SimpleNamespace(AudioFrame=Frame, AudioProcessingModule=Processing)


def level(value: float) -> bytes:
    return pcm(np.full(FRAME, value))


def test_reverse_goes_first_and_the_frame_comes_back_changed(rtc: Any) -> None:
    canceller = LiveKitCanceller(RATE, rtc=rtc)
    assert Processing.made == [{"echo_cancellation": True, "noise_suppression": False}]
    canceller.reverse(level(1_000))
    assert canceller.process(level(600)) == level(100)
    assert canceller.ducked_ms == 0


def test_what_it_does_is_measured(rtc: Any) -> None:
    canceller = LiveKitCanceller(RATE, rtc=rtc)
    assert canceller.removed_db is None
    canceller.reverse(bytes(FRAME_BYTES))
    canceller.process(bytes(FRAME_BYTES))
    assert canceller.removed_db is None, "nothing was heard yet"
    for _ in range(200):
        canceller.reverse(level(8_000))
        canceller.process(level(4_400))
    assert canceller.removed_db == pytest.approx(20.8, abs=0.1)
    assert canceller.return_loss_db == pytest.approx(5.2, abs=0.1)
    for _ in range(50):
        canceller.reverse(level(8_000))
        canceller.process(level(20_000))
    for _ in range(29):
        canceller.reverse(level(8_000))
        canceller.process(level(4_600))
    assert canceller.removed_db == pytest.approx(20.8, abs=0.1), "somebody talked; that is no echo"
    for _ in range(50):
        canceller.reverse(level(8_000))
        canceller.process(level(4_100))
    assert canceller.removed_db == pytest.approx(26, abs=5), "the echo alone again"
    assert canceller.removed_db != pytest.approx(20.8, abs=0.1)


def test_a_reset_begins_afresh(rtc: Any) -> None:
    canceller = LiveKitCanceller(RATE, noise_suppression=True, rtc=rtc)
    canceller.reset()
    assert Processing.made == [{"echo_cancellation": True, "noise_suppression": True}] * 2


def test_a_rate_without_whole_frames_is_refused(rtc: Any) -> None:
    with pytest.raises(ConfigurationError, match="10 ms at 22050 Hz"):
        LiveKitCanceller(22_050, rtc=rtc)


def test_a_missing_package_is_told_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "livekit.rtc", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'rtagent\[echo\]'"):
        LiveKitCanceller(RATE)
    assert not livekit_works()


def test_a_package_whose_library_does_not_load_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def find_spec(self, name: str, *rest: object) -> None:
            if name.startswith("livekit"):
                message = "liblivekit_ffi.so: no such file"
                raise OSError(message)

    for name in [name for name in sys.modules if name.split(".")[0] == "livekit"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Broken(), *sys.meta_path])
    with pytest.raises(ConfigurationError, match="does not work here: liblivekit"):
        LiveKitCanceller(RATE)
    assert not livekit_works()


def test_a_package_that_loads_works(monkeypatch: pytest.MonkeyPatch, rtc: Any) -> None:
    module = ModuleType("livekit.rtc")
    module.__dict__.update(vars(rtc))
    monkeypatch.setitem(sys.modules, "livekit", ModuleType("livekit"))
    monkeypatch.setitem(sys.modules, "livekit.rtc", module)
    assert livekit_works()
    LiveKitCanceller(RATE)


# -- the package itself


def cleaned(far: Sound, near: Sound, canceller: LiveKitCanceller) -> Sound:
    out = b""
    for played, heard in zip(frames_of(far), frames_of(near), strict=True):
        canceller.reverse(played)
        out += canceller.process(heard)
    return samples_of(out)


def db(louder: Sound, quieter: Sound) -> float:
    return float(20 * np.log10(rms(louder) / rms(quieter)))


@real
def test_the_echo_of_a_room_is_taken_out_at_24_khz() -> None:
    far = bursts(10, seed=1)
    near = echo_of(far) + noise(len(far), 5)
    canceller = LiveKitCanceller(RATE)
    out = cleaned(far, near, canceller)
    assert db(near[RATE : 3 * RATE], out[RATE : 3 * RATE]) > 25
    assert db(near[5 * RATE :], out[5 * RATE :]) > 40
    assert canceller.removed_db is not None
    assert canceller.removed_db > 35
    assert canceller.return_loss_db == pytest.approx(6, abs=5)


@real
def test_who_talks_meanwhile_is_still_heard() -> None:
    far = bursts(14, seed=1)
    talk = bursts(14, seed=2, pauses=0)
    talk[: 10 * RATE] = 0
    out = cleaned(far, echo_of(far) + talk + noise(len(far), 5), LiveKitCanceller(RATE))
    assert db(talk[10 * RATE :], out[10 * RATE :]) < 12


@real
@pytest.mark.parametrize("rate", [8_000, 16_000, 24_000, 44_100, 48_000])
def test_it_works_at_every_usual_rate(rate: int) -> None:
    far = bursts(6, seed=1, rate=rate)
    near = echo_of(far, rate=rate)
    canceller = LiveKitCanceller(rate)
    size = rate // 100
    for played, heard in zip(frames_of(far, size), frames_of(near, size), strict=True):
        canceller.reverse(played)
        assert len(canceller.process(heard)) == 2 * size
    assert canceller.removed_db is not None
    assert canceller.removed_db > 25
