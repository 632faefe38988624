"""Speech, cut and encoded for the wire."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from rtagent.audio import AudioFormat
from rtagent.engine._speech import Recutter, speech
from rtagent.engine._voice import Spoken

PCM = AudioFormat.pcm16()


@pytest.mark.parametrize(
    ("pieces_ms", "expected_ms"),
    [
        ([80, 80], [160]),
        ([60], [60]),
        ([1000], [200] * 5),
        ([250], [100, 150]),
        ([90, 5], [95]),
        ([80, 0, 80, 80], [160, 80]),
        ([], []),
    ],
)
def test_pieces_are_cut_to_what_the_wire_likes(pieces_ms: list[int], expected_ms: list[int]):
    recutter = Recutter(24_000)
    got = [out for ms in pieces_ms for out in recutter.add(Spoken(bytes(48 * ms), ""))] + recutter.rest()
    assert [len(piece.pcm) // 48 for piece in got] == expected_ms


def test_a_text_goes_with_the_sound_it_came_with():
    recutter = Recutter(24_000)
    got = recutter.add(Spoken(bytes(48 * 80), "One ")) + recutter.add(Spoken(bytes(48 * 80), "two "))
    got += recutter.add(Spoken(bytes(48 * 300), "three")) + recutter.add(Spoken(b"", "!")) + recutter.rest()
    assert [(len(piece.pcm) // 48, piece.text) for piece in got] == [
        (160, "One two "),
        (200, "three"),
        (100, ""),
        (0, "!"),
    ]


@pytest.mark.parametrize(
    ("layout", "bytes_per_ms"), [(PCM, 48), (AudioFormat.pcmu(), 8), (AudioFormat.pcma(), 8)]
)
async def test_speech_in_every_format(parts: Any, layout: AudioFormat, bytes_per_ms: int):
    pieces: AsyncGenerator[Spoken, None] = speech(
        parts.voice, "One two three.", layout, name="ash", speed=1.5
    )
    got = [piece async for piece in pieces]
    assert "".join(piece.text for piece in got) == "One two three."
    assert math.isclose(sum(len(piece.pcm) for piece in got), 240 * bytes_per_ms, rel_tol=0.05)
    assert parts.voice.spoken == [("One two three.", "ash", 1.5)]
