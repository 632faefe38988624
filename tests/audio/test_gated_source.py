from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import aclosing

import numpy as np
import pytest
from anyio import create_task_group
from anyio.lowlevel import checkpoint
from hypothesis import given
from hypothesis import strategies as st

from rtagent.audio import (
    ArraySource,
    AudioBlock,
    AudioFormat,
    AudioSource,
    GatedSource,
    Silence,
    TurnDetector,
)
from rtagent.errors import ConfigurationError, LocalProtocolError

FORMAT = AudioFormat.pcm16(8_000)


class Loud:
    """Speech is what is louder than 100; below that a sample may tell its place."""

    rate = 8_000
    frame_ms = 20.0

    def probability(self, frame: bytes) -> float:
        return float(np.abs(np.frombuffer(frame, "<i2")).max() > 100)

    def reset(self) -> None:
        pass


class Blocks:
    """A source of just these blocks."""

    def __init__(self, blocks: Iterable[AudioBlock], form: AudioFormat = FORMAT) -> None:
        self.format = form
        self.ended = False
        self._blocks = list(blocks)

    async def blocks(self) -> AsyncIterator[AudioBlock]:
        try:
            for block in self._blocks:
                yield block
        finally:
            self.ended = True


def detector() -> TurnDetector:
    return TurnDetector(Loud(), format=FORMAT)


def sound(*parts: tuple[bool, int]) -> bytes:
    """Speech or not, and for how many milliseconds; no two seconds of it are alike."""
    pieces = [np.full(8 * ms, 2000 if loud else 0) for loud, ms in parts]
    samples = np.concatenate(pieces) if pieces else np.zeros(0)
    return (samples + np.arange(len(samples)) % 97).astype("<i2").tobytes()


