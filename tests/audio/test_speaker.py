from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import numpy as np
import pytest
from numpy.typing import NDArray

from rtagent.audio import AudioBlock, AudioFormat, AudioSink, PlaybackItem, Speaker, write_wav
from rtagent.audio._device_line import Patience
from rtagent.errors import AudioUnavailable, ConfigurationError, LocalProtocolError
from rtagent.testing._clock import FakeClock
from rtagent.testing._devices import FakeDevice, FakeSoundBackend
from rtagent.testing._sound_card import VirtualSoundCard

A = PlaybackItem("a")
B = PlaybackItem("b")
PATIENT = Patience(silence_s=60, first_callback_s=60, attempts=2, first_pause_s=0.001, longest_pause_s=0.001)


def tone(frames: int, value: int = 1_000) -> bytes:
    return struct.pack(f"<{frames}h", *[value] * frames)


def largest_step(samples: NDArray[np.int16]) -> int:
    return int(np.abs(np.diff(samples.astype(np.int32))).max())


@pytest.fixture
def speaker(library: FakeSoundBackend, clock: FakeClock) -> Speaker:
    """One frame is one millisecond; what is handed over is heard 40 ms later."""
    return Speaker(rate=1_000, backend=library, clock=clock, patience=PATIENT)


async def run(library: FakeSoundBackend, clock: FakeClock, blocks: int, frames: int = 10) -> bytes:
    """The device takes so many blocks, each when it is due."""
    played = b""
    for _ in range(blocks):
        played += library.output.run(frames)
        await clock.advance(frames / 1_000)
    return played


async def settled(condition: Callable[[], bool]) -> None:
    """Let the watch and its worker thread run until they are done."""
    while not condition():
        await anyio.to_thread.run_sync(lambda: None)


def test_it_is_a_sink_of_24_khz_unless_told_otherwise() -> None:
    assert isinstance(Speaker(), AudioSink)
    assert Speaker().format == AudioFormat.pcm16(24_000)
    assert Speaker(rate=16_000).format == AudioFormat.pcm16(16_000)
    assert Speaker(format=AudioFormat.pcm16(8_000), rate=8_000).format.rate == 8_000


def test_formats_that_cannot_be_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="contradict"):
        Speaker(rate=16_000, format=AudioFormat.pcm16(8_000))
    with pytest.raises(ConfigurationError, match="mono pcm16"):
        Speaker(format=AudioFormat.pcmu())


async def test_outside_its_block_it_neither_plays_nor_waits(speaker: Speaker) -> None:
    with pytest.raises(LocalProtocolError, match="async with"):
        speaker.play(A, tone(10))
    with pytest.raises(LocalProtocolError, match="async with"):
        await speaker.wait_drained()
    assert speaker.heard().ms == {}


async def test_the_device_gets_silence_until_there_is_something_to_say(
    speaker: Speaker, library: FakeSoundBackend, clock: FakeClock
) -> None:
    library.first_block_frames = 7
    async with speaker:
        assert library.output.played == bytes(14), "the first block comes before anything can be queued"
        speaker.play(A, tone(60))
        speaker.finish()
        assert await run(library, clock, 7) == tone(60) + bytes(20)
    assert library.output.closed
    assert speaker.device is not None
    assert speaker.device.name == "card"


async def test_heard_follows_the_converter_not_the_queue(
    speaker: Speaker, library: FakeSoundBackend, clock: FakeClock
) -> None:
    async with speaker:
        speaker.play(A, tone(30))
        speaker.play(B, tone(100))
        await run(library, clock, 4)  # 40 frames are with the device, the first is heard now
        assert speaker.heard().ms == {}
        await clock.advance(0.0051)
        assert speaker.heard().ms == {"a": 5.0}
        await run(library, clock, 3)
        assert speaker.heard().ms == {"a": 30.0, "b": 5.0}
        assert speaker.received_ms("b") == 100.0
        assert not speaker.statistics().estimated


