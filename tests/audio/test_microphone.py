from __future__ import annotations

import struct
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from itertools import pairwise
from pathlib import Path
from typing import Any

import anyio
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from rtagent.audio import (
    ArraySource,
    AudioBlock,
    AudioFormat,
    AudioSource,
    Microphone,
    PlaybackItem,
    PushToTalk,
    Speaker,
    write_wav,
)
from rtagent.audio._device_line import Patience
from rtagent.audio._device_reblock import Reblocker
from rtagent.audio._echo_livekit import livekit_works
from rtagent.errors import AudioUnavailable, ConfigurationError
from rtagent.testing._clock import FakeClock
from rtagent.testing._devices import FakeDevice, FakeSoundBackend
from rtagent.testing._sound_card import VirtualSoundCard

PATIENT = Patience(silence_s=60, first_callback_s=60, attempts=2, first_pause_s=0.001, longest_pause_s=0.001)
BLOCK = 20  # frames of 20 ms at 1 kHz


def ramp(first: int, frames: int) -> bytes:
    return struct.pack(f"<{frames}h", *range(first, first + frames))


@pytest.fixture
def microphone(library: FakeSoundBackend, clock: FakeClock) -> Microphone:
    return Microphone(rate=1_000, backend=library, clock=clock, patience=PATIENT)


async def opened(microphone: Microphone, library: FakeSoundBackend) -> AsyncGenerator[AudioBlock, None]:
    """The blocks, with the device open and one first block taken."""
    blocks = microphone.blocks()
    async with anyio.create_task_group() as tasks:

        async def first() -> None:
            while not any(stream.direction == "input" and stream.started for stream in library.streams):
                await anyio.to_thread.run_sync(lambda: None)
            library.input.feed(bytes(2 * BLOCK))

        tasks.start_soon(first)
        await anext(blocks)
    return blocks


def test_it_is_a_source_of_24_khz_unless_told_otherwise() -> None:
    assert isinstance(Microphone(), AudioSource)
    assert Microphone().format == AudioFormat.pcm16(24_000)
    assert Microphone(rate=16_000).format.rate == 16_000


@pytest.mark.parametrize(
    ("wanted", "beside", "policy"),
    [
        ("auto", False, "none"),
        ("none", False, "none"),
        ("none", True, "none"),
        ("half_duplex", True, "half_duplex"),
    ],
)
def test_the_echo_policy_is_what_is_done(wanted: Any, beside: bool, policy: str) -> None:
    microphone = Microphone(echo_cancel=wanted, far=Speaker() if beside else None)
    assert microphone.echo_policy == microphone.statistics().echo_policy == policy


def test_beside_a_speaker_something_is_done_unasked() -> None:
    assert Microphone(far=Speaker()).echo_policy in ("half_duplex", "aec")


@pytest.mark.parametrize("policy", ["aec", "half_duplex", "loud"])
def test_an_echo_policy_that_cannot_be_carried_out_is_refused(policy: Any) -> None:
    with pytest.raises(ConfigurationError):
        Microphone(echo_cancel=policy)