def cut(data: bytes, size: int) -> list[AudioBlock]:
    return [
        AudioBlock(data[2 * start : 2 * (start + size)], start / FORMAT.rate)
        for start in range(0, len(data) // 2, size)
    ]


async def passed(source: AudioSource) -> list[AudioBlock]:
    return [block async for block in source.blocks()]


def pcm_of(blocks: Iterable[AudioBlock]) -> bytes:
    return b"".join(block.pcm for block in blocks)


@pytest.mark.parametrize("size", [7, 80, 160, 161, 8000, 100_000])
async def test_speech_passes_with_its_pre_roll_and_its_tail(size: int) -> None:
    data = sound((False, 3000), (True, 1000), (False, 3000))
    gate = GatedSource(Blocks(cut(data, size)), detector(), tail_ms=200)
    blocks = await passed(gate)
    begin_ms, end_ms = blocks[0].at * 1000, blocks[-1].at * 1000 + FORMAT.ms_of(len(blocks[-1].pcm))
    assert 3000 - 420 <= begin_ms <= 3000 - 300
    assert 4000 + 700 <= end_ms <= 4000 + 740
    start = round(blocks[0].at * FORMAT.rate)
    assert pcm_of(blocks) == data[2 * start :][: len(pcm_of(blocks))]
    statistics = gate.statistics()
    assert statistics.passed_ms == pytest.approx(end_ms - begin_ms)
    assert statistics.passed_ms + statistics.dropped_ms == pytest.approx(7000)


@given(
    parts=st.lists(st.tuples(st.booleans(), st.integers(0, 900)), max_size=6),
    size=st.sampled_from([0, 37, 160, 999, 8000]),
    tail_ms=st.sampled_from([0, 200, 2000]),
)
async def test_nothing_is_told_twice_or_out_of_order(
    parts: list[tuple[bool, int]], size: int, tail_ms: int
) -> None:
    data = sound(*parts)
    stream = cut(data, size or 160)
    if not size:  # empty blocks in between
        stream = [block for whole in stream for block in (AudioBlock(b"", whole.at), whole)]
    gate = GatedSource(Blocks(stream), detector(), tail_ms=tail_ms)
    position = 0
    for block in await passed(gate):
        start = round(block.at * FORMAT.rate)
        assert start >= position
        assert block.pcm == data[2 * start : 2 * start + len(block.pcm)] != b""
        position = start + len(block.pcm) // 2
    statistics = gate.statistics()
    assert statistics.passed_ms + statistics.dropped_ms == pytest.approx(FORMAT.ms_of(len(data)))


async def test_moves_are_told_in_their_place() -> None:
    told: list[str] = []
    data = sound((False, 1000), (True, 300), (False, 1000), (True, 200))
    gate = GatedSource(
        Blocks(cut(data, 8000)), detector(), tail_ms=0, on_move=lambda m: told.append(type(m).__name__)
    )
    seen = [told.copy() async for _ in gate.blocks()]
    assert seen[0] == ["SpeechStarted"]
    begun_again = next(moves for moves in seen if len(moves) > 1)
    assert begun_again == [
        "SpeechStarted",
        "SpeechStopped",
        "SpeechStarted",
    ]  # the end was told behind its last block
    assert told == ["SpeechStarted", "SpeechStopped"] * 2  # and the last one with the stream


async def test_what_the_listener_raises_ends_the_reading() -> None:
    def fail(_: object) -> None:
        raise KeyError

    source = Blocks(cut(sound((True, 500)), 160))
    with pytest.raises(KeyError):
        await passed(GatedSource(source, detector(), on_move=fail))
    assert source.ended


async def test_silence_is_dropped_and_counted() -> None:
    gate = GatedSource(Silence(5, format=FORMAT, pace=None), detector())
    assert await passed(gate) == []
    assert gate.statistics().dropped_ms == 5000


async def test_a_gate_that_is_switched_off_passes_all() -> None:
    data = sound((False, 2000))
    gate = GatedSource(Blocks(cut(data, 160)), detector())
    gate.gating = False
    assert pcm_of(await passed(gate)) == data


async def test_each_pass_begins_anew() -> None:
    gate = GatedSource(ArraySource(sound((False, 500), (True, 500)), 8_000, pace=None), detector())
    first, second = [pcm_of(await passed(gate)) for _ in range(2)]
    assert first == second != b""


async def test_a_pass_that_was_left_early_leaves_nothing_to_the_next() -> None:
    source = Blocks([*cut(sound((True, 500)), 160)])
    gate = GatedSource(source, detector())
    async with aclosing(gate.blocks()) as blocks:
        await anext(blocks)
    source._blocks = cut(sound((False, 300)), 160)
    assert await passed(gate) == []


async def test_broken_samples_are_left_out() -> None:
    data = sound((True, 500))
    torn = [AudioBlock(block.pcm + b"\x01", block.at) for block in cut(data, 80)]
    gate = GatedSource(Blocks([*torn, AudioBlock(b"\x01", 9.0)]), detector())
    assert pcm_of(await passed(gate)) == data
    assert gate.turn_detector.statistics().broken_blocks == len(torn) + 1


async def test_a_source_that_changes_its_format_is_an_error() -> None:
    source = Blocks(cut(sound((True, 500)), 160))
    gate = GatedSource(source, detector())
    blocks = gate.blocks()
    await anext(blocks)
    source.format = AudioFormat.pcm16(16_000)
    with pytest.raises(LocalProtocolError, match="rate=16000"):
        [_ async for _ in blocks]
    assert source.ended


async def test_leaving_early_ends_the_source() -> None:
    source = Blocks(cut(sound((True, 500)), 160))
    async with aclosing(GatedSource(source, detector()).blocks()) as blocks:
        async for _ in blocks:
            break
    assert source.ended


class Bare:
    """A source whose iteration is no generator."""

    format = FORMAT

    def blocks(self) -> Bare:
        return self

    def __aiter__(self) -> Bare:
        return self

    async def __anext__(self) -> AudioBlock:
        raise StopAsyncIteration


async def test_it_is_a_source_like_its_own() -> None:
    gate = GatedSource(Bare(), detector())
    assert isinstance(gate, AudioSource)
    assert (gate.format, gate.waits) == (FORMAT, False)
    assert await passed(gate) == []
    assert GatedSource(Silence(format=FORMAT, pace=None), detector()).waits


def test_settings_that_cannot_be() -> None:
    with pytest.raises(ConfigurationError, match=r"rate=8000.*rate=16000"):
        GatedSource(Blocks([], AudioFormat.pcm16(16_000)), detector())
    for tail_ms in (-1, float("nan"), float("inf")):
        with pytest.raises(ConfigurationError, match="tail"):
            GatedSource(Blocks([]), detector(), tail_ms=tail_ms)


async def test_a_long_block_lets_others_run_while_it_is_judged() -> None:
    turns, judged = 0, 0

    class Slow(Loud):
        def probability(self, frame: bytes) -> float:
            nonlocal judged
            judged += 1
            assert turns >= judged - 2, "somebody else had his turn since the frame before"
            return super().probability(frame)

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await checkpoint()

    ten_seconds = AudioBlock(sound((True, 10_000)), 0.0)
    source = GatedSource(Blocks([ten_seconds]), TurnDetector(Slow(), format=FORMAT))
    async with create_task_group() as tasks:
        tasks.start_soon(others)
        await checkpoint()
        assert pcm_of(await passed(source)) == ten_seconds.pcm
        tasks.cancel_scope.cancel()
    assert judged == 500


async def test_empty_blocks_are_passed_over() -> None:
    empty = [AudioBlock(b"", 0.02 * k) for k in range(1_000)]
    spoken = cut(sound((True, 400)), 160)
    source = GatedSource(Blocks([*empty, *spoken, *empty]), detector())
    assert pcm_of(await passed(source)) == pcm_of(spoken)
