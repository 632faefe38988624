from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rtagent.audio import Resampler
from rtagent.audio._resample import resample
from rtagent.errors import ConfigurationError

PAIRS = [
    (48_000, 24_000),
    (24_000, 48_000),
    (44_100, 24_000),
    (22_050, 24_000),
    (8_000, 24_000),
    (24_000, 8_000),
    (16_000, 24_000),
    (24_000, 16_000),
]
DELAY_MS = {(48_000, 24_000): 1.0, (24_000, 8_000): 3.0, (8_000, 24_000): 3.0, (24_000, 16_000): 1.5}


def tone(frequency: float, rate: int, seconds: float = 1.0, amplitude: float = 16_000) -> NDArray[np.float64]:
    times = np.arange(round(rate * seconds), dtype=np.float64) / rate
    return np.asarray(amplitude * np.sin(2 * np.pi * frequency * times), np.float64)


def pcm(samples: NDArray[np.float64]) -> bytes:
    return np.rint(samples).astype("<i2").tobytes()


def values(data: bytes) -> NDArray[np.float64]:
    return np.frombuffer(data, "<i2").astype(np.float64)


def middle(samples: NDArray[np.float64]) -> NDArray[np.float64]:
    return samples[len(samples) // 4 : -len(samples) // 4]


def decibels(power: float, of: float) -> float:
    return float(10 * np.log10(power / of))


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_a_tone_comes_out_as_the_same_tone(source: int, target: int) -> None:
    converted = middle(values(resample(pcm(tone(1000, source)), source, target)))
    expected = middle(tone(1000, target))
    assert len(converted) == len(expected)
    assert decibels(float(np.mean(expected**2)), float(np.mean((converted - expected) ** 2))) > 80


@pytest.mark.parametrize(("source", "target"), [pair for pair in PAIRS if pair[0] > pair[1]])
def test_what_the_target_cannot_carry_is_removed(source: int, target: int) -> None:
    too_high = tone(min(1.25 * target / 2, 0.49 * source), source)
    residue = middle(values(resample(pcm(too_high), source, target)))
    assert decibels(float(np.mean(residue**2)) + 1e-9, 16_000**2 / 2) < -80  # 16-bit rounding is at -95


@pytest.mark.parametrize(("source", "target"), [pair for pair in PAIRS if pair[0] < pair[1]])
def test_no_images_appear_above_the_old_bandwidth(source: int, target: int) -> None:
    converted = middle(values(resample(pcm(tone(0.4 * source / 2, source)), source, target)))
    spectrum = np.abs(np.fft.rfft(converted * np.blackman(len(converted)))) ** 2
    frequencies = np.fft.rfftfreq(len(converted), 1 / target)
    images = spectrum[frequencies > 1.05 * source / 2]
    assert decibels(float(images.max()), float(spectrum.max())) < -80


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_twenty_milliseconds_in_are_twenty_out_every_time(source: int, target: int) -> None:
    resampler = Resampler(source, target)
    chunk = pcm(tone(440, source, 0.02))
    assert [len(resampler.process(chunk)) for _ in range(10)] == [2 * target // 50] * 10


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_the_delay_is_what_it_says(source: int, target: int) -> None:
    resampler = Resampler(source, target)
    click = np.zeros(source // 10)
    click[source // 50] = 20_000
    converted = values(resampler.process(pcm(click)))
    assert np.argmax(converted) == pytest.approx((0.02 + resampler.delay_ms / 1000) * target, abs=1)
    assert 1 <= resampler.delay_ms <= 3
    assert resampler.delay_ms == DELAY_MS.get((source, target), resampler.delay_ms)
    assert resampler.delay_ms * target / 1000 == pytest.approx(resampler.delay_frames)


@settings(max_examples=40, deadline=None)
@given(
    pair=st.sampled_from([*PAIRS, (22_255, 24_000)]),
    cuts=st.lists(st.integers(0, 4000), max_size=12),
    seed=st.integers(0, 1000),
)
def test_where_the_stream_is_cut_makes_no_difference(
    pair: tuple[int, int], cuts: list[int], seed: int
) -> None:
    noise = pcm(np.random.default_rng(seed).uniform(-20_000, 20_000, 2000))
    whole = Resampler(*pair)
    at_once = values(whole.process(noise) + whole.flush())
    pieces = Resampler(*pair)
    edges = [0, *sorted(cuts), len(noise)]  # odd ones cut a sample in two
    parts = [pieces.process(noise[a:b]) for a, b in pairwise(edges)]
    in_pieces = values(b"".join([*parts, pieces.flush()]))
    assert len(in_pieces) == len(at_once)
    assert np.abs(in_pieces - at_once).max() <= 1  # float sums of another order may round differently


def test_a_long_chunk_is_the_same_as_its_parts() -> None:
    sound = pcm(np.random.default_rng(1).uniform(-20_000, 20_000, 60_000))
    parts = Resampler(44_100, 24_000)
    size = 2 * 882
    in_parts = b"".join(parts.process(sound[i : i + size]) for i in range(0, len(sound), size))
    assert np.abs(values(Resampler(44_100, 24_000).process(sound)) - values(in_parts)).max() <= 1


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_flush_brings_the_end_and_forgets_everything(source: int, target: int) -> None:
    resampler = Resampler(source, target)
    loud = pcm(tone(1000, source, 0.1))
    first = resampler.process(loud + b"\x01") + resampler.flush()
    assert len(first) // 2 >= target // 10 + resampler.delay_frames
    assert resampler.process(loud) + resampler.flush() == first
    assert not any(resampler.process(bytes(2 * source // 50)))


def test_reset_leaves_no_tail() -> None:
    resampler = Resampler(48_000, 24_000)
    resampler.process(pcm(tone(300, 48_000, 0.0213)) + b"\x7f")
    resampler.reset()
    assert not any(resampler.process(bytes(1920)))


def test_overdriven_peaks_are_clipped_and_not_wrapped() -> None:
    square = np.where(tone(200, 48_000) > 0, 32_767.0, -32_768.0)
    converted = values(resample(pcm(square), 48_000, 24_000))
    assert converted.max() == 32_767
    assert converted.min() == -32_768
    assert np.mean(np.sign(converted) == np.sign(square[::2])) > 0.98


def test_equal_rates_pass_through_whole_samples() -> None:
    resampler = Resampler(24_000, 24_000)
    assert resampler.process(b"abc") == b"ab"
    assert resampler.process(b"d") == b"cd"
    assert resampler.process(b"e") + resampler.flush() == b""
    assert resampler.delay_ms == 0
    assert resample(b"abcd", 8_000, 8_000) == b"abcd"


@pytest.mark.parametrize("rates", [(0, 24_000), (24_000, -1)])
def test_impossible_rates_are_refused(rates: tuple[int, int]) -> None:
    with pytest.raises(ConfigurationError, match="cannot convert a sample rate"):
        Resampler(*rates)


def test_rates_that_have_too_little_in_common() -> None:
    with pytest.raises(ConfigurationError, match="767999 Hz and 24000 Hz have too little in common"):
        Resampler(767_999, 24_000)