async def test_stop_falls_silent_within_one_block_and_says_when(
    speaker: Speaker, library: FakeSoundBackend, clock: FakeClock
) -> None:
    async with speaker:
        speaker.play(A, tone(500))
        await run(library, clock, 6)
        heard = speaker.stop()
        assert heard.of("a") == 60.0, "20 ms were heard, and 40 ms are with the device"
        assert heard.silent_at == pytest.approx(clock.now() + 0.040 + 0.005, abs=1e-3)
        after = await run(library, clock, 5)
        assert after[:10] == struct.pack("<5h", 800, 600, 400, 200, 0)
        assert not any(after[10:])
        await run(library, clock, 4)
        assert speaker.heard().of("a") == 65.0, "and the ramp"
        assert library.output.started, "the stream goes on"
        assert speaker.statistics().playback.dropped_ms == 435.0


async def test_stop_in_silence_is_silent_now_or_was_before(
    speaker: Speaker, library: FakeSoundBackend, clock: FakeClock
) -> None:
    async with speaker:
        assert speaker.stop().silent_at == clock.now(), "no block has been asked for yet"
        speaker.play(A, tone(20))
        speaker.finish()
        await run(library, clock, 20)
        assert speaker.stop().silent_at == pytest.approx(100.060, abs=1e-3)


async def test_a_pause_keeps_what_is_queued_and_goes_on_to_the_sample(
    speaker: Speaker, library: FakeSoundBackend, clock: FakeClock
) -> None:
    async with speaker:
        speaker.play(A, tone(100))
        speaker.finish()
        await run(library, clock, 6)
        heard = speaker.pause()
        assert speaker.paused
        assert heard.silent_at == pytest.approx(clock.now() + 0.040 + 0.005, abs=1e-3)
        paused = await run(library, clock, 50)
        assert paused[:10] == struct.pack("<5h", 800, 600, 400, 200, 0)
        assert not any(paused[10:])
        assert speaker.heard().of("a") == 65.0
        assert speaker.pause().silent_at == pytest.approx(heard.silent_at, abs=1e-3)
        speaker.resume()
        assert not speaker.paused
        assert await run(library, clock, 10) == (
            struct.pack("<5h", 200, 400, 600, 800, 1_000) + tone(30) + bytes(2 * 65)
        )
        assert speaker.heard().of("a") == 100.0
        assert speaker.statistics().playback.underruns == 0


async def test_wait_drained_waits_for_what_is_paused_and_not_for_what_is_stopped(
    speaker: Speaker, library: FakeSoundBackend, clock: FakeClock
) -> None:
    drained = anyio.Event()

    async def wait() -> None:
        await speaker.wait_drained()
        drained.set()

    async with speaker, anyio.create_task_group() as tasks:
        speaker.play(A, tone(5_000))
        await run(library, clock, 6)
        speaker.pause()
        tasks.start_soon(wait)
        await run(library, clock, 600)
        assert not drained.is_set()
        speaker.stop()
        await run(library, clock, 12)
        assert drained.is_set()


async def test_a_pause_outlasts_the_loss_of_the_device(
    speaker: Speaker, library: FakeSoundBackend, clock: FakeClock
) -> None:
    async with speaker:
        speaker.play(A, tone(200))
        speaker.finish()
        await run(library, clock, 9)
        speaker.pause()
        await run(library, clock, 1)
        library.output.lose()
        await settled(lambda: len(library.streams) == 2 and library.output.started)
        assert not any(await run(library, clock, 10))
        assert speaker.paused
        lost_ms = speaker.statistics().lost_ms
        speaker.resume()
        assert (await run(library, clock, 20))[10:] == tone(100) + bytes(2 * 95)
        assert speaker.heard().of("a") + lost_ms == 200.0


