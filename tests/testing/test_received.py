"""Waiting for what a client sends."""

from __future__ import annotations

from base64 import b64encode

import anyio
import pytest

from rtagent.errors import Timeout
from rtagent.testing import UnexpectedFrame
from rtagent.testing._received import KEPT_EVENTS, KEPT_TYPES, Received


async def test_each_event_is_given_out_once_also_when_it_came_before() -> None:
    received = Received("connection 1")
    for number in (1, 2):
        received.note({"type": "a", "number": number})
    assert [(await received.claim("a"))["number"] for _ in range(2)] == [1, 2]
    with pytest.raises(Timeout, match=r"'a' of connection 1 \(it sent a, a\)"):
        await received.claim("a", timeout=0.001)


async def test_an_event_that_comes_later_wakes_who_waits() -> None:
    received, got = Received("c"), []

    async def wait() -> None:
        got.append(await received.claim("a", {"number": 2}))

    async with anyio.create_task_group() as group:
        group.start_soon(wait)
        await anyio.wait_all_tasks_blocked()
        received.note({"type": "b", "number": 2})
        received.note({"type": "a", "number": 1})
        await anyio.wait_all_tasks_blocked()
        assert got == []
        received.note({"type": "a", "number": 2})
    assert got == [{"type": "a", "number": 2}]
    assert (await received.claim("a"))["number"] == 1


async def test_after_the_end_what_came_can_be_had_and_nothing_else() -> None:
    received = Received("connection 3")
    received.note({"type": "a"})
    received.end("code 1000")
    await received.claim("a")
    with pytest.raises(UnexpectedFrame, match=r"connection 3 ended \(code 1000\) without 'b'"):
        await received.claim("b")


async def test_the_end_wakes_who_waits() -> None:
    received = Received("connection 3")

    async def wait() -> None:
        with pytest.raises(UnexpectedFrame, match="it sent nothing"):
            await received.claim("a")

    async with anyio.create_task_group() as group:
        group.start_soon(wait)
        await anyio.wait_all_tasks_blocked()
        received.end("code 1006")


async def test_audio_is_kept_as_bytes_and_as_events() -> None:
    received = Received("c")
    for audio in (b64encode(b"\1\2").decode(), "?", None, b64encode(b"\3").decode()):
        received.note({"type": "input_audio_buffer.append", "audio": audio})
    assert received.audio == b"\1\2\3"
    assert (await received.claim("input_audio_buffer.append"))["audio"] == "AQI="


async def test_what_nobody_asks_for_is_bounded() -> None:
    received = Received("c")
    for number in range(KEPT_EVENTS + 1):
        received.note({"type": "a", "number": number})
    assert (await received.claim("a"))["number"] == 1
    for number in range(KEPT_TYPES):
        received.note({"type": f"type {number}"})
    with pytest.raises(Timeout):
        await received.claim(f"type {KEPT_TYPES - 1}", timeout=0.001)