async def test_it_does_not_hear_the_speaker_beside_it(library: FakeSoundBackend, clock: FakeClock) -> None:
    speaker = Speaker(rate=1_000, backend=library, clock=clock, patience=PATIENT)
    microphone = Microphone(
        rate=1_000, echo_cancel="half_duplex", far=speaker, backend=library, clock=clock, patience=PATIENT
    )
    heard: list[bytes] = []

    async def hear(blocks: AsyncGenerator[AudioBlock, None]) -> None:
        async for block in blocks:
            heard.append(block.pcm)  # noqa: PERF401 - it is looked at while it grows

    async def go_on(pcm: bytes, times: int) -> None:
        for _ in range(times):
            library.output.run(BLOCK)
            for _ in range(3):  # the bell, the watch, the tap
                await anyio.to_thread.run_sync(lambda: None)
            await clock.advance(0.020)
            library.input.feed(pcm)
        for _ in range(3):
            await anyio.to_thread.run_sync(lambda: None)

    quiet, loud = hissing(500), hissing(8_000)
    async with (
        speaker,
        aclosing(await opened(microphone, library)) as blocks,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(hear, blocks)
        await go_on(quiet, 10)
        assert set(heard) == {quiet}, "nothing was played, nothing is touched"
        speaker.play(PlaybackItem("a"), 200 * hissing(4_000))
        await go_on(bytes(2 * BLOCK), 3)
        await go_on(quiet, 60)
        assert not any(b"".join(heard[-45:]))
        assert len(heard) == 73 - 12, "silence is told 240 ms late"
        assert microphone.level > 0.01, "the meter shows what is heard"
        statistics = microphone.statistics()
        assert statistics.zero_ms == 0, "and the device does deliver"
        assert statistics.echo_ducked_ms >= 1_100
        assert statistics.echo_return_loss_db == pytest.approx(18, abs=1)
        assert statistics.echo_removed_db is None
        await go_on(loud, 10)
        assert heard[-9:] == [loud] * 9
        assert len(heard) == 83, "somebody talks: nothing is late"
        tasks.cancel_scope.cancel()
    await blocks.aclose()
    assert not speaker._taps
    assert microphone.echo_policy == "half_duplex"


async def test_chunks_of_any_size_become_equal_blocks(
    microphone: Microphone, library: FakeSoundBackend, clock: FakeClock
) -> None:
    async with aclosing(await opened(microphone, library)) as blocks:
        fed = 0
        for frames in (1, 1, 8, 25, 5, 40):
            await clock.advance(frames / 1_000)
            library.input.feed(ramp(fed, frames))
            fed += frames
        taken = [await anext(blocks) for _ in range(4)]
    assert b"".join(block.pcm for block in taken) == ramp(0, 80)
    assert [block.at for block in taken] == pytest.approx([100.0, 100.020, 100.040, 100.060], abs=1e-3)
    assert library.input.closed, "ending the iteration closes the device"
    assert microphone.statistics().captured_ms == 100.0


async def test_times_come_from_the_device_and_survive_a_wrong_or_missing_clock(
    microphone: Microphone, library: FakeSoundBackend, clock: FakeClock
) -> None:
    async with aclosing(await opened(microphone, library)) as blocks:
        expected = []
        for age_s in (0.050, -5.0, 0.050):  # captured 50 ms ago; "in five seconds"; 50 ms ago
            await clock.advance(1.0)  # beyond any jitter, so that each time is taken anew
            library.input.feed(ramp(0, BLOCK), age_s=age_s)
            expected.append(clock.now() - (age_s if age_s > 0 else 0.020))
        times = [(await anext(blocks)).at for _ in expected]
    assert times == pytest.approx(expected, abs=1e-3)


async def test_setting_the_devices_clock_moves_no_block(
    microphone: Microphone, library: FakeSoundBackend, clock: FakeClock
) -> None:
    async with aclosing(await opened(microphone, library)) as blocks:
        for _ in range(3):
            await clock.advance(0.020)
            library.clock_offset_s += 3_600
            library.input.feed(ramp(0, BLOCK))
        times = [(await anext(blocks)).at for _ in range(3)]
    assert times == pytest.approx([100.0, 100.020, 100.040], abs=1e-3)
    assert microphone.statistics().clock_jumps == 3


async def test_mute_delivers_silence_while_time_goes_on(
    microphone: Microphone, library: FakeSoundBackend
) -> None:
    async with aclosing(await opened(microphone, library)) as blocks:
        microphone.mute()
        library.input.feed(ramp(1_000, BLOCK))
        assert (await anext(blocks)).pcm == bytes(2 * BLOCK)
        assert microphone.level > 0.03, "the meter still moves"
        microphone.unmute()
        library.input.feed(ramp(1_000, BLOCK))
        assert (await anext(blocks)).pcm == ramp(1_000, BLOCK)


@pytest.mark.parametrize(
    ("sample", "level"), [(0, 0.0), (32_767, 1.0), (-32_768, 1.0), (16_384, 0.5), (-16_384, 0.5)]
)
async def test_the_level_is_the_blocks_peak(
    sample: int, level: float, microphone: Microphone, library: FakeSoundBackend
) -> None:
    async with aclosing(await opened(microphone, library)) as blocks:
        library.input.feed(struct.pack("<20h", *[0] * 19, sample))
        await anext(blocks)
        assert microphone.level == pytest.approx(level, abs=1e-3)


async def test_a_microphone_that_delivers_nothing_but_zeros_is_noticed(
    microphone: Microphone, library: FakeSoundBackend
) -> None:
    async with aclosing(await opened(microphone, library)) as blocks:
        library.input.feed(bytes(2 * BLOCK))
        await anext(blocks)
        assert microphone.statistics().zero_ms == 40.0
        library.input.feed(ramp(0, BLOCK))
        await anext(blocks)
        assert microphone.statistics().zero_ms == 0.0


async def test_what_nobody_takes_is_dropped_oldest_first_and_counted(
    microphone: Microphone, library: FakeSoundBackend, clock: FakeClock
) -> None:
    async with aclosing(await opened(microphone, library)) as blocks:
        for k in range(150):
            await clock.advance(0.020)
            library.input.feed(ramp(100 * k, BLOCK), flags=2)
        first = await anext(blocks)
        assert first.pcm == ramp(100 * 50, BLOCK), "two seconds are kept"
        assert first.at == pytest.approx(101.0, abs=1e-3)
        statistics = microphone.statistics()
        assert statistics.dropped_ms == 1_000.0
        assert statistics.flags == 150


async def test_a_device_with_a_rate_of_its_own_is_converted(
    library: FakeSoundBackend, clock: FakeClock
) -> None:
    library.devices = [FakeDevice("card", default_rate=48_000, rates=frozenset({48_000}))]
    microphone = Microphone(rate=24_000, backend=library, clock=clock, patience=PATIENT)
    tone = (8_000 * np.sin(np.arange(4_800) * 2 * np.pi * 440 / 48_000)).astype("<i2").tobytes()
    blocks = microphone.blocks()
    pcm = b""
    async with aclosing(blocks), anyio.create_task_group() as tasks:

        async def capture() -> None:
            while not library.streams or not library.input.started:
                await anyio.to_thread.run_sync(lambda: None)
            library.input.feed(tone)

        tasks.start_soon(capture)
        for k in range(5):
            block = await anext(blocks)
            pcm += block.pcm
            assert len(block.pcm) == 2 * 480
            assert block.at == pytest.approx(99.9 + 0.02 * k, abs=0.003)
    half = np.frombuffer(pcm, "<i2")
    assert np.abs(half).max() == pytest.approx(8_000, rel=0.02)


# -- loss


async def test_a_lost_device_comes_back_and_the_gap_shows_in_the_times(
    microphone: Microphone, library: FakeSoundBackend, clock: FakeClock
) -> None:
    async with aclosing(await opened(microphone, library)) as blocks:
        library.input.feed(ramp(0, 5))  # the beginning of a block that never ends
        library.input.lose()
        await clock.advance(2.0)
        async with anyio.create_task_group() as tasks:

            async def back() -> None:
                while len(library.streams) < 2 or not library.input.started:
                    await anyio.to_thread.run_sync(lambda: None)
                library.input.feed(ramp(500, BLOCK))

            tasks.start_soon(back)
            block = await anext(blocks)
    assert block.pcm == ramp(500, BLOCK)
    assert block.at == pytest.approx(101.980, abs=1e-3)
    statistics = microphone.statistics()
    assert (statistics.losses, statistics.away_ms) == (1, 2_000.0)


async def test_a_device_that_stays_lost_ends_the_iteration(
    microphone: Microphone, library: FakeSoundBackend
) -> None:
    async with aclosing(await opened(microphone, library)) as blocks:
        library.open_failures = [library.busy(), library.busy()]
        library.input.lose()
        with pytest.raises(AudioUnavailable, match="stayed lost") as caught:
            await anext(blocks)
    assert caught.value.reason == "device_busy_or_lost"


async def test_no_device_is_told_at_the_first_block(library: FakeSoundBackend) -> None:
    library.devices = []
    with pytest.raises(AudioUnavailable) as caught:
        await anext(Microphone(backend=library).blocks())
    assert caught.value.reason == "no_input_device"


async def test_a_cancelled_iteration_closes_the_device(
    microphone: Microphone, library: FakeSoundBackend
) -> None:
    async with aclosing(await opened(microphone, library)) as blocks:
        with anyio.move_on_after(0):
            await anext(blocks)
    assert library.input.closed
    assert microphone.device is not None


# -- re-blocking


@given(
    sizes=st.lists(st.integers(0, 50), max_size=30),
    jitter=st.lists(st.floats(-0.010, 0.010), min_size=30, max_size=30),
)
def test_reblocking_loses_nothing_and_its_times_are_smooth(sizes: list[int], jitter: list[float]) -> None:
    reblocker = Reblocker(AudioFormat.pcm16(1_000), 20)
    taken: list[AudioBlock] = []
    fed = 0
    for size, late in zip(sizes, jitter, strict=False):
        reblocker.put(ramp(fed, size), fed / 1_000 + late)
        fed += size
        taken.extend(iter(reblocker.take, None))
    assert b"".join(block.pcm for block in taken) == ramp(0, fed)[: 40 * (fed // 20)]
    assert [block.at for block in taken] == pytest.approx([0.02 * k for k in range(len(taken))], abs=0.0201)
    steps = [later.at - earlier.at for earlier, later in pairwise(taken)]
    assert all(step > 0 for step in steps)


# -- push to talk


def hissing(level: int) -> bytes:
    return struct.pack("<20h", *[level, -2 * level // 3, level // 3, -level] * 5)


def constant(number: int) -> bytes:
    return struct.pack("<20h", *[number] * 20)


class Script:
    """A source whose blocks a test lets out one by one, doing something before each."""

    format = AudioFormat.pcm16(1_000)

    def __init__(self, actions: Sequence[Callable[[], None] | None]) -> None:
        self._actions = actions
        self.closed = False

    async def blocks(self) -> AsyncIterator[AudioBlock]:
        try:
            for number, action in enumerate(self._actions):
                if action is not None:
                    action()
                yield AudioBlock(constant(number), at=0.02 * number)
        finally:
            self.closed = True


async def test_only_what_lies_within_a_press_is_delivered_with_its_pre_roll() -> None:
    def press() -> None:
        gate.press()

    def release() -> None:
        gate.release()

    actions: list[Callable[[], None] | None] = [None] * 60
    actions[30] = press
    actions[33] = release
    actions[36] = press
    actions[38] = release
    source = Script(actions)
    gate = PushToTalk(source)
    assert gate.format == source.format
    assert gate.key == "space"
    numbers = [struct.unpack_from("<h", block.pcm)[0] async for block in gate.blocks()]
    assert numbers == [*range(15, 33), *range(33, 38)], "300 ms before, and nothing twice"
    assert source.closed


async def test_blocks_without_samples_are_not_collected() -> None:
    class Pauses(Script):
        async def blocks(self) -> AsyncIterator[AudioBlock]:
            for _ in range(10_000):
                yield AudioBlock(b"", 0.0)
            gate.press()
            yield AudioBlock(constant(1), 0.02)

    gate = PushToTalk(Pauses([]))
    assert [block.pcm async for block in gate.blocks()] == [constant(1)]
    assert not gate._held


async def test_breaking_off_closes_the_source() -> None:
    source = Script([None] * 10)
    gate = PushToTalk(source)
    gate.press()
    async with aclosing(gate.blocks()) as blocks:
        await anext(blocks)
    assert source.closed


async def test_any_source_can_be_gated() -> None:
    gate = PushToTalk(ArraySource(constant(7), 1_000, pace=None))
    gate.press()
    async with aclosing(gate.blocks()) as blocks:
        assert (await anext(blocks)).pcm == constant(7)


class Endless:
    """A source whose iterator is no generator."""

    format = AudioFormat.pcm16(1_000)

    def blocks(self) -> AsyncIterator[AudioBlock]:
        return self

    def __aiter__(self) -> AsyncIterator[AudioBlock]:
        return self

    async def __anext__(self) -> AudioBlock:
        return AudioBlock(constant(1), at=0.0)


async def test_a_source_without_aclose_can_be_gated() -> None:
    gate = PushToTalk(Endless())
    gate.press()
    async with aclosing(gate.blocks()) as blocks:
        assert (await anext(blocks)).pcm == constant(1)


# -- the virtual card


@pytest.mark.device
def test_it_hears_what_is_played_to_it(
    sound_card: VirtualSoundCard,
    start_program: Callable[..., Any],
    correlate: Callable[[Path, NDArray[np.int16]], float],
    chirp: NDArray[np.int16],
    tmp_path: Path,
) -> None:
    spoken, heard = tmp_path / "spoken.wav", tmp_path / "heard.wav"
    write_wav(spoken, chirp.tobytes(), 24_000)
    program = start_program(sound_card, "listen", heard, 3.5)
    assert program.next_report() == {"ready": True}
    sound_card.play_into_microphone(spoken)
    facts = program.next_report()
    assert correlate(heard, chirp) >= 0.95
    assert facts["dropped_ms"] == facts["losses"] == 0
    assert facts["captured_ms"] == pytest.approx(3_500, abs=20)
    assert 0 < facts["shortest_ms"] <= 20 <= facts["longest_ms"] + 0.1


def test_a_microphone_learns_of_the_speaker_beside_it() -> None:
    microphone = Microphone()
    assert microphone.echo_policy == "none"
    microphone.beside(Speaker())
    assert microphone.echo_policy in ("half_duplex", "aec")
    first = microphone._echo
    microphone.beside(Speaker())
    assert microphone._echo is first, "the speaker that it knows stays"


def test_who_has_a_policy_keeps_it() -> None:
    microphone = Microphone(echo_cancel="none")
    microphone.beside(Speaker())
    assert microphone.echo_policy == "none"
    assert microphone._echo is None


# -- from the callback to whoever reads


async def periods_late(
    library: FakeSoundBackend,
    clock: FakeClock,
    policy: Any,
    block_ms: float,
    *,
    played: bytes = b"",
    heard: Callable[[int], bytes],
    periods: int,
) -> list[int]:
    """For each block that was handed on: how many device periods after the one in which it was captured."""
    speaker = Speaker(backend=library, clock=clock, patience=PATIENT)
    microphone = Microphone(
        echo_cancel=policy, block_ms=block_ms, far=speaker, backend=library, clock=clock, patience=PATIENT
    )
    frames = round(24 * block_ms)
    read: list[AudioBlock] = []
    late: list[int] = []

    async def read_on() -> None:
        async with aclosing(microphone.blocks()) as blocks:
            async for block in blocks:
                read.append(block)  # noqa: PERF401 - it is looked at while it grows

    async with speaker, anyio.create_task_group() as tasks:
        tasks.start_soon(read_on)
        while not any(stream.direction == "input" and stream.started for stream in library.streams):
            await anyio.to_thread.run_sync(lambda: None)
        if played:
            speaker.play(PlaybackItem("a"), played)
        began = clock.now()
        for period in range(periods):
            library.output.run(frames)
            await clock.advance(block_ms / 1000)
            library.input.feed(heard(period))
            before = len(read)
            for _ in range(4):  # the bell, the reader
                await anyio.to_thread.run_sync(lambda: None)
            late += [period - round((block.at - began) * 1000 / block_ms) for block in read[before:]]
        tasks.cancel_scope.cancel()
    return late


@pytest.mark.parametrize(
    "policy",
    [
        "none",
        "half_duplex",
        pytest.param("aec", marks=pytest.mark.skipif(not livekit_works(), reason="needs the extra 'echo'")),
    ],
)
@pytest.mark.parametrize("block_ms", [10, 20])
async def test_a_block_is_handed_on_in_the_period_in_which_it_was_captured(
    policy: Any, block_ms: float, library: FakeSoundBackend, clock: FakeClock
) -> None:
    captured = noise_of(24 * block_ms, 500)
    late = await periods_late(library, clock, policy, block_ms, heard=lambda _: captured, periods=50)
    assert late == [0] * 50


@pytest.mark.parametrize("block_ms", [10, 20])
async def test_only_silence_is_late_while_the_assistant_talks_and_whoever_talks_over_it_is_not(
    block_ms: int, library: FakeSoundBackend, clock: FakeClock
) -> None:
    played, echo, voice = (noise_of(24 * block_ms, level) for level in (4_000, 400, 6_000))
    talks_from = 3_000 // block_ms
    late = await periods_late(
        library,
        clock,
        "half_duplex",
        block_ms,
        played=played * (5_000 // block_ms),
        heard=lambda period: voice if period >= talks_from else echo,
        periods=4_000 // block_ms,
    )
    opened = late.index(0, talks_from // 2)
    assert set(late[talks_from // 2 : opened - 240 // block_ms]) == {240 // block_ms}, "silence"
    assert set(late[opened:]) == {0}, "a voice"


def noise_of(frames: float, level: float) -> bytes:
    random = np.random.default_rng(int(level))
    return (random.standard_normal(int(frames)) * level).clip(-32_768, 32_767).astype("<i2").tobytes()