async def test_wait_drained_returns_when_the_last_sample_is_heard(
    speaker: Speaker, library: FakeSoundBackend, clock: FakeClock
) -> None:
    drained_at: list[float] = []

    async def wait() -> None:
        await speaker.wait_drained()
        drained_at.append(clock.now())

    async with speaker, anyio.create_task_group() as tasks:
        await wait()
        speaker.play(A, tone(95))
        tasks.start_soon(wait)
        await run(library, clock, 20)
    assert drained_at == [100.0, pytest.approx(100.135, abs=0.021)]


async def test_wait_drained_returns_when_the_speaker_is_closed(speaker: Speaker, clock: FakeClock) -> None:
    async with anyio.create_task_group() as tasks:
        async with speaker:
            speaker.play(A, tone(95))
            tasks.start_soon(speaker.wait_drained)
            await clock.advance(0.1)
        await clock.advance(0.2)


async def test_the_tap_gets_what_the_device_takes_with_the_time_of_its_sound(
    speaker: Speaker, library: FakeSoundBackend, clock: FakeClock
) -> None:
    blocks: list[AudioBlock] = []
    async with speaker:
        await run(library, clock, 2)
        speaker.tap = blocks.append
        speaker.play(A, tone(40))
        speaker.finish()
        await run(library, clock, 6)
        speaker.tap = None
        await run(library, clock, 4)
    assert b"".join(block.pcm for block in blocks) == tone(40) + bytes(2 * 20)
    assert [block.at for block in blocks] == pytest.approx([100.06 + 0.01 * k for k in range(6)], abs=1e-3)


async def test_there_may_be_more_taps(speaker: Speaker, library: FakeSoundBackend, clock: FakeClock) -> None:
    first: list[AudioBlock] = []
    second: list[AudioBlock] = []
    one, other = first.append, second.append
    async with speaker:
        speaker.add_tap(one)
        await run(library, clock, 2)
        speaker.tap = other
        await run(library, clock, 2)
        speaker.remove_tap(one)
        speaker.remove_tap(one)
        await run(library, clock, 2)
    assert [block.at for block in first] == pytest.approx([100.04, 100.05, 100.06, 100.07], abs=1e-3)
    assert [block.at for block in second] == pytest.approx([100.06, 100.07, 100.08, 100.09], abs=1e-3)


async def test_taps_can_be_asked_for_at_once(speaker: Speaker, library: FakeSoundBackend) -> None:
    blocks: list[AudioBlock] = []
    async with speaker:
        speaker.add_tap(blocks.append)
        library.output.run(5)
        speaker.deliver_taps()
        assert [len(block.pcm) for block in blocks] == [10]
        speaker.deliver_taps()
    assert len(blocks) == 1


async def test_a_tap_that_goes_away_misses_what_was_on_its_way(
    speaker: Speaker, library: FakeSoundBackend, clock: FakeClock
) -> None:
    blocks: list[AudioBlock] = []
    async with speaker:
        speaker.tap = blocks.append
        library.output.run(30)
        speaker.tap = None
        await clock.advance(1.0)
    assert blocks == []


async def test_what_the_tap_does_not_take_in_time_is_dropped_and_counted(
    speaker: Speaker, library: FakeSoundBackend
) -> None:
    async with speaker:
        speaker.tap = lambda block: None
        for _ in range(250):  # two and a half seconds in which the loop does not turn
            library.output.run(10)
        assert speaker.statistics().tap_dropped_ms == 500.0


async def test_a_library_without_playback_times_gives_an_estimate(
    speaker: Speaker, library: FakeSoundBackend, clock: FakeClock
) -> None:
    async with speaker:
        speaker.play(A, tone(100))
        for _ in range(6):
            library.output.run(10, lead_s=None, flags=4)
            await clock.advance(0.010)
        assert speaker.heard().of("a") == pytest.approx(60 - 35, abs=1), "by the stream's own latency"
        statistics = speaker.statistics()
        assert statistics.estimated
        assert statistics.flags == 6


async def test_the_body_s_error_comes_out_as_it_is(speaker: Speaker, library: FakeSoundBackend) -> None:
    with pytest.raises(KeyError):
        async with speaker:
            raise KeyError
    assert library.output.closed


