from __future__ import annotations

from contextlib import aclosing

import pytest

from rtagent.audio import write_wav
from rtagent.cli._ears import SpokenFile
from rtagent.errors import AudioFileError


async def test_a_file_is_spoken_and_then_there_is_silence(tmp_path):
    path = tmp_path / "ask.wav"
    pcm = b"\x00\x40\x00\xc0" * 480  # two blocks of 20 ms
    write_wav(path, pcm, 24_000)
    ears = SpokenFile(path)
    heard, levels, spoken = [], [], []

    async with aclosing(ears.blocks()) as blocks:
        async for block in blocks:
            heard.append(block)
            levels.append(ears.level)
            spoken.append(ears.spoken.is_set())
            if len(heard) == 4:
                break

    assert b"".join(block.pcm for block in heard) == pcm + bytes(1920)
    assert levels == [0.5, 0.5, 0.0, 0.0]
    assert spoken == [False, False, True, True]
    assert [block.at for block in heard] == sorted(block.at for block in heard)


def test_a_file_that_cannot_be_read_shows_at_once(tmp_path):
    with pytest.raises(AudioFileError, match="there is no such file"):
        SpokenFile(tmp_path / "missing.wav")
