"""The ears of a session: a source that can be muted."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

import pytest

from rtagent.audio import ArraySource, AudioBlock, AudioFormat, AudioSource
from rtagent.session._ears import Ears


class Line:
    """A telephone whose blocks are read one by one."""

    format = AudioFormat.pcma()

    def __init__(self) -> None:
        self.closed = False

    async def blocks(self) -> AsyncGenerator[AudioBlock, None]:
        try:
            for number in range(3):
                yield AudioBlock(b"\x12" * 160, 0.02 * number)
        finally:
            self.closed = True


class Plain:
    """A source whose blocks come from no generator."""

    format = AudioFormat.pcm16(8_000)

    def blocks(self) -> AsyncIterator[AudioBlock]:
        return self

    def __aiter__(self) -> AsyncIterator[AudioBlock]:
        return self

    async def __anext__(self) -> AudioBlock:
        raise StopAsyncIteration


async def test_a_muted_source_gives_silence_of_the_same_length_and_time() -> None:
    line = Line()
    ears = Ears(line)
    heard: list[AudioBlock] = []
    async for block in ears.blocks():
        heard.append(block)
        ears.muted = len(heard) == 1
    assert [block.pcm[:1] for block in heard] == [b"\x12", b"\xd5", b"\x12"]
    assert [(len(block.pcm), block.at) for block in heard] == [(160, 0.0), (160, 0.02), (160, 0.04)]
    assert line.closed


async def test_who_stops_listening_closes_the_source() -> None:
    line = Line()
    async with aclosing(Ears(line).blocks()) as blocks:
        await anext(blocks)
    assert line.closed


async def test_a_source_that_is_no_generator_is_heard_too() -> None:
    assert [block async for block in Ears(Plain()).blocks()] == []


@pytest.mark.parametrize(
    ("source", "waits"), [(Line(), False), (ArraySource(bytes(2), 8_000, pace=None), True)]
)
def test_it_is_like_its_source(source: AudioSource, waits: bool) -> None:
    ears = Ears(source)
    assert (ears.format, ears.waits) == (source.format, waits)