async def test_no_device_is_told_on_entering(library: FakeSoundBackend) -> None:
    library.devices = []
    with pytest.raises(AudioUnavailable) as caught:
        async with Speaker(backend=library):
            pass
    assert caught.value.reason == "no_output_device"


# -- a device with a rate of its own


async def test_a_device_with_a_rate_of_its_own_is_converted_both_ways(
    library: FakeSoundBackend, clock: FakeClock
) -> None:
    library.devices = [FakeDevice("card", default_rate=48_000, rates=frozenset({48_000}))]
    wave = (8_000 * np.sin(np.arange(2_400) * 2 * np.pi * 440 / 24_000)).astype("<i2")
    tapped: list[AudioBlock] = []
    async with Speaker(backend=library, clock=clock, patience=PATIENT) as speaker:
        speaker.tap = tapped.append
        speaker.play(A, wave.tobytes())
        speaker.play(B, wave.tobytes())
        speaker.finish()
        speaker.finish()
        for _ in range(25):
            library.output.run(480)
            await clock.advance(0.010)
        assert speaker.heard().of("a") == pytest.approx(100, abs=3)
        assert speaker.heard().of("b") == pytest.approx(100, abs=3)
    assert library.output.rate == 48_000
    played = np.frombuffer(library.output.played, "<i2")
    assert np.abs(played).max() == pytest.approx(8_000, rel=0.03)
    assert np.count_nonzero(np.abs(played) > 100) / 48 == pytest.approx(200, abs=6)
    back = b"".join(block.pcm for block in tapped)
    assert len(back) == 2 * 24 * 250
    assert tapped[0].at == pytest.approx(100.040, abs=0.003)


async def test_a_stop_forgets_what_the_filter_holds(library: FakeSoundBackend, clock: FakeClock) -> None:
    library.devices = [FakeDevice("card", default_rate=48_000, rates=frozenset({48_000}))]
    async with Speaker(backend=library, clock=clock, patience=PATIENT) as speaker:
        speaker.play(A, tone(2_400, 20_000))
        library.output.run(480)
        speaker.stop()
        library.output.run(480)
        speaker.play(B, bytes(4_800))
        speaker.finish()
        assert not any(library.output.run(4_800))


@pytest.mark.parametrize("device_rate", [44_100, 48_000])
async def test_a_pause_is_exact_at_a_rate_of_the_devices_own(
    library: FakeSoundBackend, clock: FakeClock, device_rate: int
) -> None:
    library.devices = [FakeDevice("card", default_rate=device_rate, rates=frozenset({device_rate}))]
    wave = (30_000 * np.sin(np.arange(24_000) * 2 * np.pi * 440 / 24_000)).astype("<i2")
    played: list[NDArray[np.int16]] = []
    for pauses in (False, True):
        async with Speaker(backend=library, clock=clock, patience=PATIENT) as speaker:
            speaker.play(A, wave.tobytes())
            speaker.finish()
            for number in range(150):
                if pauses and number == 30:
                    speaker.pause()
                if pauses and number == 60:
                    speaker.resume()
                library.output.run(device_rate // 100)
                await clock.advance(0.010)
            assert speaker.heard().of("a") == pytest.approx(1_000, abs=3), "the filter's own delay"
            played.append(np.frombuffer(library.output.played, "<i2"))
    cut, fade = 30 * (device_rate // 100), device_rate * 5 // 1000
    before, after = played
    assert np.array_equal(after[:cut], before[:cut])
    assert not after[cut + fade : 2 * cut].any()
    assert np.array_equal(after[2 * cut + fade :], before[cut + 2 * fade : len(before) - cut + fade])
    assert largest_step(after) <= largest_step(before) + 30_000 / fade + 2


# -- a device without a single channel


@pytest.mark.parametrize("rate", [1_000, 48_000])
async def test_a_device_that_takes_no_mono_gets_the_same_on_two_channels(
    library: FakeSoundBackend, clock: FakeClock, rate: int
) -> None:
    rates = frozenset({rate})
    library.devices = [FakeDevice("card", outputs=2, default_rate=rate, rates=rates, mono=False)]
    blocks: list[AudioBlock] = []
    async with Speaker(rate=1_000, backend=library, clock=clock, patience=PATIENT) as speaker:
        speaker.tap = blocks.append
        speaker.play(A, tone(300))
        speaker.finish()
        await run(library, clock, 40, frames=rate // 100)
        assert speaker.heard().of("a") == pytest.approx(300, abs=50)
    assert library.output.channels == 2
    both = np.frombuffer(library.output.played, "<i2").reshape(-1, 2)
    assert len(both) == 40 * rate // 100
    assert np.array_equal(both[:, 0], both[:, 1])
    assert both[rate // 10 : rate // 5] == pytest.approx(1_000, abs=2)
    assert len(b"".join(block.pcm for block in blocks)) == 2 * 400


async def test_a_single_channel_is_refused_where_there_is_no_second_one(library: FakeSoundBackend) -> None:
    library.devices = [FakeDevice("card", mono=False)]
    with pytest.raises(AudioUnavailable, match="number of channels") as caught:
        async with Speaker(backend=library):
            pass
    assert caught.value.reason == "format_refused"


async def test_a_device_that_is_busy_is_not_asked_for_two_channels(library: FakeSoundBackend) -> None:
    library.devices = [FakeDevice("card", outputs=2)]
    library.open_failures = [library.busy()]
    with pytest.raises(AudioUnavailable, match="unavailable") as caught:
        async with Speaker(backend=library):
            pass
    assert caught.value.reason == "device_busy_or_lost"
    assert library.streams == []


# -- loss


async def test_what_a_lost_device_had_taken_is_not_heard_and_playback_goes_on(
    speaker: Speaker, library: FakeSoundBackend, clock: FakeClock
) -> None:
    async with speaker:
        speaker.play(A, tone(200))
        await run(library, clock, 9)  # 90 frames taken, heard up to 40 at the last block
        await clock.advance(0.5)
        library.output.lose()
        await settled(lambda: len(library.streams) == 2 and library.output.started)
        assert speaker.heard().of("a") == pytest.approx(40, abs=1)
        await run(library, clock, 20)
        assert speaker.heard().of("a") == pytest.approx(40 + 110, abs=1)
        statistics = speaker.statistics()
        assert statistics.losses == 1
        assert statistics.lost_ms == pytest.approx(50, abs=1)
        assert statistics.away_ms == pytest.approx(510)
        await speaker.wait_drained()


async def test_a_device_that_is_lost_before_it_began_comes_back(
    speaker: Speaker, library: FakeSoundBackend, clock: FakeClock
) -> None:
    async with speaker:
        library.output.lose()
        await settled(lambda: len(library.streams) == 2 and library.output.started)
        speaker.play(A, tone(50))
        await run(library, clock, 10)
        assert speaker.heard().of("a") == 50.0


async def test_a_speaker_that_stays_lost_says_so_where_it_is_used(
    speaker: Speaker, library: FakeSoundBackend, clock: FakeClock
) -> None:
    async def wait() -> None:
        with pytest.raises(AudioUnavailable, match="stayed lost"):
            await speaker.wait_drained()

    async with speaker, anyio.create_task_group() as tasks:
        speaker.play(A, tone(500))
        await run(library, clock, 9)
        tasks.start_soon(wait)
        library.open_failures = [library.busy()] * 2
        library.output.lose()
        await settled(lambda: speaker._failure is not None)
        await clock.advance(30.0)
        with pytest.raises(AudioUnavailable, match="stayed lost"):
            speaker.play(A, tone(10))
        assert speaker.heard().of("a") == pytest.approx(40, abs=1), "frozen"


async def test_a_replacement_at_another_rate_is_refused(
    speaker: Speaker, library: FakeSoundBackend, clock: FakeClock
) -> None:
    async with speaker:
        library.devices = [FakeDevice("card", rates=frozenset({48_000}))]
        library.output.lose()
        await settled(lambda: len(library.streams) == 3 and library.output.closed)
        await settled(lambda: speaker._failure is not None)
        with pytest.raises(AudioUnavailable, match="48000 Hz and not at 1000 Hz"):
            speaker.play(A, tone(10))
    assert all(stream.closed for stream in library.streams)


async def test_a_failing_callback_is_silent_and_reported(speaker: Speaker, library: FakeSoundBackend) -> None:
    async with speaker:
        speaker.play(A, tone(500))
        times_without_a_clock = object()
        data = bytearray(b"\x55" * 20)
        with pytest.raises(library.CallbackAbort):
            library.output.callback(memoryview(data), 10, times_without_a_clock, 0)
        assert not any(data)
        library.output.lose()
        await settled(lambda: speaker._failure is not None)
        with pytest.raises(AudioUnavailable, match="callback failed: AttributeError"):
            speaker.play(A, tone(10))


# -- the virtual card


@pytest.fixture
def spoken(chirp: NDArray[np.int16], tmp_path: Path) -> Path:
    path = tmp_path / "spoken.wav"
    write_wav(path, chirp.tobytes(), 24_000)
    return path


@pytest.mark.device
def test_what_it_plays_is_what_sounds(
    sound_card: VirtualSoundCard,
    start_program: Callable[..., Any],
    correlate: Callable[[Path, NDArray[np.int16]], float],
    chirp: NDArray[np.int16],
    spoken: Path,
    tmp_path: Path,
) -> None:
    recording = tmp_path / "recording.wav"
    with sound_card.record_speaker(recording):
        facts = start_program(sound_card, "play", spoken).next_report()
    assert correlate(recording, chirp) >= 0.95
    assert facts["heard_ms"] == 2_000.0
    assert facts["tapped"]
    assert facts["playback"]["dropped_ms"] == facts["losses"] == 0
    assert not facts["estimated"]


@pytest.mark.device
def test_a_stop_is_silence_and_the_position_is_what_was_recorded(
    sound_card: VirtualSoundCard,
    start_program: Callable[..., Any],
    audible_ms: Callable[[Path], float],
    spoken: Path,
    tmp_path: Path,
) -> None:
    recording = tmp_path / "recording.wav"
    with sound_card.record_speaker(recording):
        facts = start_program(sound_card, "stop", spoken, 600).next_report()
    sounded_ms = audible_ms(recording)
    assert 600 <= facts["heard_ms"] < 1_200
    assert sounded_ms == pytest.approx(facts["heard_in_all_ms"], abs=40)
    assert sounded_ms == pytest.approx(facts["heard_ms"], abs=40), "what the device had taken is counted"


@pytest.mark.device
@pytest.mark.slow
def test_a_card_that_is_pulled_out_and_put_back_plays_on(
    own_card: VirtualSoundCard, start_program: Callable[..., Any], spoken: Path
) -> None:
    program = start_program(own_card, "play_through_loss", spoken, 50)
    assert program.next_report() == {"playing": True}
    own_card.kill()
    own_card.plug_in()
    facts = program.next_report()
    assert facts["error"] is None
    assert facts["losses"] >= 1
    assert facts["away_ms"] > 0
    assert facts["heard_ms"] + facts["lost_ms"] == pytest.approx(facts["received_ms"], abs=1)


@pytest.mark.device
@pytest.mark.slow
def test_a_card_that_is_pulled_out_for_good_is_told(
    own_card: VirtualSoundCard, start_program: Callable[..., Any], spoken: Path
) -> None:
    program = start_program(own_card, "play_through_loss", spoken, 2)
    assert program.next_report() == {"playing": True}
    own_card.kill()
    facts = program.next_report()
    assert facts["error"] == "device_busy_or_lost"
    assert 300 <= facts["heard_ms"] < 2_000
